"""`d2l-vgg train`: a new run, or the rest of one that was stopped."""

import os
from typing import NamedTuple

from d2l_vgg.commands import hyperparameters, making, options, outcome
from d2l_vgg.commands.options import (
    add_data_option,
    add_framework_option,
    add_gpus_option,
)
from d2l_vgg.foreign_text import visible
from d2l_vgg.training import memory, workers
from d2l_vgg.training.experiments import (
    EXPERIMENTS,
    name_of,
)
from d2l_vgg.training.runs import (
    CHECKPOINT,
    PARAMETERS,
    Run,
    check_name,
)

HELP = 'train a network and keep its curves and parameters in runs/'


def add_arguments(parser):
    """Add which experiment, where, on what, and every hyperparameter."""
    parser.epilog = (
        'Experiments: '
        + '; '.join(f'{n}: {e.description}' for n, e in EXPERIMENTS.items())
        + '. Ctrl-C stops a run, --resume continues it.'
    )
    parser.add_argument(
        '--experiment',
        choices=EXPERIMENTS,
        help='hyperparameters to start from (default: quick)',
    )
    add_framework_option(parser, 'to train with')
    parser.add_argument(
        '--resume',
        metavar='RUN',
        type=options.path,
        help='continue the run in this folder',
    )
    parser.add_argument(
        '--continue-from',
        metavar='RUN',
        type=options.path,
        help='begin a new run with the parameters of a finished one, and '
        'with its hyperparameters but for those given',
    )
    parser.add_argument(
        '--name', type=options.text, help='of the folder that the run gets'
    )
    parser.add_argument(
        '--runs',
        default='runs',
        type=options.path,
        help='the folder that holds the runs',
    )
    add_data_option(parser)
    add_gpus_option(parser)
    add_progress_options(parser)
    hyperparameters.add_hyperparameters(parser)


def add_progress_options(parser):
    """Add what is shown, and what is saved, while the network is trained."""
    parser.add_argument(
        '--display',
        choices=['auto', 'bar', 'lines', 'none'],
        default='auto',
        help='of the progress',
    )
    parser.add_argument(
        '--checkpoint-seconds',
        type=options.seconds,
        default=60,
        help='how much work may be lost when the machine goes down',
    )


class Job(NamedTuple):
    """A run, None where another process keeps it, and what trains it."""

    run: Run | None
    data: object
    trainer: object
    model: object


@workers.told_by_first()
def run(args):
    """Train a new run, or the rest of one, and tell what came out.

    Raises:
        ValueError: the request is wrong; no folder is left behind.
        OSError: there are no data, or a file cannot be written.
        RuntimeError: another process trains the run.
        TrainingDiverged: the loss is no longer a number.
        KeyboardInterrupt: the run was stopped, and can be resumed.
    """
    settings = {
        'num_gpus': args.num_gpus,
        'checkpoint_seconds': args.checkpoint_seconds,
        'display': 'none' if workers.rank() else args.display,
    }
    if args.resume:
        stopped = Run.open(args.resume)
        hyperparameters.refuse_changes(args)
        refuse_finished(args.resume)
        job = resumed_run(stopped, args.data, settings)
    else:
        job = asked_run(args, settings)
    if workers.rank():  # The first one keeps the run
        job.trainer.fit(job.model, job.data)
        return
    with job.run.alone():
        # Another process may have ended it meanwhile
        refuse_finished(args.resume or job.run.folder)
        fit(job)


def asked_run(args, settings):
    """Return the job of the new run that the command line asks for.

    Args:
        args: the command line
        settings: those of the trainer

    Raises:
        ValueError, OSError: as `run` tells.
    """
    before = args.continue_from and Run.find(args.continue_from)
    parameters = before and before.find_parameters()
    experiment = hyperparameters.read_experiment(args, before)
    selection = hyperparameters.read_selection(args)
    name = args.name or args.experiment or (before and before.name) or 'quick'
    check_name(name)
    # With a part of the images, or with others, it is another experiment
    whole = all(v is None for v in (args.data, *selection.values()))
    kind = name_of(experiment) if whole and not before else 'custom'
    experiment = making.as_published(experiment, args.framework)
    package = making.load_framework(args.framework)
    data = making.make_data(package, experiment, args.data, selection)
    # It may be resumed from another folder
    root = args.data and os.path.abspath(args.data)
    return new_run(
        experiment,
        data,
        settings,
        place=(args.runs, name),
        info={
            'experiment': kind,
            'framework': args.framework,
            'continued_from': parameters and os.path.abspath(parameters),
            'data': {
                'source': data.source,
                'root': root,
                'digest': data.digest,
                'classes': list(data.classes),
                **selection,
            },
        },
        keep_precision=args.precision is not None,
    )


