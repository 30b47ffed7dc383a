"""A training that the memory cannot hold is refused before it begins."""

import os
import types
from dataclasses import replace

import numpy as np
import pytest

from d2l_vgg import machine
from d2l_vgg.frameworks import FRAMEWORKS
from d2l_vgg.networks import costs
from d2l_vgg.networks.architectures import get
from d2l_vgg.training import memory
from d2l_vgg.training.experiments import Experiment


@pytest.fixture
def memory_of(monkeypatch):
    """Return a function that sets how much memory there is."""

    def there_is(number, taken=2**40):
        monkeypatch.setattr(machine, 'available_memory', lambda: number)
        monkeypatch.setattr(machine, 'taken_memory', lambda: taken)

    return there_is


def check(arch, size, batch_size, framework='mxnet'):
    class Ours(types.SimpleNamespace):
        __module__ = f'd2l_vgg.{framework}.vgg'

    trainer = Ours(
        on_cpu=True, framework=framework, momentum=0, precision='float32'
    )
    model = Ours(arch=get(arch), num_classes=10)
    data = Ours(resize=size[::-1], batch_size=batch_size)
    return memory.check_fit(trainer, model, data)


def test_by_hand():
    """One block of two channels on 4 x 4 pixels, one dense layer."""
    arch = {'arch': ((1, 2),), 'input_shape': (1, 4, 4), 'batch_size': 3}
    arch['num_classes'] = 10
    # 4096 hidden units twice; 8 = 2 channels of 2 x 2
    num_params = 2 * 10 + 9 * 4096 + 4097 * 4096 + 4097 * 10
    activations = 2 * 16 + 8 + 4 * 4096 + 10
    found = costs.training_bytes(**arch, momentum=0, precision='float32')
    assert found == 4 * (2 * num_params + 3 * activations)
    found = costs.training_bytes(**arch, momentum=0.9, precision='bfloat16')
    assert found == 12 * num_params + 6 * activations


@pytest.mark.parametrize(
    'options, gigabytes',
    [
        # Highest resident memory of MXNet 1.9.1 on two cores, less what the
        # process has before: what is refused must need more than this
        (('vgg_small', (224, 224), 128), 3.22),
        (('vgg11', (96, 96), 16), 0.76),
        (('vgg11_bn', (96, 96), 32), 1.21),
        (('vgg11_lrn', (96, 96), 32), 1.17),
        (('vgg19_bn', (64, 64), 32), 0.94),
    ],
)
def test_what_has_run_is_not_refused(memory_of, options, gigabytes):
    memory_of(int(gigabytes * 2**30))
    check(*options)
    # But not by so much that nothing ever is
    memory_of(int(gigabytes / 2.5 * 2**30))
    with pytest.raises(ValueError, match='takes at least'):
        check(*options)


def test_nothing_is_refused_where_nothing_is_known(memory_of):
    memory_of(None)
    check(((1, 100000),), (224, 224), 60000)


def test_each_hyperparameter_that_counts_is_counted():
    base = Experiment(arch='vgg11', resize=64, batch_size=512)
    needed = memory.least_bytes(base)
    assert needed == costs.training_bytes(
        'vgg11', (1, 64, 64), 512, 10, momentum=0, precision='float32'
    )
    for change in {'momentum': 0.9}, {'resize': 68}, {'batch_size': 520}:
        assert memory.least_bytes(replace(base, **change)) > needed
    half = replace(base, precision='bfloat16')
    assert memory.least_bytes(half) < needed


@pytest.mark.parametrize('framework', FRAMEWORKS)
def test_what_the_framework_is_still_to_take_counts(memory_of, framework):
    own = memory.FRAMEWORK_MIB[framework] * 2**20
    memory_of(None)
    least = check('lenet', (28, 40), 128, framework)
    for taken in 0, own // 2, own, 2 * own:
        needed = least + max(0, own - taken)
        memory_of(needed, taken)
        assert check('lenet', (28, 40), 128, framework) == least
        memory_of(needed - 1, taken)
        with pytest.raises(ValueError, match='28 x 40 pixels takes at least'):
            check('lenet', (28, 40), 128, framework)


@pytest.mark.skipif(
    not os.path.exists('/proc/self/status'), reason='not Linux'
)
def test_what_a_process_has_taken_grows_by_its_arrays():
    before = machine.taken_memory()
    array = np.ones(2**25, 'uint8')
    assert 0.9 < (machine.taken_memory() - before) / array.nbytes < 1.1


# ------------------------------------------------- how much there is


MEMINFO = 'MemTotal:  900 kB\nMemAvailable:   500 kB\nSwapFree:  100 kB\n'


def tree(tmp_path, files):
    files = {'proc/meminfo': MEMINFO, **files}
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    folders = str(tmp_path / 'cgroup'), str(tmp_path / 'proc')
    return machine.available_memory(*folders)


def version_2(folder, limit, used, cached=0):
    return {
        f'{folder}/memory.max': f'{limit}\n',
        f'{folder}/memory.current': f'{used}\n',
        f'{folder}/memory.stat': f'file 9\ninactive_file {cached}\nanon 0\n',
    }


def version_1(folder, limit, used, cached=0):
    return {
        f'{folder}/memory.limit_in_bytes': f'{limit}\n',
        f'{folder}/memory.usage_in_bytes': f'{used}\n',
        f'{folder}/memory.stat': f'cache 9\ntotal_inactive_file {cached}\n',
    }


@pytest.mark.parametrize(
    'files, expected',
    [
        ({}, 600 * 1024),
        (version_2('cgroup', 'max', 5000), 600 * 1024),
        (version_2('cgroup', 50000, 20000), 30000),
        # The pages of files are given up
        (version_2('cgroup', 50000, 20000, 8000), 38000),
        (version_2('cgroup', 10**9, 20000), 600 * 1024),
        (version_2('cgroup', 50000, 60000), 0),
        (version_1('cgroup/memory', 50000, 20000, 5000), 35000),
        (version_1('cgroup/memory', 2**63 - 4096, 20000), 600 * 1024),
        # A group inside of others, of which the least room counts
        (
            {
                'proc/self/cgroup': '0::/jobs/mine\n',
                **version_2('cgroup/jobs', 70000, 50000),
                **version_2('cgroup/jobs/mine', 60000, 10000),
            },
            20000,
        ),
        (
            {
                'proc/self/cgroup': '5:cpu:/other\n4:memory:/mine\n',
                **version_1('cgroup/memory/mine', 60000, 10000),
                **version_1('cgroup/memory/other', 1000, 10),
            },
            50000,
        ),
        ({'proc/meminfo': 'MemTotal: 900 kB\n'}, None),
    ],
)
def test_available_memory(tmp_path, files, expected):
    assert tree(tmp_path, files) == expected
