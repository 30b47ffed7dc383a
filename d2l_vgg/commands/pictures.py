"""What a trained network makes of a reader's own pictures.

`d2l-vgg predict RUN IMAGE...` does this.
"""

import os

from d2l_vgg.messages import one_line

# So many classes are named for each picture
NUM_GUESSES = 3


def classify(model, package, finished, paths):
    """Print what each picture shows, and return the figure of all.

    Args:
        model: a trained network
        package: the folder of its framework, as a module
        finished: the run that has trained it
        paths: files of pictures

    Raises:
        OSError: a file is not there, or cannot be read.
        ValueError: one is no picture.
    """
    from d2l_vgg import figures
    from d2l_vgg.datasets import pictures

    experiment = finished.experiment
    found = [pictures.read(path) for path in paths]
    batches = package.FashionMNIST.pictures(paths, resize=experiment.resize)
    _, scores = model.predict(batches, test_flip=experiment.test_flip)
    images, titles = [], []
    for picture, row in zip(found, scores):
        print(f'{one_line(picture.path)}: {", ".join(picture.steps)}')
        best = row.argsort()[::-1][:NUM_GUESSES]
        guesses = [(finished.classes[i], f'{row[i]:.3f}') for i in best]
        for name, probability in guesses:
            print(f'{name:14}  {probability}')
        images.append(picture.image)
        name = os.path.basename(picture.path)
        titles.append(f'{name}\n{guesses[0][0]} {row[best[0]]:.0%}')
    return figures.mistakes(images, titles)
