"""float16, whose gradients are scaled so that it can hold them.

On a processor it is refused, as it is slow; but PyTorch, TensorFlow and JAX
can, and the tests leave out the refusal. MXNet computes in it on GPUs only.
"""

import numpy as np
import pytest
from frameworks import images
from trainings import (
    OPTIONS,
    SIZES,
    assert_same,
    fit,
    model_of,
    outcome,
    steps_of,
)

from d2l_vgg.training import precisions


@pytest.mark.parametrize('largest', [0, 1])
def test_a_scaled_loss_changes_not_a_bit(package, largest, monkeypatch):
    """Gradients are divided before they are clipped, decayed, remembered."""
    options = {**OPTIONS, 'max_epochs': 1, 'gradient_clip_val': largest}
    expected = outcome(fit(package, **options))
    monkeypatch.setitem(precisions.LOSS_SCALES, 'float32', 1024)
    found = outcome(fit(package, **options))
    if package.__name__ == 'd2l_vgg.jax':
        # XLA may fuse the division with what follows, and round otherwise
        for name, array in found.arrays.items():
            np.testing.assert_allclose(
                array, expected.arrays[name], rtol=1e-3, atol=1e-5
            )
        return
    assert_same(found, expected)


def gradients(package, precision, factor=1):
    """Return what one step with learning rate 1 subtracts, by name.

    `factor` is by what the loss of the model is multiplied.
    """

    class Scaled(package.VGG):
        def loss(self, Y_hat, y, averaged=True):
            return super().loss(Y_hat, y, averaged) * factor

    model = Scaled(model_of(package).arch, lr=1)
    data = package.FashionMNIST(32, **{**SIZES, 'num_train': 32})
    (found,) = steps_of(package, model, data, precision=precision)
    return found


def distances(found, expected):
    """Return name -> relative distance, of what has a gradient at all.

    Normalization takes the biases of convolutions out: theirs is 0.
    """
    return {
        name: np.linalg.norm(found[name] - grad) / np.linalg.norm(grad)
        for name, grad in expected.items()
        if not (name.startswith('conv') and name.endswith('bias'))
    }


def test_a_step_is_that_of_float32_but_for_rounding(package, half):
    found = gradients(package, 'float16')
    far = distances(found, gradients(package, 'float32'))
    assert 0 < max(far.values()) < 0.1, far
    # Behind the blocks, a few roundings to 11 bits. In them, pooling may pass
    # a gradient to another of two neighbours that round to one number, and
    # normalization takes out most of a gradient, but not what was rounded
    behind = [far[name] for name in far if name.startswith('dense')]
    assert max(behind) < 8 * 2**-11, far
    # Twice as far if nothing but the type were another
    rounded = distances(
        gradients(package, 'bfloat16'), gradients(package, 'float32')
    )
    assert far['dense1.weight'] < rounded['dense1.weight'] / 4


def test_small_gradients_are_not_lost(package, half, monkeypatch):
    small = 2.0**-14
    expected = gradients(package, 'float32', small)
    far = distances(gradients(package, 'float16', small), expected)
    assert max(far.values()) < 0.1, far
    monkeypatch.setitem(precisions.LOSS_SCALES, 'float16', 1)
    unscaled = distances(gradients(package, 'float16', small), expected)
    name = 'conv1_1.weight'
    assert unscaled[name] > 5 * far[name] and unscaled[name] > 0.3


def test_scores_and_parameters_are_float32(package, half, framework):
    model = model_of(package)
    trainer = fit(package, model, precision='float16', max_epochs=1)
    scores = framework.forward(model, images((2, 1, 28, 28)))
    assert scores.dtype == 'float32'
    assert {a.dtype.name for a in trainer.arrays().values()} == {'float32'}
