"""The trainer in MXNet beside d2l's, and with d2l's and Gluon's own classes.

What it shares with the other frameworks' is tested in `tests/trainer`.
"""

import few_images
import numpy as np
import pytest

pytest.importorskip('mxnet')

import mxnet as mx
import trainings
from d2l import mxnet as d2l
from mxnet import autograd, gluon, npx
from trainings import ARCH, assert_learned, assert_same, outcome

from d2l_vgg import mxnet as package
from d2l_vgg.mxnet import VGG, Classifier, FashionMNIST, Trainer
from d2l_vgg.networks.architectures import Architecture
from d2l_vgg.training import seeds

TINY = Architecture('tiny', blocks=((1, 4), (1, 8)), hidden=(16,))


class Images(d2l.DataModule):
    """A few images, behind Gluon's own DataLoader."""

    def __init__(self, batch_size=32, num_train=320, workers=0):
        super().__init__(num_workers=workers)
        self.save_hyperparameters()
        data = few_images.load(num_train, 96)
        self.train = self.dataset(data.train_images, data.train_labels)
        self.val = self.dataset(data.val_images, data.val_labels)

    def dataset(self, images, labels):
        X = images[:, None].astype('float32') / 255
        return gluon.data.ArrayDataset(
            mx.np.array(X), mx.np.array(labels, dtype='int32')
        )

    def get_dataloader(self, train):
        return gluon.data.DataLoader(
            self.train if train else self.val,
            self.batch_size,
            shuffle=train,
            num_workers=self.workers,
        )


def fit(model, data=None, **options):
    return trainings.fit(package, model, data, **options)


# ------------------------------------------------- beside d2l


def test_our_vgg_trains_under_d2l_and_records_the_same():
    """Equal draws, equal order and no dropout: both trainers must agree."""
    arch = Architecture('tiny', ((1, 4), (1, 8)), hidden=(16,), dropout=0)
    data = Images()
    first = VGG(arch, lr=0.1)
    trainer = fit(first, data, max_epochs=1)

    second = VGG(arch, lr=0.1)
    np.random.seed([3, 0])  # What our trainer shuffles the first epoch with
    mx.random.seed(3)
    second(mx.np.zeros((1, 1, 28, 28)))
    second.board.display = False
    d2l.Trainer(max_epochs=1).fit(second, data)
    ours, theirs = first.arrays(), second.arrays()
    assert list(ours) == list(theirs)
    for name in ours:
        np.testing.assert_array_equal(ours[name], theirs[name], name)
    for series, points in second.board.data.items():
        ours = trainer.history.points[series]
        np.testing.assert_allclose(ours, points, rtol=1e-6, err_msg=series)


def test_our_vgg_trains_under_d2l_with_worker_processes():
    """Minibatches in shared memory and a hybridized network (FACTS)."""
    model = VGG(TINY, lr=0.1)
    model.compile()
    model.board.display = False
    d2l.Trainer(max_epochs=1).fit(model, Images(workers=2))
    assert len(model.board.data['val_acc']) == 1


class ResNet18(d2l.Classifier):
    def __init__(self, lr=0.002):
        super().__init__()
        self.save_hyperparameters()
        self.net = d2l.resnet18(10)
        self.net.initialize()


@pytest.mark.parametrize(
    'make, epochs',
    [
        (lambda: d2l.LeNet(lr=0.1), 3),
        (lambda: d2l.SoftmaxRegression(10, lr=0.1), 3),
        pytest.param(ResNet18, 3, marks=pytest.mark.slow),
    ],
    ids=['LeNet', 'SoftmaxRegression', 'ResNet18'],
)
def test_models_of_d2l_train_under_our_trainer(make, epochs):
    data = Images(num_train=160)
    model = make()
    assert_learned(fit(model, data, max_epochs=epochs))
    # Afterwards it trains under d2l again, which draws on its own board
    model.board.display = False
    d2l.Trainer(max_epochs=1).fit(model, data)
    assert model.board.data['val_acc']


class Scratch(d2l.Classifier):
    """No class of ours, and no layers."""

    def __init__(self):
        super().__init__()
        self.lr = 0.1
        self.W = mx.np.random.normal(0, 0.01, (784, 10))
        self.W.attach_grad()

    def forward(self, X):
        return mx.np.dot(X.reshape(len(X), -1), self.W)


def test_a_model_of_d2ls_from_scratch_trains_and_goes_on(tmp_path):
    def scratch(seed=1):
        mx.random.seed(seed)
        return Scratch()

    path = tmp_path / 'checkpoint.safetensors'
    whole = fit(scratch(), Images())
    assert_learned(whole)
    with pytest.raises(KeyboardInterrupt):
        fit(scratch(), Images(), stop_at=14, checkpoint=path)
    model = scratch(seed=99)
    again = fit(model, Images(), resume=True, checkpoint=path)
    assert_same(outcome(again), outcome(whole))
    np.testing.assert_array_equal(model.W.asnumpy(), whole.model.W.asnumpy())


def test_classifier_is_d2ls():
    assert issubclass(Classifier, d2l.Classifier)
    assert issubclass(Trainer, d2l.Trainer)
    assert issubclass(FashionMNIST, d2l.DataModule)


# ------------------------------------------------- with Gluon's own classes


def test_resuming_with_the_stock_loader(tmp_path):
    path = tmp_path / 'checkpoint.safetensors'
    options = {'data': Images(), 'momentum': 0.9}
    whole = fit(VGG(ARCH, lr=0.05), **options)
    with pytest.raises(KeyboardInterrupt):
        fit(VGG(ARCH, lr=0.05), stop_at=13, checkpoint=path, **options)
    resumed = fit(VGG(ARCH, lr=0.05), resume=True, checkpoint=path, **options)
    assert_same(outcome(resumed), outcome(whole))


def test_a_schedule_of_the_models_own_stands():
    class Own(VGG):
        def configure_optimizers(self):
            schedule = mx.lr_scheduler.FactorScheduler(1, 0.5, base_lr=0.4)
            return gluon.Trainer(
                self.collect_params(), 'sgd', {'lr_scheduler': schedule}
            )

    assert fit(Own(TINY)).optim.learning_rate < 0.01


def test_the_trainer_keeps_the_memory_plan():
    model = VGG(TINY)
    fit(model, max_epochs=1)
    assert model.net._active and model.net._cached_op is not None
    assert dict(model.net._flags)['static_alloc']


def test_no_dropout_mask_comes_twice():
    """Parts of 512 masks, as MXNet draws them, of the first minibatches."""
    X = mx.np.ones((128, 4096))
    seen = set()
    for i in range(4):
        mx.random.seed(seeds.mix(0, i))
        with autograd.record():
            mask = npx.dropout(X, p=0.5).asnumpy() > 0
        seen |= {part.tobytes() for part in mask.reshape(-1, 512)}
    assert len(seen) == 4 * 1024
