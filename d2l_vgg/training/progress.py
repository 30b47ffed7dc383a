"""What a run shows while it trains: a bar, a board, lines, or nothing.

In a terminal it is a bar with the time left, in Jupyter the book's live plot,
in a file one line for each epoch.
"""

from __future__ import annotations

import sys

from IPython import display, get_ipython
from matplotlib_inline import backend_inline
from tqdm import tqdm

from d2l_vgg import figures
from d2l_vgg.training.history import History


def make(name: str = 'auto') -> Silent:
    """Return the display called 'bar', 'board', 'lines', 'none' or 'auto'.

    Raises:
        ValueError: there is no display of this name.
    """
    if name == 'auto':
        shell = type(get_ipython()).__name__
        if shell == 'ZMQInteractiveShell':
            name = 'board'
        else:
            name = 'bar' if sys.stderr.isatty() else 'lines'
    displays = {'bar': Bar, 'board': Board, 'lines': Lines, 'none': Silent}
    if name not in displays:
        raise ValueError(
            f'No display is called {name!r}: choose one of auto, '
            f'{", ".join(displays)}.'
        )
    return displays[name]()


class Silent:
    """Show nothing; the base class of what shows something."""

    announces = False
    note: str | None = None  # To be written on every picture

    def start(self, total: int, done: int, max_epochs: int) -> None:
        """Begin: `done` of `total` minibatches lie behind a resumed run."""

    def announce(self, seconds: float) -> None:
        """Tell, before it starts, how long the training will take."""

    def tell(self, text):
        """Tell, before it starts, what is to be known of the training."""

    def step(self) -> None:
        """One more minibatch has been given to the device."""

    def point(self, history: History) -> None:
        """A point has been added to `history`."""

    def end_epoch(self, epoch: int, history: History) -> None:
        """So many epochs are complete."""

    def close(self) -> None:
        """The run has ended or was stopped."""


class Telling(Silent):
    """Show nothing but what is to be known; the base class of the rest."""

    def tell(self, text):
        print(text, flush=True)


class Bar(Telling):
    """A progress bar in a terminal with the time left and the last points."""

    def start(self, total, done, max_epochs):
        self.bar = tqdm(
            total=total, initial=done, unit='batch', dynamic_ncols=True
        )

    def step(self):
        self.bar.update()

    def point(self, history):
        self.bar.set_postfix_str(format_final(history))

    def close(self):
        self.bar.close()


class Lines(Telling):
    """One line for each epoch, for a log file."""

    def start(self, total, done, max_epochs):
        self.max_epochs = max_epochs

    def end_epoch(self, epoch, history):
        print(
            f'epoch {epoch}/{self.max_epochs}: {format_final(history)}',
            flush=True,
        )


class Board(Telling):
    """A live plot in Jupyter, redrawn when a point is added."""

    announces = True

    def start(self, total, done, max_epochs):
        backend_inline.set_matplotlib_formats('svg')
        self.max_epochs = max_epochs
        self.handle = None

    def announce(self, seconds):
        if seconds > 60:
            print(
                f'This takes about {seconds / 60:.0f} minutes on this CPU '
                '(the square button stops it).'
            )

    def point(self, history):
        figure = figures.curves({'this run': history}, note=self.note)
        for axes in figure.axes:
            axes.set_xlim(0, self.max_epochs)
        if self.handle is None:
            self.handle = display.display(figure, display_id=True)
        else:
            self.handle.update(figure)


def format_final(history: History) -> str:
    """Return the last value of each series, such as 'val_acc 0.903'."""
    return ', '.join(
        f'{series} {value:.3f}' for series, value in history.final.items()
    )
