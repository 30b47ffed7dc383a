"""The folder of a run: what was asked, where, and what came out of it.

`run.json` tells everything but the numbers themselves, which are in
`history.csv`, and the trained parameters, which are beside it.
"""

import importlib.metadata
import json
import os
import platform
import subprocess
import time

from d2l_vgg.files import alone_in, write_text
from d2l_vgg.frameworks import FRAMEWORKS
from d2l_vgg.machine import physical_cores
from d2l_vgg.training.experiments import Experiment
from d2l_vgg.training.history import History

# Besides those of its framework
PACKAGES = ('d2l-vgg', 'numpy')


# The file of the trained parameters, and what it was called when every run
# was MXNet's
PARAMETERS = 'parameters.npz'
OLD_PARAMETERS = 'parameters.params'

# The finished runs that come with this package
TRAINED = os.path.join(
    os.path.dirname(os.path.dirname(os.path.abspath(__file__))), 'trained'
)

# What a `run.json` always tells
KEYS = {'status', 'name', 'hyperparameters', 'experiment', 'data'}


class Run:
    """A run in `folder`; `info` is what its `run.json` holds.

    `status` in it is one of 'running', 'stopped', 'diverged', 'finished'.
    """

    def __init__(self, folder, info):
        self.folder = os.path.abspath(folder)
        self.info = info

    @classmethod
    def new(cls, parent, name, hyperparameters, **info):
        """Make the folder `parent/name`, or `name-2` and so on if taken.

        `hyperparameters` is an `Experiment`, `info` goes into `run.json`.

        Raises:
            OSError: the folder cannot be made.
        """
        number = 1
        while True:
            folder = os.path.join(
                parent, name if number == 1 else f'{name}-{number}'
            )
            try:
                os.makedirs(folder)
                break
            except FileExistsError:
                number += 1
            except OSError as error:
                raise OSError(
                    f'The folder {folder} for the run cannot be made '
                    f'({error.strerror}): choose another place with --runs.'
                ) from error
        run = cls(
            folder,
            {
                'status': 'running',
                'name': os.path.basename(folder),
                'hyperparameters': hyperparameters.to_dict(),
                'started': time.strftime('%Y-%m-%dT%H:%M:%S%z'),
                'versions': versions(info.get('framework')),
                'machine': machine(),
                **info,
            },
        )
        run.save()
        return run

    @classmethod
    def find(cls, run):
        """Return the run in the folder `run`, or one that comes with this.

        Errors are those of `open`.
        """
        if not os.path.exists(run) and run in os.listdir(TRAINED):
            return cls.open(os.path.join(TRAINED, run))
        return cls.open(run)

    @classmethod
    def open(cls, folder):
        """Return the run in `folder`.

        Raises:
            FileNotFoundError: there is none.
            ValueError: its `run.json` is damaged.
        """
        path = os.path.join(folder, 'run.json')
        try:
            with open(path, encoding='utf-8') as file:
                info = json.load(file)
            missing = KEYS - set(info)
            if missing:
                raise ValueError(f'it lacks {", ".join(sorted(missing))}')
        except (FileNotFoundError, NotADirectoryError):
            raise FileNotFoundError(
                f'No run in {folder}: it has no run.json; name the folder '
                'that `d2l-vgg train` has made, such as runs/quick.'
            ) from None
        except (ValueError, TypeError) as error:
            raise ValueError(
                f'{path} is damaged ({error}): start the run anew.'
            ) from None
        return cls(folder, info)

    def alone(self):
        """Let no second process work on this run, in a `with` statement.

        Raises:
            RuntimeError: another process does.
        """

        def refuse():
            raise RuntimeError(
                f'Another process trains the run in {self.folder}: wait for '
                'its end, or stop it and try again.'
            )

        return alone_in(self.folder, refuse)

    def path(self, name):
        """Return the path of a file of this run."""
        return os.path.join(self.folder, name)

    def save(self, **info):
        """Write `run.json`, with these changes."""
        self.info.update(info)
        text = json.dumps(self.info, indent=2) + '\n'
        write_text(self.path('run.json'), text)

    def remove_unfinished_files(self):
        """Remove what a kill in the middle of writing has left."""
        for name in os.listdir(self.folder):
            if name.endswith('.tmp'):
                os.remove(self.path(name))

    @property
    def name(self):
        return self.info['name']

    @property
    def experiment(self):
        return Experiment.from_dict(self.info['hyperparameters'])

    @property
    def framework(self):
        # Records of the time when there was but one do not tell
        return self.info.get('framework', 'mxnet')

    def find_parameters(self):
        """Return the path of the trained parameters.

        Raises:
            FileNotFoundError: there are none, as the run is not finished.
            ValueError: they are not those that the run has ended with.
        """
        # Needs NumPy, which is slow to import and of no use to most commands
        from d2l_vgg.training import parameters

        for name in PARAMETERS, OLD_PARAMETERS:
            path = self.path(name)
            if os.path.exists(path):
                if self.info.get('parameters'):
                    parameters.check_digest(path, self.info['parameters'])
                return path
        raise FileNotFoundError(
            f'The run in {self.folder} has no parameters because it is '
            f'{self.info["status"]}: finish it first.'
        )

    def history(self):
        """Return what was recorded; of an unfinished run, what it saved."""
        from d2l_vgg.training import checkpoint  # Needs NumPy, too

        saved = self.path('checkpoint.npz')
        unfinished = self.info['status'] in ('running', 'stopped')
        if unfinished and os.path.exists(saved):
            return History.from_state(checkpoint.load_meta(saved)['history'])
        return History.from_csv(self.path('history.csv'))


def versions(framework):
    """Return the versions of Python and of the packages that compute."""
    found = {'python': platform.python_version()}
    own = FRAMEWORKS[framework].packages if framework else ()
    for package in (*PACKAGES, *own):
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def machine():
    """Return what this machine is: system, processor, cores, threads."""
    return {
        'system': f'{platform.system()} {platform.machine()}',
        'processor': processor(),
        'cores': physical_cores(),
        'threads': os.environ.get('OMP_NUM_THREADS'),
        'gpus': gpus(),
    }


def gpus():
    """Return the names of NVIDIA's GPUs, as its driver tells them."""
    try:
        done = subprocess.run(
            ['nvidia-smi', '--query-gpu=name', '--format=csv,noheader'],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            timeout=30,
        )
    except (OSError, subprocess.TimeoutExpired):
        return []
    return [] if done.returncode else done.stdout.strip().splitlines()


def processor():
    """Return the name of the processor, as far as the system tells it."""
    try:
        with open('/proc/cpuinfo', encoding='utf-8') as file:
            for line in file:
                if line.startswith('model name'):
                    return line.split(':', 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or 'unknown'
