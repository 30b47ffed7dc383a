"""What an error says to a user: one line, and what to do.

Our own errors are such sentences already; those of the system, of Python and
of MXNet are put into words here.
"""

import errno
import re

from d2l_vgg.foreign_text import visible

FULL = errno.ENOSPC, errno.EDQUOT, errno.EFBIG

# What to do about an error of the system
ADVICE = {
    **dict.fromkeys(FULL, 'make room, or choose another place'),
    **dict.fromkeys(
        (errno.EACCES, errno.EPERM, errno.EROFS),
        'choose another place, or change who may use this one',
    ),
    errno.EISDIR: 'name a file in it',
    errno.EIO: 'see that its disk can be reached, and try again',
}

# How the libraries say that there is no more memory
OUT_OF_MEMORY = re.compile(
    "(?i)can't allocate memory|out of memory|resource_exhausted|OOM when|"
    '(failed|unable) to allocate'
)


def counted(number, noun, ending='s'):
    """Return such as '1 epoch', '2 epochs'; 'es' ends 'minibatches'."""
    return f'{number} {noun}{ending if number != 1 else ""}'


def one_line(text):
    """Return a text in one line that a terminal can only print."""
    return visible(' '.join(text.split()))


def explain(error):
    """Return in one line what is wrong and, if known, what to do."""
    if isinstance(error, OSError) and error.errno:
        what, advice = error.strerror or str(error), ADVICE.get(error.errno)
        if error.filename is None:
            return one_line(f'{what}.')
        advice = f'; {advice}' if advice else ''
        return one_line(f'{error.filename} cannot be used: {what}{advice}.')
    if isinstance(error, MemoryError) or OUT_OF_MEMORY.search(str(error)):
        return 'The memory is too small: take smaller images or minibatches.'
    lines = str(error).strip().splitlines()
    if lines and lines[0].startswith('Traceback'):
        lines = lines[-1:]  # MXNet's own, whose last line tells what is wrong
    return one_line(' '.join(lines)) or type(error).__name__
