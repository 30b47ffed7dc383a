"""The folder of a run: what was asked, where, and what came out of it.

`run.json` tells everything but the points of the curves, which are in
`history.csv`, and the trained parameters, which are beside it.
"""

from __future__ import annotations

import itertools
import json
import os
import re
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any

from d2l_vgg import limits, machine
from d2l_vgg.files import alone_in, open_regular, write_text
from d2l_vgg.frameworks import FRAMEWORKS
from d2l_vgg.training.experiments import Experiment
from d2l_vgg.training.history import History

# The file that a stopped run goes on from, and that of the trained parameters
CHECKPOINT = 'checkpoint.safetensors'
PARAMETERS = 'parameters.safetensors'

# The finished runs that come with this package
TRAINED = os.path.join(
    os.path.dirname(os.path.dirname(os.path.abspath(__file__))), 'trained'
)
STATUSES = ('running', 'stopped', 'diverged', 'failed', 'finished')

# What a `run.json` tells, in which types, and the same of its `data`
NONE = type(None)
TYPES = {
    'name': [str],
    'hyperparameters': [dict],
    'experiment': [str],
    'data': [dict],
    'machine': [dict],
    'devices': [list],
    'continued_from': [str, NONE],
    'parameters': [str, NONE],
    'results': [dict, NONE],
}
DATA_TYPES = {
    'source': [str],
    'root': [str, NONE],
    'digest': [str, NONE],
    'num_train': [int, NONE],
    'num_val': [int, NONE],
    'classes': [list, NONE],
}


class Run:
    """A run in `folder`; `info` is what its `run.json` holds."""

    def __init__(self, folder: str, info: dict[str, Any]) -> None:
        self.folder = os.path.abspath(folder)
        self.info = info

    @classmethod
    def new(
        cls, parent: str, name: str, hyperparameters: Experiment, **info: Any
    ) -> Run:
        """Make the folder `parent/name`, or `name-2` and so on if taken.

        `info` goes into `run.json`. Raises ValueError or OSError where the
        folder cannot be named or made so.
        """
        check_name(name)
        folder = make_folder(parent, name)
        run = cls(folder, {})
        try:
            run.save(
                # Until its training begins: it can be gone on with
                status='stopped',
                name=os.path.basename(folder),
                hyperparameters=hyperparameters.to_dict(),
                started=time.strftime('%Y-%m-%dT%H:%M:%S%z'),
                versions=machine.versions(info.get('framework')),
                machine=machine.describe(),
                **info,
            )
        except BaseException:
            os.rmdir(folder)
            raise
        return run

    @classmethod
    def find(cls, run):
        """As `open`; `run` may be the name of one in this package, too."""
        ours = not os.path.exists(run) and run in os.listdir(TRAINED)
        return cls.open(os.path.join(TRAINED, run) if ours else run)

    @classmethod
    def open(cls, folder: str) -> Run:
        """Return the run in `folder`.

        Raises FileNotFoundError or, if it is damaged, ValueError.
        """
        path = os.path.join(folder, 'run.json')
        try:
            with open_regular(path, 'r', encoding='utf-8') as file:
                # Records of when there was no other framework lack it
                info = {'framework': 'mxnet', **json.load(file)}
            check(info)
        except (FileNotFoundError, NotADirectoryError):
            raise FileNotFoundError(
                f'No run in {folder}: it has no run.json; name the folder '
                'that `d2l-vgg train` has made, such as runs/quick.'
            ) from None
        except (ArithmeticError, RecursionError, TypeError, ValueError) as e:
            raise ValueError(
                f'{path} is damaged ({e}): start a new run.'
            ) from None
        return cls(folder, info)

    @property
    def place(self) -> str:
        """The folder for pictures of this run: its own, if it is a user's."""
        own = os.path.dirname(self.folder) != TRAINED
        return self.folder if own else os.curdir

    def alone(self) -> AbstractContextManager[None]:
        """Keep other processes from this run; RuntimeError if one has it."""

        def refuse():
            raise RuntimeError(
                f'Another process trains the run in {self.folder}: wait for '
                'its end, or stop it and try again.'
            )

        return alone_in(self.folder, refuse)

    def path(self, name: str) -> str:
        return os.path.join(self.folder, name)

    def save(self, **info: Any) -> None:
        """Write `run.json`, with these changes."""
        self.info.update(info)
        text = json.dumps(self.info, indent=2) + '\n'
        write_text(self.path('run.json'), text)

    def remove_unfinished_files(self) -> None:
        """Remove what a kill in the middle of writing has left."""
        for name in os.listdir(self.folder):
            if re.fullmatch(r'.*\.[0-9a-f]{8}\.tmp', name):
                os.remove(self.path(name))

    @property
    def name(self) -> str:
        return self.info['name']

    @property
    def experiment(self) -> Experiment:
        return Experiment.from_dict(self.info['hyperparameters'])

    @property
    def framework(self) -> str:
        return self.info['framework']

    @property
    def classes(self) -> Sequence[str]:
        """The names of the classes that its network tells apart."""
        from d2l_vgg.datasets.fashion_mnist import TEXT_LABELS  # Needs NumPy

        # Records of the time when there was but one data set do not tell
        return self.info['data'].get('classes') or TEXT_LABELS

    def check_digest(self, digest: str) -> None:
        """Raise ValueError unless these are the images of this run."""
        if self.info['data'].get('digest', digest) != digest:
            raise ValueError(
                f'The run in {self.folder} began with other images than '
                'these: name the folder of its own with --data.'
            )

    def find_parameters(self):
        """Return the path of the trained parameters.

        Raises FileNotFoundError or, if they are others, ValueError.
        """
        from d2l_vgg.training import parameters  # Needs NumPy, too

        path = self.path(PARAMETERS)
        if os.path.exists(path):
            if self.info.get('parameters'):
                parameters.check_digest(path, self.info['parameters'])
            return path
        status = self.info['status']
        reason = f'so it has no {PARAMETERS}: finish it first.'
        if status == 'finished':
            reason = (
                f'but its {PARAMETERS} is gone: copy it there, or start a '
                'new run.'
            )
        raise FileNotFoundError(
            f'The run in {self.folder} is {status}, {reason}'
        )

    def history(self) -> History:
        """Return what was recorded; of an unfinished run, what it saved."""
        from d2l_vgg.training import checkpoint  # Needs NumPy, too

        unfinished = self.info['status'] in ('running', 'stopped', 'failed')
        path = self.path(CHECKPOINT)
        if unfinished and os.path.exists(path):
            return checkpoint.load_history(path)
        path, digest = self.path('history.csv'), self.info.get('history')
        return History.from_csv(path, digest)


