"""`d2l-vgg curves` holds a run against the book's published ones."""

import os
import shutil

import pytest
from command_line import change_record, done

from d2l_vgg.training.runs import TRAINED

RESULTS = os.path.join(os.path.dirname(__file__), '../../chapter/results')


@pytest.mark.parametrize(
    'framework, runs_of_the_book, verdict',
    [
        ('mxnet', "book's 11 MXNet runs", 'does not end as the book'),
        ('pytorch', "book's 11 PyTorch runs", 'ends as the book'),
    ],
)
def test_run_is_held_against_the_runs_of_a_tab(
    framework, runs_of_the_book, verdict, tmp_path
):
    book, output = os.path.join(RESULTS, 'book'), tmp_path / 'picture'
    words = ['--framework', framework, '--output', output]
    text = done('curves', book, *words)
    assert f'This run {verdict}' in text and runs_of_the_book in text
    # Which images MXNet's tab validates on, that of no other
    assert ('are not those of Zalando' in text) == (framework == 'mxnet')
    assert f'{output}.png' in text
    assert os.path.getsize(f'{output}.png') > 10000
    # matplotlib names each text of a picture beside it
    seen = (tmp_path / 'picture.svg').read_text(encoding='utf-8')
    assert f'<!-- {runs_of_the_book}: mean ± 3 sd -->' in seen


def test_another_experiment_than_the_books_gets_no_verdict(tmp_path):
    runs = [os.path.join(TRAINED, 'quick'), os.path.join(RESULTS, 'book')]
    text = done('curves', *runs, '--output', tmp_path / 'picture.svg')
    quick, book = text.split('book:\n')
    assert 'no verdict' in quick and ' sd' not in quick
    assert 'does not end as the book' in book
    seen = (tmp_path / 'picture.svg').read_text(encoding='utf-8')
    assert "<!-- Not the book's experiment: quick -->" in seen
    assert "book's 11 MXNet runs" in seen


def test_run_without_a_point_is_told_in_one_sentence(tmp_path):
    folder = tmp_path / 'run'
    shutil.copytree(os.path.join(RESULTS, 'book'), folder)
    (folder / 'history.csv').write_text('series,epoch,value\n')
    change_record(folder, lambda info: info.pop('history', None))
    told = done('curves', folder, '--output', tmp_path / 'a.png')
    assert told.splitlines()[1:-2] == [
        "No point of this run lies at a point of the book's curves."
    ]


@pytest.mark.parametrize(
    'trained, asked, runs_of_the_book',
    [
        ('jax', None, "book's 5 JAX runs"),
        ('mxnet', 'torch', "book's 11 PyTorch runs"),
    ],
)
def test_tab_is_that_of_the_run_unless_one_is_asked_for(
    trained, asked, runs_of_the_book, tmp_path
):
    folder = tmp_path / 'a'
    shutil.copytree(os.path.join(TRAINED, 'quick'), folder)
    change_record(folder, lambda info: info.update(framework=trained))
    options = ['--framework', asked] if asked else []
    picture = ['--output', tmp_path / 'a.png']
    assert runs_of_the_book in done('curves', folder, *picture, *options)
