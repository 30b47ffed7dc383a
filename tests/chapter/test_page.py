"""The page and the slides as a browser shows them."""

import os
import re
import shutil
from pathlib import Path
from urllib.parse import quote

import pytest

pytest.importorskip('d2lbook')
pytest.importorskip('websocket')

from small_chapter import soup_of

from d2l_vgg.chapter import live

TABS = ['mxnet', 'pytorch', 'tensorflow', 'jax']
PAGES = ['index', 'vgg', 'exercises', 'reproduce']


def html_of(built, name):
    return os.path.join(built[0], '_build', 'html', name + '.html')


def show(chromium, built, name, *args, **options):
    chromium.show(html_of(built, name), *args, **options)


@pytest.fixture(autouse=True)
def tab_is_forgotten(chromium):
    yield
    chromium.run('localStorage.clear()')


def see_that_all_is_here(chromium, built):
    html = os.path.join(built[0], '_build', 'html')
    for request in chromium.requests:
        assert request.startswith(('file://' + html, 'data:')), request
    assert chromium.console == []
    assert chromium.run(
        '[...document.images].every(i => i.complete && i.naturalWidth > 0)'
    )


@pytest.mark.parametrize('width, scheme', [(390, 'light'), (1280, 'dark')])
@pytest.mark.parametrize('name', [*PAGES, 'search'])
def test_page_fits_is_accessible_and_needs_no_other_host(
    chromium, built, name, width, scheme
):
    pytest.importorskip('axe_core_python')
    show(chromium, built, name, width, scheme)
    see_that_all_is_here(chromium, built)
    # Nothing ends the page before its end, as a </div> too many would
    along = chromium.run("!!document.querySelector('main nav.along')")
    assert along == (name != 'search')
    assert chromium.run("!document.querySelector('main footer')")
    assert chromium.run('document.documentElement.scrollWidth') <= width
    too_wide = chromium.run(
        """[...document.querySelectorAll('main p, main figure, main pre,'
            + 'main .table')].filter(
            e => e.getBoundingClientRect().right > innerWidth + 1
                && !e.parentElement.closest('.table')  // It scrolls
        ).map(e => e.outerHTML.slice(0, 80))"""
    )
    assert too_wide == []
    cut = chromium.run(
        """[...document.querySelectorAll('main figure, .table')].filter(
            e => e.scrollWidth > e.clientWidth).map(e => e.innerText)"""
    )
    assert cut == []
    too_small = chromium.run(
        """[...document.querySelectorAll('button, .toc a, a.headerlink')]
            .filter(e => e.offsetParent).filter(e => {
                const {width, height} = e.getBoundingClientRect();
                return Math.min(width, height) < 24;
            }).map(e => e.outerHTML)"""
    )
    assert too_small == []
    raw = chromium.run("document.querySelector('main').innerText")
    assert not re.search(r':\w+:`|\[\*\*|\\\(|\\times', raw)
    formulas = "document.querySelectorAll('mjx-container').length"
    assert name != 'vgg' or chromium.run(formulas)
    assert not chromium.run("document.querySelectorAll('mjx-merror').length")
    for tab in TABS:
        chromium.run(f"chooseTab('{tab}')")
        assert chromium.violations() == [], tab


# -------------------------------------------------------------------- tabs

# The tabs of which something is to be seen
SHOWN = """[...new Set([...document.querySelectorAll('[role=tabpanel]')]
    .filter(panel => panel.offsetParent !== null)
    .map(panel => panel.dataset.only))]"""
CLICK = """[...document.querySelectorAll('[role=tab]')].find(
    button => button.offsetParent && button.dataset.tab === '{}').click()"""


def test_tabs_switch_all_over_the_page_and_are_remembered(chromium, built):
    show(chromium, built, 'vgg')
    for tab in [*TABS, 'pytorch']:
        chromium.run(CLICK.format(tab))
        assert chromium.run(SHOWN) == [tab]
        code = chromium.run("document.querySelector('main').innerText")
        assert ('LazyConv2d' in code) == (tab == 'pytorch')
        assert ('HybridSequential()' in code) == (tab == 'mxnet')
    show(chromium, built, 'vgg')
    assert chromium.run(SHOWN) == ['pytorch']
    chromium.run('localStorage.clear()')
    show(chromium, built, 'vgg')
    assert chromium.run(SHOWN) == ['mxnet']


