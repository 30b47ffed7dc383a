"""The checks of the exercises tell right from wrong, in notebook and page."""

import json
import re
from pathlib import Path

import pytest

from d2l_vgg.chapter import exercises

CHAPTER = Path(__file__).parents[2] / 'chapter'
SAY = """texts => [...document.querySelectorAll('.live')].map((box, i) =>
    texts[i].map(text => {
        box.querySelector('input').value = text;
        box.querySelector('button').click();
        return box.querySelector('output').textContent;
    }))"""


def said(capsys, name, number):
    exercises.check(name, number)
    return capsys.readouterr().out.strip()


@pytest.mark.parametrize(
    'name, number, words',
    [
        ('VGG-11: parameters', 128806154, 'Right.'),
        ('VGG-11: parameters', 128795200, 'parameters without the biases'),
        ('VGG-11: parameters', 128807306, 'images in colour, 10 classes'),
        ('VGG-11: parameters', 10, 'Not yet: too small.'),
        ('VGG-11: parameters', None, 'Put your number in the place of None.'),
        ('AlexNet: parameters', 46764746, 'Right.'),
        ('VGG-11: MiB of the parameters', 491.4, 'Right.'),
        ('VGG-11: MiB of the parameters', 515, 'MB of a million bytes'),
        ('VGG-11: convolutions', 8, 'Right.'),
        ('VGG-11: convolutions', 5, 'blocks'),
        ('VGG-16: parameters', 138357544, 'Right.'),
        ('VGG-16: parameters', 133638952, 'for C, images in colour, 1000'),
        ('VGG-19: parameters', 143667240, 'Right.'),
        ('Your network: parameters, fewer than 100000', 98666, 'Right.'),
        ('Your network: parameters, fewer than 100000', 100000, 'too large'),
        ('Your network: accuracy, at least 0.90', 0.9038, 'Right.'),
        ('Your network: accuracy, at least 0.90', 0.8999, 'too small'),
        ('Any network: accuracy, at least 0.94', 0.9438, 'Right.'),
    ],
)
def test_check_tells_what_is_right_and_what_a_wrong_number_counts(
    capsys, name, number, words
):
    assert words in said(capsys, name, number)


@pytest.mark.parametrize(
    'name, number',
    [
        ('VGG-12: parameters', 1),
        ('VGG-11: parameters', 'x'),
        ('VGG-11: parameters', float('nan')),
        pytest.param('VGG-11: parameters', 10**400, id='huge'),
    ],
)
def test_check_refuses_what_is_no_exercise_or_no_number(name, number):
    with pytest.raises(ValueError, match=' is .*: it must be'):
        exercises.check(name, number)


def test_every_exercise_is_asked_in_notebooks_and_on_the_page():
    text = (CHAPTER / 'exercises.md').read_text('utf-8')
    in_cells = re.findall(r"^check\('(.+)', None\)$", text, re.M)
    assert in_cells == re.findall(r'data-exercise="(.+)"', text)
    assert sorted(in_cells) == sorted(exercises.exercises())


def test_page_says_what_notebook_says(show_live, capsys, monkeypatch):
    known = exercises.exercises()
    monkeypatch.setattr(exercises, 'exercises', lambda: known)
    page = show_live(
        'check', attributes=[f'data-exercise="{name}"' for name in known]
    )
    texts, expected = [], []
    for name, (least, most, others) in known.items():
        numbers = [least, most, least - 2.2, most + 2.2, *others]
        texts.append([f'{number:,}' for number in numbers])
        expected.append([said(capsys, name, number) for number in numbers])
        texts[-1] += ['', 'many', '1e999', '0,95']
        expected[-1] += ['Write a number.'] * 4
    assert page.run(f'({SAY})({json.dumps(texts)})') == expected
    # And the page stays
    page.run('new Promise(done => setTimeout(done, 200))')
    assert page.run("document.querySelector('output').textContent")
    assert page.console == []
