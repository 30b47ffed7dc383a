"""Which devices a worker takes of those of its host."""

import os

import pytest
from processes import run_python

from d2l_vgg import worker


@pytest.mark.parametrize(
    ('visible', 'found'),
    [
        (None, ['0', '1', '2']),
        ('', []),
        ('-1', []),
        ('NoDevFiles', []),
        ('2,0', ['2', '0']),
        (' 1 , 3 ', ['1', '3']),
        ('1,-1,3', ['1']),
        ('GPU-8932f937,MIG-5', ['GPU-8932f937', 'MIG-5']),
    ],
)
def test_visible_gpus_are_those_that_cuda_knows(monkeypatch, visible, found):
    monkeypatch.setattr(worker.gpus, 'names', lambda: ['H100'] * 3)
    monkeypatch.delenv('CUDA_VISIBLE_DEVICES', raising=False)
    if visible is not None:
        monkeypatch.setenv('CUDA_VISIBLE_DEVICES', visible)
    assert worker.visible_gpus() == found


def taken(number, total, visible):
    """Return the GPU and the processors of this worker of so many."""
    code = """
        import os
        from d2l_vgg import worker
        worker.take_share()
        print(os.environ['CUDA_VISIBLE_DEVICES'], end='|')
        print(*sorted(os.sched_getaffinity(0)))
    """
    printed = run_python(
        code,
        LOCAL_RANK=str(number),
        LOCAL_WORLD_SIZE=str(total),
        CUDA_VISIBLE_DEVICES=visible,
    )
    gpu, processors = printed.split('|')
    return gpu, [int(word) for word in processors.split()]


@pytest.mark.skipif(
    not hasattr(os, 'sched_getaffinity'), reason='not on this system'
)
def test_each_worker_takes_its_share_of_gpus_and_processors():
    usable = sorted(os.sched_getaffinity(0))
    gpus, shares = zip(*[taken(n, 2, '5,3') for n in (0, 1)])
    assert gpus == ('5', '3')
    if len(usable) > 1:
        assert shares[0] + shares[1] == usable
    many = len(usable) + 1
    shares = [taken(n, many, '')[1] for n in (0, many - 1)]
    assert all(len(share) == 1 for share in shares)
    assert taken(0, 1, '')[1] == usable


def test_fewer_gpus_than_workers_are_refused(monkeypatch):
    monkeypatch.setenv('LOCAL_RANK', '0')
    monkeypatch.setenv('LOCAL_WORLD_SIZE', '3')
    monkeypatch.setenv('CUDA_VISIBLE_DEVICES', '0,1')
    with pytest.raises(ValueError, match='3 workers .* GPUs for only 2'):
        worker.take_share()
