"""What a run recorded: the points of its training curves.

They are averages over minibatches as the book's ProgressBoard takes them, and
survive an interrupted run bit for bit.
"""

from __future__ import annotations

import csv
import dataclasses
import hashlib
import io
import math
from typing import Any

from d2l_vgg import limits
from d2l_vgg.files import open_regular, write_text
from d2l_vgg.foreign_text import visible

COLUMNS = ['series', 'epoch', 'value']


@dataclasses.dataclass(eq=False, repr=False)
class History:
    """The points of a run's curves, and the sums of those yet to come.

    `points` maps the name of a series (such as train_loss, val_loss, val_acc)
    to its points, a list of (epoch, value) in the order of recording.

    Args:
        num_train_batches, num_val_batches: minibatches of an epoch, None in
            a history of a file, to which nothing is added
        plot_train_per_epoch, plot_valid_per_epoch: points of an epoch, more
            than 0
    """

    num_train_batches: Any
    num_val_batches: Any
    plot_train_per_epoch: float = 2
    plot_valid_per_epoch: float = 1
    points: dict[str, list[tuple[float, float]]] = dataclasses.field(
        default_factory=dict
    )
    # For each series: how many values, sum of the x, sum of the values
    sums: dict[str, tuple] = dataclasses.field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in 'plot_train_per_epoch', 'plot_valid_per_epoch':
            limits.check(name, getattr(self, name), float, above=0)

    @property
    def train_every_n(self) -> int:
        """The minibatches behind one point of a training series."""
        # At least 1: the book's board would wait forever for the 0-th value
        return max(1, int(self.num_train_batches / self.plot_train_per_epoch))

    @property
    def val_every_n(self) -> int:
        """The minibatches behind one point of a validation series."""
        return max(1, int(self.num_val_batches / self.plot_valid_per_epoch))

    def record(
        self, series: str, x: float, value: Any, every_n: int = 1
    ) -> tuple[float, float] | None:
        """Add a value at `x` epochs; return the new point or None.

        The `every_n`-th value completes a point: the mean of the x and the
        mean of the values since the point before, across the borders of
        epochs. `value` is a number or a scalar of any framework, in at least
        float32, without gradient. Only a complete point waits for the device.
        """
        count, sum_x, sum_value = self.sums.pop(series, (0, 0.0, 0.0))
        count += 1
        sum_x += float(x)
        # Not `+=`, which MXNet refuses while it records gradients
        sum_value = sum_value + value
        if count < every_n:
            self.sums[series] = count, sum_x, sum_value
            return None
        point = (sum_x / count, float(sum_value) / count)
        self.points.setdefault(series, []).append(point)
        return point

    @property
    def final(self) -> dict[str, float]:
        """The last value of each series, as a dictionary."""
        return {name: points[-1][1] for name, points in self.points.items()}

    def __repr__(self):
        if not self.points:
            return 'History: no points yet'
        epoch = max(points[-1][0] for points in self.points.values())
        values = [f'{visible(n)} {v:.4f}' for n, v in self.final.items()]
        return f'History until epoch {epoch:.4g}: {", ".join(values)}'

    def state(self) -> dict[str, Any]:
        """Return everything as a dictionary that JSON can hold, exactly."""
        sums = {
            series: (count, sum_x, float(sum_value))
            for series, (count, sum_x, sum_value) in self.sums.items()
        }
        return {**vars(self), 'sums': sums}

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> History:
        """Return the history that `state` describes, to go on exactly."""
        points = {
            series: [(float(x), float(value)) for x, value in points]
            for series, points in state['points'].items()
        }
        # To a sum as a float, a framework adds a float32 in float32
        sums = {n: tuple(sums) for n, sums in state['sums'].items()}
        return cls(**{**state, 'points': points, 'sums': sums})

    def fits(self, num_train: int, num_val: int) -> bool:
        """Return whether so many minibatches can have recorded this."""
        for name in {**self.points, **self.sums}:
            most, every_n = num_val, self.val_every_n
            if name.startswith('train_'):
                most, every_n = num_train, self.train_every_n
            count = self.sums.get(name, [0])[0]
            count += every_n * len(self.points.get(name, []))
            # Fewer, where a reader's own class does not plot at each step
            if count not in range(most + 1):
                return False
        return True

    def to_csv(self, path: str) -> str:
        """Write the points to `path`; return the SHA-256 of that file."""
        file = io.StringIO()
        writer = csv.writer(file, lineterminator='\n')
        writer.writerow(COLUMNS)
        for name, points in self.points.items():
            writer.writerows([name, *point] for point in points)
        text = file.getvalue()
        write_text(path, text)
        return hashlib.sha256(text.encode()).hexdigest()

    @classmethod
    def from_csv(cls, path: str, digest: str | None = None) -> History:
        """Return the history that `to_csv` wrote at `path`.

        Raises ValueError for another one, as its `digest` or a line tells.
        """
        history = cls(None, None)
        with open_regular(path) as file:
            content = file.read()
        if digest not in (None, hashlib.sha256(content).hexdigest()):
            raise ValueError(
                f'{path} is not the history that the run has ended with: '
                'copy it again, or train the network again.'
            )
        with io.TextIOWrapper(io.BytesIO(content), 'utf-8', newline='') as f:
            rows = csv.reader(f)
            try:
                if next(rows, None) != COLUMNS:
                    raise ValueError
                for row in filter(None, rows):
                    name, x, value = row[0], *map(float, row[1:])
                    # A value may be infinite, where a run went wrong
                    if not (name and math.isfinite(x)):
                        raise ValueError
                    history.points.setdefault(name, []).append((x, value))
            except (ValueError, csv.Error):  # Also that it is no text
                raise ValueError(
                    f'{path} is not the history of a run: line '
                    f'{max(1, rows.line_num)} must hold {",".join(COLUMNS)}.'
                ) from None
        return history
