"""The command `d2l-vgg`: each subcommand is a function of this file.

A framework is imported only by the commands that need one, and an error is
one line on stderr unless `--debug` asks for the whole story.
"""

import argparse
import ast
import contextlib
import dataclasses
import os
import shlex
import shutil
import sys

from d2l_vgg import __version__, figures, frameworks, tables
from d2l_vgg.book import published, study
from d2l_vgg.datasets import fashion_mnist, stand_in
from d2l_vgg.datasets.stand_in import NOTE as STAND_IN_NOTE
from d2l_vgg.networks import architectures, costs
from d2l_vgg.training import precisions, runs, schedules
from d2l_vgg.training.errors import TrainingDiverged
from d2l_vgg.training.experiments import (
    DRAWS,
    EXPERIMENTS,
    Experiment,
    get_experiment,
)


def main(argv=None):
    """Run the command line and return its exit status."""
    args = make_parser().parse_args(argv)
    try:
        return args.command(args) or 0
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # As in `d2l-vgg compare ... | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:
        if args.debug:
            raise
        text = ' '.join(str(error).split()) or type(error).__name__
        print(f'd2l-vgg: {text}', file=sys.stderr)
        return 1


def make_parser():
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(
        prog='d2l-vgg',
        description='VGG of Dive into Deep Learning: train it, look at it, '
        'hold it against the book.',
    )
    parser.add_argument('--version', action='version', version=__version__)
    commands = parser.add_subparsers(metavar='COMMAND', required=True)
    for add in (
        add_train,
        add_curves,
        add_summary,
        add_compare,
        add_predict,
        add_data,
        add_bench,
        add_study,
        add_chapter,
    ):
        add(commands)
    return parser


class HelpFormatter(argparse.ArgumentDefaultsHelpFormatter):
    """Shows the defaults, but not of options that have none."""

    def _get_help_string(self, action):
        if action.default is None or action.default is False:
            return action.help
        return super()._get_help_string(action)


def add_command(commands, function, name, help_text, epilog=None):
    parser = commands.add_parser(
        name,
        help=help_text,
        description=help_text[0].upper() + help_text[1:] + '.',
        epilog=epilog,
        formatter_class=HelpFormatter,
    )
    parser.add_argument(
        '--debug', action='store_true', help='show the traceback of an error'
    )
    parser.set_defaults(command=function)
    return parser


def command(*words):
    """Return a command of this program that the user's shell will find."""
    program = 'd2l-vgg'
    if shutil.which(program) is None:
        program = os.path.join(os.path.dirname(sys.executable), program)
        program = os.path.relpath(program)
    return shlex.join([program, *words])


# ---------------------------------------------------------------- train


