"""The four files: found in their places, verified, downloaded, resumed.

Real HTTP servers on this machine stand for the mirrors, good and bad ones;
a table of four small files stands for the real one where content is free.
"""

import gzip
import hashlib
import http.server
import io
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import warnings
from pathlib import Path

import numpy as np
import pytest

from d2l_vgg.datasets import fashion_mnist
from d2l_vgg.datasets.fashion_mnist import BadFile, DataNotFound, File

ROOT = str(Path(__file__).resolve().parents[2])
# Noise, which gzip cannot shrink: the first archive has 0.3 MB
SHAPES = {
    'train-images-idx3-ubyte': (400, 28, 28),
    'train-labels-idx1-ubyte': (400,),
    't10k-images-idx3-ubyte': (20, 28, 28),
    't10k-labels-idx1-ubyte': (20,),
}


def make_content(name, shape, rng):
    """IDX content, written down a second time after its definition."""
    high = 10 if 'labels' in name else 256
    content = b'\0\0\x08' + len(shape).to_bytes(1, 'big')
    for size in shape:
        content += size.to_bytes(4, 'big')
    return content + bytes(rng.integers(0, high, shape, np.uint8).ravel())


RNG = np.random.default_rng(0)
CONTENT = {n: make_content(n, shape, RNG) for n, shape in SHAPES.items()}
ARCHIVES = {n + '.gz': gzip.compress(c) for n, c in CONTENT.items()}
FILES = tuple(
    File(n, SHAPES[n], hashlib.sha256(c).hexdigest())
    for n, c in CONTENT.items()
)
IMAGES = FILES[0]
ARCHIVE = ARCHIVES[IMAGES.name + '.gz']
# A place to break off, a multiple of the pieces that downloads are cut into
THIRD = 13 * 8192


class Mirror(http.server.ThreadingHTTPServer):
    """An HTTP server with the vices of real ones.

    Args:
        archives: dict from file name to bytes.
        ranges: whether it can send the rest of a file.
        breaks_after: so many bytes are sent before it hangs up ...
        num_breaks: ... this many times.
        hangs_after: it falls silent at this byte of the file.
        status: what it answers instead of a file.
    """

    daemon_threads = True

    def __init__(
        self,
        archives=ARCHIVES,
        ranges=True,
        breaks_after=None,
        num_breaks=10**6,
        hangs_after=None,
        status=None,
    ):
        super().__init__(('127.0.0.1', 0), Answer)
        self.archives, self.ranges, self.status = archives, ranges, status
        self.breaks_after, self.num_breaks = breaks_after, num_breaks
        self.hangs_after = hangs_after
        self.requests = []
        self.closing = threading.Event()
        # Looks this often, in seconds, whether it should end
        threading.Thread(
            target=self.serve_forever, args=[0.02], daemon=True
        ).start()

    @property
    def address(self):
        return f'http://127.0.0.1:{self.server_port}/'

    def close(self):
        self.closing.set()
        self.shutdown()
        self.server_close()


class Answer(http.server.BaseHTTPRequestHandler):
    """One answer of a `Mirror`."""

    def do_GET(self):
        mirror, name = self.server, self.path.lstrip('/')
        asked = re.match(r'bytes=(\d+)-$', self.headers.get('Range', ''))
        start = int(asked.group(1)) if asked and mirror.ranges else 0
        mirror.requests.append((name, int(asked.group(1)) if asked else 0))
        if mirror.status or name not in mirror.archives:
            self.send_error(mirror.status or 404)
            return
        archive = mirror.archives[name]
        if start >= len(archive):
            self.send_error(416)
            return
        body = archive[start:]
        self.send_response(206 if start else 200)
        if start:
            end = len(archive) - 1
            self.send_header(
                'Content-Range', f'bytes {start}-{end}/{len(archive)}'
            )
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        if mirror.breaks_after is not None and mirror.num_breaks > 0:
            mirror.num_breaks -= 1
            body = body[: mirror.breaks_after]
        if mirror.hangs_after is not None:
            self.wfile.write(body[: max(mirror.hangs_after - start, 0)])
            self.wfile.flush()
            mirror.closing.wait(20)
            return
        self.wfile.write(body)

    def log_message(self, *args):
        pass


