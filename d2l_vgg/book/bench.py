"""Speed and memory of this package beside stock d2l, measured in turns.

Each side lives in a process of its own, so that its peak memory can be told,
and is halted while the other side works, so that neither disturbs the other.
"""

import importlib.metadata
from typing import NamedTuple

from d2l_vgg import machine, tables, wheels
from d2l_vgg.book import section
from d2l_vgg.book.bench_process import Worker
from d2l_vgg.frameworks import FRAMEWORKS
from d2l_vgg.networks import costs
from d2l_vgg.training import memory, precisions
from d2l_vgg.training.experiments import Experiment

# On a processor, XLA multiplies in float32 what it has rounded
ROUNDING = ('mxnet', 'torch', 'tensorflow')
# What a GPU has of these, its own trainer tells
ON_GPU = ('bfloat16', 'float16')


class Side(NamedTuple):
    """What is measured: `title` in the table, and how it computes."""

    title: str
    framework: str
    stock: bool = False
    precision: str = 'float32'
    all_cores: bool = True


def beside_stock(framework, num_gpus=0):
    """Return the sides of a comparison with stock d2l, which comes first."""
    # MXNet by itself uses half of the cores; what d2l gains by the variable
    # alone is shown beside what a reader of the book has
    half = framework == 'mxnet' and not num_gpus
    sides = [Side('stock', framework, stock=True, all_cores=not half)]
    if half:
        sides.append(Side('stock, all cores', framework, stock=True))
    return sides + ours(framework, 'ours', num_gpus)


def between_frameworks(frameworks, num_gpus=0):
    """Return the sides of this package alone, in several frameworks."""
    return [
        side
        for name in frameworks
        for side in ours(name, FRAMEWORKS[name].title, num_gpus)
    ]


def ours(framework, title, num_gpus):
    """Return the sides of this package: half precision where it is faster."""
    halves = ON_GPU if num_gpus else ()
    if framework in ROUNDING and not num_gpus and precisions.has_bfloat16():
        halves = ('bfloat16',)
    return [
        Side(title, framework),
        *(Side(f'{title}, {p}', framework, precision=p) for p in halves),
    ]


def measure(sides, sizes, batch_size, rounds, steps, num_gpus=0, root=None):
    """Measure each side in turns, print the table, and return what it tells.

    Whoever calls this should have a SIGTERM end in an exception, as Ctrl-C
    does, since otherwise the processes of the sides stay behind.

    Args:
        sides: what is compared; speeds are told as multiples of the first's
        sizes: of the images, in pixels
        batch_size: images at a step
        rounds: how often each side is measured
        steps: training steps in a round
        num_gpus: 0 for the CPU
        root: the folder of another data set, None for Fashion-MNIST

    Returns:
        A dictionary of what JSON can hold.

    Raises:
        ValueError: the memory cannot hold all sides.
        RuntimeError: the process of a side of ours has failed.
    """
    for size in sizes if not num_gpus else ():
        check_memory(sides, size, batch_size)
    print(
        f"Training the section's small network, minibatches of "
        f'{batch_size}; medians of {rounds} rounds of {steps} steps '
        '(lowest to highest in brackets).'
    )
    print(describe_machine(sides))
    request = {'batch_size': batch_size, 'num_gpus': num_gpus, 'root': root}
    results = []
    for size in sizes:
        result = compare(sides, {**request, 'size': size}, rounds, steps)
        for line in ('', *table(result), *result['notes']):
            print(line, flush=True)
        results.append(result)
    return {
        'versions': versions(sides),
        'batch_size': batch_size,
        'steps': steps,
        'num_gpus': num_gpus,
        'results': results,
    }


def check_memory(sides, size, batch_size):
    """Refuse sides whose processes, all there at once, need too much memory.

    Raises:
        ValueError: they do.
    """
    experiment = Experiment(resize=size, batch_size=batch_size)
    needed = len(sides) * memory.least_bytes(experiment)
    there_is = machine.available_memory()
    if there_is is not None and needed > there_is:
        raise ValueError(
            f'{len(sides)} sides are measured in turns, each in a process '
            f'that keeps its memory: at {size} x {size} they take at least '
            f'{costs.memory_text(needed)}, but there are '
            f'{costs.memory_text(there_is)}: choose a smaller --resize or '
            '--batch-size, or a single framework.'
        )


