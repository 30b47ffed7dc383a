"""The named experiments: every hyperparameter of a run in one place."""

import dataclasses
from typing import Any

from d2l_vgg import limits
from d2l_vgg.networks import costs
from d2l_vgg.networks.architectures import Architecture, get
from d2l_vgg.training.precisions import PRECISIONS
from d2l_vgg.training.schedules import SCHEDULES


def setting(default, help=None, group='Training', **about):
    """Return a field of `Experiment` with all that is to know of it.

    `help`, `group` and `metavar` are for its option on the command line,
    `about` is for `limits.check`.
    """
    return dataclasses.field(
        default=default, metadata={'help': help, 'group': group, **about}
    )


@dataclasses.dataclass(frozen=True)
class Experiment:
    """The hyperparameters of a run, with the book's as defaults."""

    description: str = setting('your own hyperparameters', group=None)
    arch: Any = setting(  # Anything that `architectures.get` takes
        'vgg_small', 'such as vgg11, or ((1,16),(1,32))', 'Network'
    )
    # So many pixels of one image of 28 x 28 that more can only be a slip
    resize: int = setting(
        224, 'height and width of the images', 'Data',
        above=0, most=2048, metavar='PIXELS',
    )  # fmt: skip
    # The whole training set
    batch_size: int = setting(
        128, 'images in a minibatch', 'Data', above=0, most=60000
    )
    # Eleven days at a second each
    max_epochs: int = setting(
        10, 'passes over the images', above=0, most=10**6
    )
    lr: float = setting(0.01, 'largest learning rate', above=0)
    lr_schedule: str = setting(
        'constant', 'course', choices=tuple(SCHEDULES), metavar='NAME'
    )
    momentum: float = setting(0.0, 'of gradient descent', least=0, below=1)
    weight_decay: float = setting(0.0, 'shrinks the parameters', least=0)
    gradient_clip_val: float = setting(
        0.0, 'largest norm of the gradient; 0: any', least=0
    )
    label_smoothing: float = setting(
        0.0, 'spread over all classes', least=0, below=1
    )
    flip: bool = setting(False, 'mirror half of the training images', 'Data')
    shift: int = setting(
        0, 'move each training image by up to that', 'Data',
        least=0, below=28, metavar='PIXELS',
    )  # fmt: skip
    test_flip: bool = setting(False, 'predict by image and mirror image')
    seed: int = setting(0, 'of all that is random', least=0, below=2**32)
    # By the seed, the same in each framework, or as in the book's runs
    draw: str = setting(
        'seed', 'initial parameters', 'Network',
        choices=('seed', 'published'), metavar='NAME',
    )  # fmt: skip
    precision: str = setting(
        'float32', 'of most layers', choices=PRECISIONS, metavar='NAME'
    )

    def __post_init__(self):
        """Raise ValueError for a value that no run can have."""
        for field in dataclasses.fields(self):
            value = check(field.name, getattr(self, field.name))
            # Python's own number, for JSON; this is how to set what is frozen
            object.__setattr__(self, field.name, value)
        # Refuses images that are too small for the network
        costs.summary(self.arch, (1, self.resize, self.resize))

    def to_dict(self) -> dict[str, Any]:
        """Return everything in the types of JSON."""
        values = dataclasses.asdict(self)
        values['arch'] = dataclasses.asdict(get(self.arch))
        return values

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> 'Experiment':
        """Return the experiment that `to_dict` has described."""
        return cls(**{**values, 'arch': Architecture(**values['arch'])})


FIELDS = {field.name: field for field in dataclasses.fields(Experiment)}

LIMITS: dict[str, dict[str, Any]] = {
    # What a trainer, a network, the data and a command have besides
    'num_gpus': {'kind': int, 'least': 0},
    'checkpoint_seconds': {'kind': float, 'least': 0},
    'num_classes': {'kind': int, 'above': 0},
    'channels': {'kind': int, 'above': 0},
    'num_train': {'kind': int, 'above': 0},
    'num_val': {'kind': int, 'above': 0},
    'dropout': {'kind': float},
    'time_limit': {'kind': float, 'least': 0},
}
for _name, _field in FIELDS.items():
    LIMITS[_name] = {'kind': _field.type, **_field.metadata}
    for _shown in 'help', 'group', 'metavar':
        LIMITS[_name].pop(_shown, None)


def check(name: str, value: Any) -> Any:
    """As `limits.check`, for the hyperparameter `name`."""
    return limits.check(name, value, **LIMITS[name])


def _cheap(description, name, blocks, max_epochs, dropout=0, **changes):
    """Return an experiment on images of 28 x 28 pixels.

    Chosen, as its network, on the last 10000 training images, held out for
    that; what five seeds reach is in chapter/results/cheap.
    """
    arch = Architecture(
        name, blocks, batch_norm=True, hidden=(128,), dropout=dropout
    )
    return Experiment(
        description, arch, resize=28, max_epochs=max_epochs, lr=0.1,
        lr_schedule='one_cycle', momentum=0.9, weight_decay=5e-4, **changes,
    )  # fmt: skip


EXPERIMENTS = {
    # Validation accuracy 0.8920 here; the book's 11 published MXNet runs have
    # 0.9028, on other images (chapter/reproduce.md)
    'book': Experiment(
        "the experiment of the book's section, whole", draw='published'
    ),
    'fast': _cheap(
        "the book's accuracy in half a minute on two cores",
        'fast', ((1, 8), (1, 24), (1, 64), (1, 96)), max_epochs=2,
    ),
    'quick': _cheap(
        'more than that from the original 28 x 28 pixels',
        'quick', ((1, 16), (1, 32), (2, 64)), max_epochs=3,
    ),
    'better': _cheap(
        'about 0.93 in three minutes on two cores',
        'better', ((1, 16), (1, 32), (1, 64), (1, 128)), max_epochs=9,
        label_smoothing=0.1, flip=True, test_flip=True,
    ),
    'best': _cheap(
        'the most in ten minutes on two cores (with bfloat16)',
        'best', ((1, 32), (2, 64), (2, 128), (1, 256)), max_epochs=23,
        dropout=0.3, label_smoothing=0.1, flip=True, shift=1, test_flip=True,
        precision='bfloat16',
    ),
}  # fmt: skip


def name_of(experiment: Experiment) -> str:
    """Return which experiment this is, by any seed and draw, or 'custom'."""
    ignored = dict.fromkeys(('description', 'seed', 'draw', 'precision'))
    wanted = {**experiment.to_dict(), **ignored}
    for name, known in EXPERIMENTS.items():
        if {**known.to_dict(), **ignored} == wanted:
            return name
    return 'custom'


def get_experiment(name: str) -> Experiment:
    """Return the experiment of this name; ValueError if there is none."""
    name = limits.check('experiment', name, choices=tuple(EXPERIMENTS))
    return EXPERIMENTS[name]
