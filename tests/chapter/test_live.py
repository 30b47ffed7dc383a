"""What all boxes have in common that can be tried on the page."""

import os

import pytest

NAMES = ['architecture', 'network', 'training']
# As a box begins, and as it is at its widest
STATES = {
    'architecture': [
        "document.querySelector('.tool details').open = true",
        """(() => {
            const blocks = Array(10).fill('(16, 2048)').join(', ');
            for (const [field, value] of
                [['side', '1024'], ['arch', `(${blocks})`], ['side', '16']]) {
                const input = document.querySelector(
                    `[data-field=${field}]`);
                input.value = value;
                input.dispatchEvent(new Event('input', {bubbles: true}));
            }
        })()""",
    ],
    'network': [
        "document.querySelector('.layers canvas').focus()",
        """live.trained = {name: 'yours: two convolutions, 85% right '
            + 'after 20.5 epochs', predict: () => new Float32Array(10)};
        document.dispatchEvent(new Event('live-trained'))""",
    ],
    'training': [
        """(async () => {
            const button = document.querySelector('.tool form button');
            document.querySelector('[name=maxEpochs]').value = 1;
            button.click();
            while (button.textContent !== 'Train again')
                await new Promise(done => setTimeout(done, 20));
        })()"""
    ],
}
TOO_WIDE = """(() => {
    const {left, right} =
        document.querySelector('.tool').getBoundingClientRect();
    return [...document.querySelectorAll('.tool *')].filter(part => {
        const box = part.getBoundingClientRect();
        return box.width && (box.left < left - 1 || box.right > right + 1);
    }).map(part => part.outerHTML.slice(0, 80));
})()"""


@pytest.mark.parametrize('width, scheme', [(390, 'light'), (1280, 'dark')])
@pytest.mark.parametrize('name', NAMES)
def test_box_fits_is_accessible_and_asks_no_host(
    show_live, live_folder, name, width, scheme
):
    pytest.importorskip('axe_core_python')
    page = show_live(name, width, scheme)
    for state in STATES[name]:
        page.run(state)
        assert page.violations() == []
        assert page.run('document.documentElement.scrollWidth') <= width
        assert page.run(TOO_WIDE) == []
    for url in page.requests:
        assert url.startswith((f'file://{live_folder}', 'blob:', 'data:',
                               'about:'))  # fmt: skip
    assert page.console == []


def test_box_is_filled_once_and_only_when_it_is_near(show_live):
    page = show_live('network', near=False)
    page.run('new Promise(done => setTimeout(done, 200))')
    assert not [url for url in page.requests if '/live/' in url]
    for y in 9999, 0, 9999:  # Near, far and near again
        page.run(
            f"""(async () => {{
                scrollTo(0, {y});
                await new Promise(done => setTimeout(done, 300));
                while (!document.querySelector('.live.ready'))
                    await new Promise(done => setTimeout(done, 20));
            }})()"""
        )
    assert page.run("document.querySelectorAll('.tool').length") == 1


def test_what_is_loaded_is_small(live_folder):
    files = os.scandir(live_folder / 'live')
    assert sum(os.path.getsize(file) for file in files) < 1_200_000


def test_paper_shows_what_stands_in_the_box(show_live):
    page = show_live('network')
    shown = """['.tool', '.live > p'].map(selector =>
        document.querySelector(selector).offsetParent !== null)"""
    assert page.run(shown) == [True, False]
    page.call('Emulation.setEmulatedMedia', media='print')
    assert page.run(shown) == [False, True]
