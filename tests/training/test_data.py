"""Which images a run takes: what Python and the command line may ask for."""

import re

import numpy as np
import pytest
from numpy_data import FashionMNIST

from d2l_vgg.training.experiments import FIELDS, Experiment


def make(**asked):
    return FashionMNIST(**{'num_train': 100, 'num_val': 20, **asked})


@pytest.mark.parametrize(
    'arguments, message',
    [
        ({'batch_size': 0}, 'batch_size is 0: it must be positive'),
        ({'batch_size': 101}, 'batch_size is 101, .* only 100 examples'),
        ({'batch_size': 2.5}, 'batch_size is 2.5: it must be a whole'),
        ({'resize': (0, 28)}, 'resize is 0'),
        ({'resize': 28.5}, 'resize is 28.5: it must be a whole number'),
        ({'resize': (28, float('inf'))}, 'resize is inf: it must be a whole'),
        ({'resize': (1, 28, 28)}, r'resize is \(1, 28, 28\): it must be one'),
        ({'num_train': 0}, 'num_train is 0'),
        ({'num_val': -1}, 'num_val is -1'),
        ({'num_val': np.float64(3)}, 'num_val is .*3.0.*: it must be a who'),
        ({'shift': -1}, 'shift is -1: it must be 0 or more'),
        ({'shift': 28}, 'shift is 28: it must be below 28'),
        ({'flip': 2}, 'flip is 2: it must be True or False'),
    ],
)
def test_what_cannot_be_is_refused_in_one_sentence(arguments, message):
    with pytest.raises(ValueError, match=message) as caught:
        make(**arguments)
    assert '\n' not in str(caught.value)


def test_numpys_numbers_are_as_good_as_pythons():
    data = make(
        batch_size=np.int64(20),
        resize=np.array([14, 7])[0],
        num_train=np.uint8(60),
        num_val=np.int32(30),
        flip=np.bool_(True),
        shift=np.int8(2),
    )
    assert len(data.train_dataloader()) == 3
    assert len(data.val[1]) == 30
    assert data.resize == (14, 14)
    for name in ('batch_size', 'num_train', 'shift'):
        assert type(getattr(data, name)) is int, name
    assert data.flip is True


@pytest.mark.parametrize('name', ['batch_size', 'resize', 'flip', 'shift'])
@pytest.mark.parametrize(
    'value', [-1, 0, 1, 27, 28, 2.0, '3', True, float('nan'), np.int64(2)]
)
def test_python_and_the_command_line_have_the_same_limits(name, value):
    assert name in FIELDS
    refusals = []
    for takes in make, Experiment:
        try:
            takes(**{name: value})
            refusals.append('')
        except ValueError as error:
            refusals.append(str(error))
    # An experiment has a network, too, which images may be too small for
    assert refusals[0] == re.sub('.* is too small .*', '', refusals[1])


@pytest.mark.parametrize(
    'value, told',
    [
        (np.float64(2.5), '2.5'),
        (np.int8(-2), '-2'),
        (np.array(-3), '-3'),
        (object(), 'of type object'),
        (np.zeros((2, 2)), 'of type ndarray'),
    ],
)
def test_messages_name_values_as_python_writes_them(value, told):
    with pytest.raises(ValueError, match=f'^batch_size is {told}: it must'):
        make(batch_size=value)


def test_more_examples_than_there_are():
    with pytest.raises(ValueError, match='num_train is 60001, .* only 60000'):
        make(num_train=60001)
    with pytest.raises(ValueError, match='num_val is 10001, .* only 10000'):
        make(num_val=10001)


def test_a_dataloader_holds_the_set_in_use():
    data = make(batch_size=30, shift=2)
    labels = np.concatenate([y for _, y in data.train_dataloader()])
    assert sorted(labels) == sorted(data.train[1])
    X, y = next(iter(data.val_dataloader()))
    np.testing.assert_array_equal(np.rint(X[:, 0] * 255), data.val[0][:30])
    np.testing.assert_array_equal(y, data.val[1][:30])


def test_minibatches_without_a_trainer_are_in_a_new_order_each_time():
    data = make()
    first, second = (next(iter(data.train_dataloader()))[1] for _ in '12')
    assert not np.array_equal(first, second)


def test_the_digest_tells_which_images_are_used():
    digest = make().digest
    assert digest == make(batch_size=7, resize=40, shift=3, flip=True).digest
    others = [
        make(num_train=99).digest,
        make(num_val=19).digest,
    ]
    assert len({digest, *others}) == 3


@pytest.mark.parametrize('where', ['train', 'val'])
@pytest.mark.parametrize('part', [0, 1])
def test_one_changed_bit_is_another_digest(where, part):
    data = make()
    getattr(data, where)[part].flat[-1] ^= 1
    assert data.digest != make().digest
