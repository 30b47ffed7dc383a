"""Files are downloaded and resumed, whatever the mirrors and the disk do.

Real HTTP servers on this machine stand for the mirrors, good and bad ones.
"""

import gzip
import hashlib
import io
import os
import signal
import subprocess
import sys
import threading
import time

import pytest
from processes import ROOT
from small_files import (
    ARCHIVE,
    ARCHIVES,
    CONTENT,
    FILES,
    IMAGES,
    THIRD,
    check,
    check_folder,
    fetch,
    flip,
    load,
    put,
)

from d2l_vgg.datasets import download, fashion_mnist
from d2l_vgg.datasets.fashion_mnist import CannotRead, DataNotFound, File


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


def test_full_disk(nowhere, mirror):
    """In a process that may not write more than so many bytes to a file."""
    folder = nowhere / 'given'
    code = (
        'import resource, sys\n'
        'resource.setrlimit(resource.RLIMIT_FSIZE, (100000, 100000))\n'
        'from d2l_vgg.datasets import fashion_mnist as f\n'
        f'files = [f.File({IMAGES.name!r}, {IMAGES.shape}, "0")]\n'
        'try: f.fetch(sys.argv[1], sys.argv[2:], files=files)\n'
        'except OSError as error: print(error)'
    )
    done = subprocess.run(
        [sys.executable, '-c', code, str(folder), mirror().address],
        env=dict(os.environ, PYTHONPATH=ROOT),
        stdout=subprocess.PIPE,
        text=True,
    )
    assert done.returncode == 0
    assert done.stdout.startswith(
        f'Fashion-MNIST cannot be written to the folder {folder} (File too '
        'large); name another one'
    )
    assert os.listdir(folder) == [IMAGES.name + '.gz.part']
    # What is there is gone on with
    good = mirror()
    fetch(folder, good)
    check_folder(folder)
    assert good.requests[0][1] > 0


# What others may have put in the way


@pytest.mark.parametrize('exists', [True, False])
def test_a_planted_link_leads_nowhere(nowhere, mirror, exists):
    folder, victim = nowhere / 'given', nowhere / 'victim'
    folder.mkdir()
    if exists:
        victim.write_bytes(b'precious')
    (folder / (IMAGES.name + '.gz.part')).symlink_to(victim)
    (folder / (FILES[1].name + '.gz')).symlink_to(victim)
    fetch(folder, mirror(breaks_after=THIRD))
    assert (
        (victim.read_bytes() == b'precious')
        if exists
        else (not victim.exists())
    )
    assert not (folder / (IMAGES.name + '.gz')).is_symlink()
    rows = fashion_mnist.status(folder, FILES)
    assert [state for _, _, state in rows] == ['whole'] * 4


def test_a_link_that_is_planted_late_is_not_followed(nowhere):
    part, victim = nowhere / 'some.part', nowhere / 'victim'
    part.symlink_to(victim)
    with pytest.raises(OSError, match='symbolic links'):
        open(part, 'wb', opener=download._follow_no_link)
    assert not victim.exists()


def test_a_pipe_in_the_way_does_not_hang(nowhere, mirror):
    folder = nowhere / 'given'
    folder.mkdir()
    os.mkfifo(folder / (IMAGES.name + '.gz.part'))
    fetch(folder, mirror())
    check_folder(folder)


def test_a_server_that_sends_without_end_is_stopped(nowhere, mirror):
    bad, good = mirror(endless=True), mirror()
    most = download.most_bytes(IMAGES)
    with pytest.raises(
        DataNotFound, match=f'what it sends is longer than {most} bytes'
    ):
        fetch(nowhere / 'given', bad)
    assert os.listdir(nowhere / 'given') == []
    # But for what waits in the sockets
    assert bad.sent < most + 2**24
    fetch(nowhere / 'given', bad, good)
    check_folder(nowhere / 'given')


def test_the_largest_archive_fits():
    """Noise, not packed at all, with a long name in its head."""
    for file in fashion_mnist.FILES:
        noise = os.urandom(file.num_bytes)
        assert len(gzip.compress(noise, 0)) < download.most_bytes(file)


def test_a_small_file_goes_on_where_it_broke(nowhere, mirror):
    content = b'\0\0\x08\x01' + (5000).to_bytes(4, 'big') + os.urandom(5000)
    file = File('labels', (5000,), hashlib.sha256(content).hexdigest())
    archives = {'labels.gz': gzip.compress(content)}
    server = mirror(archives=archives, breaks_after=1000)
    fashion_mnist.fetch(
        nowhere / 'given', [server.address], progress=False, files=[file]
    )
    starts = [start for _, start in server.requests]
    assert starts[0] == 0 and 0 < starts[1] <= 1000
    assert os.listdir(nowhere / 'given') == ['labels.gz']


def test_a_part_that_cannot_be_read_is_not_thrown_away(nowhere, mirror):
    """It may be whole: the system tells nothing of it."""
    part = nowhere / 'part'
    os.symlink('/proc/self/mem', part)  # Reading it fails, whoever does
    with pytest.raises(CannotRead, match='part cannot be read .*Input'):
        IMAGES.state(part)


def test_home_in_a_path_of_the_download(nowhere, mirror):
    server = mirror()
    failures = download.fetch(FILES, '~/mine', [server.address], False)
    assert failures == []
    check_folder(nowhere / 'home' / 'mine')
    assert not os.path.exists('~')
