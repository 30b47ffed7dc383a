"""d2l's classes and ours can be swapped, with d2l as `stock` loads it."""

import importlib.util

import numpy as np
import pytest
import trainings
from processes import run_python

from d2l_vgg import frameworks
from d2l_vgg.book import stock
from d2l_vgg.networks.architectures import Architecture

TINY = Architecture(
    'tiny', blocks=((1, 8), (1, 16)), batch_norm=True, hidden=(32,), dropout=0
)


def load(name):
    """Return d2l's and our classes of a framework."""
    need(name)
    return stock.load(name), frameworks.load(name)


def need(name):
    for module in 'd2l', name:
        if importlib.util.find_spec(module) is None:
            pytest.skip(f'{module} is not installed')


@pytest.fixture(params=['mxnet', 'torch'])
def both(request):
    return *load(request.param), request.param


def images(package):
    return package.FashionMNIST(32, num_train=640, num_val=64)


def test_our_vgg_trains_under_the_trainer_of_d2l(both):
    d2l, package, name = both
    model = package.VGG(TINY, lr=0.1)
    data, trainer = images(package), d2l.Trainer(max_epochs=3)
    if name == 'torch':
        (X, _) = next(iter(data.train_dataloader()))
        model.apply_init([X], d2l.init_cnn)
    trainer.fit(model, data)
    # The book's curves: two points an epoch, and one
    points = {k: [p.y for p in v] for k, v in model.board.data.items()}
    assert [len(v) for v in points.values()] == [6, 3, 3]
    assert points['train_loss'][-1] < 0.8 * points['train_loss'][0]
    labels, scores = model.predict(data.val_dataloader())
    accuracy = (scores.argmax(1) == labels).mean()
    assert accuracy == pytest.approx(points['val_acc'][-1]) and accuracy > 0.3
    # And back again
    trainer = package.Trainer(1, seed=0, display='none')
    assert trainer.fit(model, data).points['train_loss'][0][1] < 2


def test_the_lenet_of_d2l_trains_under_our_trainer(both, tmp_path):
    d2l, package, name = both
    if not hasattr(d2l, 'LeNet'):
        pytest.skip(f"d2l's {name} has no LeNet")
    path = tmp_path / 'checkpoint.safetensors'

    def fit(**options):
        return trainings.fit(package, d2l.LeNet(lr=0.5), **options)

    whole = fit()
    points = whole.history.points
    assert [len(points[k]) for k in ('train_loss', 'val_acc')] == [4, 2]
    assert np.isfinite([y for _, y in points['train_loss']]).all()
    with pytest.raises(KeyboardInterrupt):
        fit(stop_at=13, checkpoint=path)
    resumed = fit(resume=True, checkpoint=path)
    outcomes = map(trainings.outcome, (resumed, whole))
    trainings.assert_same(*outcomes)
    # Afterwards it trains under d2l again, which draws on its own board
    resumed.model.board.display = False
    d2l.Trainer(max_epochs=1).fit(resumed.model, images(package))
    assert len(resumed.model.board.data['val_acc']) == 1


@pytest.mark.parametrize('name', ['tensorflow', 'jax'])
def test_model_of_d2l_is_refused_where_its_steps_cannot_be_compiled(name):
    d2l, package = load(name)
    trainer = package.Trainer(1, display='none')
    with pytest.raises(ValueError, match='LeNet is no d2l_vgg.Classifier'):
        trainer.fit(d2l.LeNet(lr=0.1), images(package))


# In a process of its own, where nothing has been imported
MISSING = """
import importlib.util, sys
find = importlib.util.find_spec
hidden = {hidden!r}
importlib.util.find_spec = lambda name, *args: (
    None if name in hidden else find(name, *args)
)
for name in hidden:
    sys.modules.pop(name, None)
from d2l_vgg.book import stock
d2l = stock.load({name!r})
assert not set(hidden) & set(sys.modules)
print(d2l.LeNet(lr=0.1).lr)
"""


@pytest.mark.parametrize(
    'name, hidden',
    [
        ('torch', ['torchvision', 'scipy']),
        ('jax', ['tensorflow', 'tensorflow_datasets']),
    ],
)
def test_d2l_loads_without_what_the_section_does_not_use(name, hidden):
    need(name)
    code = MISSING.format(name=name, hidden=hidden)
    assert run_python(code, '-W', 'error') == '0.1'
