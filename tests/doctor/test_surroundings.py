"""What is said of NumPy, the processor, memory, data, disk and programs."""

import os

import pytest

from d2l_vgg.doctor import surroundings
from d2l_vgg.doctor.probing import Outcome
from d2l_vgg.training.experiments import EXPERIMENTS

NAMES = 'train-images', 'train-labels', 't10k-images', 't10k-labels'


def data(*states, stand_in=False):
    """Return what is said of four files in these states, in a folder."""
    rows = [
        [name, None if state == 'missing' else f'/some/{name}', state]
        for name, state in zip(NAMES, states * 4)
    ]
    outcome = Outcome({'stand_in': stand_in, 'rows': rows}, '')
    return surroundings.check_data(outcome)


def test_data_that_are_whole():
    check = data('whole')
    assert not check.do and check.text == 'Fashion-MNIST is in /some'


@pytest.mark.parametrize('states, told', [
    (('missing',), 'Fashion-MNIST is not here'),
    (('truncated', 'whole'), '/some/train-images is truncated'),
    (('whole', 'altered'), '/some/train-labels is altered'),
])  # fmt: skip
def test_data_that_are_not(states, told):
    check = data(*states)
    assert told in check.text and '--fetch' in check.commands[-1]
    assert len(check.commands) == 1


def test_data_that_may_not_be_read():
    check = data('unreadable', 'whole')
    assert check.commands[0] == 'chmod -R u+rX /some/train-images'


def test_the_stand_in_is_not_the_data():
    assert data('whole', stand_in=True).commands[0] == 'unset D2L_VGG_DATA'


def test_data_that_cannot_be_looked_for():
    check = surroundings.check_data(Outcome({}, 'it crashed by SIGBUS'))
    assert 'SIGBUS' in check.text and check.do


@pytest.mark.parametrize('free, well', [(10**9, True), (10**3, False)])
def test_memory_is_held_against_what_is_needed(monkeypatch, free, well):
    monkeypatch.setattr(
        surroundings.machine, 'available_memory', lambda: free
    )
    check = surroundings.check_memory('quick', 10**6)
    assert (not check.do) == well and 'quick takes at least' in check.text


def test_a_disk_that_is_full(monkeypatch):
    usage = surroundings.shutil.disk_usage('.')._replace(free=10**7)
    monkeypatch.setattr(surroundings.shutil, 'disk_usage', lambda p: usage)
    check = surroundings.check_disk('book', EXPERIMENTS['book'])
    # Two checkpoints of 43 million parameters and those, of 4 bytes each
    assert check.facts['needed'] == 3 * 4 * 43093322
    assert check.do == 'Make room.'
    assert not surroundings.check_disk('x', EXPERIMENTS['fast']).do


def test_a_folder_that_may_not_be_written(monkeypatch):
    monkeypatch.setattr(os, 'access', lambda path, mode: False)
    check = surroundings.check_disk('quick', EXPERIMENTS['quick'])
    assert 'cannot be written' in check.text and '--runs' in check.commands[0]


@pytest.mark.parametrize('threads, cores, well', [
    ('1', 4, False), ('4', 4, True), (None, 4, True), ('all', 4, True),
    ('1', 1, True),
])  # fmt: skip
def test_cores_that_are_left_idle(monkeypatch, threads, cores, well):
    monkeypatch.delenv('OMP_NUM_THREADS', raising=False)
    if threads:
        monkeypatch.setenv('OMP_NUM_THREADS', threads)
    monkeypatch.setattr(surroundings.machine, 'physical_cores', lambda: cores)
    monkeypatch.setattr(surroundings.machine, '_cpu_quota', lambda: 0)
    check = surroundings.check_processor()
    assert (not check.do) == well
    assert f'{cores} core' in check.text
    assert 'the container leaves less than 1 of' in check.text


def test_programs_for_the_chapter(monkeypatch):
    there = {'xelatex', 'chromium'}
    monkeypatch.setattr(
        surroundings.shutil, 'which', lambda name: name in there or None
    )
    monkeypatch.setattr(
        surroundings.importlib.util, 'find_spec', lambda name: None
    )
    chapter, pdf, browser = surroundings.check_chapter()
    assert chapter.commands and 'd2lbook is not' in chapter.text
    assert pdf.text == 'there is no latexmk, rsvg-convert'
    assert pdf.commands == ('apt install latexmk librsvg2-bin',)
    assert not browser.do


def test_numpy_that_is_broken():
    check = surroundings.check_numpy(Outcome({}, 'it crashed by SIGILL'))
    assert 'SIGILL' in check.text and 'uninstall' in check.commands[0]
