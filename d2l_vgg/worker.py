"""What a process of a training by several does around its command.

`python -m d2l_vgg.worker train ...` is what `d2l-vgg launch` starts,
here or on another host. It heeds what comes by its standard input, as that
reaches it on every host: 'stop' is Ctrl-C, and the end is the end.
"""

import itertools
import os
import re
import signal
import sys
import threading
import traceback

from d2l_vgg import cli, gpus, messages
from d2l_vgg.training import interrupts, workers

# What a process besides the workers does, which MXNet's engine has
ROLE = 'DMLC_ROLE'
# By its number, or by the beginning of its own name
GPU = re.compile(r'[0-9]+|(GPU|MIG)-.+')


def main() -> None:
    with interrupts.ending():  # Until the command handles them itself
        run()


def run() -> None:
    """Run the command, beside a thread that heeds the launcher."""
    launcher = threading.Thread(target=heed, daemon=True)
    launcher.start()
    try:
        if workers.number(workers.LISTENS, 0):
            workers.check_free(*workers.address())
        if not os.environ.get(ROLE):
            take_share()
    except (OSError, ValueError) as error:
        cli.complain(messages.explain(error))
        leave(1)
    if os.environ.get(ROLE):
        from d2l_vgg import frameworks

        frameworks.load('mxnet')  # Serves until the workers are done
        leave(0)
    try:
        status = cli.main(sys.argv[1:])
    except SystemExit as stop:
        status = stop.code if isinstance(stop.code, int) else 1
    except Exception:  # As --debug asks for
        traceback.print_exc()
        status = 1
    if workers.rank() and status == 0:
        # The first may not have received yet what this one has sent
        launcher.join()
    leave(status)


def heed() -> None:
    """Do what the launcher says, and end with it."""
    for line in sys.stdin.buffer:
        if line.strip() == b'stop':
            os.kill(os.getpid(), signal.SIGINT)
    os._exit(1)


def take_share() -> None:
    """Keep to this worker's share of the processors, and to its GPU.

    Raises:
        ValueError: there are more workers than GPUs.
    """
    number = workers.number('LOCAL_RANK', 0)
    total = workers.number('LOCAL_WORLD_SIZE', 1)
    gpus = visible_gpus()
    if gpus:
        if total > len(gpus):
            raise ValueError(
                f'There are {total} workers here, but GPUs for only '
                f'{len(gpus)}: start as many, or set CUDA_VISIBLE_DEVICES= '
                'to compute on the processor.'
            )
        os.environ['CUDA_VISIBLE_DEVICES'] = gpus[number]
    if total > 1 and hasattr(os, 'sched_setaffinity'):
        usable = sorted(os.sched_getaffinity(0))
        first, end = (len(usable) * n // total for n in (number, number + 1))
        # Neighbours, as two threads of one core are
        share = usable[first:end] or [usable[number % len(usable)]]
        os.sched_setaffinity(0, share)


def visible_gpus() -> list:
    """Return the GPUs that may be used, as CUDA calls them."""
    visible = os.environ.get('CUDA_VISIBLE_DEVICES')
    if visible is None:
        return [str(i) for i in range(len(gpus.names()))]
    # CUDA ends at the first that is none, such as -1
    words = map(str.strip, visible.split(','))
    return list(itertools.takewhile(GPU.fullmatch, words))


def leave(status: int) -> None:
    """End at once: an engine would wait for workers that are gone."""
    for stream in sys.stdout, sys.stderr:
        try:
            stream.flush()
        except (AttributeError, OSError, ValueError):
            pass
    os._exit(status)


if __name__ == '__main__':
    main()
