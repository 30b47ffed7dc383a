"""What the layers of a network give and cost, read off the calls of a pass.

So it holds for a reader's own network as for ours. A framework notes the
calls and tells of its layers; how they become rows is the same for all.
"""

from __future__ import annotations

import abc
import math
from collections.abc import Hashable, Iterable, Iterator
from typing import Any

from d2l_vgg.networks.summaries import Row, add


class Call:
    """A call of a layer, and the calls that it makes itself."""

    def __init__(self, layer: Any, X: Any = None) -> None:
        self.layer, self.input, self.output = layer, X, None
        self.parts: list[Call] = []


class Rows(abc.ABC):
    """The rows of one summary, in which a parameter is counted once."""

    framework: str  # Whose layers these are, for the message
    sequential: Any  # Its classes whose layers are listed in their place

    def __init__(self) -> None:
        self.counted: set[Hashable] = set()

    # ------------------------------------- what a framework fills in

    @abc.abstractmethod
    def kind(self, layer: Any) -> str | None:
        """Return what this layer is called as a part, None of unknown ones.

        Of the multiply-adds, only those of 'conv' and 'dense' are counted.
        """

    @abc.abstractmethod
    def parameters(self, layer: Any) -> Iterable[tuple[Hashable, int]]:
        """Return (what tells it from others, size) of all that are trained.

        Those of the layers inside are among them.
        """

    @abc.abstractmethod
    def has_own(self, layer: Any) -> bool:
        """Return whether it has parameters beside those of its parts."""

    @abc.abstractmethod
    def weight_uses(self, call: Call) -> tuple[int, int]:
        """Return the size of the weight, and at how many places it is used.

        Of a convolution or a dense layer, for one image.
        """

    # ---------------------------------------------- what all share

    def of(self, model: Any, calls: list[Call]) -> list[Row]:
        """Return a `Row` for each call that `model` makes.

        They are those of its network, which may be a Sequential or any
        other layer; what they have inside is in their parts.

        Raises:
            ValueError: no layer is called, as in a model from scratch.
        """
        if len(calls) == 1 and isinstance(calls[0].layer, self.sequential):
            calls = calls[0].parts
        if not calls:
            raise ValueError(
                f'{type(model).__name__} calls no layers of '
                f'{self.framework}: there are none to list.'
            )
        found = [self.row(call) for call in calls]
        rest = self.count(model)
        if rest:
            found.append(Row('Outside of these layers', None, rest, None))
        return found

    def row(self, call: Call) -> Row:
        kind = self.kind(call.layer)
        # Its activation is a part of it
        parts = () if kind else tuple(self.leaves(call))
        num_params = sum(part.num_params for part in parts)
        num_params += self.count(call.layer)
        macs = add(parts) if parts else self.macs(call)
        if not kind and self.has_own(call.layer):
            macs = None
        name = self.name(call.layer)
        return Row(name, shape(call.output), num_params, macs, parts)

    def leaves(self, call: Call) -> Iterator[Row]:
        """Yield a row for each layer inside, but for activations."""
        for part in call.parts:
            kind = self.kind(part.layer)
            if kind == 'activation':
                continue
            inside = part.parts and not kind
            if inside:
                yield from self.leaves(part)
            num_params = self.count(part.layer)
            if not inside or num_params or self.has_own(part.layer):
                name = kind or self.name(part.layer)
                macs = None if inside else self.macs(part)
                yield Row(name, shape(part.output), num_params, macs)

    def name(self, layer: Any) -> str:
        return type(layer).__name__

    def macs(self, call: Call) -> int | None:
        """Return the multiply-adds for one image, None where not known."""
        kind = self.kind(call.layer)
        if kind not in ('conv', 'dense'):
            return None if kind is None else 0
        return math.prod(self.weight_uses(call))

    def count(self, layer: Any) -> int:
        """Count the parameters of a layer that were not counted yet."""
        found = dict(self.parameters(layer))
        new = found.keys() - self.counted
        self.counted |= new
        return sum(found[key] for key in new)


def shape(output: Any) -> Any:
    if isinstance(output, (list, tuple)):
        return [shape(part) for part in output]
    return tuple(output.shape)