@pytest.fixture
def mirror(monkeypatch):
    """A function that starts a `Mirror`; all are closed at the end."""
    monkeypatch.setenv('no_proxy', '*')
    started = []

    def start(**kwargs):
        started.append(Mirror(**kwargs))
        return started[-1]

    yield start
    for server in started:
        server.close()


@pytest.fixture
def nowhere(tmp_path, monkeypatch):
    """A machine without the files: empty home and working folder."""
    names = ('D2L_VGG_DATA', 'MXNET_HOME', 'KERAS_HOME', 'XDG_CACHE_HOME')
    for name in names:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv('HOME', str(tmp_path / 'home'))
    (tmp_path / 'home').mkdir()
    (tmp_path / 'work' / 'here').mkdir(parents=True)
    monkeypatch.chdir(tmp_path / 'work' / 'here')
    return tmp_path


@pytest.fixture
def dead_address(monkeypatch):
    """An address at which nobody listens."""
    monkeypatch.setenv('no_proxy', '*')
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        port = s.getsockname()[1]
    return f'http://127.0.0.1:{port}/'


def put(folder, packed=True):
    """Write the four files to a folder and return it."""
    folder.mkdir(parents=True, exist_ok=True)
    for file in FILES:
        if packed:
            name = file.name + '.gz'
            (folder / name).write_bytes(ARCHIVES[name])
        else:
            (folder / file.name).write_bytes(CONTENT[file.name])
    return folder


def load(root=None, mirrors=(), **kwargs):
    return fashion_mnist.load(
        root, progress=False, mirrors=mirrors, files=FILES, **kwargs
    )


def fetch(folder, *mirrors, timeout=10, progress=False):
    return fashion_mnist.fetch(
        folder, [m.address for m in mirrors], progress, timeout, FILES
    )


def check(data):
    """The arrays are those of `CONTENT`, byte by byte."""
    for array, file in zip(data[:4], FILES):
        assert array.shape == file.shape
        assert array.dtype == np.uint8
        assert CONTENT[file.name].endswith(array.tobytes())
    assert data.stand_in is False


def check_folder(folder):
    """Exactly the four archives lie in the folder, each of them whole."""
    assert sorted(os.listdir(folder)) == sorted(ARCHIVES)
    rows = fashion_mnist.status(folder, FILES)
    assert [state for _, _, state in rows] == ['whole'] * 4


# The real data set


def test_real_files(real_root):
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        data = fashion_mnist.load(real_root, download=False)
    assert data.train_images.shape == (60000, 28, 28)
    assert data.val_images.shape == (10000, 28, 28)
    assert np.bincount(data.train_labels).tolist() == [6000] * 10
    assert np.bincount(data.val_labels).tolist() == [1000] * 10
    # The mean and the standard deviation that everybody normalizes with
    assert data.train_images.mean() / 255 == pytest.approx(0.2860, abs=5e-5)
    assert data.train_images.std() / 255 == pytest.approx(0.3530, abs=5e-5)
    assert fashion_mnist.text_labels(data.val_labels[:4]) == [
        'ankle boot',
        'pullover',
        'trouser',
        'trouser',
    ]
    assert data.source == os.path.abspath(real_root)


def test_sizes_of_the_real_files():
    # As the authors of the data set state them
    sizes = [file.num_bytes for file in fashion_mnist.FILES]
    assert sizes == [47040016, 60008, 7840016, 10008]


def test_text_labels():
    assert fashion_mnist.text_labels(np.array([9, 0])) == [
        'ankle boot',
        't-shirt',
    ]


# Places


def test_order_of_places(nowhere, monkeypatch):
    home, here = nowhere / 'home', nowhere / 'work' / 'here'
    monkeypatch.setenv('D2L_VGG_DATA', str(nowhere / 'env'))
    places = fashion_mnist.places(nowhere / 'given')
    expected = [
        nowhere / 'given',
        nowhere / 'env',
        here / 'data',
        here / 'data' / 'FashionMNIST' / 'raw',
        here.parent / 'data',
        here.parent / 'data' / 'FashionMNIST' / 'raw',
        home / '.cache' / 'd2l_vgg' / 'fashion-mnist',
        home / '.mxnet' / 'datasets' / 'fashion-mnist',
        home / '.keras' / 'datasets' / 'fashion-mnist',
    ]
    indices = [places.index(str(folder)) for folder in expected]
    assert indices == sorted(indices)
    assert indices[0] == 0
    assert len(places) == len(set(places))


