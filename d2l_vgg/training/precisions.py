"""The types that a network's blocks can compute in.

bfloat16 has the range of float32 and 8 of its 24 significant bits. Processors
with instructions for it multiply its matrices about twice as fast.
"""

PRECISIONS = ('float32', 'bfloat16')


def check(precision: str, on_cpu: bool = True) -> None:
    """Refuse a type that is unknown, or that cannot be computed in here.

    Args:
        precision: its name
        on_cpu: whether that is to be on the processor, or on a GPU

    Raises:
        ValueError: `precision` is such a type.
    """
    if precision not in PRECISIONS:
        raise ValueError(
            f'precision is {precision!r}: it must be one of '
            f'{", ".join(PRECISIONS)}.'
        )
    if available(precision, on_cpu) != precision:
        raise ValueError(
            f'precision is {precision!r}, which takes a processor with '
            'avx512_bf16 instructions: '
            + ('this one has none; ' if on_cpu else 'not on a GPU; ')
            + "use 'float32', or such a processor with num_gpus=0."
        )


def available(precision: str, on_cpu: bool = True) -> str:
    """Return `precision`, or 'float32' where that cannot be computed in."""
    if precision == 'bfloat16' and not (on_cpu and has_bfloat16()):
        return 'float32'
    return precision


def has_bfloat16(path: str = '/proc/cpuinfo') -> bool:
    """Return whether the processor, of which `path` tells, has bfloat16.

    Where there is no such file, as on Windows and macOS, it is taken to have
    none: on processors without AVX-512, oneDNN would end with an error, and
    on those with AVX-512 alone it would be slower than float32.
    """
    try:
        with open(path, encoding='utf-8') as file:
            return 'avx512_bf16' in file.read().split()
    except OSError:
        return False
