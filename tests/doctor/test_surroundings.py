"""What is said of NumPy, the processor, memory, disk and programs."""

import os

import pytest

from d2l_vgg.doctor import surroundings
from d2l_vgg.doctor.probing import Outcome
from d2l_vgg.training.experiments import EXPERIMENTS


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
