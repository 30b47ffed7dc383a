"""The built chapter, and what can be tried on it, in a browser."""

import contextlib
import io
import shutil
from pathlib import Path

import pytest

PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8">
<title>Page</title><link rel="stylesheet" href="page.css">
<script src="page.js"></script></head><body><main><h1>Page</h1>
<div style="height: 3000px">Far</div>{}</main></body></html>"""
BOX = '<div class="live" data-live="{}" {}><p>Without scripts</p></div>'


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


@pytest.fixture(scope='session')
def chromium():
    """A headless Chromium."""
    pytest.importorskip('websocket')
    import browser

    if browser.CHROMIUM is None:
        pytest.skip('Chromium is not installed')
    with browser.Browser() as opened:
        yield opened


@pytest.fixture(scope='session')
def live_folder(tmp_path_factory):
    """A folder with the scripts and the style of the page."""
    from d2l_vgg.chapter import live

    folder = tmp_path_factory.mktemp('page')
    for name in 'page.js', 'page.css':
        shutil.copy(Path(live.HERE, name), folder)
    live.write(folder / 'live')
    return folder


@pytest.fixture
def show_live(chromium, live_folder):
    """Show boxes that are filled, far below the top of a page."""

    def show(name, width=1280, scheme='light', attributes=('',), near=True):
        boxes = [BOX.format(name, each) for each in attributes]
        path = live_folder / 'page.html'
        path.write_text(PAGE.format(''.join(boxes)))
        chromium.show(path, width, scheme)
        if near:
            chromium.run(
                """(async () => {
                    document.querySelector('.live').scrollIntoView();
                    while (document.querySelector('.live:not(.ready)'))
                        await new Promise(done => setTimeout(done, 20));
                    // Until all has its size
                    await new Promise(done => requestAnimationFrame(() =>
                        requestAnimationFrame(done)));
                })()"""
            )
        return chromium

    return show
