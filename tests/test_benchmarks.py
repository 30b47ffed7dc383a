"""The estimates of BENCHMARKS.md are what its script counts, and right."""

import re
import subprocess
import sys

import pytest
from processes import ROOT

from d2l_vgg.networks import costs
from d2l_vgg.networks.architectures import Architecture, get

with open(f'{ROOT}/BENCHMARKS.md', encoding='utf-8') as file:
    TEXT = file.read()
SMALL = 4 * costs.totals('vgg_small').num_params


def test_the_tables_are_those_of_the_script():
    out = subprocess.check_output(
        [sys.executable, f'{ROOT}/scripts/estimate_scaling.py'],
        env={'PYTHONPATH': ROOT},
        text=True,
    )
    tables = out.strip().split('\n\n')
    assert len(tables) == 3
    for table in tables:
        assert f'\n\n{table}\n\n' in TEXT


def row(*begin):
    """Return the numbers of the row that begins with these cells."""
    words = r' *\| *'.join(map(re.escape, begin))
    (found,) = re.findall(rf'^\| {words} *\|(.+)\|$', TEXT, re.M)
    return [float(cell) if cell.strip() != '-' else None
            for cell in found.split('|')]  # fmt: skip


def test_the_bytes_of_a_step():
    assert SMALL == 4 * 43093322 and round(SMALL / 1e6) == 172
    for i, n in enumerate((2, 4, 8, 16, 32, 64)):
        # Of N parts of the gradients all but one go round twice
        parts = sum(2 * SMALL / n for _ in range(n - 1))
        told = row('ring: each worker, each way')[i]
        assert told == pytest.approx(parts / 1e6, abs=0.5)
        told = row('one server, both ways')[i]
        assert told == pytest.approx(n * 2 * SMALL / 1e6, abs=0.5)


@pytest.mark.parametrize('device, step', [
    ('two cores', 128 / 99.3), ('V100', 267 / 10 / 469),
])  # fmt: skip
@pytest.mark.parametrize('gigabits', [1, 10, 25, 100])
def test_the_speed_ups(device, step, gigabits):
    """By the seconds of a step, which the README and the book tell."""
    link = device, f'Ethernet, {gigabits} Gbit/s'
    for i, n in enumerate((2, 4, 8, 16, 32, 64)):
        for by, seconds in (
            ('ring', 8 * 2 * SMALL * (n - 1) / n / (gigabits * 1e9)),
            ('server', 8 * 2 * SMALL * n / (gigabits * 1e9)),
        ):
            expected = step / (step / n + seconds)
            told = row(*link, by)[i]
            assert told == pytest.approx(expected, rel=0.01, abs=0.006)


def test_the_step_of_two_cores_is_that_of_the_readme():
    with open(f'{ROOT}/README.md', encoding='utf-8') as file:
        (speed,) = re.findall(
            r'^\| 224 x 224 \| ours \| ([\d.]+)', file.read(), re.M
        )
    assert round(128 / float(speed), 2) == 1.29


def test_what_takes_the_bytes_away():
    small = get('vgg_small')
    assert costs.totals(small).dense_params > 0.98 * SMALL / 4
    narrow = costs.totals(Architecture('x', small.blocks, hidden=(128,)))
    bare = costs.totals(Architecture('x', small.blocks, hidden=()))
    pooled = bare.num_params - 10 * 128 * (7 * 7 - 1)
    for name, num_bytes in (
        ('as it is', SMALL),
        ('float16 gradients', SMALL / 2),
        ("MXNet's 2-bit compression", SMALL * (2 / 32 + 1) / 2),
        ('one hidden layer of 128', 4 * narrow.num_params),
        ('no hidden layer', 4 * bare.num_params),
        ('no hidden layer, global pooling', 4 * pooled),
    ):
        told, ring, server, *_ = row(name)
        assert told == pytest.approx(num_bytes / 1e6, abs=0.051)
        if ring is not None:
            seconds = 8 * 2 * num_bytes * 7 / 8 / 1e9
            expected = 1.29 / (1.29 / 8 + seconds)
            assert ring == pytest.approx(expected, abs=0.006)
        expected = 1.29 / (1.29 / 8 + 8 * 2 * num_bytes * 8 / 1e9)
        assert server == pytest.approx(expected, abs=0.006)
