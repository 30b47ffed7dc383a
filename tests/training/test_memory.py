"""A training that the memory cannot hold is refused before it begins."""

import os
import types
from dataclasses import replace

import pytest
from processes import run_python

from d2l_vgg import doctor, machine
from d2l_vgg.frameworks import FRAMEWORKS
from d2l_vgg.networks import costs
from d2l_vgg.networks.architectures import get
from d2l_vgg.training import memory
from d2l_vgg.training.experiments import EXPERIMENTS, Experiment

SGD = {'momentum': 0, 'precision': 'float32'}


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
        framework=framework, on_cpu=True, momentum=0, precision='float32'
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
    for framework, (own, *times) in costs.MEMORY.items():
        found = costs.training_bytes(framework, **arch, **SGD)
        sizes = num_params, 3 * activations, 3 * 4096
        numbers = sum(n * size for n, size in zip(times, sizes))
        assert found == own * 2**20 + round(4 * numbers)
    # Of the least, which is parameters, gradients and outputs
    found = costs.training_bytes('gpu', **arch, **SGD)
    assert found == 4 * (2 * num_params + 3 * activations)
    found = costs.training_bytes('gpu', **arch, **{**SGD, 'momentum': 0.9})
    assert found == 4 * (3 * num_params + 3 * activations)


# Highest resident memory (VmHWM) of `fit`, one thread, in MiB
PEAKS = [
    ('mxnet', 'quick', 28, 128, 319),
    ('mxnet', 'vgg_small', 96, 32, 730),
    ('mxnet', 'vgg_small', 56, 128, 723),
    ('mxnet', 'best', 28, 256, 517),
    ('mxnet', 'vgg_small', 96, 128, 1127),
    ('mxnet', 'vgg11', 56, 32, 871),
    ('mxnet', 'vgg_small', 224, 32, 1604),
    ('mxnet', 'vgg11', 96, 32, 1442),
    ('mxnet', 'vgg_small', 96, 256, 1638),
    ('torch', 'quick', 28, 128, 430),
    ('torch', 'vgg_small', 96, 32, 679),
    ('torch', 'vgg_small', 56, 128, 721),
    ('torch', 'best', 28, 256, 596),
    ('torch', 'vgg_small', 96, 128, 1129),
    ('torch', 'vgg11', 56, 32, 760),
    ('torch', 'vgg_small', 224, 32, 1337),
    ('tensorflow', 'quick', 28, 128, 841),
    ('tensorflow', 'vgg_small', 96, 32, 1149),
    ('tensorflow', 'vgg_small', 56, 128, 1142),
    ('tensorflow', 'best', 28, 256, 1050),
    ('tensorflow', 'vgg_small', 96, 128, 1268),
    ('tensorflow', 'vgg11', 56, 32, 1280),
    ('tensorflow', 'vgg_small', 224, 32, 1541),
    # Here and below: Intel Xeon (model 106), the framework's own threads
    ('tensorflow', 'quick', 28, 128, 723),
    ('tensorflow', 'vgg_small', 56, 128, 1285),
    ('tensorflow', 'vgg_small', 224, 32, 1843),
    ('tensorflow', 'vgg_small', 224, 128, 3497),
    ('jax', 'quick', 28, 128, 543),
    ('jax', 'vgg_small', 96, 32, 762),
    ('jax', 'vgg_small', 224, 32, 1310),
    ('jax', 'vgg_small', 224, 128, 2779),
]


@pytest.mark.parametrize('framework, arch, size, batch_size, peak', PEAKS)
def test_prediction_is_within_15_percent_of_what_was_measured(
    memory_of, framework, arch, size, batch_size, peak
):
    if arch in EXPERIMENTS:
        arch = EXPERIMENTS[arch].arch
    shape = (1, size, size)
    told = costs.training_bytes(framework, arch, shape, batch_size, 10, **SGD)
    assert told / 2**20 == pytest.approx(peak, rel=0.15)
    memory_of(peak * 2**20, taken=0)  # It has run, so it is not refused
    check(arch, (size, size), batch_size, framework)
    memory_of(peak * 2**20 / 1.5, taken=0)
    with pytest.raises(ValueError, match='takes about'):
        check(arch, (size, size), batch_size, framework)


@pytest.mark.slow
@pytest.mark.parametrize('name', FRAMEWORKS)
@pytest.mark.parametrize('size, batch_size', [(56, 64), (96, 32)])
def test_prediction_is_within_15_percent_of_a_training(
    name, size, batch_size
):
    if not doctor.is_installed(name):
        pytest.skip(f'{name} is not installed')
    told = run_python(
        f"""
        import re
        from d2l_vgg import {name} as d2l_vgg

        data = d2l_vgg.FashionMNIST({batch_size}, ({size}, {size}))
        model = d2l_vgg.VGG('small', lr=0.01)
        d2l_vgg.Trainer(1, display='none').fit(model, data)
        with open('/proc/self/status') as file:
            print(re.search(r'VmHWM:[^0-9]+([0-9]+)', file.read())[1])
        """,
        D2L_VGG_TRIAL='2',
        OMP_NUM_THREADS='1',
    )
    expected = costs.training_bytes(
        name, 'small', (1, size, size), batch_size, 10, **SGD
    )
    assert 1024 * int(told) == pytest.approx(expected, rel=0.15)


def test_nothing_is_refused_where_nothing_is_known(memory_of):
    memory_of(None)
    check(((1, 100000),), (224, 224), 60000)


def test_each_hyperparameter_that_counts_is_counted():
    base = Experiment(arch='vgg11', resize=64, batch_size=512)
    needed = memory.experiment_bytes(base, 'jax')
    assert needed == costs.training_bytes(
        'jax', 'vgg11', (1, 64, 64), 512, 10, **SGD
    )
    for change in {'momentum': 0.9}, {'resize': 68}, {'batch_size': 520}:
        assert (
            memory.experiment_bytes(replace(base, **change), 'jax') > needed
        )
    half = replace(base, precision='bfloat16')
    assert memory.experiment_bytes(half, 'jax') < needed


@pytest.mark.parametrize('framework', FRAMEWORKS)
def test_what_the_framework_is_still_to_take_counts(memory_of, framework):
    own = costs.MEMORY[framework][0] * 2**20
    memory_of(None)
    besides = check('lenet', (28, 40), 128, framework)
    for taken in 0, own // 2, own, 2 * own:
        needed = memory.SURE * (besides + max(0, own - taken))
        memory_of(needed, taken)
        assert check('lenet', (28, 40), 128, framework) == besides
        memory_of(needed - 1, taken)
        with pytest.raises(ValueError, match='28 x 40 pixels takes about'):
            check('lenet', (28, 40), 128, framework)


@pytest.mark.skipif(
    not os.path.exists('/proc/self/status'), reason='not Linux'
)
def test_what_a_process_has_taken_is_all_of_it():
    told = run_python(
        """
        import resource
        import numpy as np  # Whose libraries count, too
        from d2l_vgg.machine import taken_memory

        array = np.ones(2**24, 'uint8')
        with open('/proc/self/statm') as file:
            pages = int(file.read().split()[1])
        print(taken_memory() / pages / resource.getpagesize())
        """
    )
    assert 0.9 < float(told) < 1.1


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
