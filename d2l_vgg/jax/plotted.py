"""What a compiled step has plotted, carried out of it."""

import flax


@flax.struct.dataclass
class Plotted:
    """What a compiled step has plotted, in its order."""

    values: list
    names: tuple = flax.struct.field(pytree_node=False)

    @classmethod
    def of(cls, plotted):
        names = tuple((key, train) for key, _, train in plotted)
        return cls([value for _, value, _ in plotted], names)

    def hand_to(self, model):
        """Plot the values, which the device may not have computed yet."""
        for (key, train), value in zip(self.names, self.values):
            model.plot(key, value, train=train)
