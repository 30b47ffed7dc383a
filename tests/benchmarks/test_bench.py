"""The benchmark measures each variant in a process of its own."""

import re
import subprocess
import sys

import bench
import pytest
from processes import ROOT

TINY = '--resize 32 --batch-size 8 --rounds 2 --seconds 0.1'.split()


def run(*words):
    return subprocess.run(
        [sys.executable, f'{ROOT}/benchmarks/bench.py', *TINY, *words],
        capture_output=True,
        text=True,
    )


@pytest.mark.slow
@pytest.mark.parametrize('name', ['mxnet', 'torch', 'tensorflow', 'jax'])
def test_bench_measures_all_variants_of_a_framework(name, tmp_path):
    pytest.importorskip(name)
    pytest.importorskip('d2l')
    if name == 'torch':  # Stock d2l reads its images by it
        pytest.importorskip('torchvision')
    path = tmp_path / 'rounds.jsonl'
    done = run('--framework', name, '--rounds-file', path)
    assert done.returncode == 0, done.stderr
    rows = re.findall(
        r'^\| 32 x 32 +\| (.+?) +\| +([\d.]+) \([\d.]+ to [\d.]+\) '
        r'\| +([\d.]+) \| +([\d.]+) GiB',
        done.stdout,
        re.M,
    )
    titles = [variant.title for variant in bench.variants_of(name, 0)]
    assert [row[0] for row in rows] == titles, done.stdout
    stock = float(rows[0][1])
    for _, speed, ratio, memory in rows:
        assert float(speed) / stock == pytest.approx(float(ratio), rel=0.02)
        assert 0.1 < float(memory) < 4
    rounds = bench.read_rounds(path)
    assert sorted(told['title'] for told in rounds) == sorted(2 * titles)
    assert bench.table(rounds) in done.stdout


def test_variant_that_fails_is_told_and_the_others_go_on(monkeypatch, capsys):
    variants = [bench.Variant(title, 'torch') for title in 'ab']

    def measure(variant, request):
        if variant.title == 'a':
            return {'failed': 'no memory', 'peak': 0}
        return {'speed': 7.0, 'peak': 2**30}

    monkeypatch.setattr(bench, 'measure', measure)
    rounds = []
    bench.measure_rounds(variants, {'size': 56}, 3, rounds.append)
    assert [told['title'] for told in rounds] == ['b', 'b', 'b']
    assert capsys.readouterr().out == 'a: no memory\n'
    assert '7.0 (7.0 to 7.0)' in bench.table(rounds)
