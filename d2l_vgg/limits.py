"""What values an argument may have, told in one sentence.

The limits of a hyperparameter stand in its field of `Experiment`; Python's
calls and the command line are checked by the same function.
"""

import math
import numbers
from collections.abc import Sequence
from typing import Any

KINDS = {
    int: ('a whole number', numbers.Integral),
    float: ('a number', numbers.Real),
    bool: ('True or False', object),
}


def check(
    name: str,
    value: Any,
    kind: Any = object,
    above: float | None = None,
    least: float | None = None,
    below: float | None = None,
    most: float | None = None,
    choices: Sequence | None = None,
) -> Any:
    """Return `value` as Python's own number, or refuse it.

    `kind` is int, float or bool, of Python or NumPy (True is no number, 2.0
    no whole one); of every other type only `choices` count.

    Raises:
        ValueError: `value` is of another kind, or out of its range.
    """
    wrong = None
    words, wanted = KINDS.get(kind, ('', object))
    # `numpy.bool_`, since NumPy 2 `numpy.bool`, is no subclass of bool
    is_bool = type(value).__name__ in ('bool', 'bool_')
    is_huge = isinstance(value, int) and abs(value) >= 2**1023  # For a float
    if words and (is_bool != (kind is bool) or not isinstance(value, wanted)):
        wrong = words
    elif choices is not None and value not in choices:
        wrong = f'one of {", ".join(choices)}'
    elif kind is float and (is_huge or not math.isfinite(value)):
        wrong = 'finite'
    elif above is not None and value <= above:
        wrong = 'positive' if above == 0 else f'above {above}'
    elif least is not None and value < least:
        wrong = f'{least} or more'
    elif below is not None and value >= below:
        wrong = f'below {below}'
    elif most is not None and value > most:
        wrong = f'{most} or less'
    if wrong:
        raise ValueError(f'{name} is {shown(value)}: it must be {wrong}.')
    return kind(value) if kind in KINDS else value


def shown(value: Any) -> str:
    """Return how a message names a value: an object by its type."""
    # NumPy would write np.float64(2.0)
    text = repr(value.item() if getattr(value, 'ndim', 1) == 0 else value)
    is_object = text.startswith('<') or '\n' in text
    return f'of type {type(value).__name__}' if is_object else text