def test_address_chooses_the_tab(chromium, built):
    for query, tab in [
        ('?tab=pytorch', 'pytorch'),
        ('?tab=jax#fig-vgg', 'jax'),
        ('', 'jax'),  # As the pages to which that one leads
        ('?tab=none', 'jax'),
        ('#nowhere', 'jax'),
        ('#%E0%A4%A', 'jax'),  # No text in UTF-8
    ]:
        chromium.show(html_of(built, 'vgg') + query)
        assert chromium.run(SHOWN) == [tab]
    chromium.run('localStorage.clear()')
    assert chromium.console == []


def test_page_works_where_nothing_may_be_remembered(chromium, built):
    forbid = """Object.defineProperty(window, 'localStorage', {
        get() { throw new DOMException('forbidden', 'SecurityError'); }})"""
    method = 'ScriptToEvaluateOnNewDocument'
    script = chromium.call(f'Page.add{method}', source=forbid)
    show(chromium, built, 'vgg')
    chromium.run(CLICK.format('jax'))
    assert chromium.run(SHOWN) == ['jax']
    assert chromium.console == []
    chromium.call(f'Page.remove{method}', **script)
    show(chromium, built, 'vgg')  # Where it may be forgotten


def test_tabs_are_switched_by_keys(chromium, built):
    show(chromium, built, 'vgg')
    chromium.run("document.querySelector('[role=tab]').focus()")
    keys = ['ArrowRight', 'ArrowRight', 'ArrowLeft', 'End', 'ArrowRight']
    for key, tab in zip(
        keys, ['pytorch', 'tensorflow', 'pytorch', 'jax', 'mxnet']
    ):
        chromium.press(key)
        assert chromium.run(SHOWN) == [tab]
        assert chromium.run('document.activeElement.dataset.tab') == tab
        stops = chromium.run(
            """[...document.querySelectorAll('[role=tablist]')].map(
                bar => bar.querySelectorAll('[tabindex="0"]').length)"""
        )
        assert max(stops) == 1


@pytest.mark.parametrize('name', PAGES)
def test_no_tabs_stand_over_text_or_over_nothing(chromium, built, name):
    show(chromium, built, name)
    for tab in TABS:
        chromium.run(f"chooseTab('{tab}')")
        wrong = chromium.run(
            """[...document.querySelectorAll('[role=tablist]')].filter(
                bar => bar.offsetParent !== null).filter(bar => {
                    const panel = [...bar.parentElement.children].find(
                        e => e.role === 'tabpanel' && e.offsetParent);
                    return !panel || !panel.firstElementChild.matches(
                        '[class*=highlight-], details');
                }).length"""
        )
        assert wrong == 0
        # Of figures, what is shown is shown with its words
        assert chromium.run(
            """[...document.querySelectorAll('main img')].filter(
                i => i.offsetParent !== null).every(
                i => i.alt.length > 9 && !i.alt.includes('"'))"""
        )


# ------------------------------------------------------------------- links


def test_a_page_leads_to_its_other_forms(chromium, built):
    show(chromium, built, 'vgg')
    for tab in TABS:
        chromium.run(f"chooseTab('{tab}')")
        links = chromium.run(
            """[...document.querySelectorAll('.forms a')].filter(
                a => a.offsetParent).map(
                a => [a.getAttribute('href'), a.hasAttribute('download')])"""
        )
        assert links == [
            [f'notebooks/{tab}/vgg.ipynb', True],
            [f'slides/{tab}/vgg.html', False],
            ['source/vgg.md', False],
        ]
        for link, _ in links:
            where = os.path.dirname(html_of(built, 'vgg'))
            assert os.path.getsize(os.path.join(where, link)) > 1000