def add_train(commands):
    parser = add_command(
        commands,
        train,
        'train',
        'train a network and keep its curves and parameters in runs/',
        'Experiments: '
        + '; '.join(f'{n}: {e.description}' for n, e in EXPERIMENTS.items())
        + '. Ctrl-C stops a run, --resume continues it.',
    )
    parser.add_argument(
        '--experiment',
        choices=EXPERIMENTS,
        help='hyperparameters to start from (default: quick)',
    )
    parser.add_argument(
        '--framework',
        choices=frameworks.FRAMEWORKS,
        default='mxnet',
        help='to train with',
    )
    parser.add_argument(
        '--resume', metavar='RUN', help='continue the run in this folder'
    )
    parser.add_argument('--name', help='of the folder that the run gets')
    parser.add_argument(
        '--runs', default='runs', help='the folder that holds the runs'
    )
    add_data_options(parser)
    parser.add_argument(
        '--allow-stand-in',
        action='store_true',
        help='draw the stand-in if Fashion-MNIST cannot be had',
    )
    add_gpus_option(parser)
    parser.add_argument(
        '--display',
        choices=['auto', 'bar', 'lines', 'none'],
        default='auto',
        help='of the progress',
    )
    parser.add_argument(
        '--checkpoint-seconds',
        type=float,
        default=60,
        help='how much work may be lost when the machine goes down',
    )
    group = parser.add_argument_group(
        'hyperparameters',
        'Those not given are those of the experiment; '
        + '; '.join(f'{n}: {e.describe()}' for n, e in EXPERIMENTS.items())
        + '.',
    )
    add = group.add_argument
    add(
        '--arch',
        help='a name such as vgg11, or pairs such as ((1,16),(1,32))',
    )
    add_switch(group, 'batch-norm', 'normalize after each convolution')
    add(
        '--hidden',
        type=int,
        nargs='*',
        metavar='WIDTH',
        help='fully connected layers before the last',
    )
    add('--dropout', type=float, help='probability after each of those')
    add('--resize', type=int, metavar='PIXELS', help='size of the images')
    add('--batch-size', type=int, help='images in a minibatch')
    add('--max-epochs', type=int, help='passes over the training set')
    add('--lr', type=float, help='largest learning rate')
    add(
        '--lr-schedule',
        choices=schedules.SCHEDULES,
        help='its course over the run',
    )
    add('--momentum', type=float, help='of gradient descent, below 1')
    add('--weight-decay', type=float, help='shrinks the parameters')
    add('--gradient-clip-val', type=float, help='largest norm, 0 for none')
    add(
        '--label-smoothing',
        type=float,
        help='probability spread over all classes, below 1',
    )
    add_switch(group, 'flip', 'mirror half of the training images')
    add(
        '--shift',
        type=int,
        metavar='PIXELS',
        help='move each training image by up to so many of its 28',
    )
    add_switch(
        group,
        'test-flip',
        'validate and predict with the mean over image and mirror image',
    )
    add('--seed', type=int, help='of shuffles, flips, shifts and dropout')
    add(
        '--draw',
        choices=DRAWS,
        help='where initial parameters come from: the seed, or the published '
        'runs of the book',
    )
    add(
        '--precision',
        choices=precisions.PRECISIONS,
        help='number type of all blocks but the first; bfloat16 takes a CPU '
        'with avx512_bf16',
    )
    add('--num-train', type=int, help='use the first so many examples only')
    add('--num-val', type=int, help='use the first so many examples only')
    add(
        '--division',
        type=int,
        metavar='SEED',
        help='divide all images anew into a training and a validation set',
    )


def add_switch(parser, name, help):
    """Add the options --name and --no-name; without either, None.

    argparse's own action for this is not in Python 3.8.
    """
    dest = name.replace('-', '_')
    parser.add_argument(
        f'--{name}', action='store_true', default=None, help=help
    )
    parser.add_argument(f'--no-{name}', action='store_false', dest=dest)


def read_arch(text):
    """Return the architecture that a word of the command names."""
    if text.startswith(('(', '[')):
        try:
            text = ast.literal_eval(text)
        except (SyntaxError, ValueError):
            raise ValueError(
                f'{text} does not read as pairs (num_convs, num_channels): '
                'write them as in ((1,16),(1,32)).'
            ) from None
    return architectures.get(text)


