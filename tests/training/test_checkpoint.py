"""A checkpoint comes back as it was, or is refused."""

import numpy as np
import pytest

from d2l_vgg.training import checkpoint

ARRAYS = {
    'net.0.weight': np.arange(24, dtype='float32').reshape(2, 3, 4),
    'optimizer': np.frombuffer(b'\x00\x01pickle', dtype='uint8'),
}
META = {'epoch': 3, 'history': {'points': {'val_acc': [[1, 0.1 + 0.2]]}}}


@pytest.fixture
def path(tmp_path):
    path = tmp_path / 'checkpoint.npz'
    checkpoint.save(path, ARRAYS, META)
    return path


def test_it_comes_back_exactly(path):
    arrays, meta = checkpoint.load(path)
    assert meta == META
    assert list(arrays) == list(ARRAYS)
    for name in ARRAYS:
        np.testing.assert_array_equal(arrays[name], ARRAYS[name])
        assert arrays[name].dtype == ARRAYS[name].dtype


def test_no_flipped_bit_goes_unnoticed(path):
    """Each byte of the file in turn: refused, or read as it was written."""
    content = path.read_bytes()
    refused = 0
    for i in range(len(content)):
        path.write_bytes(
            content[:i] + bytes([content[i] ^ 0x10]) + content[i + 1 :]
        )
        try:
            arrays, meta = checkpoint.load(path)
        except checkpoint.BadCheckpoint:
            refused += 1
            continue
        assert meta == META
        for name in ARRAYS:
            np.testing.assert_array_equal(arrays[name], ARRAYS[name])
    assert refused > len(content) / 2


def test_cut_off_anywhere_it_is_refused(path):
    content = path.read_bytes()
    for length in range(0, len(content), 7):
        path.write_bytes(content[:length])
        with pytest.raises(checkpoint.BadCheckpoint, match='damaged'):
            checkpoint.load(path)


def test_another_architecture(path):
    expected = {'net.0.weight': (2, 3, 5), 'optimizer': (8,)}
    arrays, _ = checkpoint.load(path)
    with pytest.raises(checkpoint.BadCheckpoint, match='net.0.weight is'):
        checkpoint.check_arrays(path, arrays, expected)


def test_meta_is_read_without_the_arrays(tmp_path):
    path = str(tmp_path / 'checkpoint.npz')
    checkpoint.save(path, {'a': np.arange(9)}, {'epoch': 3})
    assert checkpoint.load_meta(path) == {'epoch': 3}
    # Even where an array is damaged: its bytes are not touched
    content = bytearray(open(path, 'rb').read())
    place = content.index(np.arange(9).tobytes())
    content[place + 8] ^= 1
    open(path, 'wb').write(content)
    assert checkpoint.load_meta(path) == {'epoch': 3}
    with pytest.raises(checkpoint.BadCheckpoint, match='damaged'):
        checkpoint.load(path)
    with pytest.raises(FileNotFoundError, match='nothing to resume'):
        checkpoint.load_meta(str(tmp_path / 'none.npz'))
