"""Arrays come back as they were, or are refused; nothing is executed."""

import io
import json
import pickle
import zipfile

import numpy as np
import pytest
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
    path = tmp_path / 'checkpoint.npz'
    arrays.save(path, ARRAYS, META)
    return path


def assert_same(found):
    assert list(found) == list(ARRAYS)
    for name in ARRAYS:
        np.testing.assert_array_equal(found[name], ARRAYS[name])
        assert found[name].dtype == ARRAYS[name].dtype
        assert found[name].shape == ARRAYS[name].shape


def test_they_come_back_exactly(path):
    found, meta = arrays.load(path)
    assert meta == META
    assert_same(found)


def test_numpy_alone_reads_them(path):
    with np.load(path, allow_pickle=False) as file:
        np.testing.assert_array_equal(
            file['conv1_1.weight'], ARRAYS['conv1_1.weight']
        )


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
    assert refused > len(content) / 2


def test_cut_off_anywhere_they_are_refused(path):
    content = path.read_bytes()
    for length in range(0, len(content), 7):
        path.write_bytes(content[:length])
        with pytest.raises(arrays.BadArrays, match='damaged'):
            arrays.load(path)


def rewritten(path, change):
    """Put a file at `path` whose entries `change` has had its way with.

    Every checksum of the format is right again.
    """
    with zipfile.ZipFile(path) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    change(entries)
    with zipfile.ZipFile(path, 'w') as archive:
        for name, content in entries.items():
            archive.writestr(name, content)


def test_what_was_changed_with_right_checksums_is_refused(path):
    """The digest covers names, types, shapes and the text."""

    def other_type(entries):
        name = 'conv1_1.weight.npy'
        entries[name] = entries[name].replace(b'<f4', b'<i4')

    def other_shape(entries):
        name = 'conv1_1.weight.npy'
        entries[name] = entries[name].replace(b'(2, 3, 4)', b'(3, 2, 4)')

    def other_name(entries):
        entries['conv1_2.weight.npy'] = entries.pop('conv1_1.weight.npy')

    def one_less(entries):
        del entries['count.npy']

    def other_meta(entries):
        name = 'meta.json.npy'
        entries[name] = entries[name].replace(b'"epoch": 3', b'"epoch": 4')

    def no_digest(entries):
        del entries['sha256.npy']

    whole = path.read_bytes()
    for change in (
        other_type,
        other_shape,
        other_name,
        one_less,
        other_meta,
        no_digest,
    ):
        path.write_bytes(whole)
        rewritten(path, change)
        assert path.read_bytes() != whole
        with pytest.raises(arrays.BadArrays, match='damaged'):
            arrays.load(path)


class Hostile:
    """Leaves a file behind when it is unpickled."""

    def __init__(self, proof):
        self.proof = str(proof)

    def __reduce__(self):
        return open, (self.proof, 'w')


def test_a_hostile_file_is_not_executed(path, tmp_path):
    proof = tmp_path / 'executed'
    array = np.array([Hostile(proof)], dtype=object)
    file = io.BytesIO()
    np.save(file, array, allow_pickle=True)

    def as_array(entries):
        entries['conv1_1.weight.npy'] = file.getvalue()

    rewritten(path, as_array)
    with pytest.raises(arrays.BadArrays, match='damaged'):
        arrays.load(path)

    def as_raw_pickle(entries):
        entries['conv1_1.weight.npy'] = pickle.dumps(Hostile(proof))

    rewritten(path, as_raw_pickle)
    with pytest.raises(arrays.BadArrays, match='damaged'):
        arrays.load(path)
    path.write_bytes(pickle.dumps(Hostile(proof)))
    with pytest.raises(arrays.BadArrays, match='damaged'):
        arrays.load(path)
    assert not proof.exists()
    pickle.loads(path.read_bytes()).close()  # The trap is a real one
    assert proof.exists()


def test_what_claims_more_than_it_has_is_refused(path):
    content = path.read_bytes()
    entries = {**ARRAYS, 'meta.json': np.zeros(9, 'uint8')}
    # Packed, a thousand times as much; it is not unpacked to see that
    np.savez_compressed(path, **entries, bomb=np.zeros(2**20, 'uint8'))
    for load in arrays.load, arrays.load_meta:
        with pytest.raises(arrays.BadArrays, match='it claims 1'):
            load(path)
    path.write_bytes(content)

    def claim(entries):
        name = 'conv1_1.weight.npy'
        wide = b'(2, 3, 10000000000000)'
        entries[name] = entries[name].replace(
            b'(2, 3, 4), }' + b' ' * 13, wide + b', }'
        )

    rewritten(path, claim)
    with pytest.raises(arrays.BadArrays, match='claims to be'):
        arrays.load(path)


def test_what_is_told_is_read_without_the_arrays(path):
    assert arrays.load_meta(path) == META
    # Even where an array is damaged: its bytes are not touched
    content = bytearray(path.read_bytes())
    place = content.index(ARRAYS['conv1_1.weight'].tobytes())
    content[place + 8] ^= 1
    path.write_bytes(content)
    assert arrays.load_meta(path) == META
    with pytest.raises(arrays.BadArrays, match='damaged'):
        arrays.load(path)


def test_what_is_no_damage(path, tmp_path):
    with pytest.raises(FileNotFoundError):
        arrays.load(tmp_path / 'none.npz')
    with pytest.raises(IsADirectoryError):
        arrays.load(tmp_path)
    link = tmp_path / 'link'
    link.symlink_to(link)
    with pytest.raises(OSError, match='symbolic links'):
        arrays.load(link)


def test_too_little_memory_is_no_damage(tmp_path):
    pytest.importorskip('resource')
    path = tmp_path / 'large.npz'
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
