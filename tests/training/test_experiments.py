"""The named experiments, their numbers, and the schedules."""

import dataclasses
import json
import os

import pytest

from d2l_vgg.networks import architectures
from d2l_vgg.training import schedules
from d2l_vgg.training.experiments import (
    EXPERIMENTS,
    Experiment,
    get_experiment,
    name_of,
)


def recorded(name, file='run.json'):
    """Return the hyperparameters of a recorded run."""
    here = os.path.dirname(os.path.abspath(__file__))
    results = os.path.join(here, '..', '..', 'chapter', 'results')
    with open(os.path.join(results, name, file)) as opened:
        return Experiment.from_dict(json.load(opened)['hyperparameters'])


# What chapter/results/cheap/seeds.csv was made with, which has no run.json:
# its README tells what was asked for, the code of then the rest
BEST = Experiment(
    arch=architectures.Architecture(
        'best',
        ((1, 32), (2, 64), (2, 128), (1, 256)),
        batch_norm=True,
        hidden=(128,),
        dropout=0.3,
    ),
    max_epochs=23,
    label_smoothing=0.1,
    flip=True,
    shift=1,
    test_flip=True,
    precision='bfloat16',
    resize=28,
    batch_size=128,
    lr=0.1,
    lr_schedule='one_cycle',
    momentum=0.9,
    weight_decay=5e-4,
)


@pytest.mark.parametrize(
    'name, record, changes',
    [
        ('book', recorded('book'), {}),
        # With the draw of its seed, the only one that there was
        ('book', recorded('book-own-draw'), {'draw': 'seed'}),
        ('quick', recorded('quick'), {}),
        *[
            (name, recorded('frameworks', f'{name}-{framework}.json'), {})
            for name in ('fast', 'quick')
            for framework in ('torch', 'tensorflow', 'jax')
        ],
        ('best', BEST, {}),
    ],
)
def test_an_experiment_is_what_its_record_was_made_with(
    name, record, changes
):
    """The accuracies that are told of it are no others'."""
    experiment = dataclasses.replace(get_experiment(name), **changes)
    ours, theirs = experiment.to_dict(), record.to_dict()
    del ours['description'], theirs['description']
    assert ours == theirs


def test_a_record_from_before_a_hyperparameter_was_there_is_read():
    values = Experiment().to_dict()
    # What was not there yet was not done
    absent = {
        'label_smoothing': 0,
        'flip': False,
        'shift': 0,
        'test_flip': False,
        'draw': 'seed',
        'precision': 'float32',
    }
    for name in absent:
        del values[name]
    experiment = Experiment.from_dict(values)
    assert {name: getattr(experiment, name) for name in absent} == absent


def test_known_values_of_the_schedules():
    assert schedules.constant(0.7) == 1
    assert schedules.cosine(0) == 1
    assert schedules.cosine(0.5) == pytest.approx(0.5)
    assert schedules.cosine(1) == pytest.approx(0)
    assert schedules.one_cycle(0.25) == 1
    assert schedules.one_cycle(0.125) == pytest.approx(0.5)
    assert schedules.one_cycle(0.625) == pytest.approx(0.5)
    assert schedules.one_cycle(1) == 0


@pytest.mark.parametrize('name', EXPERIMENTS)
def test_an_experiment_is_known_by_what_it_does(name):
    experiment = get_experiment(name)
    assert name_of(experiment) == name
    values = json.loads(json.dumps(experiment.to_dict()))
    again = Experiment.from_dict(values)
    assert again.to_dict() == experiment.to_dict() and name_of(again) == name
    same = dataclasses.replace(experiment, seed=7, draw='seed')
    assert name_of(same) == name
    for change in (
        {'lr': 0.05},
        {'resize': 32},
        {'max_epochs': 1},
        {'arch': 'vgg11', 'resize': 32},
        {'flip': not experiment.flip},
    ):
        changed = dataclasses.replace(experiment, **change)
        assert name_of(changed) == 'custom', change