def describe_machine(sides):
    """Return the line that tells where and with what is measured."""
    where = machine.describe()
    return f'{where["processor"]}, {where["cores"]} cores; ' + ', '.join(
        f'{name} {version}' for name, version in versions(sides).items()
    )


def versions(sides):
    """Return the versions of all that computes."""
    found = {}
    for side in sides:
        found.update(wheels.versions(side.framework))
        if side.stock:
            try:
                found['d2l'] = importlib.metadata.version('d2l')
            except importlib.metadata.PackageNotFoundError:
                pass
    return found


def compare(sides, request, rounds, steps):
    """Return what is measured with images of one size.

    Args:
        sides: what is compared
        request: `size`, `batch_size`, `num_gpus` and `root` of the data
        rounds, steps: as in `measure`

    Returns:
        `size`, what is measured of the `sides`, and `notes` on it, lines.

    Raises:
        RuntimeError: the process of a side of ours has failed.
    """
    workers, notes = {}, []
    try:
        for side in sides:
            workers[side] = Worker({**side._asdict(), **request})
            try:
                workers[side].warm_up(steps)
            except RuntimeError as error:
                if not side.stock and side.precision == 'float32':
                    raise RuntimeError(
                        f'The side {side.title!r} of the benchmark has '
                        f'failed: {error}'
                    ) from error
                workers.pop(side).close()
                notes.append(f'{side.title}: cannot run here: {error}')
        for i in range(rounds):
            # Whoever goes first in one round goes last in the next
            for side in list(workers)[:: 1 if i % 2 == 0 else -1]:
                workers[side].round()
        for worker in workers.values():
            worker.measure_memory()
    finally:
        for worker in workers.values():
            worker.close()
    notes += [note(side, request) for side in workers if side.stock]
    if request['num_gpus']:
        notes.append('The memory is that of the processes, not of the GPU.')
    return {
        'size': request['size'],
        'sides': [outcome(side, workers, sides[0]) for side in workers],
        'notes': list(filter(None, notes)),
    }


def outcome(side, workers, first):
    """Return what has been measured of a side, in the types of JSON.

    `workers` is side -> `Worker` of all, `first` the side whose speed is 1.
    """
    worker, ratio = workers[side], None
    if first in workers:
        ratio = worker.median() / workers[first].median()
    return {
        **side._asdict(),
        'images_per_second': worker.speeds,
        'median': worker.median(),
        'ratio': ratio,
        'peak_memory': worker.peak,
    }


def note(side, request):
    """Return what is to be said of the memory of stock d2l, None if nothing.

    Its data for TensorFlow and JAX enlarge all images of an epoch before the
    first is used.
    """
    size = request['size']
    num_train = section.num_train(side.framework, size)
    if num_train is None:
        return None
    missing = 4 * size**2 * (60000 - num_train) / 2**30
    return (
        f'{side.title}: of the images, which its loader enlarges all at '
        f'once, {num_train} of 60000; with all it would take {missing:.1f} '
        'GiB more.'
    )


def table(result):
    """Return the lines of the table of what `compare` has returned."""
    rows = [('images', 'side', 'images/s', 'ratio', 'peak memory')]
    for side in result['sides']:
        speeds, ratio = side['images_per_second'], side['ratio']
        rows.append(
            (
                f'{result["size"]} x {result["size"]}',
                side['title'],
                f'{side["median"]:.1f} ({min(speeds):.1f} to '
                f'{max(speeds):.1f})',
                '-' if ratio is None else f'{ratio:.2f}',
                f'{side["peak_memory"] / 2**30:.2f} GiB',
            )
        )
    return tables.lay_out(rows, '<<>>>', markdown=True)


def format_seconds(seconds):
    """Return a duration in the unit that suits it."""
    if seconds < 120:
        return f'{seconds:.0f} seconds'
    if seconds < 7200:
        return f'{seconds / 60:.0f} minutes'
    return f'{seconds / 3600:.1f} hours'