def test_another_division_of_the_same_images():
    rng = np.random.RandomState(0)
    images = rng.randint(256, size=(70, 28, 28)).astype('uint8')
    labels = np.arange(70).astype('uint8') % 7
    data = fashion_mnist.Data(
        images[:50], labels[:50], images[50:], labels[50:], 'here'
    )
    again, other = (fashion_mnist.divide_anew(data, s) for s in (1, 2))
    repeated = fashion_mnist.divide_anew(data, 1)
    np.testing.assert_array_equal(again.val_images, repeated.val_images)
    assert not np.array_equal(again.val_images, other.val_images)
    assert '1' in again.source
    names = {image.tobytes(): label for image, label in zip(images, labels)}
    pairs = [
        *zip(again.train_images, again.train_labels),
        *zip(again.val_images, again.val_labels),
    ]
    # Each image once, with its own label, each class with its numbers
    assert {image.tobytes(): label for image, label in pairs} == names
    for new, old in (
        (again.train_labels, data.train_labels),
        (again.val_labels, data.val_labels),
    ):
        np.testing.assert_array_equal(np.bincount(new), np.bincount(old))


def test_default_root(nowhere, monkeypatch):
    cache = nowhere / 'home' / '.cache' / 'd2l_vgg' / 'fashion-mnist'
    assert fashion_mnist.default_root() == str(cache)
    monkeypatch.setenv('XDG_CACHE_HOME', str(nowhere / 'xdg'))
    expected = nowhere / 'xdg' / 'd2l_vgg' / 'fashion-mnist'
    assert fashion_mnist.default_root() == str(expected)
    assert str(expected) in fashion_mnist.places()
    monkeypatch.setenv('MXNET_HOME', str(nowhere / 'mx'))
    assert str(nowhere / 'mx' / 'datasets' / 'fashion-mnist') in (
        fashion_mnist.places()
    )
    monkeypatch.setenv('D2L_VGG_DATA', str(nowhere / 'env'))
    assert fashion_mnist.default_root() == str(nowhere / 'env')


@pytest.mark.parametrize('packed', [True, False])
@pytest.mark.parametrize(
    'place',
    [
        'home/.cache/d2l_vgg/fashion-mnist',
        'home/.mxnet/datasets/fashion-mnist',
        'home/.keras/datasets/fashion-mnist',
        'work/data/FashionMNIST/raw',
        'work/here/data',
    ],
)
def test_finds_files_in_each_place(nowhere, place, packed):
    folder = put(nowhere / place, packed)
    data = load(download=False)
    check(data)
    assert data.source == str(folder)


def test_given_folder_comes_first(nowhere, monkeypatch):
    put(nowhere / 'env')
    monkeypatch.setenv('D2L_VGG_DATA', str(nowhere / 'env'))
    given = put(nowhere / 'given')
    assert load(given).source == str(given)
    assert load().source == str(nowhere / 'env')
    # As torchvision is told it: the folder above FashionMNIST/raw
    torchvision = put(nowhere / 'root' / 'FashionMNIST' / 'raw')
    assert load(nowhere / 'root').source == str(torchvision)
    # An empty given folder is no obstacle
    (nowhere / 'empty').mkdir()
    assert load(nowhere / 'empty').source == str(nowhere / 'env')


def test_home_is_expanded(nowhere):
    folder = put(nowhere / 'home' / 'mine')
    assert load('~/mine').source == str(folder)


def test_files_may_lie_apart(nowhere):
    first = put(nowhere / 'work' / 'here' / 'data')
    second = put(nowhere / 'home' / 'data')
    (first / (FILES[3].name + '.gz')).unlink()
    data = load(download=False)
    check(data)
    assert data.source == f'{first}, {second}'


def test_a_name_that_lies_about_packing(nowhere):
    # Browsers unpack archives and keep their names, or the other way round
    folder = nowhere / 'given'
    folder.mkdir()
    for file in FILES:
        (folder / (file.name + '.gz')).write_bytes(CONTENT[file.name])
    check(load(folder))
    for file in FILES:
        os.remove(folder / (file.name + '.gz'))
        (folder / file.name).write_bytes(ARCHIVES[file.name + '.gz'])
    check(load(folder))


