"""The command `d2l-vgg`, run as a user runs it: in processes of its own."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from command_line import (
    TINY,
    assert_fails,
    run,
    run_on_a_full_disk,
    start,
    wait_for,
)
from frameworks import needs_bfloat16

from d2l_vgg import cli
from d2l_vgg.training import precisions, runs, workers

# ------------------------------------------- commands without a framework


@pytest.mark.parametrize('command', cli.COMMANDS)
def test_help_of_each_command(command, capsys):
    with pytest.raises(SystemExit) as stop:
        cli.main([command, '--help'])
    assert stop.value.code == 0
    assert f'usage: d2l-vgg {command}' in capsys.readouterr().out


def test_other_commands_wait_for_no_workers(monkeypatch):
    monkeypatch.setenv('WORLD_SIZE', '2')
    assert cli.main(['compare', 'lenet']) == 0
    assert workers.count() == 1


def test_every_hyperparameter_has_an_option(capsys):
    with pytest.raises(SystemExit):
        cli.main(['train', '--help'])
    text = capsys.readouterr().out
    for name in runs.Experiment.__dataclass_fields__:
        if name != 'description':
            assert '--' + name.replace('_', '-') in text


# d2l is the book's package, which imports one of the others
FRAMEWORKS = ('mxnet', 'torch', 'tensorflow', 'keras', 'jax', 'd2l')
SLOW = ('numpy', 'matplotlib', 'matplotlib_inline', 'IPython', 'requests')


def imported_by(code):
    """Return what a new process has imported after `code`, sorted."""
    code += '; import sys; print("IMPORTED", *sorted(sys.modules))'
    out = subprocess.check_output([sys.executable, '-c', code], text=True)
    return out.rsplit('IMPORTED', 1)[1].split()


def test_importing_the_command_imports_no_framework():
    imported = imported_by('import d2l_vgg.cli')
    assert 'd2l_vgg.cli' in imported
    assert [name for name in FRAMEWORKS if name in imported] == []


@pytest.mark.parametrize('words', (['--help'], ['summary', 'vgg16']))
def test_what_answers_at_once_imports_nothing_slow(words):
    """Half a second would be over with the first of them."""
    imported = imported_by(
        'import contextlib, d2l_vgg.cli\n'
        'with contextlib.suppress(SystemExit):\n'
        f'    status = d2l_vgg.cli.main({words!r})\n'
        'pass'
    )
    assert 'd2l_vgg.networks.architectures' in imported
    slow = [name for name in FRAMEWORKS + SLOW if name in imported]
    assert slow == []


def test_summary(capsys):
    assert cli.main(['summary', 'D', '--channels', '3']) == 0
    assert cli.main(['summary', '((1,16),(1,32))', '--resize', '28']) == 0
    assert 'conv3_3' in capsys.readouterr().out


def test_summary_with_the_published_total(capsys):
    cli.main('summary vgg16 --channels 3 --num-classes 1000'.split())
    assert '138357544' in capsys.readouterr().out


def test_compare(capsys):
    assert cli.main(['compare', 'vgg11', 'lenet', '--resize', '64']) == 0
    text = capsys.readouterr().out
    assert 'vgg11' in text and 'lenet' in text and 'vgg19' not in text


def test_unknown_architecture(capsys):
    assert cli.main(['summary', 'vgg17']) == 1
    error = capsys.readouterr().err
    assert error.startswith('d2l-vgg: ') and error.count('\n') == 1
    assert 'vgg17' in error and 'vgg16' in error


def test_image_too_small(capsys):
    assert cli.main(['summary', 'vgg11', '--resize', '28']) == 1
    assert '32 x 32' in capsys.readouterr().err


def test_debug_shows_the_traceback():
    with pytest.raises(ValueError):
        cli.main(['summary', 'vgg17', '--debug'])


def test_no_such_run(capsys, tmp_path):
    assert cli.main(['curves', str(tmp_path)]) == 1
    assert 'No run in' in capsys.readouterr().err


def test_damaged_run(capsys, tmp_path):
    (tmp_path / 'run.json').write_text('{"status": "fin')
    assert cli.main(['predict', str(tmp_path)]) == 1
    assert 'damaged' in capsys.readouterr().err


# ------------------------------------------------------- commands with MXNet

mxnet = pytest.importorskip('mxnet')


@pytest.fixture(scope='module')
def finished(tmp_path_factory):
    """A finished run, and what the command printed."""
    folder = tmp_path_factory.mktemp('finished')
    result = run('train', *TINY, '--name', 'whole', cwd=folder)
    assert result.returncode == 0, result.stderr
    return folder / 'runs' / 'whole', result


def test_what_a_run_leaves(finished):
    folder, _ = finished
    assert sorted(os.listdir(folder)) == [
        'curves.png',
        'curves.svg',
        'history.csv',
        'parameters.npz',
        'run.json',
    ]
    info = json.loads((folder / 'run.json').read_text())
    assert info['status'] == 'finished'
    values = info['hyperparameters']
    assert values['batch_size'] == 32 and values['max_epochs'] == 2
    assert values['seed'] == 0 and values['arch']['hidden'] == [16]
    # Begun as `quick`, but with another network and fewer images
    assert info['experiment'] == 'custom'
    assert info['versions']['mxnet'] == mxnet.__version__
    assert info['machine']['cores'] >= 1
    assert info['data']['source'] == 'Fashion-MNIST'
    assert info['data']['classes'][9] == 'ankle boot'
    assert re.fullmatch('[0-9a-f]{64}', info['data']['digest'])
    assert info['seconds'] > 0
    history = runs.Run.open(folder).history()
    assert len(history.points['val_acc']) == 2
    assert info['results'] == history.final


def test_the_book_with_changes_is_not_held_against_the_book(tmp_path):
    where = ['--runs', str(tmp_path), '--name', 'other']
    result = run('train', '--experiment', 'book', *TINY, *where)
    assert result.returncode == 0, result.stderr
    info = json.loads((tmp_path / 'other' / 'run.json').read_text())
    assert info['experiment'] == 'custom'
    assert 'sample standard deviations' not in result.stdout
    assert 'published' not in result.stdout
    assert "book's 11" not in (tmp_path / 'other' / 'curves.svg').read_text()


def test_what_a_run_prints(finished):
    _, result = finished
    assert 'epoch 2/2' in result.stdout
    assert re.search(r'^Validation accuracy 0\.\d{4} ', result.stdout, re.M)
    assert os.path.join('runs', 'whole', 'curves.png') in result.stdout
    assert re.search(
        r'about .+ on this machine: (\S*/)?d2l-vgg train --experiment book',
        result.stdout,
    )


def pictured(path):
    """Return the texts in a picture: matplotlib names each beside it."""
    return re.findall(r'<!-- (.*) -->', path.read_text(encoding='utf-8'))


def test_the_bar_in_a_terminal(tmp_path):
    pexpect = pytest.importorskip('pexpect')
    words = [word for word in TINY if word not in ('--display', 'lines')]
    child = pexpect.spawn(
        sys.executable,
        ['-m', 'd2l_vgg.cli', 'train', *words],
        cwd=str(tmp_path),
        dimensions=(24, 100),
        encoding='utf-8',
        timeout=120,
    )
    # How much is done, the time left, and the last points
    child.expect(r'\d+%\|.*\d+/48 \[\d\d:\d\d<\d\d:\d\d,.*batch/s')
    child.expect(r'train_loss \d\.\d+')
    child.expect(r'Validation accuracy 0\.\d{4}')
    child.expect(pexpect.EOF)


def test_bench_leaves_no_process_behind(tmp_path):
    """Neither one that works nor one that is halted meanwhile."""
    words = '--resize 32 --batch-size 8'.split()
    process = start('bench', *words, cwd=tmp_path)

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
            os.kill(pid, signal.SIGKILL)
        process.communicate()


def descendants(pid):
    try:
        with open(f'/proc/{pid}/task/{pid}/children') as file:
            children = [int(child) for child in file.read().split()]
    except (FileNotFoundError, ProcessLookupError):  # It has ended
        return []
    return children + [d for child in children for d in descendants(child)]


def state(pid):
    """Return the letter of a process, such as T if halted; '' at its end."""
    try:
        with open(f'/proc/{pid}/stat') as file:
            letter = file.read().rsplit(')', 1)[1].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return ''
    # Z stands for one that has ended and waits to be asked how
    return letter.replace('Z', '')


def test_curves_of_a_run(finished, tmp_path, capsys):
    folder, _ = finished
    output = str(tmp_path / 'picture')
    assert cli.main(['curves', str(folder), '--output', output]) == 0
    text = capsys.readouterr().out
    assert 'val_acc' in text
    assert f'{output}.png' in text
    assert os.path.getsize(output + '.png') > 10000
    assert 'val_acc' in pictured(tmp_path / 'picture.svg')


RESULTS = os.path.join(os.path.dirname(__file__), '../chapter/results')


@pytest.mark.parametrize(
    'framework, runs_of_the_book, verdict',
    [
        ('mxnet', "book's 11 MXNet runs", 'does not end as the book'),
        ('pytorch', "book's 11 PyTorch runs", 'ends as the book'),
    ],
)
def test_curves_hold_a_run_against_the_book(
    framework, runs_of_the_book, verdict, tmp_path, capsys
):
    book = os.path.join(RESULTS, 'book')
    output = str(tmp_path / 'picture')
    words = ['--framework', framework, '--output', output]
    assert cli.main(['curves', book, *words]) == 0
    text = capsys.readouterr().out
    assert f'This run {verdict}' in text and runs_of_the_book in text
    # Which images MXNet's tab validates on, that of no other
    assert ('are not those of Zalando' in text) == (framework == 'mxnet')
    seen = pictured(tmp_path / 'picture.svg')
    assert f'{runs_of_the_book}: mean ± 3 sd' in seen
    assert {'train_loss', 'val_loss', 'val_acc', 'distance (sd)'} <= set(seen)


@pytest.mark.parametrize(
    'epochs, told', [(0.4, 'epochs behind'), (-0.4, 'epochs ahead of')]
)
def test_curves_tell_which_run_is_later(epochs, told, tmp_path, capsys):
    """The record of the book's run, its curves moved by so much."""
    shutil.copy(os.path.join(RESULTS, 'book', 'run.json'), tmp_path)
    history = runs.Run.open(os.path.join(RESULTS, 'book')).history()
    for series, points in history.points.items():
        history.points[series] = [(x + epochs, value) for x, value in points]
    history.to_csv(tmp_path / 'history.csv')
    output = str(tmp_path / 'picture')
    assert cli.main(['curves', str(tmp_path), '--output', output]) == 0
    text = capsys.readouterr().out
    assert re.search(rf'0\.\d\d {told} the published mean', text), text


