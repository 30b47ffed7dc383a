"""bfloat16, to which blocks round; everything outside of them is float32."""

from dataclasses import replace

import numpy as np
import pytest
from frameworks import images
from trainings import ARCH, SIZES, fit, model_of


@pytest.fixture(autouse=True)
def computes(package):
    trainer = package.Trainer(1, display='none')
    reason = trainer.unsupported_reason('bfloat16')
    if reason:
        pytest.skip(f'bfloat16 {reason}')


def gradients(package, arch, precision):
    """Return what one step with learning rate 1 subtracts, by name."""
    found = {}

    class Measured(package.Trainer):
        def train_step(self, batch, lr=None):
            before = self.model.arrays()
            metrics = super().train_step(batch, lr)
            for name, after in self.model.arrays().items():
                if 'running' not in name:
                    found[name] = before[name] - after
            return metrics

    data = package.FashionMNIST(32, **{**SIZES, 'num_train': 32})
    trainer = Measured(1, seed=3, display='none', precision=precision)
    trainer.fit(package.VGG(arch, lr=1), data)
    return found


@pytest.mark.parametrize('lrn', [False, True])
def test_step_in_bfloat16_is_that_of_float32_up_to_rounding(package, lrn):
    arch = replace(ARCH, batch_norm=not lrn, lrn=lrn)
    found = gradients(package, arch, 'bfloat16')
    far = {
        name: np.linalg.norm(found[name] - grad) / np.linalg.norm(grad)
        for name, grad in gradients(package, arch, 'float32').items()
        # Normalization takes the biases of convolutions out: theirs is 0
        if not (name.startswith('conv') and name.endswith('bias'))
    }
    # In the blocks pooling may pass a gradient to another of two neighbours
    # that round to one number
    assert 0 < max(far.values()) < 0.5, far
    # Behind the blocks, a few roundings to 8 bits
    behind = [far[name] for name in far if name.startswith('dense')]
    assert max(behind) < 8 * 2**-8, far


def test_scores_and_parameters_of_bfloat16_are_float32(package, framework):
    model = model_of(package)
    trainer = fit(package, model, precision='bfloat16', max_epochs=1)
    scores = framework.forward(model, images((2, 1, 28, 28)))
    assert scores.dtype == 'float32'
    assert {a.dtype.name for a in trainer.arrays().values()} == {'float32'}