def test_a_file_is_no_folder(nowhere):
    (nowhere / 'file').write_bytes(b'')
    with pytest.raises(NotADirectoryError, match='file is not a folder'):
        load(nowhere / 'file')


def test_arrays_can_be_written(nowhere):
    data = load(put(nowhere / 'given'))
    data.train_images[0] = 0
    assert data.train_images[0].max() == 0


# Bad files


def flip(data, index):
    """The same bytes with one bit changed."""
    changed = bytearray(data)
    changed[index] ^= 1
    return bytes(changed)


PLAIN = CONTENT[IMAGES.name]
BAD = {
    'empty': (b'', 'truncated', f'0 of {len(PLAIN)} bytes'),
    'stub': (PLAIN[:3], 'truncated', f'3 of {len(PLAIN)} bytes'),
    'header only': (PLAIN[:16], 'truncated', f'16 of {len(PLAIN)} bytes'),
    'plain cut': (PLAIN[:-1], 'truncated', f'of {len(PLAIN)} bytes'),
    'gzip cut': (ARCHIVE[:-100], 'truncated', 'end too early'),
    'gzip header only': (ARCHIVE[:5], 'truncated', 'end too early'),
    'gzip of a cut file': (gzip.compress(PLAIN[:99]), 'truncated', '99 of'),
    'one bit of a pixel': (flip(PLAIN, 5000), 'altered', 'SHA-256'),
    'one bit of the shape': (flip(PLAIN, 7), 'altered', 'SHA-256'),
    'packed anew': (gzip.compress(flip(PLAIN, 99)), 'altered', 'SHA-256'),
    'one bit of the gzip sum': (flip(ARCHIVE, -6), 'altered', 'damaged'),
    'gzip rubbish': (ARCHIVE[:10] + b'\xff' * 99, 'altered', 'damaged'),
    'too long': (PLAIN + b'\0', 'altered', f'more than {len(PLAIN)} bytes'),
    'a bomb': (gzip.compress(PLAIN + bytes(10**7)), 'altered', 'more than'),
    'labels as images': (CONTENT[FILES[1].name], 'not IDX', '00000801'),
    'a web page': (b'<!DOCTYPE html><html>', 'not IDX', b'<!DO'.hex()),
    'a packed web page': (gzip.compress(b'<html>'), 'not IDX', '3c68746d'),
}


@pytest.mark.parametrize('suffix', ['', '.gz'])
@pytest.mark.parametrize('kind', BAD)
def test_bad_file_in_the_given_folder(nowhere, kind, suffix):
    data, state, detail = BAD[kind]
    folder = put(nowhere / 'given')
    os.remove(folder / (IMAGES.name + '.gz'))
    path = folder / (IMAGES.name + suffix)
    path.write_bytes(data)
    # A whole set elsewhere does not hide that the user's own is bad
    put(nowhere / 'work' / 'here' / 'data')
    with pytest.raises(BadFile, match=re.escape(detail)) as caught:
        load(folder)
    assert caught.value.state == state
    message = str(caught.value)
    assert message.startswith(f'{path} is {state}: ')
    assert 'delete it' in message
    assert '\n' not in message
    # Nothing of the user's is touched
    assert path.read_bytes() == data


def test_bad_file_in_a_searched_folder_is_passed_over(nowhere, monkeypatch):
    bad = put(nowhere / 'env')
    path = bad / (FILES[2].name + '.gz')
    path.write_bytes(b'')
    monkeypatch.setenv('D2L_VGG_DATA', str(bad))
    good = put(nowhere / 'home' / 'data')
    with pytest.warns(UserWarning) as caught:
        data = load(download=False)
    check(data)
    assert data.source == f'{bad}, {good}'
    assert f'passed over: {path} is truncated' in str(caught[0].message)
    assert caught[0].filename == __file__


def test_whole_twin_of_a_bad_file(nowhere):
    folder = put(nowhere / 'given')
    (folder / IMAGES.name).write_bytes(PLAIN[:100])
    with pytest.warns(UserWarning, match='passed over'):
        check(load(folder))


