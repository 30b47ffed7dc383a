"""Which devices a worker takes of those of its host."""

import os
import subprocess
import sys

import pytest

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
def test_the_gpus_of_which_cuda_knows(monkeypatch, visible, found):
    monkeypatch.setattr(worker.gpus, 'names', lambda: ['H100'] * 3)
    monkeypatch.delenv('CUDA_VISIBLE_DEVICES', raising=False)
    if visible is not None:
        monkeypatch.setenv('CUDA_VISIBLE_DEVICES', visible)
    assert worker.visible_gpus() == found


def taken(number, total, visible):
    """Return the GPU and the processors of this worker of so many."""
    code = (
        'import os; from d2l_vgg import worker; worker.take_share(); '
        'print(os.environ["CUDA_VISIBLE_DEVICES"], '
        '*sorted(os.sched_getaffinity(0)))'
    )
    result = subprocess.run(
        [sys.executable, '-c', code],
        env={
            **os.environ,
            'LOCAL_RANK': str(number),
            'LOCAL_WORLD_SIZE': str(total),
            'CUDA_VISIBLE_DEVICES': visible,
        },
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    gpu, *processors = result.stdout.rstrip('\n').split(' ')
    return gpu, [int(word) for word in processors]


def test_each_takes_a_gpu_of_its_own():
    assert [taken(n, 2, '5,3')[0] for n in (0, 1)] == ['5', '3']


@pytest.mark.skipif(
    not hasattr(os, 'sched_getaffinity'), reason='not on this system'
)
def test_each_takes_its_share_of_the_processors():
    usable = sorted(os.sched_getaffinity(0))
    shares = [taken(n, 2, '')[1] for n in (0, 1)]
    if len(usable) > 1:
        assert shares[0] + shares[1] == usable
    many = len(usable) + 1
    shares = [taken(n, many, '')[1] for n in (0, many - 1)]
    assert all(len(share) == 1 for share in shares)
    assert taken(0, 1, '')[1] == usable


def test_fewer_gpus_than_workers(monkeypatch):
    monkeypatch.setenv('LOCAL_RANK', '0')
    monkeypatch.setenv('LOCAL_WORLD_SIZE', '3')
    monkeypatch.setenv('CUDA_VISIBLE_DEVICES', '0,1')
    with pytest.raises(ValueError, match='3 workers .* GPUs for only 2'):
        worker.take_share()