def test_predict(finished):
    folder, _ = finished
    result = run('predict', folder)
    assert result.returncode == 0, result.stderr
    accuracy = float(re.search(r'Accuracy (0\.\d+)', result.stdout).group(1))
    final = runs.Run.open(folder).info['results']['val_acc']
    # The history has the mean over minibatches, of which the last is smaller
    assert accuracy == pytest.approx(final, abs=0.05)
    for name in 'confusion', 'mistakes':
        assert (folder / f'{name}.png').exists()


def test_a_second_run_gets_a_folder_of_its_own(finished):
    folder, _ = finished
    parent = folder.parent.parent
    result = run('train', *TINY, '--name', 'whole', cwd=parent)
    assert result.returncode == 0
    assert (folder.parent / 'whole-2' / 'run.json').exists()


def test_what_regularizes_changes_the_run(tmp_path):
    small = [*TINY, '--num-train', '64', '--max-epochs', '1']
    losses = set()
    options = ['', '--flip', '--shift 2', '--label-smoothing 0.1']
    for i, option in enumerate(options):
        where = ['--runs', str(tmp_path), '--name', str(i)]
        assert cli.main(['train', *small, *where, *option.split()]) == 0
        history = runs.Run.open(tmp_path / str(i)).history()
        losses.add(history.final['train_loss'])
    assert len(losses) == 4