def test_file_without_permission(nowhere):
    folder = put(nowhere / 'given')
    path = folder / (IMAGES.name + '.gz')
    path.chmod(0)
    if os.access(path, os.R_OK):
        pytest.skip('this user (root?) may read every file')
    with pytest.raises(BadFile, match='is unreadable: Permission denied'):
        load(folder)


def test_status(nowhere):
    folder = put(nowhere / 'given')
    images, labels, val_images, val_labels = FILES
    (folder / (images.name + '.gz')).write_bytes(ARCHIVE[:1000])
    (folder / (labels.name + '.gz')).unlink()
    (folder / (val_images.name + '.gz')).write_bytes(ARCHIVE)
    (folder / (val_labels.name + '.gz')).unlink()
    elsewhere = put(nowhere / 'work' / 'here' / 'data')
    for name in (images.name, labels.name, val_images.name):
        (elsewhere / (name + '.gz')).unlink()
    end = '-idx3-ubyte.gz'
    assert fashion_mnist.status(folder, FILES) == [
        (images.name, str(folder / ('train-images' + end)), 'truncated'),
        (labels.name, None, 'missing'),
        (val_images.name, str(folder / ('t10k-images' + end)), 'altered'),
        (
            val_labels.name,
            str(elsewhere / (val_labels.name + '.gz')),
            'whole',
        ),
    ]


# Neither files nor network


def test_no_files_and_no_network(nowhere, dead_address):
    start = time.monotonic()
    with pytest.raises(DataNotFound) as caught:
        load(mirrors=[dead_address])
    assert time.monotonic() - start < 5
    message = str(caught.value)
    assert isinstance(caught.value, FileNotFoundError)
    assert fashion_mnist.default_root() in message
    assert f'{dead_address} (no connection)' in message
    assert '`--data stand-in`' in message
    assert '`stand_in.load()`' in message
    for file in FILES:
        assert file.name in message
    assert '\n' not in message


def test_download_switched_off(nowhere):
    with pytest.raises(DataNotFound, match='switched off') as caught:
        load(nowhere / 'given', download=False)
    assert str(nowhere / 'given') in str(caught.value)
    assert not (nowhere / 'given').exists()


# Downloads


def test_downloads_to_the_default_root(nowhere, mirror):
    server = mirror()
    data = load(mirrors=[server.address])
    check(data)
    assert data.source == fashion_mnist.default_root()
    check_folder(fashion_mnist.default_root())
    # Once and for all
    assert len(server.requests) == 4
    check(load(mirrors=[server.address]))
    assert len(server.requests) == 4


def test_downloads_only_what_is_missing(nowhere, mirror):
    elsewhere = put(nowhere / 'work' / 'here' / 'data')
    (elsewhere / (FILES[1].name + '.gz')).unlink()
    server = mirror()
    data = load(nowhere / 'given', mirrors=[server.address])
    check(data)
    assert server.requests == [(FILES[1].name + '.gz', 0)]
    assert data.source == f'{elsewhere}, {nowhere / "given"}'


def test_falls_over_to_the_next_mirror(nowhere, mirror, dead_address, capfd):
    missing, good = mirror(status=404), mirror()
    fashion_mnist.fetch(
        nowhere / 'given',
        [dead_address, missing.address, good.address],
        files=FILES,
    )
    check_folder(nowhere / 'given')
    error = capfd.readouterr().err
    assert f'{dead_address}{IMAGES.name}.gz: no connection' in error
    assert f'{missing.address}{IMAGES.name}.gz: answers with st' in error
    # The bar
    assert f'{IMAGES.name}.gz: 100%' in error
    # A mirror that failed is not asked for the other files
    assert len(missing.requests) == 1


def test_silent_when_told_so(nowhere, mirror, capfd):
    fetch(nowhere / 'given', mirror(status=500), mirror())
    assert capfd.readouterr() == ('', '')


def test_every_failure_is_told(nowhere, mirror):
    servers = [
        mirror(status=503),
        mirror(archives={}),
        mirror(archives={name: b'<html>' for name in ARCHIVES}),
        mirror(hangs_after=0),
        mirror(breaks_after=0),
    ]
    with pytest.raises(DataNotFound) as caught:
        fetch(nowhere / 'given', *servers, timeout=0.3)
    reasons = [
        'answers with status 503',
        'answers with status 404',
        'what it sends is not IDX',
        'no answer within 0.3 s',
        'the connection broke',
    ]
    for server, reason in zip(servers, reasons):
        assert f'{server.address} ({reason})' in str(caught.value)
    assert os.listdir(nowhere / 'given') in ([], [IMAGES.name + '.gz.part'])


