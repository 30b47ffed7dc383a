"""Import TensorFlow and Keras without their lines on stderr."""

import contextlib
import os
import re
import sys
import tempfile

from d2l_vgg import postponed

# What it tells of itself before its log has a level: neither an error nor
# anything that the reader could change
_NOISE = re.compile(rb'[IW]\d{4} |WARNING: All log messages before absl::')


def load():
    """Import TensorFlow and Keras, and refuse what they cannot be used with.

    Raises:
        ModuleNotFoundError: TensorFlow is not installed.
        ImportError: Keras is set up for another framework.
    """
    backend = os.environ.setdefault('KERAS_BACKEND', 'tensorflow')
    if 'keras' in sys.modules:
        backend = sys.modules['keras'].config.backend()
    if backend != 'tensorflow':
        raise ImportError(
            f'Keras computes with {backend}, but it must be TensorFlow: set '
            'KERAS_BACKEND=tensorflow before Keras is imported.'
        )
    try:
        with kept_quiet(), postponed.imports_of('keras', 'tensorflow'):
            import keras  # noqa: F401
            import tensorflow  # noqa: F401
    except ModuleNotFoundError as error:
        if error.name not in ('keras', 'tensorflow'):
            raise
        raise ModuleNotFoundError(
            'TensorFlow is not installed: run `pip install tensorflow`, or '
            '`pip install tensorflow-cpu` where there is no GPU.',
            name=error.name,
        ) from None


@contextlib.contextmanager
def kept_quiet():
    """Keep log lines of TensorFlow off stderr in this block.

    Whoever has set `$TF_CPP_MIN_LOG_LEVEL` gets what he wants.
    """
    if 'TF_CPP_MIN_LOG_LEVEL' in os.environ or 'tensorflow' in sys.modules:
        yield
        return
    os.environ['TF_CPP_MIN_LOG_LEVEL'] = '2'
    try:
        kept = os.dup(2)
    except OSError:  # Closed, so there is nothing to keep quiet
        yield
        return
    with tempfile.TemporaryFile() as file:
        # It is C++ that writes, past Python's `sys.stderr`
        os.dup2(file.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)
        file.seek(0)
        rest = [line for line in file if not _NOISE.match(line)]
        sys.stderr.write(b''.join(rest).decode(errors='replace'))
