"""What the spread between runs is made of: initial draws and shuffles.

    python benchmarks/study.py [--framework NAME] [--draws N] [--shuffles N]

The published runs of the book end within a narrow band. Whether the band
tells how the initial parameters were drawn, or only in which order the images
came, is found by training from several draws with several shuffles each. At a
small resolution that costs minutes instead of days.
"""

import argparse
import csv
import io
import math
import statistics
from typing import NamedTuple

from tabulate import tabulate

from d2l_vgg import frameworks
from d2l_vgg.book import draws
from d2l_vgg.files import open_regular, write_text
from d2l_vgg.networks import architectures, costs
from d2l_vgg.training.errors import TrainingDiverged
from d2l_vgg.training.experiments import Experiment

# A run has left the plateau at log(10) = 2.303, the loss of a guess among ten
# classes, when the mean loss of ten minibatches is below this
PLATEAU_LOSS = 2.0
PLATEAU_BATCHES = 10


class Outcome(NamedTuple):
    """One run of the study.

    `plateau` counts the minibatches until the loss fell below
    `PLATEAU_LOSS`, nan where it never did; `first_loss` is the mean training
    loss of the first half epoch, the first point that the book draws;
    `train_loss` is that of the last half epoch.
    """

    biases: str
    draw: int
    shuffle: int
    plateau: float
    first_loss: float
    train_loss: float
    val_loss: float
    val_acc: float


def measure(args):
    """Train every run that the table lacks, and print the spread of all.

    Each run is added to the table as it ends, so that a study which was
    stopped goes on where it was. `args` is the command line.

    Raises:
        ValueError: a hyperparameter is out of its range, or what is to be
            the table is something else.
        OSError: the table cannot be written.
    """
    # Refuses what no run can have, before anything is made
    experiment = Experiment(
        resize=args.resize,
        batch_size=args.batch_size,
        max_epochs=args.max_epochs,
        lr=args.lr,
    )
    size = (args.resize, args.resize)
    costs.summary(architectures.get('vgg_small'), (1, *size))
    # Of every draw the first shuffle, then of every draw the second
    wanted = [
        (biases, draw, shuffle)
        for biases in args.biases
        for shuffle in range(args.shuffles)
        for draw in range(args.draws)
    ]
    package = frameworks.load(args.framework)
    data = package.FashionMNIST(args.batch_size, resize=size)
    path = table_path(args)
    outcomes = read(path)
    missing = [w for w in wanted if w not in {o[:3] for o in outcomes}]
    print(
        f'{len(wanted)} runs of {args.max_epochs} epochs at {size[0]} x '
        f'{size[1]} with lr {args.lr:g}; {path} holds '
        f'{len(wanted) - len(missing)} of them.'
    )
    for which in missing:
        last = train(args.framework, data, *which, experiment)
        outcomes.append(last)
        write(path, outcomes)
        print(
            f'biases {last.biases}, draw {last.draw}, shuffle '
            f'{last.shuffle}: plateau {last.plateau:g} minibatches, '
            f'val_acc {last.val_acc:.4f}',
            flush=True,
        )
    for biases in args.biases:
        chosen = [
            o for o in outcomes if o[:3] in wanted and o.biases == biases
        ]
        print(
            f'\nbiases {biases}: {len(chosen)} runs from {args.draws} draws'
        )
        print(report(chosen))


def table_path(args):
    """Return the path of the table of runs with these hyperparameters.

    Runs of different hyperparameters do not belong into one table, nor do
    those of different frameworks, of which MXNet is not named.
    """
    prefix = '' if args.framework == 'mxnet' else f'{args.framework}-'
    return (
        f'{args.runs}/{prefix}{args.resize}px-lr{args.lr:g}'
        f'-batch{args.batch_size}-epochs{args.max_epochs}.csv'
    )


def train(framework, data, biases, draw, shuffle, experiment):
    """Train once and return the `Outcome`.

    `draw` is the seed of the initial parameters, `shuffle` that of the order
    of the images. `biases` are 'zero', as in MXNet and TensorFlow, 'uniform'
    with the bound 1/sqrt(fan-in), as in PyTorch, or 'lecun', which is about
    the weights, as in Flax.
    """
    package = frameworks.load(framework)
    resize = experiment.resize
    model = package.VGG('vgg_small', lr=experiment.lr)
    if framework == 'mxnet':
        draw_in_mxnet(model, biases, draw, resize)
    else:
        draws.draw(framework, model, resize, biases, draw)
    model.plot_train_per_epoch = len(data.train_dataloader()) / 10
    trainer = package.Trainer(
        experiment.max_epochs, seed=shuffle, display='none'
    )
    try:
        history = trainer.fit(model, data)
    except TrainingDiverged:
        history = trainer.history
    losses = [loss for _, loss in history.points.get('train_loss', [])]
    half = max(1, round(model.plot_train_per_epoch / 2))
    final = history.final
    return Outcome(
        biases,
        draw,
        shuffle,
        plateau(losses),
        statistics.fmean(losses[:half]),
        statistics.fmean(losses[-half:]),
        final.get('val_loss', math.nan),
        final.get('val_acc', math.nan),
    )