def test_resumes_where_the_connection_broke(nowhere, mirror):
    server = mirror(breaks_after=THIRD)
    fetch(nowhere / 'given', server)
    check_folder(nowhere / 'given')
    starts = [s for n, s in server.requests if n == IMAGES.name + '.gz']
    assert starts == [0, THIRD, 2 * THIRD]


def test_server_that_cannot_resume(nowhere, mirror):
    server = mirror(ranges=False, breaks_after=THIRD, num_breaks=1)
    fetch(nowhere / 'given', server)
    check_folder(nowhere / 'given')
    assert server.requests[:2] == [
        (IMAGES.name + '.gz', 0),
        (IMAGES.name + '.gz', THIRD),
    ]


def test_gives_up_a_server_that_always_breaks(nowhere, mirror):
    bad, good = mirror(ranges=False, breaks_after=THIRD), mirror()
    fetch(nowhere / 'given', bad, good)
    check_folder(nowhere / 'given')
    assert len(bad.requests) == 2
    # The second mirror goes on with what the first one gave
    assert good.requests[0] == (IMAGES.name + '.gz', THIRD)


def test_leaves_a_silent_server(nowhere, mirror):
    bad, good = mirror(hangs_after=100000), mirror()
    start = time.monotonic()
    fetch(nowhere / 'given', bad, good, timeout=0.5)
    assert time.monotonic() - start < 8
    check_folder(nowhere / 'given')
    assert good.requests[0][1] > 0


def test_altered_content_is_not_kept(nowhere, mirror):
    altered = {n: gzip.compress(flip(c, -1)) for n, c in CONTENT.items()}
    bad = mirror(archives={f'{n}.gz': c for n, c in altered.items()})
    with pytest.raises(DataNotFound, match='what it sends is altered'):
        fetch(nowhere / 'given', bad)
    assert os.listdir(nowhere / 'given') == []
    # Altered and broken on top: the same verdict, not an endless circle
    bad.breaks_after, bad.requests = THIRD, []
    with pytest.raises(DataNotFound, match='what it sends is altered'):
        fetch(nowhere / 'given', bad)
    assert [start for _, start in bad.requests] == [0, THIRD, 2 * THIRD]
    # What another mirror began is thrown away once
    (nowhere / 'given' / (IMAGES.name + '.gz.part')).write_bytes(b'rubbish')
    bad.breaks_after, bad.requests = None, []
    with pytest.raises(DataNotFound, match='what it sends is altered'):
        fetch(nowhere / 'given', bad)
    assert [start for _, start in bad.requests] == [7, 0]
    fetch(nowhere / 'given', bad, mirror())
    check_folder(nowhere / 'given')


def test_truncated_on_the_server(nowhere, mirror):
    short = {name: archive[:-20] for name, archive in ARCHIVES.items()}
    with pytest.raises(DataNotFound, match='what it sends is truncated'):
        fetch(nowhere / 'given', mirror(archives=short))
    assert os.listdir(nowhere / 'given') == []


def test_mirrors_that_pack_differently(nowhere, mirror):
    other = {}
    for name, content in CONTENT.items():
        buffer = io.BytesIO()
        with gzip.GzipFile('another name', 'wb', fileobj=buffer) as packed:
            packed.write(content)
        other[name + '.gz'] = buffer.getvalue()
    bad, good = mirror(hangs_after=100000), mirror(archives=other)
    fetch(nowhere / 'given', bad, good, timeout=0.5)
    check_folder(nowhere / 'given')
    # What does not fit together is thrown away and begun anew
    starts = [s for n, s in good.requests if n == IMAGES.name + '.gz']
    assert starts[0] > 0
    assert starts[1:] == [0]


@pytest.mark.parametrize('ranges', [True, False])
@pytest.mark.parametrize(
    'part',
    [b'', b'rubbish', ARCHIVE[:5000], ARCHIVE, ARCHIVE + b'x' * 1000],
    ids=['empty', 'rubbish', 'begun', 'whole', 'too long'],
)
def test_part_of_an_earlier_download(nowhere, mirror, part, ranges):
    folder = nowhere / 'given'
    folder.mkdir()
    (folder / (IMAGES.name + '.gz.part')).write_bytes(part)
    fetch(folder, mirror(ranges=ranges))
    check_folder(folder)


