"""Estimate what several workers would gain, for tables of BENCHMARKS.md.

Nothing is measured here: bytes are counted, and times are bytes divided by
the bandwidth that a link has on paper, without latency. The tables are
written by `scripts/write_tables.py`.
"""

from tabulate import tabulate

from d2l_vgg.networks import costs
from d2l_vgg.networks.architectures import Architecture, get

SMALL = get('vgg_small')
WORKERS = (2, 4, 8, 16, 32, 64)
# Bytes a second in one direction
LINKS = {
    'Ethernet, 1 Gbit/s': 1e9 / 8,
    'Ethernet, 10 Gbit/s': 10e9 / 8,
    'Ethernet, 25 Gbit/s': 25e9 / 8,
    'Ethernet, 100 Gbit/s': 100e9 / 8,
    'PCIe 3.0 x16': 15.75e9,
    'NVLink of a V100': 150e9,
}
# Seconds of a step of 128 images: ours in MXNet on two cores (BENCHMARKS.md),
# and the book's on a V100, of whose 267 seconds each of the 4690 steps of
# ten epochs has its share, validation included
STEPS = {'two cores': 1.29, 'V100': 267 / 4690}


def ring(num_bytes, workers):
    """Return the bytes that each worker sends, and receives, at a step.

    Each sends N - 1 of N parts to be added up, and as many sums.
    """
    return 2 * (workers - 1) / workers * num_bytes


def server(num_bytes, workers):
    """Return the bytes through the one server of MXNet's store at a step.

    Each worker pushes all gradients, then pulls all parameters.
    """
    return 2 * workers * num_bytes


def speed_up(step, seconds, workers):
    """Return by how much workers are faster that share one minibatch.

    Args:
        step: seconds that one of them takes for all of it
        seconds: for the gradients, during which nothing is computed
        workers: their number
    """
    return step / (step / workers + seconds)


def gradient_bytes(arch):
    return 4 * costs.totals(arch).num_params


def without_hidden_layers(pooled):
    """Return the parameters of the small network with one dense layer.

    With `pooled`, that takes the mean of each channel.
    """
    arch = Architecture('bare', SMALL.blocks, hidden=())
    if not pooled:
        return costs.totals(arch).num_params
    channels = SMALL.blocks[-1][1]
    return costs.totals(arch).conv_params + 10 * (channels + 1)


def markdown(rows, num_left):
    """Return a table in Markdown, the first row its head.

    The first `num_left` columns are aligned to the left, others to the right.
    """
    rows = [list(row) for row in rows]
    num_right = len(rows[0]) - num_left
    return tabulate(
        rows,
        headers='firstrow',
        tablefmt='pipe',
        colalign=['left'] * num_left + ['right'] * num_right,
        disable_numparse=True,
    )


def traffic():
    """Return the table of the bytes at a step, for each number of workers."""
    whole = gradient_bytes(SMALL)
    rows = [('MB at a step', *map(str, WORKERS))]
    for name, count in (
        ('ring: each worker, each way', ring),
        ('one server, both ways', server),
    ):
        megabytes = [f'{count(whole, n) / 1e6:.0f}' for n in WORKERS]
        rows.append((name, *megabytes))
    return markdown(rows, num_left=1)


def speed_ups():
    """Return the table of speed-ups, for each device and link."""
    whole = gradient_bytes(SMALL)
    rows = [('device', 'link', 'by', *map(str, WORKERS))]
    for device, step in STEPS.items():
        for link, bandwidth in LINKS.items():
            for name, count in ('ring', ring), ('server', server):
                gains = [
                    speed_up(step, count(whole, n) / bandwidth, n)
                    for n in WORKERS
                ]
                if 'Ethernet' in link or name == 'ring':
                    gains = [f'{gain:.2f}' for gain in gains]
                    rows.append((device, link, name, *gains))
    return markdown(rows, num_left=3)


def remedies():
    """Return the table of what fewer bytes change, for eight workers."""
    whole = gradient_bytes(SMALL)
    hidden = Architecture('narrow', SMALL.blocks, hidden=(128,))
    kinds = (
        ('as it is', whole),
        ('float16 gradients', whole / 2),
        # Two bits of 32 are pushed, and all are pulled
        ("MXNet's 2-bit compression", (whole / 16 + whole) / 2),
        ('one hidden layer of 128', gradient_bytes(hidden)),
        ('no hidden layer', 4 * without_hidden_layers(pooled=False)),
        ('no hidden layer, global pooling', 4 * without_hidden_layers(True)),
    )
    rows = [('gradients', 'MB', 'two cores, ring', 'server', 'V100, ring',
             'server')]  # fmt: skip
    for name, num_bytes in kinds:
        gains = []
        for device, link in (
            ('two cores', 'Ethernet, 1 Gbit/s'),
            ('V100', 'Ethernet, 10 Gbit/s'),
        ):
            for count in ring, server:
                seconds = count(num_bytes, 8) / LINKS[link]
                gain = speed_up(STEPS[device], seconds, 8)
                gains.append(f'{gain:.2f}')
        if name.startswith('MXNet'):  # A ring has none of it
            gains[0] = gains[2] = '-'
        rows.append((name, f'{num_bytes / 1e6:.1f}', *gains))
    return markdown(rows, num_left=1)