def draw_in_mxnet(model, biases, seed, resize):
    """Draw by MXNet's own generator, as in all studies in MXNet so far."""
    from mxnet import np, random

    random.seed(seed)
    model.compile()
    # Parameters are drawn at the first input, before the trainer's own seed
    model(np.zeros((1, 1, resize, resize)))
    if biases == 'lecun':
        model.load_arrays(draws.drawn(model.arrays(), biases, seed))
    params = model._collect_params_with_prefix()
    for name, param in params.items() if biases == 'uniform' else ():
        if name.endswith('bias'):
            weight = params[name[: -len('bias')] + 'weight']
            bound = 1 / math.sqrt(math.prod(weight.shape[1:]))
            param.set_data(np.random.uniform(-bound, bound, param.shape))


def plateau(losses):
    """Return how many minibatches passed before the loss fell, or nan.

    `losses` are means over `PLATEAU_BATCHES` minibatches each.
    """
    for i, loss in enumerate(losses):
        if loss < PLATEAU_LOSS:
            return i * PLATEAU_BATCHES
    return math.nan


def report(outcomes):
    """Return the table of the spread within and between initial draws."""
    rows = [('quantity', 'mean', 'sd over draws', 'sd over shuffles')]
    for name in Outcome._fields[3:]:
        numbers = spread(by_draw(outcomes, name))
        rows.append((name, *(f'{number:.4f}' for number in numbers)))
    return tabulate(
        rows,
        headers='firstrow',
        colalign=['left'] + ['right'] * 3,
        disable_numparse=True,
    )


def by_draw(outcomes, name):
    """Return a list of what is called `name` for each initial draw."""
    groups = {}
    for outcome in outcomes:
        groups.setdefault(outcome.draw, []).append(getattr(outcome, name))
    return list(groups.values())


def spread(groups):
    """Return the mean, and the standard deviations between and within.

    The analysis of variance of one factor with random effects: `groups` holds
    one list of values for each initial draw. The deviation between draws is
    what is left when the shuffles' part in the means is taken off; nan where
    there is only one of a kind.
    """
    values = [value for group in groups for value in group]
    mean = statistics.fmean(values)
    within = between = math.nan
    if num_free := len(values) - len(groups):
        within = sum(
            (value - statistics.fmean(group)) ** 2
            for group in groups
            for value in group
        )
        within /= num_free
    if len(groups) > 1:
        between = statistics.variance(map(statistics.fmean, groups))
        if num_free:
            between -= within * statistics.fmean(1 / len(g) for g in groups)
            between = max(between, 0)
    return mean, math.sqrt(between), math.sqrt(within)


def write(path, outcomes):
    """Write one line for each run."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator='\n')
    writer.writerow(Outcome._fields)
    writer.writerows(outcomes)
    write_text(path, text.getvalue())


def read(path):
    """Return what `write` has written, no outcomes where there is no file.

    Raises:
        ValueError: the file is something else, or damaged.
    """
    try:
        with open_regular(path, 'r', newline='', encoding='utf-8') as file:
            rows = list(csv.reader(file))
        if not rows or tuple(rows[0]) != Outcome._fields:
            raise ValueError(f'it lacks the head {",".join(Outcome._fields)}')
    except FileNotFoundError:
        return []
    except (ValueError, csv.Error) as error:
        raise ValueError(
            f'{path} is not a study ({error}): move it away to begin again.'
        ) from None
    outcomes = []
    for i, row in enumerate(rows[1:], start=2):
        try:
            biases, draw, shuffle, *values = row
            if biases not in draws.WEIGHTS:
                raise ValueError
            outcomes.append(
                Outcome(biases, int(draw), int(shuffle), *map(float, values))
            )
        except (ValueError, TypeError):
            raise ValueError(
                f'{path}, line {i}, is damaged: it holds '
                f'{",".join(row)[:60]!r}; take the line out, and its run is '
                'trained again.'
            ) from None
    return outcomes


def read_arguments():
    parser = argparse.ArgumentParser(
        description='Tell how far runs differ by initial draw and by order.',
        epilog='Each run is kept as it ends, so the command goes on where it '
        'was stopped. The 24 runs of the defaults take an hour on two cores.',
    )
    add = parser.add_argument
    add('--framework', choices=frameworks.FRAMEWORKS, default='mxnet')
    add('--draws', type=int, default=4, help='of initial parameters')
    add('--shuffles', type=int, default=3, help='for each draw')
    add(
        '--biases',
        nargs='+',
        choices=draws.WEIGHTS,
        default=['zero', 'uniform'],
        help="zero as MXNet's and TensorFlow's, uniform as PyTorch's, lecun "
        "for zero with JAX's weights",
    )
    add('--resize', type=int, default=32)
    add('--batch-size', type=int, default=128)
    add('--max-epochs', type=int, default=2)
    add('--lr', type=float, default=0.05)
    add('--runs', default='runs/study', help='the folder for the table')
    return parser.parse_args()


if __name__ == '__main__':
    measure(read_arguments())
