"""See that the library of the installed MXNet loads on this machine.

An MXNet that pip did not install is shown to this environment first: the
argument is the folder that its module is in. System libraries that it misses
are put beside it where that is possible without root; of one that is not, a
line tells what to install.
"""

import ctypes
import fnmatch
import importlib.util
import re
import runpy
import subprocess
import sys
import sysconfig
import tempfile
import zipfile
from pathlib import Path

from d2l_vgg import cuda
from d2l_vgg.files import write_whole
from d2l_vgg.platforms import advice

# The wheel on PyPI that has it (for Python 3.11, which is there for every
# system), and its file there
WHEELS = {
    'libgomp.so.1': (
        'scikit-learn==1.3.2',
        'scikit_learn.libs/libgomp[-.]*so*',
    ),
    'libquadmath.so.0': ('numpy==1.26.4', 'numpy.libs/libquadmath[-.]*so*'),
}
# MXNet for ARM was linked to libraries of ARM that it does not bring, of
# which it uses what these libraries of the system have, too
LIBRARIES = {
    'libarmpl_lp64_mp.so': 'libopenblas.so.0',
    'libamath.so': 'libm.so.6',
    'libastring.so': 'liblapacke.so.3',
}


def find_library():
    """Return the path of MXNet's library, None where there is none.

    MXNet's own `libinfo` finds it. The package is not imported, which would
    load the library.
    """
    spec = importlib.util.find_spec('mxnet')
    # What an uninstalled one has left behind is a folder without a module
    if spec is None or not spec.origin:
        return None
    try:
        info = runpy.run_path(str(Path(spec.origin).with_name('libinfo.py')))
        return Path(info['find_lib_path']()[0])
    except (OSError, RuntimeError):
        return None


def load(library):
    """Return why `library` does not load, or None when it does."""
    try:
        ctypes.CDLL(str(library))
    except OSError as error:
        return str(error)
    return None


def provide(path):
    """Put a library at `path`; return where it comes from, None if nowhere.

    It is beside MXNet's own, which searches there before anywhere else.
    """
    if path.name in WHEELS:
        return extract(*WHEELS[path.name], path)
    known = subprocess.run(
        ['/sbin/ldconfig', '-p'], capture_output=True, text=True
    ).stdout
    library = re.escape(LIBRARIES.get(path.name, 'none'))
    found = re.search(rf'^\s*{library} .*=> (.*)$', known, re.M)
    if found is None:
        return None
    path.unlink(missing_ok=True)  # It may lead to a library that is gone
    path.symlink_to(found.group(1))
    return found.group(1)


def extract(requirement, pattern, path):
    """Write to `path` the file of a wheel that matches `pattern`.

    pip downloads the wheel, of which nothing else stays. Returns the
    requirement, or None where pip cannot download it.
    """
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, '-m', 'pip', 'download', '--quiet']
        command += ['--disable-pip-version-check', '--no-deps', requirement]
        command += ['--only-binary=:all:', '--python-version=3.11']
        if subprocess.call([*command, f'--dest={folder}']):
            return None
        (wheel,) = Path(folder).glob('*.whl')
        with zipfile.ZipFile(wheel) as archive:
            (name,) = fnmatch.filter(archive.namelist(), pattern)
            content = archive.read(name)
    write_whole(path, lambda file: file.write(content))
    return requirement


def show(place):
    """Put a folder on this environment's path, behind what is its own.

    Without one, take what an earlier call has put there off it.
    """
    path = Path(sysconfig.get_path('purelib'), 'd2l_vgg_system_mxnet.pth')
    if place is None:
        path.unlink(missing_ok=True)
        return
    path.write_text(f'{place}\n', encoding='utf-8')
    sys.path.append(place)


def main(place=None):
    show(place)
    library = find_library()
    if library is None:
        sys.exit('setup: MXNet is not whole: its libmxnet.so is not there')
    cuda.load_libraries()  # As `import mxnet` does
    provided = set()
    while error := load(library):
        name = re.match(r'[^\s:]+', error).group()
        source = (
            None if name in provided else provide(library.with_name(name))
        )
        if source is None:
            error = error.replace(name, LIBRARIES.get(name, name))
            sys.exit(
                f'setup: MXNet does not load ({error}): {advice(error)}, '
                'then try again'
            )
        print(f'setup: MXNet will use the {name} of {source}')
        provided.add(name)


if __name__ == '__main__':
    main(*sys.argv[1:])