def test_goes_on_after_a_kill(nowhere, mirror):
    folder = nowhere / 'given'
    bad, good = mirror(hangs_after=200000), mirror()
    code = (
        'import sys; from d2l_vgg.datasets import fashion_mnist as f\n'
        f'files = [f.File({IMAGES.name!r}, {IMAGES.shape}, "0")]\n'
        'f.fetch(sys.argv[1], sys.argv[2:], files=files)'
    )
    process = subprocess.Popen(
        [sys.executable, '-c', code, str(folder), bad.address],
        env=dict(os.environ, PYTHONPATH=ROOT),
        stderr=subprocess.DEVNULL,
    )
    try:
        part = folder / (IMAGES.name + '.gz.part')
        deadline = time.monotonic() + 30
        while not (part.exists() and part.stat().st_size > 100000):
            assert time.monotonic() < deadline, 'no download began'
            assert process.poll() is None
            time.sleep(0.05)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert os.listdir(folder) == [part.name]
    fetch(folder, good)
    check_folder(folder)
    assert good.requests[0][1] > 100000


def test_two_downloads_at_once(nowhere, mirror):
    server = mirror(breaks_after=50000)
    errors = []

    def run():
        try:
            fetch(nowhere / 'given', server)
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    check_folder(nowhere / 'given')
    # One did the work and the others waited for it
    assert len(server.requests) == len(set(server.requests))


def test_a_bad_file_in_the_way_is_renamed(nowhere, mirror):
    folder = put(nowhere / 'given')
    for number in ('', '2'):
        (folder / (FILES[2].name + '.gz')).write_bytes(b'mine' * 2)
        fetch(folder, mirror())
        rows = fashion_mnist.status(folder, FILES)
        assert [state for _, _, state in rows] == ['whole'] * 4
        bad = folder / (FILES[2].name + '.gz.bad' + number)
        assert bad.read_bytes() == b'mine' * 2


def test_a_truncated_cache_mends_itself(nowhere, mirror):
    # What a library without a check leaves behind after a broken download
    cache = nowhere / 'home' / '.mxnet' / 'datasets' / 'fashion-mnist'
    put(cache)
    (cache / (IMAGES.name + '.gz')).write_bytes(ARCHIVE[:1000])
    server = mirror()
    with pytest.warns(UserWarning, match='is truncated'):
        check(load(mirrors=[server.address]))
    assert server.requests == [(IMAGES.name + '.gz', 0)]


# Folders that cannot be written


@pytest.mark.parametrize('where', ['below a file', 'proc', 'read-only'])
def test_folder_that_cannot_be_written(nowhere, mirror, where):
    if where == 'below a file':
        (nowhere / 'file').write_bytes(b'')
        folder = nowhere / 'file' / 'below'
    elif where == 'proc':
        if not os.path.isdir('/proc/self'):
            pytest.skip('this system has no /proc')
        folder = '/proc/fashion-mnist'
    else:
        folder = nowhere / 'locked'
        folder.mkdir()
        folder.chmod(0o500)
        if os.access(folder, os.W_OK):
            pytest.skip('this user (root?) may write to every folder')
    server = mirror()
    with pytest.raises(OSError) as caught:
        load(folder, mirrors=[server.address])
    message = str(caught.value)
    assert f'cannot be written to the folder {folder} (' in message
    assert '$D2L_VGG_DATA' in message
    assert not isinstance(caught.value, DataNotFound)
    assert server.requests == [] or where == 'read-only'


@pytest.mark.skipif(
    not os.path.exists('/dev/full'), reason='this system has no /dev/full'
)
def test_full_disk(nowhere, mirror):
    folder = nowhere / 'given'
    folder.mkdir()
    (folder / (IMAGES.name + '.gz.part')).symlink_to('/dev/full')
    with pytest.raises(OSError, match='No space left on device') as caught:
        fetch(folder, mirror(), mirror())
    assert f'cannot be written to the folder {folder}' in str(caught.value)
    assert not (folder / (IMAGES.name + '.gz')).exists()
