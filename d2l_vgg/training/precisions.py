"""The types that a network's blocks can compute in.

bfloat16 has the range of float32 and 8 of its 24 significant bits. Where a
device has it, its matrices are multiplied about twice as fast. TF32 is what
GPUs since Ampere round float32 to: see BENCHMARKS.md, "On a GPU".
"""

from typing import Any

PRECISIONS = ('float32', 'bfloat16')
# NVIDIA's first GPUs with instructions for them: Ampere
FIRST_GPUS = {'bfloat16': (8, 0), 'TF32': (8, 0)}


def blocks_of(net: Any, precision: str, Sequential: Any, Conv: Any) -> list:
    """Return the blocks of `net` that `precision` changes: all but the first.

    With each, whether another of them follows. Images have too few channels
    for a gain. Raises ValueError where there are none.
    """

    def layers(blk):
        if not isinstance(blk, Sequential):
            return []
        return list(getattr(blk, 'layers', blk))

    def convolves(blk):
        return any(isinstance(layer, Conv) for layer in layers(blk))

    pairs = zip(layers(net)[1:], [*layers(net)[2:], None])
    blocks = [
        (blk, convolves(after)) for blk, after in pairs if convolves(blk)
    ]
    if precision != 'float32' and not blocks:
        raise ValueError(
            f'precision is {precision!r}, but this network has no second '
            "block of convolutions to compute in it: use 'float32'."
        )
    return blocks


def gpu_lacks(precision: str, capability: tuple) -> str:
    """Return why a GPU does not compute in a type or TF32, '' if it does."""
    first = FIRST_GPUS.get(precision, (0, 0))
    if tuple(capability) >= first:
        return ''
    words = 'takes a GPU of compute capability {}, and this one has {}'
    return words.format(*('.'.join(map(str, c)) for c in (first, capability)))


def has_bfloat16(path: str = '/proc/cpuinfo') -> bool:
    """Return whether `path` tells of a processor with bfloat16.

    With AVX-512 alone it would be slower than float32.
    """
    try:
        with open(path, encoding='utf-8') as file:
            return 'avx512_bf16' in file.read().split()
    except OSError:
        return False
