"""The command `d2l-vgg`: its commands, and what becomes of their errors.

An error is one line on stderr unless `--debug` asks for the whole story.
"""

import os
import sys

from d2l_vgg.commands import (
    bench,
    chapter,
    compare,
    curves,
    data,
    options,
    predict,
    study,
    summary,
    train,
)

# In the order of `d2l-vgg --help`
COMMANDS = {
    'train': train,
    'curves': curves,
    'summary': summary,
    'compare': compare,
    'predict': predict,
    'data': data,
    'bench': bench,
    'study': study,
    'chapter': chapter,
}


def main(argv=None):
    """Run the command line and return its exit status.

    That is 0, 1 after an error, or 130 after Ctrl-C.

    Raises:
        SystemExit: `argv` cannot be read (status 2), or asks for help.
        Exception: any error of a command that is given --debug.
    """
    args = options.make_parser(COMMANDS).parse_args(argv)
    try:
        return args.command(args) or 0
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # As in `d2l-vgg compare ... | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:
        if args.debug:
            raise
        text = ' '.join(str(error).split()) or type(error).__name__
        print(f'd2l-vgg: {text}', file=sys.stderr)
        return 1


if __name__ == '__main__':
    sys.exit(main())
