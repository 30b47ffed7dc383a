"""The built chapter, which several modules look at."""

import pytest


@pytest.fixture(scope='session')
def built(tmp_path_factory):
    """The folder of the chapter, built with its cells run, and the log."""
    pytest.importorskip('mxnet')
    pytest.importorskip('d2lbook')
    from small_chapter import SOURCE, copy_of

    from d2l_vgg.chapter import builder

    folder = copy_of(SOURCE, tmp_path_factory.mktemp('chapter') / 'chapter')
    lines = []
    builder.build(folder, progress=lines.append)
    return folder, lines


@pytest.fixture(scope='module')
def chromium():
    """A headless Chromium."""
    import browser

    if browser.CHROMIUM is None:
        pytest.skip('Chromium is not installed')
    with browser.Browser() as opened:
        yield opened
