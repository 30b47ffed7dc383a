"""`d2l-vgg train`: a new run, or the rest of one that was stopped."""

import contextlib
import dataclasses
import os
from typing import NamedTuple

import click

from d2l_vgg import machine, messages
from d2l_vgg.book import published
from d2l_vgg.commands import making, options
from d2l_vgg.commands.options import choice, group, number, option, path
from d2l_vgg.foreign_text import visible
from d2l_vgg.frameworks import FRAMEWORKS
from d2l_vgg.networks import architectures
from d2l_vgg.training import experiments, interrupts, memory, runs, workers
from d2l_vgg.training.errors import TrainingDiverged
from d2l_vgg.training.estimate import format_seconds
from d2l_vgg.training.runs import CHECKPOINT, PARAMETERS, TRAINED, Run

# The options that change a part of the architecture
PARTS = ('batch_norm', 'hidden', 'dropout')


class Job(NamedTuple):
    """A run, None where another process keeps it, and what trains it."""

    run: Run | None
    data: object
    trainer: object
    model: object


def widths(value):
    """Return the whole numbers of a text, which may be none."""
    try:
        return tuple(map(int, value.split()))
    except ValueError:
        text = f'{value!r} has words that are no whole numbers'
        raise click.BadParameter(text) from None


@options.command(
    *group(
        'Run',
        choice('--experiment', experiments.EXPERIMENTS, 'to start from'),
        options.framework('with [mxnet, or that of --continue-from]'),
        option('--resume', path, 'continue the run in this folder'),
        option('--continue-from', path, 'start as this run has ended'),
        option(
            '--name',
            options.text,
            'of the new folder [that of the experiment]',
        ),
        option('--runs', path, 'folder of all runs [runs]'),
        number(
            'num_gpus', '0: the CPU; 1: a GPU, if there is one', default=1
        ),
        # The board is for notebooks
        choice('--display', 'auto bar lines none'.split(), 'of the progress'),
        number(
            'checkpoint_seconds', 'work that may be lost', metavar='SECONDS'
        ),
    ),
    *group(
        'Data',
        options.data(),
        number('num_train', 'train on the first so many images only'),
        number('num_val', 'validate on the first so many images only'),
    ),
    *group(
        'Network',
        options.switch(
            '--batch-norm/--no-batch-norm', 'behind each convolution'
        ),
        option('--hidden', widths, 'fully connected layers before the last'),
        number('dropout', 'probability after each of those'),
    ),
    *group('Training'),
    examples=[
        'd2l-vgg train --experiment book --framework torch',
        "d2l-vgg train --arch '((1,16),(1,32))' --lr 0.05 --name small",
        'd2l-vgg train --resume runs/small',
    ],
)
@workers.told_by_first()
def train(**words):
    """Train a network and keep its curves and parameters in runs/.

    What is not given is that of the experiment, in brackets that of quick.
    """
    settings = given(words, ['num_gpus', 'checkpoint_seconds', 'display'])
    if workers.rank():
        settings['display'] = 'none'
    if words['resume']:
        stopped = Run.open(words['resume'])
        refuse_changes(words)
        refuse_finished(words['resume'])
        job = resumed_run(stopped, words['data'], settings)
    else:
        job = new_run(words, settings)
    if workers.rank():  # The first one keeps the run
        job.trainer.fit(job.model, job.data)
        return
    with job.run.alone(), interrupts.before_end(lambda: keep_status(job)):
        # Another process may have ended it meanwhile
        refuse_finished(words['resume'] or job.run.folder)
        fit(job)
    report(job)


def given(words, names):
    """Return the options among `names` that the user has given."""
    return {n: words[n] for n in names if words.get(n) is not None}


def refuse_changes(words):
    """Refuse the options that a run that is resumed would not obey."""
    new = 'experiment', 'framework', 'continue_from', 'name', 'runs'
    fixed = [*new, *experiments.FIELDS, *PARTS, *making.SELECTION]
    for name in given(words, fixed):
        raise ValueError(
            f'--{name.replace("_", "-")} is for a new run: one that is '
            'resumed keeps what it began with; leave out the option, or '
            '--resume.'
        )


def refuse_finished(folder):
    if Run.open(folder).info['status'] == 'finished':
        raise ValueError(f'The run in {folder} is finished: start another.')


