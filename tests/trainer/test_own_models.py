"""A reader's own classes and loaders are trained as ours are."""

import itertools

import numpy as np
import pytest
from frameworks import needs_bfloat16
from trainings import (
    OPTIONS,
    Images,
    assert_learned,
    fit,
    model_of,
)

from d2l_vgg.training.precisions import has_bfloat16

# All that a class of the reader's own can be asked for
WAYS = {
    'momentum': 0.9,
    'weight_decay': 1e-3,
    'label_smoothing': 0.1,
    'test_flip': True,
    'precision': 'bfloat16',
}


def without_names(trainer):
    """Return the arrays, whose names a class without `arch` chooses."""
    return list(trainer.model.arrays().values())


@needs_bfloat16
def test_a_class_of_the_readers_own_is_trained_as_ours(package, own):
    ours = fit(package, model_of(package), **WAYS)
    theirs = fit(package, own.Written(), **WAYS)
    assert ours.history.points == theirs.history.points
    pairs = itertools.zip_longest(without_names(ours), without_names(theirs))
    for one, other in pairs:
        if one.shape == other.shape:
            np.testing.assert_array_equal(one, other)
        else:  # Keras's own layout, where a layer has no name of ours
            np.testing.assert_array_equal(
                np.sort(one.ravel()), np.sort(other.ravel())
            )


@pytest.fixture(scope='module')
def few(own):
    return Images(own.loader, num_train=64)


def test_a_loader_of_the_frameworks_own_serves(package, own):
    data = Images(own.loader)
    trainer = fit(package, data=data, max_epochs=1, **OPTIONS)
    assert_learned(trainer)
    assert trainer.history.final['val_acc'] >= 0


def test_options_that_a_model_cannot_follow_are_refused(package, own, few):
    values = {**WAYS, 'lr_schedule': 'cosine'}
    for cls, names in own.UNSUPPORTED.items():
        for name in names:
            if name == 'precision' and not has_bfloat16():
                continue
            with pytest.raises(ValueError, match=f'{name}.* (leave|use)'):
                fit(package, cls(lr=0.1), few, **{name: values[name]})
