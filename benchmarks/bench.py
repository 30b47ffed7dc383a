"""Speed and memory of this package beside stock d2l and a bare step.

    python benchmarks/bench.py [--framework NAME ...] [--resize PIXELS ...]
    python benchmarks/bench.py --no-stock --imperative --python PATH ...

The second compares environments, such as two versions of MXNet, and what
compiling the network brings in each.
It trains the section's small network. Each round of each variant has a
process of its own, one at a time, in which `fit` runs as a reader calls it,
or the step of `bare_step`; whoever goes first in one round goes last in the
next. With `--rounds-file FILE` each round is added to a file as it ends, and
the table is that of all rounds in the file, so that a comparison can be made
in pieces.
"""

import argparse
import contextlib
import itertools
import json
import os
import statistics
import subprocess
import sys
import threading
from pathlib import Path
from typing import NamedTuple

import section
from tabulate import tabulate
from variant import MARK

from d2l_vgg import children, machine
from d2l_vgg.files import write_text
from d2l_vgg.frameworks import FRAMEWORKS
from d2l_vgg.training import precisions

# On a CPU, XLA multiplies in float32 what it has rounded
ROUNDING = ('mxnet', 'torch', 'tensorflow')


class Variant(NamedTuple):
    """What is measured: `title` in the table, and how it computes."""

    title: str
    framework: str
    code: str = 'ours'
    precision: str = 'float32'
    all_cores: bool = True
    compiled: bool = True
    python: str = sys.executable


def variants_of(framework, num_gpus, stock=True):
    """Return the variants of a framework, stock d2l first."""
    title, found = FRAMEWORKS[framework].title, []
    # MXNet by itself uses half of the cores; what d2l gains by the variable
    # alone is shown beside what a reader of the book has
    half = framework == 'mxnet' and not num_gpus
    if stock:
        stock_variant = Variant(f'{title}, stock', framework, 'stock')
        found.append(stock_variant._replace(all_cores=not half))
        if half:
            title_all = f'{title}, stock, all cores'
            found.append(stock_variant._replace(title=title_all))
    rounds = framework in ROUNDING and precisions.has_bfloat16()
    for code, text in ('ours', 'ours'), ('bare', 'bare step'):
        variant = Variant(f'{title}, {text}', framework, code)
        found.append(variant)
        # MXNet gives a reader no bfloat16 of its own
        if (num_gpus or rounds) and (code, framework) != ('bare', 'mxnet'):
            name = f'{variant.title}, bfloat16'
            found.append(variant._replace(title=name, precision='bfloat16'))
    return found


def measure(variant, request):
    """Return what a process of this variant tells, and its peak memory.

    That is `speed` in images a second and `versions`, or why it has `failed`.
    Memory is looked at until the clock starts: looking takes time.
    """
    environment = dict(os.environ)
    if not request['num_gpus']:
        environment['CUDA_VISIBLE_DEVICES'] = ''
    if not variant.all_cores:
        environment.pop('OMP_NUM_THREADS', None)
    script = str(Path(__file__).with_name('variant.py'))
    words = json.dumps({**variant._asdict(), **request})
    options = {'stdout': subprocess.PIPE, 'text': True, 'env': environment}
    told, ready, peaks = {}, threading.Event(), [0]
    # Ended together with its loaders
    with children.started(
        [variant.python, script, words], **options
    ) as child:

        def look_at_memory():
            while not ready.wait(0.1):
                peaks.append(session_memory(child.pid))

        watcher = threading.Thread(target=look_at_memory)
        watcher.start()
        try:
            for line in child.stdout:
                if line.startswith(MARK):
                    told = json.loads(line[len(MARK) :])
                    ready.set()
        finally:
            ready.set()
            watcher.join()
    child.stdout.close()
    if 'speed' not in told:
        told.setdefault('failed', f'it ended with {child.returncode}')
    return {**told, 'peak': max(peaks)}


def session_memory(session):
    """Return the bytes that the processes of a session hold together.

    Pages that several of them share count once (the kernel's PSS).
    """
    total = 0
    for pid in filter(str.isdigit, os.listdir('/proc')):
        with contextlib.suppress(OSError, ProcessLookupError):
            if os.getsid(int(pid)) != session:
                continue
            with open(f'/proc/{pid}/smaps_rollup') as file:
                for line in file:
                    if line.startswith('Pss:'):
                        total += int(line.split()[1]) * 1024
    return total


