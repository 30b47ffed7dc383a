"""Read from a library for which GPUs it holds code, as `cuobjdump` does.

A program for CUDA carries its code for GPUs in ELF sections of their own.
Such a section is a row of fat binaries, each a row of entries, one for each
compute capability; their headers tell it, whether or not the code that
follows is compressed. The code itself is not read.
"""

from __future__ import annotations

import os
import struct
from typing import IO, Iterator, NamedTuple

SECTIONS = b'.nv_fatbin', b'__nv_relfatbin'
# For 64 bits, in the order of bytes that every machine with CUDA has
ELF = b'\x7fELF\x02\x01'
# In the header of an ELF file: where the headers of its sections are; the
# bytes of each, how many there are, and which section has their names
SECTION_TABLE = struct.Struct('<40xQ10xHHH')
# In that of a section: where its name is, where it is, its bytes
SECTION = struct.Struct('<I20xQQ24x')
# In that of a fat binary: the magic number, the version, the bytes of the
# header and those of all entries
FAT_BINARY = struct.Struct('<IHHQ')
MAGIC = 0xBA55ED50
# In that of an entry: its kind, the version, the bytes of the header and
# those of the code, and its compute capability without the point
ENTRY = struct.Struct('<HHIQ12xI')
PTX, MACHINE_CODE = 1, 2
# Fat binaries begin at multiples of 8 bytes, after zeros of the linker
MOST_ZEROS = 4096
MOST_NAMES = 2**20


class Damaged(ValueError):
    """A library is not what it claims to be."""


class Capabilities(NamedTuple):
    """For which compute capabilities, as (major, minor), there is code.

    `machine_code` and `ptx` are sorted; both are empty in a library that
    computes on the processor alone.
    """

    machine_code: tuple[tuple[int, int], ...]
    ptx: tuple[tuple[int, int], ...]

    def run_on(self, capability: tuple[int, int]) -> bool:
        """Return whether a GPU of a compute capability can run the code.

        Machine code for X.Y runs on X.Z with Z >= Y, PTX for X.Y, which the
        driver compiles, on all from X.Y on (CUDA C++ Programming Guide,
        "Binary Compatibility" and "PTX Compatibility").
        """
        major, minor = capability
        return any(
            major == own_major and minor >= own_minor
            for own_major, own_minor in self.machine_code
        ) or any(capability >= own for own in self.ptx)


def read(path: str) -> Capabilities:
    """Return what a library holds code for.

    Raises:
        Damaged: it is no ELF file for 64 bits, or a part of it is missing.
        OSError: it cannot be read.
    """
    found: dict[int, set] = {PTX: set(), MACHINE_CODE: set()}
    with open(path, 'rb') as file:
        end = os.fstat(file.fileno()).st_size
        for begin, size in _sections(file, end):
            for kind, number in _entries(file, begin, begin + size):
                if kind in found:
                    found[kind].add(divmod(number, 10))
    return Capabilities(
        tuple(sorted(found[MACHINE_CODE])), tuple(sorted(found[PTX]))
    )


def _sections(file: IO[bytes], end: int) -> Iterator[tuple[int, int]]:
    """Iterate over where the sections with fat binaries are, and their size.

    Nothing is believed that would lie behind `end`, the end of the file.
    """
    if _bytes(file, 0, len(ELF), end) != ELF:
        raise Damaged('it is no ELF file for 64 bits')
    table, size, number, index = _unpack(SECTION_TABLE, file, 0, end)
    if number and size < SECTION.size:
        raise Damaged(f'the headers of its sections have {size} bytes')
    if index >= number:
        raise Damaged('it has no names of its sections')
    headers = [
        _unpack(SECTION, file, table + i * size, end) for i in range(number)
    ]
    _, names_begin, names_size = headers[index]
    if names_size > MOST_NAMES:
        raise Damaged('the names of its sections are none')
    names = _bytes(file, names_begin, names_size, end)
    for name_begin, begin, size in headers:
        name = names[name_begin:].split(b'\0', 1)[0]
        if name in SECTIONS:
            if begin + size > end:
                raise Damaged('its code for GPUs is cut off')
            yield begin, size


def _entries(
    file: IO[bytes], position: int, end: int
) -> Iterator[tuple[int, int]]:
    """Iterate over the kinds and compute capabilities of a section's code."""
    zeros = 0
    while position + FAT_BINARY.size <= end:
        magic, _, header, size = _unpack(FAT_BINARY, file, position, end)
        if magic == 0 and zeros < MOST_ZEROS:
            position, zeros = position + 8, zeros + 8
            continue
        if magic != MAGIC:
            raise Damaged('its code for GPUs is none')
        position, zeros = position + header, 0
        last = position + size
        if header < FAT_BINARY.size or last > end:
            raise Damaged('its code for GPUs is cut off')
        while position < last:
            kind, _, header, size, number = _unpack(
                ENTRY, file, position, last
            )
            if header < ENTRY.size:
                raise Damaged('its code for GPUs is none')
            yield kind, number
            position += header + size


def _unpack(struct, file, position, end):
    return struct.unpack(_bytes(file, position, struct.size, end))


def _bytes(file, position, size, end):
    """Return a part of a file, which has to be before `end`."""
    if position + size > end:
        raise Damaged('it is cut off')
    file.seek(position)
    return file.read(size)
