"""The same numbers everywhere: every framework against NumPy in float64.

From the same parameters and minibatches come the same scores, loss,
gradients and statistics, and the same parameters after a few steps, up to
what float32 rounds. So they agree with one another, too, for a few steps:
later, a maximum that is not decided parts them.
"""

import numpy as np
import pytest
from frameworks import PARAMS, images
from numpy_data import FashionMNIST
from numpy_vgg import Network

from d2l_vgg.networks.architectures import Architecture
from d2l_vgg.networks.names import parameter_shapes
from d2l_vgg.training import parameters, schedules

ARCHS = {
    name: Architecture(name, blocks, hidden=hidden, dropout=0, **kind)
    for name, blocks, hidden, kind in (
        ('plain', ((1, 4), (2, 6)), (16, 8), {}),
        ('1x1', ((1, 4), (1, 6, 2)), (8,), {}),
        ('lrn', ((2, 9), (1, 6)), (), {'lrn': True}),
        ('batch_norm', ((1, 4), (2, 6)), (8,), {'batch_norm': True}),
    )
}
RTOL = 1e-5  # Of a gradient in float32
# With this seed no maximum of a few steps is undecided
BATCH_SIZE, NUM_STEPS, SEED, LR = 8, 5, 3, 0.1
# What is set up in `Trainer`, one by one and all at once
OPTIONS = {
    'plain': {},
    'momentum': {'momentum': 0.9},
    'weight_decay': {'weight_decay': 0.1},
    'one_cycle': {'momentum': 0.9, 'lr_schedule': 'one_cycle'},
    'clipping of longer gradients only': {'gradient_clip_val': 1000},
    'clipping': {'gradient_clip_val': 1},
    'smoothing': {'label_smoothing': 0.2},
}
OPTIONS['all'] = {k: v for o in OPTIONS.values() for k, v in o.items()}


@pytest.fixture(params=PARAMS, scope='module')
def framework(request):
    return request.param