def test_flipped_tests_change_the_validation_only(tmp_path):
    small = [*TINY, '--num-train', '64', '--max-epochs', '1']
    finals = []
    for name, options in [('plain', []), ('flipped', ['--test-flip'])]:
        where = ['--runs', str(tmp_path), '--name', name]
        assert cli.main(['train', *small, *where, *options]) == 0
        finals.append(runs.Run.open(tmp_path / name).history().final)
    plain, flipped = finals
    assert plain['train_loss'] == flipped['train_loss']
    assert plain['val_loss'] != flipped['val_loss']


@needs_bfloat16
def test_a_run_in_bfloat16(tmp_path, monkeypatch, capsys):
    where = ['--runs', str(tmp_path), '--name', 'rounded']
    options = [*TINY, *where, '--precision', 'bfloat16']
    assert cli.main(['train', *options]) == 0
    folder = tmp_path / 'rounded'
    assert runs.Run.open(folder).experiment.precision == 'bfloat16'
    assert cli.main(['predict', str(folder)]) == 0
    assert 'Computing in' not in capsys.readouterr().out
    # Its parameters serve on a processor that lacks bfloat16
    monkeypatch.setattr(precisions, 'has_bfloat16', lambda: False)
    assert cli.main(['predict', str(folder)]) == 0
    assert 'Computing in float32' in capsys.readouterr().out


