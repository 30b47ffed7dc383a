"""Checkpoints: files of arrays with all that a run needs to go on."""

import contextlib
import json
import math
import operator
from collections.abc import Iterator
from typing import Any

from d2l_vgg.training import arrays as files
from d2l_vgg.training.arrays import Arrays
from d2l_vgg.training.history import History
from d2l_vgg.training.parameters import describe, find_impossible


class BadCheckpoint(ValueError):
    """A checkpoint is damaged, or belongs to another run."""


def optimizer_name(name: str, slot: str) -> str:
    """Return the name of what an optimizer keeps of the parameter `name`.

    The slot 'momentum' is the velocity v of gradient descent, v <- momentum v
    - lr gradient, which is added to the parameter, in every framework; other
    slots are those of the framework.
    """
    return f'optimizer/{name}.{slot}'


def load(path: str) -> tuple[Arrays, dict[str, Any]]:
    """As `arrays.load`; BadCheckpoint for one that is damaged."""
    with _explained(path):
        return files.load(path)


def load_seed(path: str) -> int:
    """Return the seed of a run, with the errors of `load`."""
    with _explained(path):
        return operator.index(load(path)[1]['settings']['seed'])


def load_history(path: str) -> History:
    """Return what a run has recorded, with the errors of `load`."""
    with _explained(path):
        return History.from_state(load(path)[1]['history'])


def check_arrays(path: str, arrays: Arrays, expected: Arrays) -> None:
    """Raise BadCheckpoint unless `arrays` can be like those `expected`."""
    for name in {**expected, **arrays}:
        found = describe(arrays.get(name))
        wanted = describe(expected.get(name))
        if found != wanted:
            raise BadCheckpoint(
                f'The checkpoint {path} is of another architecture or '
                f'optimizer: {name} is {found} there and {wanted} in this '
                'run; resume with those that it was made with.'
            )
    name = find_impossible(arrays)
    if name:
        raise BadCheckpoint(
            f'The checkpoint {path} cannot be: {name} holds nan or inf, or a '
            'negative variance; start a new run.'
        )


def check_meta(
    path: str, meta: dict[str, Any], settings: dict[str, Any]
) -> None:
    """Raise BadCheckpoint for a run of other `settings`, or for nonsense."""
    with _explained(path):
        told, epoch = meta['settings'], meta['epoch']
        for name, value in settings.items():
            # As JSON has kept it, a pair as a list
            value = json.loads(json.dumps(value))
            if told[name] != value:
                what = f'with {name}={told[name]}, not {value}'
                if name == 'digest':
                    what = 'on other images than these'
                raise BadCheckpoint(
                    f'The checkpoint {path} is of a run {what}: resume with '
                    'the same hyperparameters and images, or start a new run.'
                )
        history = History.from_state(meta['history'])
        batches = operator.index(epoch) * told['num_train_batches']
        done = operator.index(meta['train_batch_idx']) - batches
        if not (
            0 <= epoch <= told['max_epochs']
            and 0 <= done <= told['num_train_batches']
            and 0 <= meta['seconds'] < math.inf
            and 'threads' in meta
            and history.num_train_batches == told['num_train_batches']
            and history.num_val_batches == told['num_val_batches']
            and history.fits(batches + done, epoch * told['num_val_batches'])
        ):
            raise ValueError('its numbers contradict each other')


@contextlib.contextmanager
def _explained(path: str) -> Iterator[None]:
    """Say of a failure to read in this block what it means for the run."""
    try:
        yield
    except FileNotFoundError:
        raise FileNotFoundError(
            f'No checkpoint at {path}: there is nothing to resume; start a '
            'new run.'
        ) from None
    except BadCheckpoint:
        raise
    except files.BadArrays as error:
        raise BadCheckpoint(
            f'The checkpoint {error}: start a new run.'
        ) from error
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        raise BadCheckpoint(
            f'The checkpoint {path} does not tell what a run needs '
            f'({error}): start a new run.'
        ) from error
