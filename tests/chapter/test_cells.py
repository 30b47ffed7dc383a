"""Every cell of the chapter, in every tab whose framework is installed.

The cells of a tab run in one process, in the order of each page, training cut
short to a minibatch; the cell that a machine without a GPU skips is entered.
"""

import ast
import importlib.util
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import page_cells
import pytest

from d2l_vgg import frameworks
from d2l_vgg.networks import architectures
from d2l_vgg.training.experiments import FIELDS, get_experiment

ROOT = Path(__file__).resolve().parents[2]
CHAPTER = ROOT / 'chapter'
PAGES = 'vgg', 'exercises', 'reproduce'
MODULES = {tab: frameworks.named(tab) for tab in page_cells.TABS}
# What it reads: (name, page, code, minibatches of a training) of each part;
# what it writes: name -> what was printed, and the error if there was one
RUN = """
import contextlib, functools, io, json, os, sys, traceback
os.environ['MPLBACKEND'] = 'agg'
import page_cells
from d2l_vgg.datasets import fashion_mnist
# It unpacks what the cells ask for again and again
fashion_mnist.load = functools.lru_cache(None)(fashion_mnist.load)
results = {}
for name, path, code, trial in json.load(sys.stdin):
    os.environ['D2L_VGG_TRIAL'] = trial
    printed, error = io.StringIO(), None
    try:
        with contextlib.redirect_stdout(printed):
            page = page_cells.read(path, sys.argv[1])
            exec(code, {'page': page, 'shown': {}})
    except Exception:
        error = traceback.format_exc()
    results[name] = printed.getvalue(), error
with open('results.json', 'w') as file:
    json.dump(results, file)
"""
ALL = """
for cell in page:
    source = cell.replace('on_cpu = False', 'on_cpu = True')
    exec(compile(source, '<cell>', 'exec'), shown)
"""
# Trained alike, both have equal losses and give equal scores
SAME = """
for source in page:
    if source.startswith(('from', 'import', 'class', 'def')):
        if '.fit(' not in source and 'time' not in source.split(chr(10))[0]:
            exec(source, shown)
    if 'class SmallVGG' in source:
        break
import importlib
import numpy as np
from d2l_vgg.training import seeds
from d2l_vgg.training.experiments import get_experiment
package = importlib.import_module('d2l_vgg.{module}')
quick = get_experiment('quick')
pairs = tuple(block[:2] for block in quick.arch.blocks)
data = package.FashionMNIST(64, num_train=128, num_val=64)
for one, other, size in [
    (shown['VGG'](((1, 8), (2, 4)), lr=0.2, num_classes=10),
     package.VGG(((1, 8), (2, 4)), lr=0.2, num_classes=10), 28),
    (shown['SmallVGG'](pairs, lr=0.1), package.VGG(quick.arch, lr=0.1), 28),
]:
    told = []
    for model in one, other:
        trainer = package.Trainer(1, seed=3, display='none')
        history = trainer.fit(model, data)
        _, scores = model.predict(data.val_dataloader())
        sizes = sorted(a.size for a in model.arrays().values())
        told.append((sizes, history.points['train_loss'], scores))
    (*known, scores), (*others, other_scores) = told
    assert known == others
    # Running variances of PyTorch's own normalization are n / (n - 1) as
    # large, which moves the scores in their last digits
    np.testing.assert_allclose(scores, other_scores, rtol=1e-3, atol=1e-4)
print('the same')
"""
# Nothing can be trained in its process afterwards. Each training is stopped
# after its first point, which no later cell may mind
CAUGHT = """
import contextlib
from d2l_vgg.training import loop as base
caught = []
def fit(self, model, data, resume=False):
    caught.append((self, model, data))
    self.history.record('train_loss', 0.25, 2.3)
    raise InterruptedError
base.Trainer.fit = fit
import importlib
importlib.import_module('d2l_vgg.{module}').Trainer.fit = fit
for cell in page:
    if len(caught) == 3:
        break
    if 'layer_summary' not in cell:
        with contextlib.suppress(InterruptedError):
            exec(cell, shown)
# Before it come the plain network, and batch normalization alone
*_, (trainer, model, data) = caught
for name in {fields!r}:
    owner = [each for each in (trainer, model, data) if hasattr(each, name)]
    value = getattr(owner[0], name)
    print(name, repr(value[0] if name == 'resize' else value))
"""
SHOWN_FIELDS = [
    name
    for name in FIELDS
    # A run of the cell has a seed of its own
    if name not in ('description', 'seed', 'draw')
]


