"""The command `d2l-vgg`: its commands, and what becomes of their errors.

An error is one line on stderr unless `--debug` asks for the whole story.
Nothing is imported here that takes time: Ctrl-C at any moment is to be heard.
"""

import contextlib
import errno
import logging
import os
import sys
import warnings

from d2l_vgg import messages

# In the order of `d2l-vgg --help`: the files of `d2l_vgg/commands/`
NAMES = 'train curves summary compare predict convert doctor chapter'
COMMANDS = NAMES.split()
OUTPUT = 'Standard output'


def main(words=None):
    """Run the command line; return its exit status.

    That is 0, 1 after an error, 2 if `words` cannot be read, or 130 after
    Ctrl-C.

    Raises:
        Exception: any error of a command that is given --debug.
    """
    for name in 'stdin', 'stdout', 'stderr':
        if getattr(sys, name) is None:  # Closed, as after `2>&-`
            # The next file would get its number, and what libraries write
            setattr(sys, name, open(os.devnull, 'w'))
    with contextlib.redirect_stdout(Output(sys.stdout)):
        try:
            from d2l_vgg.training import interrupts

            # Without `words` it is the process that runs the command line
            with interrupts.once(to_the_end=words is None):
                return end(run(sys.argv[1:] if words is None else words))
        except KeyboardInterrupt:
            status = end(130)
            if words is None:
                # JAX, stopped as it compiled, may crash in the end of Python
                os._exit(status)
            return status


class Output:
    """A stream whose errors tell that they are those of stdout."""

    def __init__(self, stream):
        self.stream = stream
        self.write = self.named()(stream.write)
        self.flush = self.named()(stream.flush)

    def __getattr__(self, name):
        return getattr(self.stream, name)

    @contextlib.contextmanager
    def named(self):
        try:
            yield
        except OSError as error:
            error.filename = OUTPUT
            raise


def run(words):
    """Run the command line, with an error as a line; return its status."""
    for stream in sys.stdout, sys.stderr:
        if hasattr(stream, 'reconfigure'):
            # A name that this terminal cannot print must not end a run
            stream.reconfigure(errors='backslashreplace')
    from d2l_vgg.training import workers

    if words[:1] == ['train']:
        # It is for the cells that the builder of the chapter runs: a command
        # would take what is cut short for a result
        os.environ.pop('D2L_VGG_TRIAL', None)
    else:
        # Only a training is shared with the processes that this tells of
        workers.leave()
    # Of a home that cannot be written, for one: nothing depends on that
    logging.getLogger('matplotlib').setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            # A warning is told as an error is, in one line
            warnings.showwarning = lambda message, *about, **more: complain(
                messages.one_line(str(message))
            )
            return call(words or ['--help'])
    except Exception as error:
        if '--debug' in words:
            raise
        if isinstance(error, OSError) and error.filename == OUTPUT:
            lose_output(error)
        else:
            complain(messages.explain(error))
        return 1


def call(words):
    """Call the command; return its status, 2 if `words` cannot be read."""
    import click

    from d2l_vgg.commands.options import Commands

    # click's own `main` would take Ctrl-C and a lost stdout to itself
    commands = Commands(COMMANDS)
    try:
        with commands.make_context('d2l-vgg', list(words)) as context:
            return commands.invoke(context) or 0
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except click.UsageError as error:
        text = error.format_message()
        nearest = getattr(error, 'possibilities', None)
        if nearest:
            text = f'{error.message[:-1]}: the nearest is {nearest[0]}'
        name = f' {words[0]}' if words[0] in COMMANDS else ''
        complain(
            f'{messages.one_line(text).rstrip(".")} '
            f'(`d2l-vgg{name} --help` lists all).'
        )
        return 2


def lose_output(error):
    """Tell that stdout cannot be written, and write to it no more."""
    # Python would try once again when it ends, and tell it in its own way
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    # As in `d2l-vgg compare ... | head`, which has read enough
    if error.errno != errno.EPIPE:
        complain(messages.explain(error))


def end(status):
    """Write what stdout still holds; return `status`, 1 if that fails."""
    try:
        sys.stdout.flush()
    except OSError as error:
        lose_output(error)
        return status or 1
    return status


def complain(text):
    """Write a line to stderr, if that can be written."""
    with contextlib.suppress(OSError):
        print(f'd2l-vgg: {text}', file=sys.stderr, flush=True)


if __name__ == '__main__':
    sys.exit(main())
