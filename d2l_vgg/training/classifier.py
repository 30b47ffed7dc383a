"""What the classifiers of all frameworks share."""

import abc
from collections.abc import Iterable
from typing import Any

import numpy as np

from d2l_vgg import limits
from d2l_vgg.networks import summaries
from d2l_vgg.training import inputs, parameters, settings
from d2l_vgg.training.arrays import Arrays
from d2l_vgg.training.runs import Run


class Classifier(abc.ABC):
    """The base class of classification models, in any framework.

    A framework adds what the book's classes have: `forward`, the mean
    cross-entropy `loss` and the fraction of right predictions `accuracy` of
    `Y_hat` and `y` (or, not `averaged`, those of each example),
    `configure_optimizers`, and, by `training.module.Module` where d2l is not
    there, what is left.
    """

    trainer = None
    checked_shapes: frozenset = frozenset()  # Of images that fit

    def trainer_option(self, name: str) -> Any:
        """Return a hyperparameter of the trainer, 0 if it has none such."""
        return getattr(self.trainer, name, 0)

    def plot(self, key, value, train):
        """Hand a value that a step has computed to the trainer."""
        if hasattr(self.trainer, 'plot'):
            self.trainer.plot(key, value, train)
        else:  # d2l's own, or none
            super().plot(key, value, train)

    # ------------------------------------- what a framework fills in

    @abc.abstractmethod
    def uniform_loss(self, Y_hat: Any) -> Any:
        """Return the mean cross-entropy to the uniform distribution."""

    @abc.abstractmethod
    def compile(self) -> None:
        """Let `net` run as one graph, where that is faster."""

    @abc.abstractmethod
    def set_precision(self, precision: str) -> None:
        """Let all blocks but the first, or most layers, compute in this type.

        Input and parameters of their convolutions are rounded to bfloat16;
        scores and parameters stay float32. A `net` that has no such blocks
        raises ValueError.
        """

    @abc.abstractmethod
    def arrays(self) -> Arrays:
        """Return copies of parameters and running statistics, by name.

        Names and layout are those of `d2l_vgg.networks.names`. Raises
        NotDrawn where the network has none yet.
        """

    @abc.abstractmethod
    def shapes(self) -> parameters.Shapes:
        """Return name -> shape of `arrays`; None for a size not known yet."""

    @abc.abstractmethod
    def load_arrays(self, arrays: Arrays) -> None:
        """Take up what `arrays` has returned, or a part of it."""

    @abc.abstractmethod
    def freeze(self) -> None:
        """Let training change nothing but the last layer's parameters.

        Batch normalization, too, normalizes by its running means and
        variances in training, and keeps them. Dropout acts.
        """

    @abc.abstractmethod
    def scored(self, batch: tuple, test_flip: bool) -> tuple:
        """Return labels and predicted probabilities of a minibatch.

        NumPy arrays of shape (batch_size,) and (batch_size, num_classes);
        with `test_flip`, each image is judged with its mirror image.
        """

    @abc.abstractmethod
    def mirrored(self, X: Any) -> Any:
        """Return images with left and right exchanged."""

    @abc.abstractmethod
    def rows(self, X_shape: tuple) -> list[summaries.Row]:
        """Return a `Row` for each layer of `net`, for such a minibatch."""

    # ---------------------------------------------- what all share

    def __getstate__(self) -> dict:
        """Return what a copy takes over: not the trainer, nor a graph."""
        return {**vars(self), 'trainer': None, 'compiled': None}

    def check_input(self, X: Any, channels_last: bool = False) -> None:
        """Raise inputs.WrongInput if `X` does not fit; once for a shape."""
        shape = tuple(getattr(X, 'shape', ()))
        if shape[1:] not in self.checked_shapes or 0 in shape:
            inputs.check_shape(self, shape, channels_last)
            self.checked_shapes |= {shape[1:]}

    def training_step(self, batch):
        """Return the loss on a minibatch, a tuple that ends with its labels.

        With `label_smoothing` s, the target is s / k for each of k classes,
        and 1 - s more for the true one (Szegedy et al., 2015, Section 7).
        """
        Y_hat = self(*batch[:-1])
        loss = self.loss(Y_hat, batch[-1])
        label_smoothing = self.trainer_option('label_smoothing')
        if label_smoothing:
            uniform_loss = self.uniform_loss(Y_hat)
            loss = loss + label_smoothing * (uniform_loss - loss)
        self.plot('loss', loss, train=True)
        return loss

    def validation_step(self, batch):
        """Plot loss and accuracy on a minibatch that ends with its labels."""
        Y_hat = self.test_scores(
            *batch[:-1], flip=self.trainer_option('test_flip')
        )
        self.plot('loss', self.loss(Y_hat, batch[-1]), train=False)
        self.plot('acc', self.accuracy(Y_hat, batch[-1]), train=False)

    def test_scores(self, X, *others, flip=False):
        """Return the scores, (batch_size, num_classes), to judge `X` by.

        With `flip`, they are means over images and mirror images, as those
        of Simonyan and Zisserman (2014, Section 3.2) are of probabilities.
        """
        Y_hat = self(X, *others)
        if flip:
            Y_hat = (Y_hat + self(self.mirrored(X), *others)) / 2
        return Y_hat

    def layer_summary(self, X_shape, details=False):
        """Print the output shape and the cost of each layer of `net`.

        `X_shape` is that of a minibatch in this framework, (batch_size,
        num_channels, height, width) or with the channels last; `details`
        lists the layers inside each block, too. Multiply-adds are those of
        one image. Raises ValueError for images that do not fit.
        """
        if not hasattr(self, 'net'):
            raise ValueError(
                f'{type(self).__name__} has no net: there are no layers to '
                'list.'
            )
        sizes = np.atleast_1d(X_shape).tolist()
        for size in sizes:
            limits.check('A size in X_shape', size, int, above=0)
        print(summaries.table(self.rows(tuple(sizes)), details))

    def predict(
        self, dataloader: Iterable[tuple], test_flip: bool = False
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the labels and the predicted probabilities of a data set.

        NumPy arrays of shape (number of examples,) and (number of examples,
        num_classes); with `test_flip`, each image is judged with its mirror
        image. `dataloader` has minibatches of images and labels. Raises
        ValueError where it has none, a parameter is no finite number, or a
        setting of the framework is not as it must be.
        """
        settings.check(self)
        self.compile()
        pairs = [self.scored(batch, test_flip) for batch in dataloader]
        if not pairs:
            raise ValueError(
                'There are no examples to predict: dataloader is empty.'
            )
        # Layers may make finite scores of nan, as oneDNN's ReLU
        parameters.check_numbers(self.arrays())
        labels, scores = zip(*pairs)
        return np.concatenate(labels), np.concatenate(scores)

    def save(self, path: str) -> str:
        """Write the parameters to `path`, and return their digest.

        Every framework can read them. Errors are those of `arrays`, a
        ValueError if they are not all finite, and an OSError if the file
        cannot be written.
        """
        arrays = self.arrays()
        parameters.check_numbers(arrays)
        return parameters.save(path, arrays, getattr(self, 'arch', None))

    def load(self, path: str, last: bool = True) -> None:
        """Read the parameters that `save` wrote to `path`.

        Without `last`, the last layer keeps its own, and may have another
        number of outputs.

        Raises:
            OSError: the file is not there, or cannot be read.
            ValueError: it is damaged, or of another network; nothing is read.
        """
        arrays = parameters.load(path, getattr(self, 'arch', None))
        shapes = self.shapes()
        if not last:
            for name in last_layer(shapes):
                arrays.pop(name, None)
                shapes.pop(name)
        parameters.check_match(path, arrays, shapes)
        self.load_arrays(arrays)

    @classmethod
    def trained(cls, run='quick', num_classes=None, lr=None):
        """Return the network of a finished run, with its parameters.

        `run` is its folder, or 'quick', which comes with this package. With
        `num_classes`, the last layer has so many outputs and is not trained
        yet; `lr` is that of a further training, None for the run's own.

        Raises:
            FileNotFoundError: there is no such run, or it is not finished.
            ValueError: it is damaged.
        """
        found = Run.find(run)
        experiment = found.experiment
        last = num_classes is None
        model = cls(
            experiment.arch,
            lr=experiment.lr if lr is None else lr,
            num_classes=len(found.classes) if last else num_classes,
        )
        model.load(found.find_parameters(), last=last)
        return model


def last_layer(names: Iterable[str]) -> list[str]:
    """Return those of a network's parameter names that its last layer has."""
    layer = list(names)[-1].rpartition('.')[0]
    return [name for name in names if name.rpartition('.')[0] == layer]
