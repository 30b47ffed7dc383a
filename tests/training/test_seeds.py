"""What decides the order of the images, and whose generators it leaves alone.

Trained is a linear classifier in NumPy, so only the loop is tried.
"""

import random

import numpy as np
import pytest
from numpy_data import FashionMNIST
from numpy_trainer import Softmax, Trainer


@pytest.fixture(scope='module')
def ours():
    return FashionMNIST(20, num_train=100, num_val=40, flip=True, shift=1)


class Foreign:
    """The data of a reader, whose loaders draw from a global generator."""

    def __init__(self, data, draw):
        self.data, self.draw = data, draw

    def train_dataloader(self):
        return Drawn(self.data.train, self.draw)

    def val_dataloader(self):
        return Drawn(self.data.val, self.draw)


class Drawn:
    def __init__(self, arrays, draw):
        self.arrays, self.draw = arrays, draw

    def __len__(self):
        return len(self.arrays[1]) // 20

    def __iter__(self):
        for _ in range(len(self)):
            chosen = self.draw(len(self.arrays[1]))
            yield self.arrays[0][chosen] / 255, self.arrays[1][chosen]


DRAWS = {
    'python': lambda n: random.sample(range(n), 20),
    'numpy': lambda n: np.random.permutation(n)[:20],
}


@pytest.fixture(params=['ours', *DRAWS])
def data(request, ours):
    if request.param == 'ours':
        return ours
    return Foreign(ours, DRAWS[request.param])


def fit(data, model=None, resume=False, **options):
    options = {'max_epochs': 2, 'seed': 3, 'display': 'none', **options}
    trainer = Trainer(**options)
    trainer.fit(model or Softmax(), data, resume=resume)
    return trainer


def states():
    return random.getstate(), [str(part) for part in np.random.get_state()]


def test_a_fit_leaves_the_readers_generators_alone(data):
    """A random search draws before each fit, and must not draw the same."""
    before = states()
    fit(data)
    assert states() == before


def test_neighbouring_seeds_have_orders_of_their_own(data):
    """Not those of each other one epoch later."""
    epochs = []
    for seed in range(4):
        seen = fit(data, seed=seed, max_epochs=3).seen
        third = len(seen) // 3
        epochs += [tuple(seen[i * third : (i + 1) * third]) for i in range(3)]
    assert len(set(epochs)) == 12


def test_without_a_seed_each_fit_has_one_of_its_own(data):
    trainer = Trainer(1, display='none')
    seen = []
    for _ in range(2):
        trainer.fit(Softmax(), data)
        seen.append((trainer.seed, tuple(trainer.seen)))
    assert seen[0][0] != seen[1][0]
    assert seen[0][1] != seen[1][1]


def test_without_a_seed_a_stopped_run_goes_on_with_its_own(data, tmp_path):
    path = str(tmp_path / 'checkpoint.safetensors')

    class Once(Softmax):
        def accuracy(self, Y_hat, y):
            raise ZeroDivisionError

    trainer = Trainer(2, checkpoint=path, display='none')
    with pytest.raises(ZeroDivisionError):
        trainer.fit(Once(), data)
    seed = trainer.seed
    # By the same trainer, or by another one after the process has ended
    for other in trainer, Trainer(2, checkpoint=path, display='none'):
        with open(path, 'rb') as file:
            content = file.read()
        other.fit(Softmax(), data, resume=True)
        assert other.seed == seed
        with open(path, 'wb') as file:
            file.write(content)
    whole = fit(data, seed=seed)
    assert other.history.points == whole.history.points


@pytest.mark.parametrize('draw', DRAWS)
def test_a_loader_that_draws_as_it_is_made_repeats(ours, draw):
    class Subset(Foreign):
        def train_dataloader(self):
            chosen = self.draw(100)
            arrays = [array[chosen] for array in self.data.train]
            return [(arrays[0] / 255, arrays[1])]

    data = Subset(ours, DRAWS[draw])
    first = fit(data)
    random.random(), np.random.rand()
    assert fit(data).seen == first.seen
