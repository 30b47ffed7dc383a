"""What a training leaves in its folder, and what it tells at its end.

A job, here, is a run with its data, its trainer and its model.
"""

import contextlib
import os

from d2l_vgg import messages
from d2l_vgg.book import published
from d2l_vgg.commands import making
from d2l_vgg.commands.options import command
from d2l_vgg.frameworks import FRAMEWORKS
from d2l_vgg.training import workers
from d2l_vgg.training.errors import TrainingDiverged
from d2l_vgg.training.estimate import format_seconds
from d2l_vgg.training.experiments import get_experiment
from d2l_vgg.training.runs import TRAINED, Run


def keep_unfinished(job, error):
    """Keep how the run ended and what was recorded; tell how to go on."""
    run = job.run
    if isinstance(error, TrainingDiverged):
        status = 'diverged'
    elif isinstance(error, (KeyboardInterrupt, OSError)):
        status = 'stopped'
    else:
        status = 'failed'
    reason = {}
    if not isinstance(error, KeyboardInterrupt):
        reason['reason'] = messages.explain(error)
    with contextlib.suppress(OSError):  # As it may be the disk
        run.save(status=status, **reason)
    if status != 'diverged':
        where = os.path.relpath(run.folder)
        with contextlib.suppress(OSError):  # As it may be stdout
            print(
                f'Stopped after {job.trainer.seconds:.0f} seconds; continue '
                f'with: {command("train", "--resume", where)}',
                flush=True,
            )
    # Whatever goes wrong here, `error` is what is told
    with contextlib.suppress(Exception):
        keep_results(job)


def keep_results(job):
    """Write what the run has recorded so far."""
    from d2l_vgg import figures

    run, history = job.run, job.trainer.history
    if history is None or not history.points:  # Stopped before it began
        return
    history.to_csv(run.path('history.csv'))
    figure = figures.curves(
        {run.name: history},
        band=published.Band(run.framework) if is_the_books(job) else None,
    )
    figures.save(figure, run.path('curves'))
    run.save(results=history.final, seconds=round(job.trainer.seconds, 1))


def report(job):
    """Print the last lines of a finished run, and its accuracy last."""
    run, trainer = job.run, job.trainer
    where = os.path.relpath(run.folder)
    print(f'Picture: {os.path.join(where, "curves.png")}')
    if is_the_books(job):
        print(published.verdict(trainer.history, run.framework))
        remark = published.remark(run.framework)
        if remark:
            print(remark)
    elif workers.count() == 1:
        seconds = making.estimate_seconds(
            making.load_framework(run.framework),
            get_experiment('book'),
            trainer.num_gpus,
        )
        framework = ()
        if run.framework != 'mxnet':  # The default of `train`
            framework = ('--framework', run.framework)
        print(
            "The book's full experiment takes about "
            f'{format_seconds(seconds)} on this machine: '
            + command('train', *framework, '--experiment', 'book')
        )
    print(
        f'Validation accuracy {trainer.history.final["val_acc"]:.4f} on the '
        f'{len(job.data.val[0])} validation images of {job.data.source} '
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


def is_the_books(job):
    """Return whether the published curves are there to hold this run against.

    They are of the book's experiment, as it stands.
    """
    return job.run.info['experiment'] == 'book'
