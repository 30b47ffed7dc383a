"""For which GPUs a library holds code, and what a damaged one is called."""

import random
import struct

import nvidia
import pytest

from d2l_vgg import wheels
from d2l_vgg.doctor import fat_binaries, ways
from d2l_vgg.doctor.fat_binaries import Capabilities, Damaged


def read(tmp_path, content):
    path = tmp_path / 'lib.so'
    path.write_bytes(content)
    return fat_binaries.read(str(path))


def test_every_fat_binary_of_a_library_counts(tmp_path):
    found = read(tmp_path, nvidia.library([(2, 50), (2, 86)], [(1, 90)]))
    assert found == Capabilities(((5, 0), (8, 6)), ((9, 0),))
    assert read(tmp_path, nvidia.library([(2, 100), (2, 120)])) == (
        ((10, 0), (12, 0)),
        (),
    )


def test_other_kinds_of_code_do_not_count(tmp_path):
    # As what is for the linker of CUDA only
    assert read(tmp_path, nvidia.library([(8, 70), (2, 60)])) == (
        ((6, 0),),
        (),
    )


def test_code_that_is_linked_later_counts(tmp_path):
    content = nvidia.elf(__nv_relfatbin=nvidia.fat_binary([(2, 75)]))
    assert read(tmp_path, content).machine_code == ((7, 5),)


def test_a_library_for_the_processor_has_none(tmp_path):
    content = nvidia.elf(**{'.text': b'\xc3' * 64})
    assert read(tmp_path, content) == ((), ())


WHOLE = nvidia.library()


@pytest.mark.parametrize(
    'content, told',
    [
        (b'', 'cut off'),
        (bytes(4096), 'no ELF'),
        (b'MZ' + WHOLE[2:], 'no ELF'),
        (WHOLE[:-1], 'cut off'),
        (WHOLE[:70], 'cut off'),
        (WHOLE.replace(struct.pack('<I', 0xBA55ED50), b'abcd'), 'is none'),
        # One that says to be larger than any file
        (WHOLE.replace(struct.pack('<IHHQ', 0xBA55ED50, 1, 16, 640),
                       struct.pack('<IHHQ', 0xBA55ED50, 1, 16, 2**62)),
         'cut off'),
        # Entries that do not go on
        (WHOLE.replace(struct.pack('<HHI', 2, 0x101, 64),
                       struct.pack('<HHI', 2, 0x101, 0)), 'is none'),
        # The code's section, all zeros, as after a crash of the machine
        (nvidia.elf(**{'.nv_fatbin': bytes(2**20)}), 'is none'),
        (nvidia.elf(a=b'')[:60] + b'\xff\xff\xff\xff' + nvidia.elf()[64:],
         'names'),
    ],
)  # fmt: skip
def test_damaged_libraries_are_called_so(tmp_path, content, told):
    assert content != WHOLE
    with pytest.raises(Damaged, match=told):
        read(tmp_path, content)


def test_no_damage_is_anything_else(tmp_path):
    """Bytes changed at random, above all in the headers."""
    rng = random.Random(0)
    headers = [*range(64), *range(len(WHOLE) - 64 * 4, len(WHOLE))]
    for _ in range(2000):
        content = bytearray(WHOLE)
        for _ in range(rng.randint(1, 4)):
            content[rng.choice(headers)] = rng.choice([0, 1, 127, 255])
        try:
            read(tmp_path, bytes(content))
        except Damaged:
            pass


def test_a_section_that_claims_more_than_the_file(tmp_path):
    content = bytearray(nvidia.library())
    header = len(content) - 64 * 2  # That of the code is the last but one
    struct.pack_into('<Q', content, header + 32, 2**63)
    with pytest.raises(Damaged, match='cut off'):
        read(tmp_path, bytes(content))


@pytest.mark.parametrize(
    'capability, runs',
    [
        ((3, 5), False),
        ((5, 0), True),
        ((5, 2), True),
        ((6, 1), True),
        ((7, 0), True),
        ((7, 5), True),
        ((8, 0), True),
        ((8, 6), True),
        ((8, 9), True),
        ((9, 0), False),
        ((10, 0), False),
        ((12, 0), False),
    ],
)
def test_machine_code_runs_within_its_major_version(capability, runs):
    assert ways.WHEEL_CODE.run_on(capability) is runs


def test_machine_code_does_not_run_on_an_older_minor_version():
    only = Capabilities(((8, 6),), ())
    assert not only.run_on((8, 0)) and only.run_on((8, 9))


def test_ptx_runs_on_all_that_is_newer():
    ptx = Capabilities((), ((7, 0),))
    assert not ptx.run_on((6, 1))
    assert ptx.run_on((7, 0)) and ptx.run_on((9, 0)) and ptx.run_on((12, 0))


def test_the_wheels_hold_what_is_written_of_them():
    installed = wheels.find()
    if not installed or not set(installed.wheels) & set(ways.WHEELS):
        pytest.skip("none of MXNet's wheels for GPUs is installed")
    assert fat_binaries.read(installed.library) == ways.WHEEL_CODE
