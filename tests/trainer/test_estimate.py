"""How long a training will take is told, and changes nothing."""

import itertools
import re
import types

import pytest
from trainings import (
    OPTIONS,
    assert_same,
    data_of,
    fit,
    model_of,
    outcome,
    whole,
)

from d2l_vgg.commands.making import estimate_seconds
from d2l_vgg.training import estimate
from d2l_vgg.training.experiments import Experiment


def test_the_board_tells_how_long_it_will_take(package, monkeypatch, capsys):
    trainer = package.Trainer(max_epochs=10**6, seed=0, display='board')
    monkeypatch.setattr(trainer, 'fit_epoch', stop)
    with pytest.raises(KeyboardInterrupt):
        trainer.fit(model_of(package), data_of(package))
    told = re.search(r'about (.+) left', capsys.readouterr().out)
    # A million epochs of 14 minibatches
    assert re.match(r'\d+ minutes|\d+\.\d hours', told.group(1))


def test_estimate_tells_the_time_before_fit(package):
    trainer = package.Trainer(max_epochs=10**6, seed=0, display='none')
    told = trainer.estimate(model_of(package), data_of(package))
    assert re.fullmatch(r'\d+ minutes|\d+\.\d hours', told)


def stop():
    raise KeyboardInterrupt


def test_telling_the_time_leaves_the_run_as_it_is(package):
    told = outcome(fit(package, display='board', **OPTIONS))
    assert_same(told, whole(package))


@pytest.mark.parametrize('flip, val_passes', [(False, 5), (True, 10)])
@pytest.mark.parametrize('on_cpu', [True, False])
def test_step_takes_as_many_forward_passes_as_measured(
    on_cpu, flip, val_passes, monkeypatch
):
    # The first pass compiles, the next one finds cold caches
    times = itertools.cycle([0, 90, 90, 99, 99, 100, 100, 109, 109, 111])
    clock = types.SimpleNamespace(monotonic=times.__next__)
    monkeypatch.setattr(estimate, 'time', clock)
    for framework, passes in estimate.PASSES.items():
        trainer = types.SimpleNamespace(
            framework=framework,
            on_cpu=on_cpu,
            test_flip=flip,
            train_dataloader=[None],
            forward=bool,
            wait_for=bool,
        )
        expected = 10 * (passes if on_cpu else 3) + val_passes
        assert estimate.epoch_seconds(trainer, 10, 5) == 2 * expected


@pytest.mark.parametrize(
    'seconds, told',
    [
        *((1, '1 second'), (119, '119 seconds'), (120, '2 minutes')),
        *((7199, '120 minutes'), (7200, '2.0 hours'), (99000, '27.5 hours')),
    ],
)
def test_time_is_told_in_the_unit_that_suits_it(seconds, told):
    assert estimate.format_seconds(seconds) == told


def test_command_estimates_by_steps_and_validations(package, monkeypatch):
    monkeypatch.setenv('D2L_VGG_TRIAL', '1')  # Of the run, not of this
    # In seconds: compiling ends at 9, a step takes 2, validating 12
    ends = iter([9, 11, 40, 52])
    clock = types.SimpleNamespace(monotonic=lambda: next(ends))
    monkeypatch.setattr(estimate, 'time', clock)
    experiment = Experiment(arch=((1, 2),), resize=8, max_epochs=3)
    told = estimate_seconds(package, experiment, num_gpus=0)
    assert told == 3 * (2 * 60000 + 12 * 10000) / 128
