"""Pictures are the files that were asked for, the same at every drawing."""

import os

import pytest
from matplotlib.figure import Figure
from pictures import published_run
from processes import run_python

from d2l_vgg import figures
from d2l_vgg.book import published


def test_save_writes_the_same_bytes_again(tmp_path):
    paths = []
    for name in 'first', 'second':
        figure = figures.curves(
            {'run': published_run()}, band=published.Band()
        )
        paths.append(figures.save(figure, tmp_path / name))
    assert paths[0] == [f'{tmp_path}/first.svg', f'{tmp_path}/first.png']
    for first, second in zip(*paths):
        with open(first, 'rb') as a, open(second, 'rb') as b:
            content = a.read()
            assert content == b.read()
        assert b'dc:date' not in content
    assert len(list(tmp_path.iterdir())) == 4


def test_figure_of_a_readers_own_is_saved_as_it_is(tmp_path):
    (path,) = figures.save(Figure(), tmp_path / 'own.svg')
    with open(path, encoding='utf-8') as file:
        assert '<title>' not in file.read()


def test_figures_need_neither_pyplot_nor_display_nor_tex(tmp_path):
    code = f"""
        import matplotlib, os, sys
        os.environ.pop('DISPLAY', None)
        matplotlib.rcParams['text.usetex'] = True
        from d2l_vgg import figures
        from d2l_vgg.book import published
        figure = figures.curves(published.runs('jax'), published.Band())
        figures.save(figure, {str(tmp_path / 'curves')!r})
        assert 'matplotlib.pyplot' not in sys.modules
    """
    run_python(code, MPLBACKEND='TkAgg')
    assert (tmp_path / 'curves.png').stat().st_size > 10000


@pytest.mark.parametrize(
    'path, written',
    [
        ('plot.png', ['plot.png']),
        ('plot.svg', ['plot.svg']),
        ('plot', ['plot.png', 'plot.svg']),
        ('new/plot.png', ['new/plot.png']),
        # The end of a number is no ending
        ('lr0.05', ['lr0.05.png', 'lr0.05.svg']),
    ],
)
def test_the_ending_says_what_is_written(path, written, tmp_path):
    figure = figures.curves({'run': published_run()})
    names = figures.save(figure, tmp_path / path)
    assert sorted(names) == [str(tmp_path / name) for name in written]
    found = [p for p in tmp_path.rglob('*') if p.is_file()]
    assert sorted(found) == [tmp_path / name for name in written]
    for name in found:
        start = name.read_bytes()[:5]
        is_png = name.suffix.lower() == '.png'
        assert start == (b'\x89PNG\r' if is_png else b'<?xml')


@pytest.mark.parametrize(
    'path, words',
    [
        ('plot.gif', ['.gif', '.png', '.svg']),
        ('folder', ['folder', 'name a file']),
        ('', ['name a file']),
        ('folder.png', ['folder']),
        ('taken', ['taken.svg', 'folder']),
    ],
)
def test_names_that_no_picture_can_have_are_refused(
    path, words, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    for folder in 'folder', 'folder.png', 'taken.svg':
        os.mkdir(folder)
    with pytest.raises(ValueError) as error:
        figures.names(path)
    sentence = str(error.value)
    assert sentence.endswith('.') and '\n' not in sentence
    for word in words:
        assert word in sentence
    assert sorted(os.listdir()) == ['folder', 'folder.png', 'taken.svg']