@needs_bfloat16
def test_a_run_in_bfloat16_is_not_resumed_in_float32(
    tmp_path, monkeypatch, capsys
):
    options = ['train', *TINY, '--runs', str(tmp_path), '--name', 'rounded']
    options += ['--precision', 'bfloat16']

    def stopped(*args, **kwargs):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr('d2l_vgg.mxnet.Trainer.train_step', stopped)
        assert cli.main(options) == 130
    folder = str(tmp_path / 'rounded')
    with monkeypatch.context() as patched:
        patched.setattr(precisions, 'has_bfloat16', lambda: False)
        assert cli.main(['train', '--resume', folder]) == 1
        assert 'this one has none' in capsys.readouterr().err
    assert cli.main(['train', '--resume', folder]) == 0


def test_without_bfloat16_the_best_experiment_computes_in_float32(
    tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr(precisions, 'has_bfloat16', lambda: False)
    where = ['--runs', str(tmp_path), '--name', 'best']
    options = ['--experiment', 'best', *TINY, *where]
    assert cli.main(['train', *options]) == 0
    assert 'Computing in float32' in capsys.readouterr().out
    assert runs.Run.open(tmp_path / 'best').experiment.precision == 'float32'
    # What the user asks for is done or refused
    assert cli.main(['train', *options, '--precision', 'bfloat16']) == 1
    assert 'avx512_bf16' in capsys.readouterr().err
    assert os.listdir(tmp_path) == ['best']


def test_a_resumed_run_keeps_its_hyperparameters(finished):
    folder, _ = finished
    for options in (['--lr', '0.5'], ['--max-epochs', '3'], ['--name', 'a']):
        result = run('train', '--resume', folder, *options)
        assert_fails(result, f'{options[0]} is for a new run')


def test_a_finished_run_is_not_resumed(finished):
    folder, _ = finished
    assert_fails(run('train', '--resume', folder), 'is finished')


def params_of(folder):
    with np.load(folder / 'parameters.npz', allow_pickle=False) as file:
        return {name: file[name] for name in file.files}


def assert_same_run(folder, other):
    """Both runs have the same history and the same parameters, to the bit."""
    assert (folder / 'history.csv').read_text() == (
        other / 'history.csv'
    ).read_text()
    ours, theirs = params_of(folder), params_of(other)
    assert list(ours) == list(theirs)
    for name in ours:
        np.testing.assert_array_equal(ours[name], theirs[name], name)


def test_killed_in_an_epoch_and_resumed(finished, tmp_path):
    """`kill -9` twice between checkpoints, then to the end."""
    folder = tmp_path / 'runs' / 'killed'
    checkpoint = folder / 'checkpoint.npz'
    args = ['train', *TINY, '--name', 'killed']
    kills = 0
    for options in (args, ['train', '--resume', folder]):
        process = start(
            *options, '--checkpoint-seconds', '0.05', cwd=tmp_path
        )
        before = checkpoint.stat().st_mtime if checkpoint.exists() else 0
        if wait_for(
            lambda before=before: (
                checkpoint.exists() and checkpoint.stat().st_mtime > before
            ),
            process,
        ):
            kills += 1
        process.kill()
        process.communicate()
    assert kills >= 1
    killed = runs.Run.open(folder)
    assert killed.info['status'] == 'running'
    assert not (folder / 'history.csv').exists()
    assert killed.history().num_train_batches == 20
    result = run('train', '--resume', folder)
    assert result.returncode == 0, result.stderr
    assert_same_run(folder, finished[0])


def test_killed_while_writing_a_checkpoint_and_resumed(tmp_path):
    """A half-written checkpoint must not replace the one before."""
    wide = [*TINY, '--hidden', '2048', '1024', '--num-train', '320']
    whole, folder = tmp_path / 'runs' / 'whole', tmp_path / 'runs' / 'killed'
    assert (
        run('train', *wide, '--name', 'whole', cwd=tmp_path).returncode == 0
    )
    process = start(
        'train',
        *wide,
        '--name',
        'killed',
        '--checkpoint-seconds',
        '0',
        cwd=tmp_path,
    )

    def is_writing():
        partial = [n for n in os.listdir(folder) if n.endswith('.tmp')]
        return 'checkpoint.npz' in os.listdir(folder) and any(
            n.startswith('checkpoint') for n in partial
        )

    def is_halted_while_writing():
        if not folder.exists() or not is_writing():
            return False
        # Halted first: by the time of a kill the file may be complete
        process.send_signal(signal.SIGSTOP)
        time.sleep(0.1)
        if is_writing():
            return True
        process.send_signal(signal.SIGCONT)
        return False

    assert wait_for(is_halted_while_writing, process)
    process.kill()
    process.communicate()
    assert is_writing()
    result = run('train', '--resume', folder)
    assert result.returncode == 0, result.stderr
    assert_same_run(folder, whole)
    assert not [n for n in os.listdir(folder) if n.endswith('.tmp')]


def test_no_two_processes_train_one_run(finished, tmp_path):
    """The second is refused and disturbs nothing; the first goes on."""
    folder = tmp_path / 'runs' / 'shared'
    first = start(
        *('train', *TINY, '--name', 'shared', '--checkpoint-seconds', '0'),
        cwd=tmp_path,
    )
    assert wait_for((folder / 'checkpoint.npz').exists, first)
    # It holds its run while it is halted, however long the second takes
    first.send_signal(signal.SIGSTOP)
    try:
        assert runs.Run.open(folder).info['status'] == 'running'
        before = contents(folder)
        second = run('train', '--resume', folder)
        assert_fails(
            second,
            f'Another process trains the run in {folder}',
            'wait for its end, or stop it',
        )
        assert 'Resuming' not in second.stdout
        assert contents(folder) == before
    finally:
        first.send_signal(signal.SIGCONT)
    _, err = first.communicate(timeout=120)
    assert first.returncode == 0, err
    assert_same_run(folder, finished[0])
    # Nor is its end overlooked
    assert_fails(run('train', '--resume', folder), f'{folder} is finished')


def contents(folder):
    """Return the bytes of each file."""
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_ctrl_c_and_resume(finished, tmp_path):
    folder = tmp_path / 'runs' / 'stopped'
    process = start(
        'train',
        *TINY,
        '--name',
        'stopped',
        '--checkpoint-seconds',
        '0',
        cwd=tmp_path,
    )
    assert wait_for((folder / 'checkpoint.npz').exists, process)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert 'Traceback' not in err
    assert 'd2l-vgg train --resume runs/stopped' in out
    assert runs.Run.open(folder).info['status'] == 'stopped'
    assert (
        run('train', '--resume', 'runs/stopped', cwd=tmp_path).returncode == 0
    )
    assert_same_run(folder, finished[0])


def test_a_diverged_run_keeps_what_was_recorded(tmp_path):
    result = run(
        'train', *TINY, '--name', 'wild', '--lr', '1e30', cwd=tmp_path
    )
    assert_fails(result, 'lower the learning rate', 'lr=1e+30')
    saved = runs.Run.open(tmp_path / 'runs' / 'wild')
    assert saved.info['status'] == 'diverged'
    assert saved.history().points['train_loss']


@pytest.mark.parametrize(
    'options, words',
    [
        (
            ['--arch', 'vgg12'],
            ["no architecture 'vgg12'", 'the nearest is vgg11'],
        ),
        (
            ['--arch', 'lenet', '--hidden', '9'],
            ['lenet is not built of VGG blocks'],
        ),
        (
            ['--arch', '((0,16),)'],
            ['num_convs of block 1 must be a positive integer, not 0'],
        ),
        (
            ['--arch', '((1,16'],
            ['((1,16 does not read as pairs', 'as in ((1,16),(1,32))'],
        ),
        (
            ['--batch-size', '641'],
            ['batch_size is 641', 'only 640 examples', 'choose a smaller'],
        ),
        (['--batch-size', '0'], ['batch_size is 0: it must be positive']),
        (['--max-epochs', '0'], ['max_epochs is 0: it must be positive']),
        (
            ['--num-gpus', '8'],
            ['num_gpus is 8', 'one device', 'for 0 to train on the CPU'],
        ),
        (
            ['--resize', '2'],
            ['2 x 2 is too small', 'the smallest that fits is 4 x 4'],
        ),
        (['--lr', '-1'], ['lr is -1.0: it must be positive']),
        (['--seed', '4294967296'], ['seed is 4294967296', 'must be below']),
        (['--resize', '2049'], ['resize is 2049: it must be 2048 or less']),
        (
            ['--arch', '((1,4),(1,1000000))'],
            [
                'takes at least',
                'of memory, but there are',
                'choose a smaller',
            ],
        ),
        (
            ['--runs', '/proc/nowhere'],
            [
                'folder /proc/nowhere/quick',
                'cannot be made',
                'choose another place with --runs',
            ],
        ),
        (
            ['--resume', 'nothing-here'],
            [
                'No run in nothing-here',
                'name the folder that `d2l-vgg train` has made',
            ],
        ),
    ],
)
def test_bad_requests(options, words, tmp_path):
    """One line that names the value and what to do; no folder is left."""
    result = run('train', *TINY, *options, cwd=tmp_path)
    assert_fails(result, *words)
    assert not (tmp_path / 'runs').exists()


def test_ctrl_c_before_anything_was_recorded(tmp_path):
    process = start(
        *('train', '--num-train', '256', '--name', 'a'),
        *('--arch', 'vgg_small', '--resize', '224'),  # Takes time to draw
        cwd=tmp_path,
    )
    for line in process.stdout:
        if line.startswith('Training'):
            break
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert err == '' and 'continue with' in out
    stopped = runs.Run.open(tmp_path / 'runs' / 'a')
    assert stopped.info['status'] == 'stopped'


def test_a_full_disk(tmp_path):
    """The run says so and stops."""
    words = ['--hidden', '256', '--checkpoint-seconds', '0']
    result = run_on_a_full_disk('train', *TINY, *words, cwd=tmp_path)
    assert result.returncode == 1
    assert 'Traceback' not in result.stderr
    assert 'checkpoint.npz' in result.stderr
    assert not [
        name
        for _, _, names in os.walk(tmp_path)
        for name in names
        if name.endswith('.tmp')
    ]


def test_mxnet_that_is_not_installed(tmp_path):
    """A finder that finds no MXNet stands for its absence."""
    (tmp_path / 'without.py').write_text(
        'import sys\n'
        'class No:\n'
        '    def find_spec(self, name, path=None, target=None):\n'
        '        if name == "mxnet":\n'
        '            raise ModuleNotFoundError(\n'
        '                "No module named mxnet", name="mxnet")\n'
        'sys.meta_path.insert(0, No())\n'
        'from d2l_vgg import cli\n'
        'sys.exit(cli.main(sys.argv[1:]))\n'
    )
    path = os.path.dirname(os.path.dirname(os.path.abspath(cli.__file__)))
    result = subprocess.run(
        [sys.executable, 'without.py', 'train', *TINY],
        cwd=tmp_path,
        env={**os.environ, 'PYTHONPATH': path},
        capture_output=True,
        text=True,
    )
    assert_fails(result, 'MXNet is not installed', 'MXNET=cu117')
