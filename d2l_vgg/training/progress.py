"""What a run shows while it trains: a bar, a board, lines, or nothing."""

from __future__ import annotations

import contextlib
import shutil
import sys
import time

from d2l_vgg import limits
from d2l_vgg.foreign_text import visible
from d2l_vgg.training.estimate import format_seconds
from d2l_vgg.training.history import History

# A line that is written more often cannot be read
SECONDS_BETWEEN_LINES = 0.5

BAR_LENGTH = 20


def make(name: str = 'auto') -> Display:
    """Return the display called so; 'auto' chooses."""
    if name == 'auto':
        name = 'bar' if sys.stderr and sys.stderr.isatty() else 'lines'
        # Where a shell shows pictures, its module is there already
        jupyter = sys.modules.get('ipykernel.zmqshell')
        if jupyter and isinstance(
            sys.modules['IPython'].get_ipython(), jupyter.ZMQInteractiveShell
        ):
            name = 'board'
    displays = {'bar': Bar, 'board': Board, 'lines': Lines, 'none': Silent}
    limits.check('display', name, choices=('auto', *displays))
    return displays[name]()


class Display:
    """The base class, which says what a display is told, and shows texts."""

    note: str | None = None  # To be written on every picture

    def open(self) -> None:
        """The network and the images are being prepared."""

    def tell(self, text: str) -> None:
        print(text, flush=True)

    def start(self, total, done, max_epochs, batch_size=None):
        """Begin: `done` of `total` minibatches lie behind a resumed run."""
        self.total, self.done = total, done
        self.max_epochs, self.batch_size = max_epochs, batch_size

    def step(self) -> None:
        """One more minibatch has been given to the device."""

    def point(self, history: History) -> None:
        """A point has been added to `history`."""

    def end_epoch(self, epoch: int, history: History) -> None:
        """So many epochs are complete."""

    def close(self) -> None:
        """The run has ended or was stopped."""


class Silent(Display):
    def tell(self, text):
        pass


class Lines(Display):
    """One line for each epoch, for a log file."""

    def end_epoch(self, epoch, history):
        self.tell(f'epoch {epoch}/{self.max_epochs}: {format_final(history)}')


class Bar(Display):
    """A line in a terminal that tells the progress and the last points."""

    points = ''

    def start(self, total, done, max_epochs, batch_size=None):
        super().start(total, done, max_epochs, batch_size)
        self.first, self.left = None, ''
        self.show_progress(time.monotonic())

    def expect(self, seconds):
        """Tell about how long it will take, until steps have told it."""
        self.left = f'about {format_seconds(seconds)} left'
        self.show_progress(time.monotonic())

    def step(self):
        self.done += 1
        now = time.monotonic()
        if self.first is None:
            # The clock starts here: the first minibatch compiles
            self.first = self.done, now
        if now - self.shown > SECONDS_BETWEEN_LINES:
            self.show_progress(now)

    def show_progress(self, now, stopped=False):
        self.shown = now
        epoch = self.done * self.max_epochs // self.total + 1
        filled = BAR_LENGTH * self.done // self.total
        speed = ''
        first, begin = self.first or (self.done, now)
        if self.done > first and now > begin:
            rate = (self.done - first) / (now - begin)
            left = (self.total - self.done) / rate
            self.left = f'{format_seconds(left)} left'
            if self.batch_size:
                speed = f'{rate * self.batch_size:.0f} images/s'
        left = 'stopped' if stopped else self.left
        parts = [
            f'{"█" * filled:░<{BAR_LENGTH}} '
            f'epoch {min(epoch, self.max_epochs)}/{self.max_epochs}',
            f'{self.done} of {self.total} minibatches',
            left if self.done < self.total else '',
            speed,
            self.points,
        ]
        self.show(', '.join(filter(None, parts)), '\n' if stopped else '')

    def show(self, text, end):
        # The last column would begin another line
        width = shutil.get_terminal_size().columns - 1
        text = f'\r{text[:width]:{width}}'
        # A terminal that is gone ends the run by a signal
        with contextlib.suppress(OSError):
            print(text, end=end, file=sys.stderr, flush=True)

    def point(self, history):
        self.points = format_final(history)

    def close(self):
        self.show_progress(time.monotonic(), stopped=True)


class Board(Bar):
    """A live plot in a notebook, under a line that tells the progress."""

    def open(self):
        from IPython import display  # Slow, and of use to no other
        from matplotlib_inline import backend_inline

        from d2l_vgg import figures

        # Also makes the shell that a script has not
        backend_inline.set_matplotlib_formats('svg')
        text = {'text/plain': 'preparing the network and the images'}
        self.display, self.curves = display.display, figures.curves
        self.line = self.display(text, raw=True, display_id=True)
        self.picture = None

    def show(self, text, end):
        self.line.update({'text/plain': text}, raw=True)

    def point(self, history):
        figure = self.curves(
            {'this run': history}, note=self.note, max_epochs=self.max_epochs
        )
        if self.picture is None:
            self.picture = self.display(figure, display_id=True)
        else:
            self.picture.update(figure)


def format_final(history: History) -> str:
    """Return the last value of each series, such as 'val_acc 0.903'."""
    return ', '.join(
        f'{visible(series)} {value:.3f}'
        for series, value in history.final.items()
    )
