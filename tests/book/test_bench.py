"""The benchmark measures this package as its users have it, and stock d2l."""

import importlib.util
import json
import os
import re
import signal
import subprocess
import sys
import time

import pytest
from command_line import run, start, wait_for
from frameworks import FRAMEWORKS
from workers import descendants, kill, state

from d2l_vgg import cli, frameworks, machine
from d2l_vgg.book import bench, bench_process, bench_worker
from d2l_vgg.training import precisions

ROUNDED = ['mxnet', 'torch', 'tensorflow']
TINY = ('--resize 32 --batch-size 8 --rounds 2 --steps 1').split()


def measured(*words, **options):
    """Run the command; return (side, speed, ratio, memory) of each row."""
    result = run('bench', *TINY, *words, **options)
    assert result.returncode == 0, result.stderr
    rows = re.findall(
        r'^\| 32 x 32 \| (.+?) +\| +([\d.]+) \([\d.]+ to [\d.]+\) '
        r'\| +([\d.]+|-) \| +([\d.]+) GiB',
        result.stdout,
        re.M,
    )
    return rows, result.stdout


# The next ones train in four processes and more
@pytest.mark.slow
@pytest.mark.parametrize('framework', FRAMEWORKS, ids=lambda f: f.name)
def test_both_sides_are_measured(framework):
    name = framework.name
    needs = {
        'torch': ['torch', 'torchvision'],
        'jax': ['jax', 'flax', 'tensorflow'],
    }.get(name, [name])
    for module in [*needs, 'd2l']:
        if importlib.util.find_spec(module) is None:
            pytest.skip(f'{module} is not installed')
    rows, out = measured('--framework', name)
    sides = ['stock', 'stock, all cores', 'ours', 'ours, bfloat16']
    if name != 'mxnet':
        sides.remove('stock, all cores')
    if name not in ROUNDED or not precisions.has_bfloat16():
        sides.remove('ours, bfloat16')
    assert [row[0] for row in rows] == sides
    stock = float(rows[0][1])
    for _, speed, ratio, memory in rows:
        assert float(speed) / stock == pytest.approx(float(ratio), rel=0.02)
        assert 0.1 < float(memory) < 4
    assert 'd2l 1.0.3' in out and 'cannot run' not in out


@pytest.mark.slow
@pytest.mark.parametrize('name', ['torch', 'tensorflow', 'jax'])
def test_where_stock_d2l_cannot_run_ours_is_measured(name, tmp_path):
    pytest.importorskip(name)
    (tmp_path / 'd2l').mkdir()
    (tmp_path / 'd2l' / '__init__.py').write_text(
        "raise ImportError('This d2l is damaged.')\n"
    )
    path = os.pathsep.join([str(tmp_path), os.environ.get('PYTHONPATH', '')])
    rows, out = measured('--framework', name, env={'PYTHONPATH': path})
    assert rows[0][0] == 'ours' and rows[0][2] == '-'
    assert (
        out.splitlines()[-1] == 'stock: cannot run here: This d2l is damaged.'
    )


@pytest.mark.slow
def test_all_frameworks_are_measured_in_one_run():
    installed = [f.name for f in FRAMEWORKS if f.is_installed()]
    if not installed:
        pytest.skip('no framework is installed')
    rows, _ = measured('--frameworks')
    sides = bench.between_frameworks(installed)
    assert [row[0] for row in rows] == [side.title for side in sides]
    assert len(sides) >= len(installed) and rows[0][2] == '1.00'


@pytest.mark.slow
def test_no_process_is_left_behind(tmp_path):
    """Neither one that works nor one that is halted meanwhile."""
    pytest.importorskip('mxnet')
    process = start('bench', *TINY, '--steps', '100', cwd=tmp_path)

    def has_halted_one():
        return 'T' in map(state, descendants(process.pid))

    assert wait_for(has_halted_one, process)
    workers = descendants(process.pid)
    try:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=60)
        # Their loaders end when they do, a moment later
        end = time.monotonic() + 30
        while any(map(state, workers)) and time.monotonic() < end:
            time.sleep(0.05)
        assert not list(filter(state, workers))
    finally:
        for pid in filter(state, workers):
            kill(pid)
        process.communicate()


def test_a_framework_that_is_missing(monkeypatch, capsys):
    for name in 'mxnet', 'torch':
        monkeypatch.setitem(sys.modules, name, None)
    assert cli.main(['bench']) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith('d2l-vgg: MXNet is not installed')
    assert '`make bench FRAMEWORK=mxnet`' in line
    assert '--framework torch' not in line
    assert cli.main(['bench', '--framework', 'pytorch']) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith('d2l-vgg: PyTorch is not installed')


def test_more_sides_than_the_memory_holds(monkeypatch, capsys):
    monkeypatch.setattr(machine, 'available_memory', lambda: 2**32)
    sides = bench.between_frameworks(['torch', 'jax', 'mxnet'])
    with pytest.raises(ValueError, match='sides are measured in turns, each'):
        bench.measure(sides, [56, 224], 128, rounds=1, steps=1)
    assert capsys.readouterr().out == ''


def test_a_side_of_ours_that_fails_is_one_sentence(tmp_path):
    pytest.importorskip('torch')
    result = run(
        *('bench', *TINY, '--framework', 'torch', '--data', tmp_path),
    )
    assert result.returncode == 1
    line = result.stderr.strip().splitlines()[-1]
    assert line.startswith("d2l-vgg: The side 'ours' of the benchmark has")
    assert str(tmp_path) in line