def positive(text):
    """Return the whole number, 1 or more, that an option gives."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f'{text} is less than 1')
    return number


def add_gpus_option(parser, default=1):
    parser.add_argument(
        '--num-gpus',
        type=int,
        default=default,
        help='0 for the CPU, which 1 means, too, where there is no GPU',
    )


def add_data_options(parser):
    parser.add_argument(
        '--data',
        metavar='FOLDER',
        help="of Fashion-MNIST's four files, or 'stand-in'",
    )


# The options that change a part of the architecture
PARTS = ('batch_norm', 'hidden', 'dropout')


def given(args, names):
    """Return the options among `names` that the user has given."""
    found = {name: getattr(args, name, None) for name in names}
    return {name: value for name, value in found.items() if value is not None}


def refuse_changes(args):
    """Refuse what a run that is resumed would not heed.

    Raises:
        ValueError: it names the first such option.
    """
    fields = [field.name for field in dataclasses.fields(Experiment)]
    names = ['experiment', 'name', *fields, *PARTS, *SELECTION]
    for name in given(args, names):
        raise ValueError(
            f'--{name.replace("_", "-")} is for a new run: one that is '
            'resumed keeps what it began with; leave out the option, or '
            '--resume.'
        )


def refuse_finished(folder):
    if runs.Run.open(folder).info['status'] == 'finished':
        raise ValueError(
            f'The run in {folder} is finished: start a new one instead of '
            'resuming it.'
        )


def chosen_experiment(args):
    """Return the experiment with the changes that the options make."""
    experiment = get_experiment(args.experiment or 'quick')
    changes = given(args, [f.name for f in dataclasses.fields(Experiment)])
    arch = changes.pop('arch', None)
    arch = read_arch(arch) if arch else architectures.get(experiment.arch)
    parts = given(args, PARTS)
    if parts:
        if not arch.blocks:
            raise ValueError(f'{arch.name} is not built of VGG blocks.')
        arch = dataclasses.replace(arch, name='custom', letter='', **parts)
    return dataclasses.replace(experiment, arch=arch, **changes)


# What a run uses of the data, besides where they are
SELECTION = ('num_train', 'num_val', 'division')


def load_data(framework, experiment, root, allow_stand_in, selection):
    """Return the data, or the stand-in where that is allowed and needed."""
    FashionMNIST = frameworks.load(framework).FashionMNIST
    sizes = {
        'batch_size': experiment.batch_size,
        'resize': (experiment.resize, experiment.resize),
        'flip': experiment.flip,
        'shift': experiment.shift,
        **selection,
    }
    try:
        return FashionMNIST(root=root, **sizes)
    except OSError as error:  # No files, no network, or no place to put them
        if not allow_stand_in:
            raise
        print(f'd2l-vgg: {error}', file=sys.stderr)
        return FashionMNIST(root='stand-in', **sizes)


def load_data_of(run, root):
    """Return the data that `run` began with; `root` is where they are now."""
    asked = run.info['data']
    return load_data(
        run.framework,
        run.experiment,
        'stand-in' if asked['stand_in'] else root or asked['root'],
        False,
        {name: asked.get(name) for name in SELECTION},
    )


def in_available_precision(experiment, on_cpu=True):
    """Return `experiment` in float32 where its own cannot be computed in."""
    found = precisions.available(experiment.precision, on_cpu)
    if found != experiment.precision:
        print(
            f'Computing in {found}: {experiment.precision} takes a processor '
            'with avx512_bf16.'
        )
    return dataclasses.replace(experiment, precision=found)


def make_model(package, experiment):
    """Return the network of `experiment`, in the framework of `package`."""
    return package.VGG(
        experiment.arch,
        lr=experiment.lr,
        momentum=experiment.momentum,
        weight_decay=experiment.weight_decay,
        label_smoothing=experiment.label_smoothing,
        test_flip=experiment.test_flip,
        precision=experiment.precision,
    )


def train(args):
    if args.resume:
        run = runs.Run.open(args.resume)
        refuse_changes(args)
        refuse_finished(args.resume)
        experiment, framework = run.experiment, run.framework
        data = load_data_of(run, args.data)
    else:
        experiment, framework = chosen_experiment(args), args.framework
        # Whatever is wrong with the request is said before a folder is made
        costs.summary(
            experiment.arch, (1, experiment.resize, experiment.resize)
        )
        selection = {name: getattr(args, name) for name in SELECTION}
        data = load_data(
            framework,
            experiment,
            args.data,
            args.allow_stand_in,
            selection,
        )
        run = None
    if data.stand_in:
        print(STAND_IN_NOTE)
    package = frameworks.load(framework)
    trainer = package.Trainer(
        max_epochs=experiment.max_epochs,
        num_gpus=args.num_gpus,
        gradient_clip_val=experiment.gradient_clip_val,
        seed=experiment.seed,
        lr_schedule=experiment.lr_schedule,
        checkpoint_seconds=args.checkpoint_seconds,
        display=args.display,
    )
    on_cpu = all(str(device).startswith('cpu') for device in trainer.devices)
    if run is None and args.precision is None:
        experiment = in_available_precision(experiment, on_cpu)
    precisions.check(experiment.precision, on_cpu)
    model = make_model(package, experiment)
    if run is None:
        name = args.experiment or 'quick'
        run = runs.Run.new(
            args.runs,
            args.name or name,
            experiment,
            experiment=name,
            framework=framework,
            data={
                'source': data.source,
                'stand_in': data.stand_in,
                'root': args.data,
                **selection,
            },
            devices=[str(device) for device in trainer.devices],
        )
    with run.alone():
        if args.resume:  # Another process may have ended it meanwhile
            refuse_finished(args.resume)
        fit(run, trainer, model, data)


def fit(run, trainer, model, data):
    """Train, keep what comes out, and tell it."""
    experiment = run.experiment
    trainer.checkpoint = run.path('checkpoint.npz')
    resumes = os.path.exists(trainer.checkpoint)
    run.remove_unfinished_files()
    where = os.path.relpath(run.folder)
    began = (
        f'{"Resuming" if resumes else "Training"} {experiment.arch.name} '
        f'on {len(data.train[0])} images of {experiment.resize} x '
        f'{experiment.resize} pixels for {experiment.max_epochs} epochs in '
        f'{where} (Ctrl-C stops, --resume continues).'
    )
    try:
        run.save(status='running')
        print(began, flush=True)
        if experiment.draw == 'published' and not resumes:
            study.draw_as_published(model, experiment.resize)
        trainer.fit(model, data, resume=resumes)
    except (KeyboardInterrupt, TrainingDiverged, OSError) as error:
        status = (
            'diverged' if isinstance(error, TrainingDiverged) else 'stopped'
        )
        with contextlib.suppress(OSError):  # As it may be the disk
            keep_results(run, trainer, data, status)
        if status == 'stopped':
            print(
                f'Stopped after {trainer.seconds:.0f} seconds; continue '
                f'with: {command("train", "--resume", where)}'
            )
        raise
    model.save(run.path('parameters.params'))
    keep_results(run, trainer, data, 'finished')
    os.remove(trainer.checkpoint)
    report(run, trainer, data)


def keep_results(run, trainer, data, status):
    """Write what the run has recorded so far."""
    history = trainer.history
    if history is None or not history.points:  # Stopped before it began
        run.save(status=status)
        return
    history.to_csv(run.path('history.csv'))
    figure = figures.curves(
        {run.name: history},
        band=run.info['experiment'] == 'book',
        note=STAND_IN_NOTE if data.stand_in else None,
    )
    figures.save(figure, run.path('curves'))
    run.save(
        status=status,
        results=history.final,
        seconds=round(trainer.seconds, 1),
    )


def report(run, trainer, data):
    """Print the last lines of a finished run."""
    from d2l_vgg.book import bench

    where = os.path.relpath(run.folder)
    accuracy = trainer.history.final['val_acc']
    print(
        f'Validation accuracy {accuracy:.4f} after '
        f'{bench.format_seconds(trainer.seconds)}.'
    )
    print(f'Picture: {os.path.join(where, "curves.png")}')
    if run.info['experiment'] == 'book':
        print(published.verdict(trainer.history))
        print(published.remark())
    else:
        seconds = bench.estimate_seconds(
            get_experiment('book'), trainer.devices[0]
        )
        print(
            "The book's full experiment takes about "
            f'{bench.format_seconds(seconds)} on this machine: '
            + command('train', '--experiment', 'book')
        )
    if data.stand_in:
        print(STAND_IN_NOTE)


# ---------------------------------------------------------------- curves


def add_curves(commands):
    parser = add_command(
        commands,
        curves,
        'curves',
        "hold runs against the book's published curves, point by point",
    )
    parser.add_argument('run', nargs='+', help='the folder of a run')
    parser.add_argument(
        '--framework',
        choices=published.FRAMEWORKS,
        default='mxnet',
        help='whose published runs',
    )
    parser.add_argument(
        '--output',
        default='curves',
        help='the picture, written as .svg and .png',
    )


def curves(args):
    found = [runs.Run.open(folder) for folder in args.run]
    histories = {}
    for folder, run in zip(args.run, found):
        name = run.name if run.name not in histories else folder
        histories[name] = run.history()
    stand_in = any(run.info['data']['stand_in'] for run in found)
    for name, history in histories.items():
        print(f'{name}:')
        print(published.table(published.compare(history, args.framework)))
        print(published.verdict(history, args.framework))
        remark = published.remark(args.framework)
        if remark:
            print(remark)
        delay = published.delay(history, args.framework)
        if delay is not None:
            side = 'behind' if delay >= 0 else 'ahead of'
            print(
                f'Its training loss runs {abs(delay):.2f} epochs {side} the '
                'published mean: initial parameters leave the plateau of the '
                'first guesses sooner or later (`d2l-vgg study`).'
            )
        print()
    figure = figures.curves(
        histories,
        band=args.framework,
        note=STAND_IN_NOTE if stand_in else None,
    )
    figures.save(figure, args.output)
    if stand_in:
        print(STAND_IN_NOTE)
    print(f'Picture: {args.output}.png, {args.output}.svg')


# ------------------------------------------------------ summary, compare


def add_summary(commands):
    parser = add_command(
        commands,
        summary,
        'summary',
        'list the layers of a network with their shapes and costs',
    )
    parser.add_argument('arch', help='such as vgg11, D, or ((1,16),(1,32))')
    add_shape_options(parser)


def add_compare(commands):
    parser = add_command(
        commands,
        compare,
        'compare',
        'show the parameters, multiply-adds and memory of networks',
    )
    parser.add_argument(
        'arch',
        nargs='*',
        default=list(architectures.FAMILY),
        help='such as vgg11, D, or ((1,16),(1,32)); none for all',
    )
    add_shape_options(parser)
    parser.add_argument(
        '--batch-size',
        type=int,
        default=128,
        help='images whose memory is counted',
    )
    parser.add_argument(
        '--markdown', action='store_true', help='print a Markdown table'
    )


def add_shape_options(parser):
    parser.add_argument(
        '--resize', type=int, default=224, help='height and width, in pixels'
    )
    parser.add_argument(
        '--channels', type=int, default=1, help='of the images'
    )
    parser.add_argument(
        '--num-classes', type=int, default=10, help='outputs of the network'
    )


def summary(args):
    shape = (args.channels, args.resize, args.resize)
    print(costs.summary_table(read_arch(args.arch), shape, args.num_classes))


def compare(args):
    print(
        costs.table(
            [read_arch(arch) for arch in args.arch],
            (args.channels, args.resize, args.resize),
            args.num_classes,
            args.batch_size,
            markdown=args.markdown,
        )
    )


# ---------------------------------------------------------------- predict


def add_predict(commands):
    parser = add_command(
        commands,
        predict,
        'predict',
        'show the accuracy, the confusions and the worst mistakes of a run',
    )
    parser.add_argument('run', help='the folder of a finished run')
    add_data_options(parser)


def predict(args):
    from d2l_vgg.training import predictions

    run = runs.Run.open(args.run)
    path = run.path('parameters.params')
    if not os.path.exists(path):
        raise FileNotFoundError(
            f'The run in {args.run} has no parameters because it is '
            f'{run.info["status"]}: finish it with '
            f'`{command("train", "--resume", args.run)}`.'
        )
    data = load_data_of(run, args.data)
    experiment = in_available_precision(run.experiment)
    model = make_model(frameworks.load(run.framework), experiment)
    model.load(path)
    note = STAND_IN_NOTE if data.stand_in else None
    labels, scores = model.predict(data.val_dataloader())
    matrix = predictions.confusion_matrix(labels, scores)
    print(predictions.report(matrix))
    figure = figures.confusion(matrix, fashion_mnist.TEXT_LABELS, note=note)
    figures.save(figure, run.path('confusion'))
    names = ['confusion']
    worst = predictions.worst_mistakes(labels, scores, count=24)
    if worst:
        figure = figures.mistakes(
            data.val[0][[mistake.index for mistake in worst]],
            [mistake.title for mistake in worst],
            note=note,
        )
        figures.save(figure, run.path('mistakes'))
        names.append('mistakes')
    if note:
        print(note)
    for name in names:
        print(f'Picture: {os.path.join(args.run, name)}.png')


# ------------------------------------------------------------------- data


def add_data(commands):
    parser = add_command(
        commands,
        data_command,
        'data',
        'tell where Fashion-MNIST is and whether it is whole, or fetch it',
    )
    parser.add_argument(
        'folder', nargs='?', help='to look in first, or to fetch to'
    )
    parser.add_argument(
        '--fetch', action='store_true', help='download what is missing'
    )


def data_command(args):
    if stand_in.is_asked_for(args.folder):
        print(STAND_IN_NOTE)
        return
    rows = fashion_mnist.status(args.folder)
    # Into a folder that is named, whatever others hold
    if args.fetch and (args.folder or any(r[2] != 'whole' for r in rows)):
        print(f'Fetched to {fashion_mnist.fetch(args.folder)}')
        rows = fashion_mnist.status(args.folder)
    cells = [(name, state, path or '') for name, path, state in rows]
    for line in tables.lay_out(cells, '<<<', widths=(24, 10, 0), gap=' '):
        print(line)
    if any(state != 'whole' for _, _, state in rows):
        print('Looked in: ' + ', '.join(fashion_mnist.places(args.folder)))
        raise fashion_mnist.DataNotFound(
            'Fashion-MNIST is not complete: run `d2l-vgg data --fetch`, or '
            'put the four files into one of the folders above.'
        )


# ------------------------------------------------------------------ bench


def add_bench(commands):
    parser = add_command(
        commands,
        bench_command,
        'bench',
        'measure speed and memory beside the stock d2l code, in turns',
    )
    parser.add_argument(
        '--resize',
        type=positive,
        nargs='+',
        default=[224, 96, 56],
        help='sizes of the images, in pixels',
    )
    parser.add_argument(
        '--batch-size', type=positive, default=128, help='images at a step'
    )
    parser.add_argument(
        '--rounds', type=positive, default=5, help='of each side, in turns'
    )
    parser.add_argument(
        '--steps', type=positive, default=3, help='training steps in a round'
    )
    add_gpus_option(parser, default=0)
    add_data_options(parser)


def bench_command(args):
    from d2l_vgg.book import bench

    bench.main(args)


# ------------------------------------------------------------------ study


def add_study(commands):
    parser = add_command(
        commands,
        study_command,
        'study',
        'tell how far runs differ by initial draw and by order of the images',
        'Each run is kept as it ends, so the command goes on where it was '
        'stopped. The 24 runs of the defaults take about an hour on two '
        'cores.',
    )
    parser.add_argument(
        '--draws', type=positive, default=4, help='of initial parameters'
    )
    parser.add_argument(
        '--shuffles', type=positive, default=3, help='for each draw'
    )
    parser.add_argument(
        '--biases',
        nargs='+',
        choices=('zero', 'uniform'),
        default=['zero', 'uniform'],
        help="how they start: MXNet's way, PyTorch's way",
    )
    parser.add_argument(
        '--resize', type=positive, default=32, help='size, in pixels'
    )
    parser.add_argument(
        '--batch-size', type=positive, default=128, help='images at a step'
    )
    parser.add_argument(
        '--max-epochs', type=positive, default=2, help='of each run'
    )
    parser.add_argument('--lr', type=float, default=0.05, help='constant')
    parser.add_argument(
        '--runs', default='runs/study', help='the folder for the table'
    )
    add_data_options(parser)


def study_command(args):
    study.main(args)


# --------------------------------------------------------------- chapter


def add_chapter(commands):
    parser = add_command(
        commands,
        build_chapter,
        'chapter',
        'build the chapter: a web page with tabs, a notebook for each tab',
        'Cells run while the page is built, training cut short to '
        '$D2L_VGG_TRIAL minibatches (1).',
    )
    parser.add_argument(
        'folder',
        nargs='?',
        default='chapter',
        help='the d2lbook project',
    )
    parser.add_argument(
        '--only',
        choices=['notebooks', 'slides', 'pdf'],
        help='build just these, in the first tab unless --tab is given',
    )
    parser.add_argument('--tab', help='of the slides or the PDF')
    parser.add_argument(
        '--no-run', action='store_true', help='run no cells, only convert'
    )
    parser.add_argument(
        '--copy-to',
        metavar='FOLDER',
        help='copy the notebooks there, but not over those that are there',
    )
    parser.add_argument(
        '--keep-output',
        action='store_true',
        help='leave in the notebooks what their cells print',
    )


def build_chapter(args):
    from d2l_vgg.chapter import builder

    if args.keep_output and args.no_run:
        raise ValueError(
            '--keep-output needs the cells to run: leave out --no-run.'
        )
    if args.only in ('slides', 'pdf') and (args.keep_output or args.copy_to):
        raise ValueError(
            '--keep-output and --copy-to are for notebooks, not for '
            f'{args.only}: leave them out.'
        )
    if args.only == 'slides':
        print(f'Slides: {builder.slides(args.folder, args.tab)}')
    elif args.only == 'pdf':
        print(f'PDF: {builder.pdf(args.folder, args.tab)}')
    else:
        only_notebooks = args.only == 'notebooks'
        path = builder.build(
            args.folder,
            run_cells=args.keep_output or not (args.no_run or only_notebooks),
            page=not only_notebooks,
            keep_output=args.keep_output,
        )
        print(f'{"Notebooks" if only_notebooks else "Page"}: {path}')
        if args.copy_to:
            notebooks = os.path.join(args.folder, '_build', 'notebooks')
            builder.hand_out(notebooks, args.copy_to)
            print(
                f'Your own copy is in {args.copy_to}: it is never written '
                'over, so remove it to get a new one.'
            )


if __name__ == '__main__':
    sys.exit(main())