def draw(arch, X_shape):
    """Return name -> array of parameters that leave no layer idle."""
    rng, arrays = np.random.RandomState(0), {}
    height, width = (n // 2 ** len(arch.blocks) for n in X_shape[2:])
    inputs = arch.blocks[-1][1] * height * width
    for name, shape in parameter_shapes(arch).items():
        unknown = X_shape[1] if name.startswith('conv') else inputs
        shape = [unknown if size is None else size for size in shape]
        if name.endswith('var'):
            array = rng.uniform(0.5, 2, shape)
        elif name.startswith('norm') or name.endswith('bias'):
            array = rng.uniform(-0.5, 0.5, shape) + name.endswith('t')
        else:
            bound = np.sqrt(6 / np.prod(shape[1:]))
            array = rng.uniform(-bound, bound, shape)
        arrays[name] = array.astype('float32')
    if arch.lrn:  # Activations so large that its constants count
        arrays['conv1_1.weight'] *= 1000
        arrays['dense1.weight'] /= 1000
    return arrays


def built(framework, arch, X_shape):
    """Return a model and a network in NumPy with the same parameters."""
    arrays = draw(arch, X_shape)
    model = framework.build(arch, X_shape)
    model.load_arrays(arrays)
    return model, Network(arch, arrays)


def assert_close(found, expected, rtol, scale=0, what=''):
    """The distance is small beside the length of what is right.

    Or beside `scale`, for what is nothing but rounding.
    """
    assert found.shape == expected.shape, what
    distance = np.linalg.norm((found - expected).ravel())
    length = max(np.linalg.norm(expected.ravel()), scale)
    assert distance <= rtol * length, (what, distance / length)


# Neither square nor to be halved twice
X_SHAPE = (6, 2, 13, 18)


@pytest.mark.parametrize('name', ARCHS)
def test_a_step_computes_what_numpy_does(framework, name):
    model, network = built(framework, ARCHS[name], X_SHAPE)
    X, y = images(X_SHAPE), np.array([0, 9, 3, 3, 7, 1])
    scores = network.forward(X)
    assert np.abs(scores).max() > 0.3
    assert_close(framework.forward(model, X), scores, 1e-6, what='scores')
    expected = network.loss(X, y)
    loss, grads = framework.gradients(model, X, y)
    assert loss == pytest.approx(expected, rel=1e-6)
    # A bias before a normalization has no gradient except for rounding
    length = max(map(np.linalg.norm, map(np.ravel, network.grads.values())))
    names = [n for n in network.arrays if 'running' not in n]
    assert len(grads) == len(names)
    for n, grad in zip(names, grads.values()):
        idle = name == 'batch_norm' and n.startswith('conv')
        scale = length if idle and n.endswith('bias') else 0
        assert_close(grad, network.grads[n], RTOL, scale, n)
    arrays = model.arrays()
    assert list(arrays) == list(network.arrays)
    for n in arrays:  # Statistics have followed, parameters have not
        assert_close(arrays[n], network.arrays[n], 1e-6, what=n)


@pytest.mark.parametrize('name', OPTIONS)
def test_a_few_steps_train_as_numpy_does(framework, name):
    train_and_compare(framework, ARCHS['plain'], OPTIONS[name], 2e-6)


@pytest.mark.parametrize('num_left', [0, 1, 2])
def test_a_few_steps_normalize_as_numpy_does(framework, num_left):
    """Normalization makes much of what was rounded before it.

    A smaller last minibatch counts in losses, gradients, statistics, and in
    the means of validation.
    """
    train_and_compare(
        framework, ARCHS['batch_norm'], OPTIONS['all'], 1e-4, num_left
    )


def train_and_compare(framework, arch, options, rtol, num_left=0):
    """Losses, parameters and what the optimizer keeps are the same.

    With `num_left`, training and validation end with so few examples.
    """
    model, network = built(framework, arch, (1, 1, 28, 28))
    num_train = BATCH_SIZE * NUM_STEPS + num_left
    given = {'num_train': num_train, 'num_val': BATCH_SIZE + num_left}
    data = FashionMNIST(BATCH_SIZE, **given)
    batches = data.train_dataloader()
    num_steps = len(batches)
    schedule = schedules.SCHEDULES[options.get('lr_schedule', 'constant')]
    losses = network.fit(
        batches.start_at(0, [SEED, 0]),
        [LR * schedule(i / num_steps) for i in range(num_steps)],
        **{k: v for k, v in options.items() if k != 'lr_schedule'},
    )
    package = framework.package
    trainer = package.Trainer(1, seed=SEED, display='none', **options)
    assert model.lr == LR
    history = trainer.fit(model, package.FashionMNIST(BATCH_SIZE, **given))
    # Half of the losses of an epoch make a point; an odd one is left
    found = [value for _, value in history.points['train_loss']]
    half = num_steps // 2
    expected = [np.mean(losses[i : i + half]) for i in (0, half)]
    assert found == pytest.approx(expected, rel=rtol)
    arrays, kept = model.arrays(), trainer.arrays()
    for n, array in network.arrays.items():
        assert_close(arrays[n], array, rtol, what=n)
        np.testing.assert_array_equal(kept[n], arrays[n], n)
        if 'momentum' in options and n in network.grads:
            # A velocity is the difference of parameters in float32
            slot = kept[f'optimizer/{n}.momentum']
            scale = np.linalg.norm(array)
            assert_close(slot, network.velocities[n], rtol, scale, n)
    # The book's mean: that of the minibatches, whatever their sizes
    judged = [network.judge(X, y) for X, y in data.val_dataloader()]
    for series, means in zip(('val_loss', 'val_acc'), zip(*judged)):
        assert history.final[series] == pytest.approx(
            np.mean(means), rel=10 * rtol
        )


def test_any_parameters_can_be_loaded_and_are_saved_as_the_same(
    framework, tmp_path
):
    """So those of each framework serve every other, before an image, too."""
    X = images(X_SHAPE)
    for name, arch in ARCHS.items():
        path, again = str(tmp_path / name), str(tmp_path / f'{name} again')
        arrays = draw(arch, X_SHAPE)
        digest = parameters.save(path, arrays)
        model = framework.vgg(arch, 10)
        model.load(path)
        assert model.save(again) == digest
        scores = Network(arch, arrays).forward(X)
        assert_close(framework.forward(model, X), scores, 1e-6, what=name)
        assert model.save(again) == digest