def read(name, tab):
    return page_cells.read(str(CHAPTER / f'{name}.md'), tab)


@pytest.fixture(scope='module', params=page_cells.TABS)
def run(request, tmp_path_factory):
    """The tab, the folder, and what each part printed there, or its error."""
    tab = request.param
    if importlib.util.find_spec(MODULES[tab]) is None:
        pytest.skip(f'{MODULES[tab]} is not installed')
    folder = tmp_path_factory.mktemp(tab)
    # The cells read the records beside them
    (folder / 'results').symlink_to(CHAPTER / 'results')
    parts = [(name, name, ALL, '1') for name in PAGES]
    same = SAME.replace('{module}', MODULES[tab])
    caught = CAUGHT.replace('{module}', MODULES[tab])
    caught = caught.replace('{fields!r}', repr(SHOWN_FIELDS))
    parts += [('same', 'vgg', same, '2'), ('caught', 'vgg', caught, '0')]
    parts = [
        (name, str(CHAPTER / f'{page}.md'), code, trial)
        for name, page, code, trial in parts
    ]
    paths = [
        str(ROOT),
        str(ROOT / 'scripts'),
        os.environ.get('PYTHONPATH', ''),
    ]
    done = subprocess.run(
        [sys.executable, '-c', RUN, tab],
        input=json.dumps(parts),
        cwd=folder,
        env={
            **os.environ,
            'PYTHONPATH': os.pathsep.join(paths),
            'TF_CPP_MIN_LOG_LEVEL': '3',
            'D2L_VGG_TRIAL': '1',
            # Or sums come in another order
            'OMP_NUM_THREADS': '1',
        },
        capture_output=True,
        text=True,
        timeout=1200,
    )
    assert done.returncode == 0, done.stderr
    return tab, folder, json.loads((folder / 'results.json').read_text())


def printed_by(run, name):
    """Return what a part has printed, which must have come to its end."""
    printed, error = run[2][name]
    assert error is None, error
    return printed


def test_every_cell_of_the_section_runs(run):
    printed = printed_by(run, 'vgg')
    assert re.search(r'Total +128,806,154 +7,547,232,256', printed)
    # Five trainings, each cut short
    assert len(re.findall('^epoch 1/1: .*val_acc', printed, re.M)) == 5
    for arch in '(2, 16)', '(1, 16)', '(1, 32)':
        assert re.search(
            rf'^\({re.escape(arch)}.*( 0\.\d{{4}}){{3}}$', printed, re.M
        )
    for name, pixels in {
        'one 5 x 5': 5,
        'two 3 x 3': 5,
        'one 7 x 7': 7,
        'three 3 x 3': 7,
        'VGG-11': 150,
        'VGG-16': 212,
    }.items():
        assert f'{name}: {pixels}, by the formula {pixels}\n' in printed
    # What is compiled gives the score that it gave before
    scores = re.findall(r'seconds, score (\S+)', printed)
    tab, folder, _ = run
    assert len(scores) == (3 if tab == 'mxnet' else 2)
    for score in scores:
        assert float(score) == pytest.approx(float(scores[0]), abs=1e-5)
        assert float(score) != 0
    assert not (folder / 'small.checkpoint').exists()


def test_every_cell_of_the_solutions_runs(run):
    printed = printed_by(run, 'exercises')
    assert '143667240 parameters' in printed
    assert re.search(r'conv5_2|conv +\(', printed)


def test_every_cell_about_the_published_curves_runs(run):
    printed_by(run, 'reproduce')


def test_classes_of_the_chapter_are_those_of_the_package(run):
    assert 'the same' in printed_by(run, 'same')


def test_the_small_experiment_shows_all_that_quick_is(run):
    quick = get_experiment('quick')
    printed = printed_by(run, 'caught')
    found = dict(line.split(' ', 1) for line in printed.splitlines())
    arch = architectures.get(ast.literal_eval(found.pop('arch')))
    assert arch.blocks == quick.arch.blocks
    for name in SHOWN_FIELDS[1:]:
        assert ast.literal_eval(found[name]) == getattr(quick, name), name


def test_cells_are_short_and_as_many_in_every_tab():
    """Where one tab has a cell of its own, so have the others."""
    for name in PAGES:
        pages = [read(name, tab) for tab in page_cells.TABS]
        assert len({len(page) for page in pages}) == 1
        for cell in sum(pages, []):
            lines = cell.splitlines()
            assert len(lines) <= 20, cell
            assert max(map(len, lines)) <= 78, cell
