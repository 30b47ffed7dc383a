"""`d2l-vgg predict`: what a trained network gets right and wrong."""

import os

from d2l_vgg import frameworks
from d2l_vgg.commands.making import (
    in_best_precision,
    load_framework,
    make_data_of,
    make_model,
)
from d2l_vgg.commands.options import add_data_option, path
from d2l_vgg.commands.pictures import classify
from d2l_vgg.training import trial
from d2l_vgg.training.runs import Run

HELP = (
    'show what a trained network gets right and wrong, or sees in a picture'
)

# So many mistakes are drawn
NUM_MISTAKES = 24


def add_arguments(parser):
    """Add which run, on what, with what, and where the pictures go."""
    parser.add_argument(
        'run',
        type=path,
        help="the folder of a finished run, or 'quick', which comes with "
        'this package',
    )
    parser.add_argument(
        'image',
        nargs='*',
        type=path,
        help='pictures of your own to look at, instead of the validation set',
    )
    parser.add_argument(
        '--framework',
        type=frameworks.named,
        choices=frameworks.FRAMEWORKS,
        help='to compute with (default: what the run was trained with)',
    )
    parser.add_argument(
        '--output',
        metavar='FOLDER',
        type=path,
        help='of the pictures that are drawn (default: that of the run, and '
        'for one that comes with this package, the current one)',
    )
    add_data_option(parser)


def run(args):
    """Print what the network gets right and wrong, and draw it.

    Raises:
        FileNotFoundError: there is no run, it is not finished, or there are
            no data.
        ValueError: the run is damaged, or a picture is none.
        OSError: the pictures cannot be written.
    """
    from d2l_vgg import figures

    finished = Run.find(args.run)
    package = load_framework(args.framework or finished.framework)
    experiment = in_best_precision(package, finished.experiment)
    parameters = finished.find_parameters()
    data = None
    if not args.image:
        data = make_data_of(finished, args.data, package)
        check_classes(finished, data)
    model = make_model(package, experiment, finished.classes)
    model.load(parameters)
    model.set_precision(experiment.precision)
    if args.image:
        drawn = {'pictures': classify(model, package, finished, args.image)}
    else:
        drawn = judge(model, data, finished)
    if finished.trial:
        print(trial.note(finished.trial))
    folder = args.output or finished.place
    for name, figure in drawn.items():
        figures.save(figure, os.path.join(folder, name))
        print(f'Picture: {os.path.relpath(os.path.join(folder, name))}.png')


def check_classes(finished, data):
    """Refuse images that a network of other classes cannot be judged on.

    Raises:
        ValueError: they are.
    """
    if len(data.classes) != len(finished.classes):
        raise ValueError(
            f'The run in {finished.folder} tells {len(finished.classes)} '
            f'classes apart, but {data.source} has {len(data.classes)}: take '
            'the images that it was trained on.'
        )


def tell_other_mean(finished, accuracy):
    """Say why a run recorded another accuracy than it has, if it did."""
    recorded = (finished.info.get('results') or {}).get('val_acc')
    if recorded is not None and f'{recorded:.4f}' != f'{accuracy:.4f}':
        print(
            f'Accuracy is the mean over all images; the {recorded:.4f} in '
            "the run's curves is, as in the book, the mean over minibatches, "
            'of which the last one may be smaller.'
        )


def judge(model, data, finished):
    """Print how good a network is, and return the figures of its mistakes.

    Args:
        model: the network
        data: what it is validated with
        finished: the run that has trained it

    Returns:
        name -> figure
    """
    from d2l_vgg import figures
    from d2l_vgg.training import predictions

    labels, scores = model.predict(
        data.val_dataloader(), test_flip=finished.experiment.test_flip
    )
    matrix = predictions.confusion_matrix(labels, scores)
    print(predictions.report(matrix, finished.classes))
    tell_other_mean(finished, matrix.trace() / matrix.sum())
    note = trial.note(finished.trial)
    drawn = {
        'confusion': figures.confusion(matrix, finished.classes, note=note)
    }
    worst = predictions.worst_mistakes(
        labels, scores, NUM_MISTAKES, finished.classes
    )
    if worst:
        drawn['mistakes'] = figures.mistakes(
            data.val[0][[mistake.example for mistake in worst]],
            [mistake.title for mistake in worst],
            note=note,
        )
    return drawn
