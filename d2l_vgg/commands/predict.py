"""`d2l-vgg predict`: what a trained network gets right and wrong."""

import os
import warnings

from d2l_vgg.commands import making, options
from d2l_vgg.messages import explain, one_line
from d2l_vgg.training.runs import Run

# So many classes are named for each picture, so many images drawn at most
NUM_GUESSES, MOST_DRAWN = 3, 24


@options.command(
    options.argument(
        'run',
        "folder of a finished run, or 'quick', which is here",
        options.path,
    ),
    options.argument(
        'image', 'your own pictures or folders', options.path, nargs=-1
    ),
    options.framework('to compute with [that of the run]'),
    options.option(
        '--output', options.path, 'folder of what is drawn [that of the run]'
    ),
    options.data(),
)
def predict(run, image, framework, output, data):
    """Show what a trained network gets right and wrong, or sees."""
    from d2l_vgg import figures
    from d2l_vgg.datasets import pictures

    if image and data:
        raise ValueError('--data has no use beside pictures: leave it out.')
    finished, found = Run.find(run), []
    files = [path for each in image for path in pictures.files(each)]
    for path in files:
        try:
            found.append(pictures.read(path))
        except (OSError, ValueError) as error:
            warnings.warn(explain(error), stacklevel=1)
    if image and not found:
        return 1
    package = making.load_framework(framework or finished.framework)
    experiment = making.in_best_precision(package, finished.experiment)
    parameters = finished.find_parameters()
    if not image:
        data = making.make_data_of(finished, data, package)
        if len(data.classes) != len(finished.classes):
            raise ValueError(
                f'The run in {finished.folder} tells {len(finished.classes)} '
                f'classes apart, but {data.source} has {len(data.classes)}: '
                'take the images that it was trained on.'
            )
    model = making.make_model(package, experiment, finished.classes)
    model.load(parameters)
    model.set_precision(experiment.precision)
    if image:
        shown = classify(model, package, finished, found)
        drawn = {'pictures': figures.mistakes(*shown)}
    else:
        drawn = judge(model, data, finished)
    folder = output or finished.place
    for name, figure in drawn.items():
        figures.save(figure, os.path.join(folder, name))
        print(f'Picture: {os.path.relpath(os.path.join(folder, name))}.png')
    return int(len(found) < len(files))


def classify(model, package, finished, found):
    """Print what each of a reader's own pictures shows; return some."""
    experiment = finished.experiment
    batches = package.FashionMNIST.pictures(found, resize=experiment.resize)
    _, scores = model.predict(batches, test_flip=experiment.test_flip)
    titles = []
    for picture, row in zip(found, scores):
        print(f'{one_line(picture.path)}: {", ".join(picture.steps)}')
        best = row.argsort()[::-1][:NUM_GUESSES]
        for i in best:
            print(f'{finished.classes[i]:14}  {row[i]:.3f}')
        name, guess = os.path.basename(picture.path), best[0]
        titles.append(f'{name}\n{finished.classes[guess]} {row[guess]:.0%}')
    print(f'For any picture it names one of {len(finished.classes)} classes.')
    if len(found) > MOST_DRAWN:
        print(f'The first {MOST_DRAWN} of {len(found)} pictures are drawn.')
    return [p.image for p in found[:MOST_DRAWN]], titles[:MOST_DRAWN]


def judge(model, data, finished):
    """Print how good a network is; return name -> figure of its mistakes."""
    from d2l_vgg import figures
    from d2l_vgg.training import predictions

    labels, scores = model.predict(
        data.val_dataloader(), test_flip=finished.experiment.test_flip
    )
    matrix = predictions.confusion_matrix(labels, scores)
    print(predictions.report(matrix, finished.classes))
    accuracy = matrix.trace() / matrix.sum()
    recorded = (finished.info.get('results') or {}).get('val_acc')
    if recorded is not None and f'{recorded:.4f}' != f'{accuracy:.4f}':
        print(
            f'Accuracy is the mean over all images; the {recorded:.4f} in '
            "the run's curves is, as in the book, the mean over minibatches, "
            'of which the last one may be smaller.'
        )
    drawn = {'confusion': figures.confusion(matrix, finished.classes)}
    worst = predictions.worst_mistakes(
        labels, scores, MOST_DRAWN, finished.classes
    )
    if worst:
        drawn['mistakes'] = figures.mistakes(
            data.val[0][[mistake.example for mistake in worst]],
            [mistake.title for mistake in worst],
        )
    return drawn