def measure_rounds(variants, request, rounds, keep):
    """Measure each variant so often, in turns; `keep` takes each round."""
    failed = set()
    for i in range(rounds):
        for variant in variants[:: 1 if i % 2 == 0 else -1]:
            if variant in failed:
                continue
            told = measure(variant, request)
            if 'failed' in told:
                print(f'{variant.title}: {told["failed"]}', flush=True)
                failed.add(variant)
            else:
                title, framework = variant[:2]
                names = {'title': title, 'framework': framework}
                keep({**names, **request, **told})


def memory_note(framework, size):
    """Return what is to be said of the memory of stock d2l, if anything is.

    Its data for TensorFlow and JAX enlarge all images of an epoch before the
    first is used.
    """
    num_train = section.num_train(framework, size)
    if num_train is None:
        return ''
    missing = 4 * size**2 * (60000 - num_train) / 2**30
    return (
        f'{FRAMEWORKS[framework].title}, stock: of the images, which its '
        f'loader enlarges all at once, {num_train} of 60000 at {size} x '
        f'{size}; all would take {missing:.1f} GiB more.'
    )


def table(rounds):
    """Return the table of rounds: medians, lowest and highest in brackets.

    A ratio is that to the first variant of its framework.
    """
    found, first = {}, {}
    for told in rounds:
        found.setdefault((told['size'], told['title']), []).append(told)
    rows = []
    for (size, title), group in found.items():
        speeds = [told['speed'] for told in group]
        median = statistics.median(speeds)
        base = first.setdefault((size, group[0]['framework']), median)
        peak = max(told['peak'] for told in group)
        rows.append(
            (
                f'{size} x {size}',
                title,
                f'{median:.1f} ({min(speeds):.1f} to {max(speeds):.1f})',
                f'{median / base:.2f}',
                f'{peak / 2**30:.2f} GiB',
            )
        )
    return tabulate(
        rows,
        ('images', 'variant', 'images/s', 'ratio', 'peak memory'),
        tablefmt='pipe',
        colalign=['left'] * 2 + ['right'] * 3,
        disable_numparse=True,
    )


def read_rounds(path):
    """Return the rounds of a file, none where there is no such file."""
    if not os.path.exists(path):
        return []
    lines = Path(path).read_text('utf-8').splitlines()
    return [json.loads(line) for line in lines]


def read_arguments():
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    add = parser.add_argument
    add('--framework', nargs='+', choices=FRAMEWORKS, default=['mxnet'])
    add('--no-stock', action='store_true', help='without stock d2l')
    add('--imperative', action='store_true', help='also not compiled')
    add('--python', nargs='+', default=[sys.executable], metavar='PATH')
    add('--resize', type=int, nargs='+', default=[224, 96, 56])
    add('--batch-size', type=int, default=128)
    add('--rounds', type=int, default=5)
    add('--seconds', type=float, default=20, help='of a round, at least')
    add('--num-gpus', type=int, choices=(0, 1), default=0)
    add('--rounds-file', metavar='FILE', help='add each round to this file')
    return parser.parse_args()


def main():
    args = read_arguments()
    variants = [
        variant
        for name in args.framework
        for variant in variants_of(name, args.num_gpus, not args.no_stock)
    ]
    if args.imperative:
        variants += [
            v._replace(title=f'{v.title}, imperative', compiled=False)
            for v in variants
            if v.code == 'ours'
        ]
    variants = [
        v._replace(title=f'{v.title}{f" ({path})" * (i > 0)}', python=path)
        for v in variants
        for i, path in enumerate(args.python)
    ]
    found = read_rounds(args.rounds_file) if args.rounds_file else []
    where = machine.describe()

    def keep(told):
        found.append({**told, 'machine': where})
        if args.rounds_file:
            lines = (json.dumps(told) + '\n' for told in found)
            write_text(args.rounds_file, ''.join(lines))

    print(f'{where["processor"]}, {where["cores"]} cores', flush=True)
    for size in args.resize:
        request = {'size': size, 'batch_size': args.batch_size}
        request.update(seconds=args.seconds, num_gpus=args.num_gpus)
        measure_rounds(variants, request, args.rounds, keep)
    print(f'\n{table(found)}\n')
    if not args.no_stock:
        pairs = itertools.product(args.framework, args.resize)
        notes = itertools.starmap(memory_note, pairs)
        print(*filter(None, notes), sep='\n')


if __name__ == '__main__':
    main()