def make_folder(parent, name):
    """Make and return the first of name, name-2, ... that is not taken."""
    for number in itertools.count(1):
        suffix = f'-{number}' if number > 1 else ''
        folder = os.path.join(parent, name + suffix)
        try:
            os.makedirs(folder)
            return folder
        except FileExistsError:
            continue
        except OSError as error:
            raise OSError(
                f'The folder {folder} for the run cannot be made '
                f'({error.strerror}): choose another place with --runs.'
            ) from error


def check_name(name):
    """Raise ValueError unless `name` can be that of one folder."""
    one_folder = name not in ('', '.', '..') and not {'/', os.sep} & {*name}
    if not one_folder or not name.isprintable():
        raise ValueError(
            f'The name of a run is {name!r}: it must name one folder, in '
            'characters that can be printed; choose where that is by --runs.'
        )


def check(info):
    """Raise an error with what is wrong in the content of a `run.json`."""
    check_types(info, TYPES)
    limits.check('status', info.get('status'), choices=STATUSES)
    limits.check('framework', info['framework'], choices=tuple(FRAMEWORKS))
    check_name(info['name'])
    check_types(info['data'], DATA_TYPES)
    classes = info['data'].get('classes')
    if classes is not None:
        names = [n for n in classes if isinstance(n, str) and n.isprintable()]
        if names != classes or not 0 < len(names) <= 256:
            raise ValueError('its classes are not 1 to 256 names')
    results = info.get('results') or {}
    check_types(results, dict.fromkeys(results, [int, float]))
    # Records of the time when a hyperparameter was not there lack it
    check_types(info['hyperparameters'], {'arch': [dict]})
    Experiment.from_dict(info['hyperparameters'])


def check_types(values, types):
    """Raise ValueError unless all these values are of their types."""
    for name, kinds in types.items():
        # Not isinstance: in Python True is a whole number, too
        if type(values.get(name)) not in kinds:
            raise ValueError(f'its {name} is {str(values.get(name))[:40]!r}')
