"""`d2l-vgg predict`: what a trained network gets right and wrong."""

import os

from d2l_vgg.commands.making import (
    in_available_precision,
    load_framework,
    make_data_of,
    make_model,
    note_of,
    tell_note_of,
)
from d2l_vgg.commands.options import add_data_option, path
from d2l_vgg.training.runs import Run

HELP = 'show the accuracy, the confusions and the worst mistakes of a run'

# So many mistakes are drawn
NUM_MISTAKES = 24


def add_arguments(parser):
    """Add which run, and where its data are."""
    parser.add_argument('run', type=path, help='the folder of a finished run')
    add_data_option(parser)


def run(args):
    """Print the accuracy and the confusions, and draw them and the mistakes.

    Raises:
        FileNotFoundError: there is no run, it is not finished, or there are
            no data.
        ValueError: the run is damaged.
        OSError: the pictures cannot be written.
    """
    from d2l_vgg.training import predictions

    finished = Run.open(args.run)
    parameters = finished.find_parameters()
    data = make_data_of(finished, args.data)
    experiment = in_available_precision(finished.experiment)
    model = make_model(load_framework(finished.framework), experiment)
    model.load(parameters)
    model.set_precision(experiment.precision)
    labels, scores = model.predict(
        data.val_dataloader(), test_flip=experiment.test_flip
    )
    matrix = predictions.confusion_matrix(labels, scores)
    print(predictions.report(matrix))
    worst = predictions.worst_mistakes(labels, scores, count=NUM_MISTAKES)
    names = draw(finished, data, matrix, worst)
    tell_note_of(finished)
    for name in names:
        print(f'Picture: {os.path.join(args.run, name)}.png')


def draw(finished, data, matrix, worst):
    """Draw the confusions of a run, and its mistakes if it made any.

    Args:
        finished: the run, which keeps the pictures
        data: what it was validated with
        matrix: the confusions, as `predictions.confusion_matrix` counts them
        worst: the mistakes, as `predictions.worst_mistakes` finds them

    Returns:
        The names of the pictures.
    """
    from d2l_vgg import figures
    from d2l_vgg.datasets.fashion_mnist import TEXT_LABELS

    note = note_of(finished)
    figure = figures.confusion(matrix, TEXT_LABELS, note=note)
    figures.save(figure, finished.path('confusion'))
    if not worst:
        return ['confusion']
    figure = figures.mistakes(
        data.val[0][[mistake.example for mistake in worst]],
        [mistake.title for mistake in worst],
        note=note,
    )
    figures.save(figure, finished.path('mistakes'))
    return ['confusion', 'mistakes']