def test_every_link_lands_where_it_says(chromium, built):
    """What comes late, such as formulas, moves what is below it."""
    targets = set()
    for name in PAGES:
        for link in soup_of(built[0], name).select('main a[href*="#"]'):
            page, _, fragment = link['href'].partition('#')
            if fragment and '://' not in page:
                targets.add((page[: -len('.html')] or name, fragment))
    assert len(targets) > 20
    missed, shown = [], None
    for page, fragment in sorted(targets, reverse=True):
        if page != shown:
            show(chromium, built, page, fragment=fragment)
        else:
            chromium.run(f"location.hash = '{fragment}'")
        shown = page
        chromium.run('new Promise(done => setTimeout(done, 100))')
        top, end = chromium.run(
            f"""(() => {{
                const target = document.getElementById('{fragment}');
                const box = (target.closest('figure') || target)
                    .getBoundingClientRect();
                return [box.top, document.documentElement.scrollHeight
                    - innerHeight - scrollY];
            }})()"""
        )
        # At the top, or as near as the page can be moved
        if not (-1 <= top <= 60 or (end < 2 and 0 <= top < 900)):
            missed.append((page, fragment, top, end))
    assert missed == []


def test_search_shows_what_stands_around_the_words(chromium, built):
    """Also of a page that was opened as a file."""
    chromium.show(html_of(built, 'search') + '?q=block', 390)
    root = 'document.documentElement'  # Beside the bar that scrolls it
    width = chromium.run(f'{root}.clientWidth')
    assert chromium.run(f'{root}.scrollWidth') == width <= 390
    chromium.show(html_of(built, 'search') + '?q=Kernel+gradient')
    see_that_all_is_here(chromium, built)
    found = chromium.run(
        """[...document.querySelectorAll('#found li')].map(item => [
            item.querySelector('a').href,
            item.querySelector('p').innerText,
            item.querySelector('mark').innerText.toLowerCase()])"""
    )
    assert len(found) > 1
    for _, excerpt, marked in found:
        assert marked in ('kernel', 'gradient')
        assert marked in excerpt.lower() and len(excerpt) < 250
    path, fragment = found[0][0].removeprefix('file://').split('#')
    chromium.open(path)
    assert chromium.run(f"!!document.getElementById('{fragment}')")


def test_search_lists_what_has_all_words_the_best_first(chromium, tmp_path):
    sections = [
        ['1', 'One', 'a kernel and a gradient'],
        ['2', 'Kernel gradient', 'in its title'],
        ['3', 'Three', 'the kernel gradient side by side'],
        ['4', 'C++ (', 'kernel'],
    ]
    shutil.copy(Path(live.HERE, 'search.js'), tmp_path)
    (tmp_path / 'page.html').write_text(
        '<meta charset="utf-8"><input name="q">'
        '<p id="told"></p><ol id="found"></ol>'
        f'<script>const sections = {sections}</script>'
        '<script src="search.js"></script>'
    )
    for asked, titles, told in [
        ('kernel gradient', ['Kernel gradient', 'Three', 'One'],
         '3 sections have all words of “kernel gradient”.'),
        ('c++', ['C++ ('], '1 section has “c++”.'),
        ('zebra', [], '0 sections have “zebra”.'),
    ]:  # fmt: skip
        chromium.show(f'{tmp_path}/page.html?q={quote(asked)}')
        assert told == chromium.run("document.querySelector('p').innerText")
        assert titles == chromium.run(
            """[...document.querySelectorAll('#found a')].map(
                a => a.innerText)"""
        )
    assert chromium.console == []


# --------------------------------------------------- pictures and code


@pytest.mark.parametrize(
    'alt, least', [('From AlexNet', 1000), ('Twelve images', 40000)]
)
def test_pictures_are_no_white_boxes_in_the_dark(chromium, built, alt, least):
    """What consists of pixels is left as it is."""
    corners, shades = {}, {}
    for scheme in 'light', 'dark':
        show(chromium, built, 'vgg', scheme=scheme)
        clip, address = chromium.run(
            f"""(async () => {{
                chooseTab('mxnet');
                const image = document.querySelector('img[alt^="{alt}"]');
                image.scrollIntoView();
                await image.decode();
                const {{x, y, width, height}} = image.getBoundingClientRect();
                const clip = {{x, y: y + scrollY, width, height, scale: 1}};
                return [clip, image.currentSrc];
            }})()"""
        )
        # Safari ignores dark mode within a picture: its address says it
        assert address.endswith('#dark') == (scheme == 'dark')
        picture = chromium.picture(clip)
        corners[scheme] = picture.getpixel((4, 4))
        shades[scheme] = picture.histogram()
    assert corners['light'] > 250 and corners['dark'] < 40
    # Something is white: letters and lines, or the images' own ground
    assert sum(shades['dark'][200:]) > least


