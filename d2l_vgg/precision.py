"""The types that a network's blocks can compute in.

bfloat16 has the range of float32 and 8 of its 24 significant bits. Processors
with instructions for it multiply its matrices about twice as fast.
"""

PRECISIONS = ('float32', 'bfloat16')


def check(precision):
    """Refuse a type that is unknown, or that this processor cannot compute.

    Raises:
        ValueError: `precision` is such a type.
    """
    if precision not in PRECISIONS:
        raise ValueError(
            f'precision is {precision!r}: it must be one of '
            f'{", ".join(PRECISIONS)}.'
        )
    if precision == 'bfloat16' and not has_bfloat16():
        raise ValueError(
            "precision is 'bfloat16', but this processor has no instructions "
            "for it (avx512_bf16): use 'float32'."
        )


def nearest(precision, on_cpu=True):
    """Return `precision`, or 'float32' where it cannot be computed."""
    if precision == 'bfloat16' and not (on_cpu and has_bfloat16()):
        return 'float32'
    return precision


def has_bfloat16(path='/proc/cpuinfo'):
    """Return whether the processor, of which `path` tells, has bfloat16.

    Where there is no such file, as on Windows and macOS, it is taken to have
    none: oneDNN ends with an error on those that have not.
    """
    try:
        with open(path, encoding='utf-8') as file:
            return 'avx512_bf16' in file.read().split()
    except OSError:
        return False