# The worker itself, told to train two minibatches; it ends with its input
WORKER = """
import io, os, sys
from d2l_vgg import frameworks
from d2l_vgg.book import bench_worker
from frameworks import FRAMEWORKS

name = sys.argv[2]
trainer = frameworks.load(name).Trainer
fit = trainer.fit
def keeping(self, model, data):
    global found
    found = model
    fit(self, model, data)
trainer.fit = keeping
sys.stdin = io.StringIO('2\\n')
os._exit = sys.exit
try:
    bench_worker.main()
finally:
    (adapter,) = [f for f in FRAMEWORKS if f.name == name]
    print('compiled', adapter.is_compiled(found))
"""


def request_of(side, **changes):
    """Return what the worker of a side is told."""
    return {
        **side._asdict(),
        'size': 32,
        'batch_size': 8,
        'num_gpus': 0,
        **changes,
    }


@pytest.mark.parametrize('name', ['mxnet', 'torch'])
def test_our_side_is_compiled(name):
    pytest.importorskip(name)
    request = request_of(bench.Side('ours', name))
    code = f'import sys; sys.path = {sys.path!r}\n{WORKER}'
    out = subprocess.check_output(
        [sys.executable, '-c', code, json.dumps(request), name], text=True
    )
    assert out.splitlines()[-1] == 'compiled True'


@pytest.mark.parametrize(
    'side, threads', [(0, None), (1, '7'), (2, '7')], ids=str
)
def test_each_side_of_mxnet_has_its_threads(
    tmp_path, monkeypatch, side, threads
):
    pytest.importorskip('d2l')
    (tmp_path / 'mxnet.py').write_text(
        'import json, os\n'
        "threads = os.environ.get('OMP_NUM_THREADS')\n"
        "print('@bench ' + json.dumps(threads), flush=True)\n"
        'os._exit(0)\n'
    )
    monkeypatch.setenv('OMP_NUM_THREADS', '7')
    path = os.pathsep.join([str(tmp_path), *filter(None, sys.path)])
    monkeypatch.setenv('PYTHONPATH', path)
    chosen = bench.beside_stock('mxnet')[side]
    worker = bench_process.Worker(request_of(chosen))
    try:
        assert worker.wait() == threads
    finally:
        worker.close()


@pytest.mark.parametrize('name', ['mxnet', 'torch', 'tensorflow', 'jax'])
def test_a_gpu_that_is_not_seen_is_not_measured(name, monkeypatch):
    """Rather than the processor in its place, in stock d2l and in ours."""
    pytest.importorskip(name)
    frameworks.load(name)
    bench_worker.check_device(name, 0)
    with pytest.raises(ValueError, match='num_gpus is 1, but .* sees no GPU'):
        bench_worker.check_device(name, 1)
    if name == 'torch':
        monkeypatch.setattr('torch.cuda.device_count', lambda: 1)
        bench_worker.check_device(name, 1)


def test_on_a_gpu_half_precision_is_measured_where_it_works():
    """Elsewhere it is a line of the notes; and float32 is an error."""
    sides = bench.ours('torch', 'ours', num_gpus=1)
    assert [side.precision for side in sides] == [
        'float32',
        'bfloat16',
        'float16',
    ]
    pytest.importorskip('torch')
    # On the processor float16 is refused, as by a GPU that lacks it
    request = {'batch_size': 8, 'num_gpus': 0, 'size': 32}
    result = bench.compare([sides[0], sides[2]], request, 1, 1)
    assert [side['title'] for side in result['sides']] == ['ours']
    (note,) = result['notes']
    assert note.startswith(
        "ours, float16: cannot run here: precision is 'flo"
    )


@pytest.mark.slow
def test_the_report_holds_what_was_measured_and_the_machine(tmp_path):
    pytest.importorskip('torch')
    path, home = tmp_path / 'gpu.json', str(tmp_path / 'people' / 'ann')
    rows, out = measured(
        *('--framework', 'torch', '--report', path), env={'HOME': home}
    )
    assert out.splitlines()[-1] == f'The report is in {path}.'
    text = path.read_text(encoding='utf-8')
    assert home not in text
    told = json.loads(text)
    (result,) = told['results']
    found = {side['title']: side for side in result['sides']}
    assert list(found) == [row[0] for row in rows]
    for title, speed, *_ in rows:
        assert len(found[title]['images_per_second']) == 2
        assert f'{found[title]["median"]:.1f}' == speed
    assert told['versions']['torch'] and told['machine']['cores'] >= 1
    assert told['doctor']['can_train'] is True
    assert 'torch' in told['doctor']['trained']
    subjects = {check['subject'] for check in told['doctor']['checks']}
    assert {'PyTorch', 'GPU', 'processor'} <= subjects or 'GPU 0' in subjects


def test_a_report_that_cannot_be_written_is_refused_before(
    tmp_path, monkeypatch, capsys
):
    """Nothing is measured, and what is there stays as it is."""
    pytest.importorskip('torch')
    monkeypatch.setattr(bench, 'measure', lambda *args, **kw: pytest.fail())
    path = tmp_path / 'report.json'
    path.write_text('mine')
    words = ['bench', '--framework', 'torch', '--report']
    assert cli.main([*words, str(path)]) == 1
    assert 'is there already: name another' in capsys.readouterr().err
    assert path.read_text() == 'mine'
    for place in tmp_path / 'none' / 'x.json', path / 'x.json':
        assert cli.main([*words, str(place)]) == 1
        assert 'cannot be written to' in capsys.readouterr().err
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'bench.json').symlink_to('nowhere')
    assert cli.main(words) == 1
    assert 'bench.json is there already' in capsys.readouterr().err