def test_code_can_be_copied(chromium, built):
    show(chromium, built, 'vgg')
    chromium.run("chooseTab('mxnet')")
    copied = chromium.copied_by(
        """[...document.querySelectorAll('button.copy-code')].find(
            b => b.offsetParent)"""
    )
    assert copied.strip().startswith('from d2l_vgg import mxnet as d2l_vgg')


# ------------------------------------------------------- paper and slides


def test_the_printed_page_is_whole_unfolded_and_has_no_buttons(
    chromium, built
):
    show(chromium, built, 'exercises')
    folded = "document.querySelectorAll('details:not([open])').length"
    before = chromium.run(folded)
    # Of two listeners the page's own is called first
    chromium.run(
        f"addEventListener('beforeprint', () => {{ printed = {folded}; }})"
    )
    assert len(chromium.call('Page.printToPDF')['data']) > 100000
    assert before > 5 and chromium.run('printed') == 0
    assert chromium.run(folded) == before
    chromium.call('Emulation.setEmulatedMedia', media='print')
    shown = chromium.run(
        """[...document.querySelectorAll('button, nav, form')].filter(
            e => e.offsetParent !== null).length"""
    )
    height = chromium.run('document.documentElement.scrollHeight')
    assert shown == 0 and height > 3000  # No box that scrolls


@pytest.mark.parametrize('tab', ['mxnet', 'jax'])
@pytest.mark.parametrize('name', ['vgg', 'exercises'])
def test_slides_can_be_shown(chromium, built, tab, name):
    """Each has a title and something below it, which fits on it."""
    chromium.show(html_of(built, f'slides/{tab}/{name}'), height=720)
    see_that_all_is_here(chromium, built)
    number = chromium.run('Reveal.getTotalSlides()')
    assert number > 8
    for i in range(number):
        chromium.run(f'Reveal.slide({i})')
        title, letters, right, bottom = chromium.run(
            """(() => {
                const slide = Reveal.getCurrentSlide();
                const boxes = [...slide.querySelectorAll('*')].map(
                    e => e.getBoundingClientRect());
                const pictures = slide.querySelectorAll('img').length;
                return [slide.querySelector('h2').innerText,
                    slide.innerText.length + 99 * pictures,
                    Math.max(...boxes.map(b => b.right)),
                    Math.max(...boxes.map(b => b.bottom))];
            })()"""
        )
        assert letters > len(title) + 10, (i, title)
        assert right <= 1280 and bottom <= 720, (i, title)
    code = chromium.run(
        """[...document.querySelectorAll('.slides section')].map(
            s => s.textContent)"""
    )
    assert not any('class VGG' in c and 'layer_summary' in c for c in code)
    assert chromium.run(
        """[...document.images].every(
            i => i.alt.length > 9 && !i.alt.includes('"'))"""
    )


@pytest.mark.parametrize(
    'name, selector, text, least',
    [
        ('vgg', 'td', '27.0 / 8.8', 1),  # Of the paper's Table 3
        ('vgg', 'h2', 'Summary', 1),
        ('exercises', 'h2', ': solution', 5),
        ('exercises', 'p > em:only-child', '', 6),  # The questions
        ('exercises', '.jp-OutputArea', '143667240', 1),
    ],
)
def test_slides_have_tables_tasks_solutions_and_summary(
    chromium, built, name, selector, text, least
):
    chromium.show(html_of(built, f'slides/pytorch/{name}'), height=720)
    number = chromium.run(
        f"""[...document.querySelectorAll('.slides {selector}')].filter(
            e => e.textContent.includes('{text}')).length"""
    )
    assert number >= least


def test_a_link_into_another_tab_chooses_that(chromium, built):
    """The browser alone would not find what is hidden."""
    show(chromium, built, 'vgg')
    panels = chromium.run(
        """[...document.querySelectorAll('[role=tabpanel]')].filter(
            panel => panel.dataset.only === 'jax').map(panel => panel.id)"""
    )
    show(chromium, built, 'vgg', fragment=panels[-1])
    assert chromium.run(SHOWN) == ['jax']
    top = (
        f"document.getElementById('{panels[-1]}').getBoundingClientRect().top"
    )
    assert 0 <= chromium.run(top) < 900
