"""The command `d2l-vgg`: its commands, and what becomes of their errors.

An error is one line on stderr unless `--debug` asks for the whole story.
Nothing is imported here that takes time: Ctrl-C at any moment is to be heard.
"""

import contextlib
import errno
import importlib
import os
import sys
import warnings

from d2l_vgg import messages

# In the order of `d2l-vgg --help`: the files of `d2l_vgg/commands/`
COMMANDS = (
    'train',
    'curves',
    'summary',
    'compare',
    'predict',
    'convert',
    'doctor',
    'chapter',
)


def main(argv=None):
    """Run the command line and return its exit status.

    That is 0, 1 after an error, or 130 after Ctrl-C.

    Raises:
        SystemExit: `argv` cannot be read (status 2), or asks for help.
        Exception: any error of a command that is given --debug.
    """
    try:
        from d2l_vgg.training import interrupts

        # Without `argv` it is the process that runs the command line
        with interrupts.once(to_the_end=argv is None):
            return end(run(argv))
    except KeyboardInterrupt:
        return end(130)
    except SystemExit as stop:
        stop.code = end(stop.code)
        raise


def run(argv):
    """Run the command line, and put an error into a line.

    Raises:
        KeyboardInterrupt: Ctrl-C.
        SystemExit, Exception: as `main` tells.
    """
    for stream in sys.stdout, sys.stderr:
        if hasattr(stream, 'reconfigure'):
            # A name that this terminal cannot print must not end a run
            stream.reconfigure(errors='backslashreplace')
    from d2l_vgg.training import workers

    args = read(argv)
    if args.command.__module__.endswith('.train'):
        # It is for the cells that the builder of the chapter runs: a command
        # would take what is cut short for a result
        os.environ.pop('D2L_VGG_TRIAL', None)
    else:
        # Only a training is shared with the processes that this tells of
        workers.leave()
    try:
        with warnings.catch_warnings():
            warnings.showwarning = warn
            return args.command(args) or 0
    except Exception as error:
        if args.debug:
            raise
        if is_of_output(error):
            lose_output(error)
        else:
            complain(messages.explain(error))
        return 1


def warn(message, *about, **more):
    """Tell a warning as an error is told, in one line."""
    complain(messages.one_line(str(message)))


def read(argv):
    """Return the command line, read; what is wrong with it ends in status 2.

    Raises:
        SystemExit: as `main` tells.
    """
    from d2l_vgg.training import interrupts

    with interrupts.ending():
        from d2l_vgg.commands import options

        modules = {
            name: importlib.import_module(f'd2l_vgg.commands.{name}')
            for name in COMMANDS
        }
    return options.make_parser(modules).parse_args(argv)


def is_of_output(error):
    """Return whether `error` is that stdout cannot be written.

    Whoever opens a file has its name in the error; nobody opens stdout.
    """
    return (
        isinstance(error, OSError)
        and error.errno in messages.CANNOT_WRITE
        and error.filename is None
    )


def lose_output(error):
    """Tell that stdout cannot be written, and write to it no more.

    Python would try once again when it ends, and tell it in its own way.
    """
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    # As in `d2l-vgg compare ... | head`, which has read enough
    if error.errno != errno.EPIPE:
        error.filename = 'Standard output'
        complain(messages.explain(error))


def end(status):
    """Write what stdout still holds; return `status`, 1 if that fails."""
    try:
        if sys.stdout is not None:  # As after `>&-`
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