def resumed_run(stopped, root, settings):
    """Return the job of going on with a run, whose data are in `root` now."""
    if not os.path.exists(stopped.path(CHECKPOINT)):
        if stopped.info.get('results'):
            raise FileNotFoundError(
                f'The checkpoint of the run in {stopped.folder} is gone, so '
                'it cannot be continued: start a new run.'
            )
        print('It was stopped before its first checkpoint: it starts again.')
    threads = stopped.info['machine'].get('threads')
    alike = len(stopped.info['devices']) == workers.count()
    if alike and threads in map(str, range(1, machine.physical_cores() + 1)):
        os.environ.setdefault('OMP_NUM_THREADS', threads)  # For equal bits
    package = making.load_framework(stopped.framework)
    data = making.make_data_of(stopped, root, package)
    stopped.check_digest(data.digest)
    trainer = making.make_trainer(package, stopped.experiment, **settings)
    model = making.make_model(package, stopped.experiment, data.classes)
    return Job(stopped, data, trainer, model)


def new_run(words, settings):
    """Return the job of the new run that the command line asks for."""
    before = words['continue_from'] and Run.find(words['continue_from'])
    parameters = before and before.find_parameters()
    words |= {**defaults(words, before), **given(words, words)}
    experiment = read_experiment(words, before)
    selection = {name: words[name] for name in making.SELECTION}
    runs.check_name(words['name'])
    # With a part of the images, or with others, it is another experiment
    changes = before, words['data'], *selection.values()
    whole = all(value is None for value in changes)
    kind = experiments.name_of(experiment) if whole else 'custom'
    experiment = making.as_published(experiment, words['framework'])
    package = making.load_framework(words['framework'])
    data = making.make_data(package, experiment, words['data'], selection)
    if words['precision'] is None:  # What was asked for is done or refused
        experiment = making.in_best_precision(
            package, experiment, settings['num_gpus']
        )
    trainer = making.make_trainer(package, experiment, **settings)
    model = making.make_model(package, experiment, data.classes)
    memory.check_fit(trainer, model, data)  # Before the folder is made
    if parameters:
        model.load(parameters)
    if workers.rank():
        return Job(None, data, trainer, model)
    made = Run.new(
        words['runs'],
        words['name'],
        experiment,
        experiment=kind,
        framework=words['framework'],
        continued_from=parameters and os.path.abspath(parameters),
        data={
            'source': data.source,
            # It may be resumed from another folder
            'root': words['data'] and os.path.abspath(words['data']),
            'digest': data.digest,
            'classes': list(data.classes),
            **selection,
        },
        devices=[str(trainer.device)] * workers.count(),
    )
    if before:
        print(visible(f'It starts as the run in {before.folder} ended.'))
    return Job(made, data, trainer, model)


def defaults(words, before):
    """Return what options are that are not given, some as in a run before."""
    found = {'framework': 'mxnet', 'runs': 'runs', 'name': options.DEFAULT}
    if before:
        found |= {'framework': before.framework, 'name': before.name}
    if words['experiment']:
        found['name'] = words['experiment']
    if before and words['data'] is None:
        told = before.info['data']
        found['data'] = told.get('root')
        found |= {name: told.get(name) for name in making.SELECTION}
    return found


def read_experiment(words, before):
    """Return the experiment with the changes that the options make."""
    if before and not words['experiment']:
        experiment = dataclasses.replace(
            before.experiment,
            description='a finished run, continued',
            # Another one, so that the images come in another order
            seed=(before.experiment.seed + 1) % 2**32,
        )
    else:
        name = words['experiment'] or options.DEFAULT
        experiment = experiments.EXPERIMENTS[name]
    changes = given(words, experiments.FIELDS)
    arch = architectures.get(experiment.arch)
    if 'arch' in changes:
        arch = architectures.read(changes.pop('arch'))
    parts = given(words, PARTS)
    if parts:
        if not arch.blocks:
            raise ValueError(f'{arch.name} is not built of VGG blocks.')
        arch = dataclasses.replace(arch, name='custom', letter='', **parts)
    if before:
        if 'draw' in changes:
            raise ValueError(
                '--draw is for a network that is drawn: leave it out, or '
                '--continue-from.'
            )
        changes['draw'] = 'seed'
    return dataclasses.replace(experiment, arch=arch, **changes)