def refuse_finished(folder):
    """Refuse to go on with a run that is at its end.

    Raises:
        ValueError: the run in `folder` is.
    """
    if Run.open(folder).info['status'] == 'finished':
        raise ValueError(
            f'The run in {folder} is finished: start a new one instead of '
            'resuming it.'
        )


def resumed_run(stopped, root, settings):
    """Return the job of going on with a run.

    Args:
        stopped: the run
        root: where its data are now, None where that has not changed
        settings: those of the trainer

    Raises:
        OSError: its data are not there.
        ValueError: they are other images than it began with, or its numbers
            cannot be computed with here.
    """
    if not os.path.exists(stopped.path(CHECKPOINT)):
        if stopped.info.get('results'):
            raise FileNotFoundError(
                f'The checkpoint of the run in {stopped.folder} is gone, so '
                'it cannot be continued: start a new run.'
            )
        print('It was stopped before its first checkpoint: it begins anew.')
    experiment = stopped.experiment
    package = making.load_framework(stopped.framework)
    data = making.make_data_of(stopped, root, package)
    stopped.check_digest(data.digest)
    trainer = making.make_trainer(package, experiment, **settings)
    model = making.make_model(package, experiment, data.classes)
    return Job(stopped, data, trainer, model)


def new_run(experiment, data, settings, place, info, keep_precision):
    """Return the job of a new run, which has its folder then.

    Args:
        experiment: an `Experiment`
        data: what to train on
        settings: those of the trainer
        place: the folder that holds the runs, and the name of this one
        info: what its `run.json` tells besides
        keep_precision: refuse what cannot be computed in here, instead of
            taking float32 where that is as fast

    Raises:
        OSError: the folder cannot be made.
        ValueError: there are no such GPUs, or no such numbers here.
    """
    package = making.load_framework(info['framework'])
    if not keep_precision:
        experiment = making.in_best_precision(
            package, experiment, settings['num_gpus']
        )
    trainer = making.make_trainer(package, experiment, **settings)
    memory.check_experiment(experiment, trainer.on_cpu)
    model = making.make_model(package, experiment, data.classes)
    if info['continued_from']:
        model.load(info['continued_from'])  # Before the folder is made
    if workers.rank():
        return Job(None, data, trainer, model)
    devices = [str(trainer.device)] * workers.count()
    made = Run.new(*place, experiment, **info, devices=devices)
    return Job(made, data, trainer, model)


def fit(job):
    """Train, keep what comes out, and tell it.

    Raises:
        KeyboardInterrupt, TrainingDiverged, OSError: as `run` tells; what
            was recorded until then is kept.
    """
    run, data, trainer, model = job
    trainer.checkpoint = run.path(CHECKPOINT)
    resumes = os.path.exists(trainer.checkpoint)
    run.info.pop('reason', None)
    try:
        run.remove_unfinished_files()
        run.save(status='running')
        print(visible(describe(job, resumes)), flush=True)
        if not resumes:
            begin(model, run.experiment, run.info)
        trainer.fit(model, data, resume=resumes)
        run.info['parameters'] = model.save(run.path(PARAMETERS))
        outcome.keep_results(job)
        run.save(status='finished')
    except BaseException as error:
        outcome.keep_unfinished(job, error)
        raise
    os.remove(trainer.checkpoint)
    outcome.report(job)


def begin(model, experiment, info):
    """Give the model of a new run its parameters, if not drawn by its seed.

    `info` is what its `run.json` tells besides.

    Raises:
        OSError, ValueError: those of the run that it continues are gone, or
            are of another network.
    """
    if info.get('continued_from'):
        model.load(info['continued_from'])
    elif experiment.draw == 'published':
        from d2l_vgg.book import draws

        draws.draw_as_published(
            info['framework'], model, experiment.resize, experiment.seed
        )


def describe(job, resumes):
    """Return the line that tells what is trained, and where."""
    experiment = job.run.experiment
    return (
        f'{"Resuming" if resumes else "Training"} {experiment.arch.name} '
        f'on {len(job.data.train[0])} images of {experiment.resize} x '
        f'{experiment.resize} pixels '
        f'for {experiment.max_epochs} epochs in '
        f'{os.path.relpath(job.run.folder)} (Ctrl-C stops, --resume '
        'continues).'
    )
