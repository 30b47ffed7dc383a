"""Arrays come back as they were, or are refused."""

import json

import numpy as np
import pytest
import safetensors.numpy
from processes import run_python

from d2l_vgg.training import arrays

ARRAYS = {
    'conv1_1.weight': np.arange(24, dtype='float32').reshape(2, 3, 4),
    'optimizer/conv1_1.weight.momentum': np.ones((2, 3, 4), 'float32'),
    'count': np.array(7),
}
META = {'epoch': 3, 'history': {'points': {'val_acc': [[1, 0.1 + 0.2]]}}}


@pytest.fixture
def path(tmp_path):
    path = tmp_path / 'checkpoint.safetensors'
    arrays.save(path, ARRAYS, META)
    return path


def assert_same(found, expected=ARRAYS):
    assert list(found) == list(expected)
    for name in expected:
        np.testing.assert_array_equal(found[name], expected[name])
        assert found[name].dtype == expected[name].dtype
        assert found[name].shape == expected[name].shape


def test_they_come_back_exactly(path):
    found, meta = arrays.load(path)
    assert meta == META
    assert_same(found)


@pytest.mark.parametrize(
    'array',
    [
        np.arange(24).reshape(2, 3, 4).T,
        np.arange(24, dtype='float32').reshape(4, 6)[::2, 1::3],
        np.zeros((0, 3), 'float64'),
        np.array([True, False]),
        *(np.arange(3, dtype=f'{kind}{n}') for kind in 'iu' for n in (1, 8)),
        np.arange(3, dtype='float16'),
    ],
    ids=lambda array: f'{array.shape} {array.dtype}',
)
def test_any_order_in_memory_and_any_type_comes_back(array, path):
    arrays.save(path, {'a': array}, {})
    assert_same(arrays.load(path)[0], {'a': array})
    assert_same(safetensors.numpy.load_file(path), {'a': array})


@pytest.mark.parametrize('mask', [0x01, 0x10, 0xFF])
def test_no_flipped_bit_goes_unnoticed(path, mask):
    """Each byte of the file in turn: refused, or read as it was written."""
    content = path.read_bytes()
    refused = 0
    for i in range(len(content)):
        path.write_bytes(
            content[:i] + bytes([content[i] ^ mask]) + content[i + 1 :]
        )
        try:
            found, meta = arrays.load(path)
        except arrays.BadArrays:
            refused += 1
            continue
        assert meta == META
        assert_same(found)
    assert refused > 0.9 * len(content)


def test_cut_off_anywhere_they_are_refused(path):
    content = path.read_bytes()
    for length in range(0, len(content), 7):
        path.write_bytes(content[:length])
        with pytest.raises(arrays.BadArrays, match='damaged'):
            arrays.load(path)


@pytest.mark.parametrize('length', [2**60, 10**8])
def test_claimed_size_takes_no_memory(path, length):
    path.write_bytes(length.to_bytes(8, 'little') + b'{}')
    for load in arrays.load, arrays.load_foreign:
        with pytest.raises(arrays.BadArrays, match='damaged'):
            load(path)


def test_too_little_memory_is_no_damage(tmp_path):
    pytest.importorskip('resource')
    path = tmp_path / 'large.safetensors'
    arrays.save(path, {'a': np.zeros(2**27, 'uint8')}, {})
    code = f"""
    import resource
    from d2l_vgg.training import arrays
    with open('/proc/self/statm') as file:
        used = int(file.read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + 2**26, used + 2**26))
    try:
        arrays.load({str(path)!r})
    except MemoryError:
        print('too little')
    """
    assert run_python(code) == 'too little'


def test_the_digest_knows_every_part():
    found = {arrays.digest(ARRAYS, META)}
    for name, array in ARRAYS.items():
        others = {k: v for k, v in ARRAYS.items() if k != name}
        found.add(arrays.digest(others, META))
        found.add(arrays.digest({**ARRAYS, name: array + 1}, META))
        found.add(arrays.digest({**others, name + 'x': array}, META))
        found.add(arrays.digest({**ARRAYS, name: array.astype('f8')}, META))
    flat = {**ARRAYS, 'conv1_1.weight': ARRAYS['conv1_1.weight'].ravel()}
    found.add(arrays.digest(flat, META))
    found.add(arrays.digest(ARRAYS, json.loads('{"epoch": 4}')))
    assert len(found) == 3 + 4 * len(ARRAYS)
