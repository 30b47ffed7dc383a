"""What a run shows while it trains: a bar, a board, lines, or nothing."""

from __future__ import annotations

import sys
import time

from IPython import display, get_ipython
from matplotlib_inline import backend_inline
from tqdm import tqdm

from d2l_vgg import figures
from d2l_vgg.foreign_text import visible
from d2l_vgg.training.history import History

# A line that is written more often cannot be read
SECONDS_BETWEEN_LINES = 0.5

BAR_LENGTH = 20


def make(name: str = 'auto') -> Display:
    """Return the display called so; 'auto' chooses."""
    if name == 'auto':
        name = 'bar' if sys.stderr.isatty() else 'lines'
        # Where a shell shows pictures, its module is there already
        jupyter = sys.modules.get('ipykernel.zmqshell')
        if jupyter and isinstance(get_ipython(), jupyter.ZMQInteractiveShell):
            name = 'board'
    displays = {'bar': Bar, 'board': Board, 'lines': Lines, 'none': Silent}
    if name not in displays:
        raise ValueError(
            f'No display is called {name!r}: choose one of auto, '
            f'{", ".join(displays)}.'
        )
    return displays[name]()


class Display:
    """The base class, which tells what is to be known."""

    announces = False  # Whether it takes the time of an estimate
    note: str | None = None  # To be written on every picture

    def open(self) -> None:
        """The network and the images are being prepared."""

    def tell(self, text: str) -> None:
        print(text, flush=True)

    def start(self, total, done, max_epochs, batch_size=None):
        """Begin: `done` of `total` minibatches lie behind a resumed run."""

    def announce(self, seconds: float) -> None:
        """Tell, before it starts, how long the training will take."""

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


class Bar(Display):
    """A progress bar in a terminal with the time left and the last points."""

    def start(self, total, done, max_epochs, batch_size=None):
        self.bar = tqdm(
            total=total, initial=done, unit='batch', dynamic_ncols=True
        )

    def step(self):
        self.bar.update()

    def point(self, history):
        self.bar.set_postfix_str(format_final(history))

    def close(self):
        self.bar.close()


class Lines(Display):
    """One line for each epoch, for a log file."""

    def start(self, total, done, max_epochs, batch_size=None):
        self.max_epochs = max_epochs

    def end_epoch(self, epoch, history):
        self.tell(f'epoch {epoch}/{self.max_epochs}: {format_final(history)}')


class Board(Display):
    """A live plot in a notebook, under a line that tells the progress."""

    announces = True
    line = None

    def open(self):
        text = {'text/plain': 'preparing the network and the images'}
        self.line = display.display(text, raw=True, display_id=True)

    def start(self, total, done, max_epochs, batch_size=None):
        backend_inline.set_matplotlib_formats('svg')
        self.total, self.max_epochs = total, max_epochs
        self.done, self.batch_size = done, batch_size
        self.picture = self.first = None
        if self.line is None:
            self.open()
        self.show_progress(time.monotonic())

    def announce(self, seconds):
        # Shorter ones end before they are read of
        if seconds >= 20:
            print(
                f'This takes {in_words(seconds)} on this CPU (the square '
                'button stops it).'
            )

    def step(self):
        self.done += 1
        now = time.monotonic()
        if self.first is None:
            # The clock starts here: the first minibatch compiles
            self.first = self.done, now
        if now - self.shown > SECONDS_BETWEEN_LINES:
            self.show_progress(now)

    def show_progress(self, now, stopped=False):
        """Tell how far the run is at a time."""
        self.shown = now
        # What is complete belongs to no later epoch
        last = max(0, self.done - 1) if self.done == self.total else self.done
        epoch = last * self.max_epochs // max(1, self.total) + 1
        filled = BAR_LENGTH * self.done // max(1, self.total)
        parts = [
            f'{"█" * filled:░<{BAR_LENGTH}} epoch {epoch}/{self.max_epochs}',
            f'{self.done} of {self.total} minibatches',
        ]
        steps = self.done - self.first[0] if self.first else 0
        if steps and now > self.first[1]:
            speed = steps / (now - self.first[1])
            left = (self.total - self.done) / speed
            if left and not stopped:
                parts.append(f'{tqdm.format_interval(left)} left')
            if self.batch_size:
                parts.append(f'{speed * self.batch_size:.0f} images/s')
        if stopped and self.done < self.total:
            parts.append('stopped')
        self.line.update({'text/plain': ', '.join(parts)}, raw=True)

    def point(self, history):
        figure = figures.curves(
            {'this run': history}, note=self.note, max_epochs=self.max_epochs
        )
        if self.picture is None:
            self.picture = display.display(figure, display_id=True)
        else:
            self.picture.update(figure)

    def close(self):
        self.show_progress(time.monotonic(), stopped=True)
        self.line = None  # The next run has one of its own


def in_words(seconds):
    """Return about how long so many seconds are, as one would say it."""
    if seconds < 45:
        return 'about half a minute'
    if seconds < 90:
        return 'about a minute'
    minutes = round(seconds / 60)
    if minutes < 50:
        return f'about {minutes} minutes'
    if minutes < 80:
        return 'about an hour'
    # Whole hours and halves
    return f'about {round(minutes / 30) / 2:g} hours'


def format_final(history: History) -> str:
    """Return the last value of each series, such as 'val_acc 0.903'."""
    return ', '.join(
        f'{visible(series)} {value:.3f}'
        for series, value in history.final.items()
    )