def fit(job):
    """Train, keep what comes out, whatever ends it, and tell it."""
    run, data, trainer, model = job
    experiment = run.experiment
    trainer.checkpoint = run.path(CHECKPOINT)
    resumes = os.path.exists(trainer.checkpoint)
    run.info.pop('reason', None)
    try:
        run.remove_unfinished_files()
        run.save(status='running', history=None)
        images = messages.counted(len(data.train[0]), 'image')
        epochs = messages.counted(experiment.max_epochs, 'epoch')
        text = (
            f'{"Resuming" if resumes else "Training"} {experiment.arch.name} '
            f'on {images} of {experiment.resize} x {experiment.resize} '
            f'pixels for {epochs} in {os.path.relpath(run.folder)} (Ctrl-C '
            'stops, twice at once; --resume continues).'
        )
        print(visible(text), flush=True)
        continued = run.info.get('continued_from')
        trainer.told = {'draw': experiment.draw, 'continued_from': continued}
        if not resumes:
            initialize(model, experiment, run.info)
        trainer.fit(model, data, resume=resumes)
        run.info['parameters'] = model.save(run.path(PARAMETERS))
        keep_results(job)
        run.save(status='finished')
    except BaseException as error:
        keep_unfinished(job, error)
        raise
    os.remove(trainer.checkpoint)


def initialize(model, experiment, info):
    """Give the model of a new run its parameters, if not drawn by seed."""
    if info.get('continued_from'):
        model.load(info['continued_from'])
    elif experiment.draw == 'published':
        from d2l_vgg.book import draws

        draws.draw_as_published(
            info['framework'], model, experiment.resize, experiment.seed
        )


def keep_unfinished(job, error):
    """Keep how the run ended and what was recorded; tell how to go on."""
    from d2l_vgg.training.checkpoint import BadCheckpoint  # Needs NumPy

    status = 'failed'
    if isinstance(error, TrainingDiverged):
        status = 'diverged'
    elif isinstance(error, (KeyboardInterrupt, OSError)):
        status = 'stopped'
    if not isinstance(error, KeyboardInterrupt):
        job.run.info['reason'] = messages.explain(error)
    in_vain = isinstance(error, (TrainingDiverged, BadCheckpoint))
    keep_status(job, status, can_go_on=not in_vain)
    # Whatever goes wrong here, `error` is what is told
    with contextlib.suppress(Exception):
        keep_results(job)


def keep_status(job, status='stopped', can_go_on=True):
    with contextlib.suppress(OSError):  # As it may be the disk
        job.run.save(status=status)
    if can_go_on:
        where = os.path.relpath(job.run.folder)
        resume = options.command_line('train', '--resume', where)
        with contextlib.suppress(OSError):  # As it may be stdout
            print(f'Stopped; continue with: {resume}', flush=True)


def keep_results(job):
    from d2l_vgg import figures

    run, history = job.run, job.trainer.history
    if not history.points:  # Stopped before it began
        return
    run.info['history'] = history.to_csv(run.path('history.csv'))
    is_book = run.info['experiment'] == 'book'
    band = published.Band(run.framework) if is_book else None
    figure = figures.curves({run.name: history}, band=band)
    figures.save(figure, run.path('curves'))
    run.save(results=history.final, seconds=round(job.trainer.seconds, 1))


def report(job):
    """Print the last lines of a finished run, and its accuracy last."""
    run, trainer = job.run, job.trainer
    print(f'Picture: {os.path.relpath(run.path("curves.png"))}')
    if run.info['experiment'] == 'book':
        verdict = published.verdict(trainer.history, run.framework)
        remark = published.remark(run.framework)
        print(*filter(None, [verdict, remark]), sep='\n')
    elif workers.count() == 1:
        package = making.load_framework(run.framework)
        book = experiments.EXPERIMENTS['book']
        seconds = making.estimate_seconds(package, book, trainer.num_gpus)
        words = '--framework', run.framework, '--experiment', 'book'
        if seconds is not None:
            print(
                "The book's full experiment takes about "
                f'{format_seconds(seconds)} on this machine: '
                + options.command_line('train', *words)
            )
    images = messages.counted(len(job.data.val[0]), 'validation image')
    print(
        f'Validation accuracy {trainer.history.final["val_acc"]:.4f} on the '
        f'{images} of {job.data.source} '
        f'after {format_seconds(trainer.seconds)}{recorded(run)}.'
    )


def recorded(run):
    """Return what to expect of a run whose like comes with this package."""
    if run.info['experiment'] not in os.listdir(TRAINED):
        return ''
    found = Run.find(run.info['experiment'])
    return (
        f'; the recorded run of {found.name}, in '
        f'{FRAMEWORKS[found.framework].title}, has '
        f'{found.info["results"]["val_acc"]:.4f}'
    )
