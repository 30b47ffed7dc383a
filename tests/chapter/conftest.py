"""The built chapter, which several modules look at."""

import contextlib
import io

import pytest


@pytest.fixture(scope='session')
def built(tmp_path_factory):
    """The folder of the chapter, built with its cells run, and the log."""
    pytest.importorskip('mxnet')
    pytest.importorskip('d2lbook')
    from small_chapter import SOURCE, copy_of

    from d2l_vgg.chapter import builder

    folder = copy_of(SOURCE, tmp_path_factory.mktemp('chapter') / 'chapter')
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        builder.build(folder)
    return folder, printed.getvalue().splitlines()


@pytest.fixture(scope='module')
def chromium():
    """A headless Chromium."""
    import browser

    if browser.CHROMIUM is None:
        pytest.skip('Chromium is not installed')
    with browser.Browser() as opened:
        yield opened
