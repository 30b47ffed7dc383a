"""What a model has of the book's base class without d2l."""

from d2l_vgg.training.module import Module


class Base:
    trainer = None


class Model(Module, Base):
    def __init__(self, lr, num_classes=10, secret=1, *others, _own=2, **more):
        super().__init__(plot_train_per_epoch=5)
        hidden = lr  # No argument, so it is not kept
        self.save_hyperparameters(ignore=['secret'])
        assert hidden == self.lr


def test_arguments_become_attributes():
    model = Model(0.1, 7, 1, 8, 9, width=3)
    assert model.hparams == {
        'lr': 0.1,
        'num_classes': 7,
        'others': (8, 9),
        'more': {'width': 3},
    }
    for name, value in model.hparams.items():
        assert getattr(model, name) == value
    for name in 'secret', '_own', 'hidden':
        assert not hasattr(model, name)
    assert (model.plot_train_per_epoch, model.plot_valid_per_epoch) == (5, 1)


def test_plot_without_a_trainer_does_nothing():
    Model(0.1).plot('loss', 3, train=True)
