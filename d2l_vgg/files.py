"""Write files whole or not at all, and keep two processes apart.

A reader of `path` sees the old content or the new, never a half: the new
content goes to a temporary name in the same folder and is then renamed.
"""

import contextlib
import errno
import os
import stat
import zipfile
from collections.abc import Callable, Iterator
from typing import IO, Any

try:
    import fcntl
except ImportError:  # Windows has no such lock, and MXNet 1.9 no Windows
    fcntl = None  # type: ignore[assignment]


def cache_folder(name: str) -> str | None:
    """Return a folder of the user's cache, None if it cannot be written."""
    home = os.environ.get('XDG_CACHE_HOME') or os.path.expanduser('~/.cache')
    folder = os.path.join(home, 'd2l_vgg', name)
    try:
        os.makedirs(folder, exist_ok=True)
    except OSError:
        return None
    return folder if os.access(folder, os.W_OK) else None


@contextlib.contextmanager
def alone_in(folder: str, when_busy: Callable[[], None]) -> Iterator[None]:
    """Let no second process work in the same folder meanwhile.

    `when_busy()` is called if one does already; if it raises nothing, the
    other's end is waited for. The system lifts the lock of one that crashes.
    """
    if fcntl is None:
        yield
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            when_busy()
            fcntl.flock(handle, fcntl.LOCK_EX)
        except OSError:
            pass  # Some network file systems cannot lock
        yield
    finally:
        os.close(handle)


def open_regular(
    path: str | os.PathLike, mode: str = 'rb', **options: Any
) -> IO[Any]:
    """Open a file as `open` does, but no pipe or device, which may not end.

    Raises:
        OSError: it is no file, or cannot be read to its end.
    """
    kind = os.stat(path).st_mode
    if not (stat.S_ISREG(kind) or stat.S_ISDIR(kind)):
        raise OSError(errno.EINVAL, 'It is a pipe or a device', path)
    try:
        # Libraries would take a read that fails for damage
        with open(path, 'rb') as file:
            while file.read(2**20):
                pass
    except OSError as error:
        raise OSError(error.errno, error.strerror, path) from None
    return open(path, mode, **options)


def check_unpacked_size(file: IO[bytes]) -> None:
    """Refuse an archive .zip that unpacks to more than it is.

    Raises:
        ValueError: it does; what is stored only, never packed, does not.
        zipfile.BadZipFile: it is no archive.
    """
    size = os.fstat(file.fileno()).st_size
    with zipfile.ZipFile(file) as archive:
        claimed = sum(entry.file_size for entry in archive.infolist())
    if claimed > size:
        raise ValueError(f'it claims {claimed} bytes and has {size}')


def write_whole(
    path: str | os.PathLike, write: Callable[[IO[bytes]], object]
) -> None:
    """Put what `write(file)` writes to a binary file at `path`, atomically.

    Whatever goes wrong, `path` keeps its content. Missing folders are made.

    Raises:
        OSError: the folder cannot be written or the disk is full. Its
            `filename` is `path`, whatever the system calls it.
    """
    path = os.path.abspath(path)
    folder = os.path.dirname(path)
    # Not longer than a name may be
    temporary = os.path.join(folder, f'.{os.urandom(4).hex()}.tmp')
    try:
        os.makedirs(folder, exist_ok=True)
        with open(temporary, 'xb') as file:
            write(file)
            file.flush()
            try:
                # Without this a power cut could leave a renamed, empty file
                os.fsync(file.fileno())
            except OSError as error:
                # As where a file system does not know it
                if error.errno not in (errno.EINVAL, errno.ENOTSUP):
                    raise
        os.replace(temporary, path)
    except BaseException as error:
        with contextlib.suppress(OSError):
            os.remove(temporary)
        # The system names the temporary file, or none
        if isinstance(error, OSError) and error.errno is not None:
            raise OSError(error.errno, error.strerror, path) from error
        raise


def write_text(path: str | os.PathLike, text: str) -> None:
    """Put `text` at `path` as UTF-8, whole or not at all."""
    write_whole(path, lambda file: file.write(text.encode('utf-8')))
