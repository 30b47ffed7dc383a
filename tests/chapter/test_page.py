"""The page and the slides as a browser shows them."""

import os
import re

import pytest

pytest.importorskip('d2lbook')
pytest.importorskip('websocket')

from small_chapter import project

from d2l_vgg.chapter import builder

TABS = ['mxnet', 'pytorch', 'tensorflow', 'jax']
PAGES = ['index', 'vgg', 'exercises', 'reproduce']


def html_of(built, name):
    return os.path.join(built[0], '_build', 'html', name + '.html')


def show(chromium, built, name, width=1280, fragment='', dark=False):
    chromium.requests.clear()
    chromium.console.clear()
    scheme = 'dark' if dark else 'light'
    chromium.call(
        'Emulation.setEmulatedMedia',
        features=[{'name': 'prefers-color-scheme', 'value': scheme}],
    )
    chromium.open(html_of(built, name), width, fragment=fragment)


def see_that_all_is_here(chromium, built):
    html = os.path.join(built[0], '_build', 'html')
    for request in chromium.requests:
        assert request.startswith(('file://' + html, 'data:')), request
    assert chromium.console == []
    assert chromium.run(
        '[...document.images].every(i => i.complete && i.naturalWidth > 0)'
    )


@pytest.mark.parametrize('width', [390, 1280])
@pytest.mark.parametrize('name', PAGES)
def test_page_needs_no_other_host_and_fits(chromium, built, name, width):
    show(chromium, built, name, width)
    see_that_all_is_here(chromium, built)
    assert chromium.run('document.documentElement.scrollWidth') <= width
    too_wide = chromium.run(
        """[...document.querySelectorAll('main p, main figure, main pre,'
            + 'main .table')].filter(
            e => e.getBoundingClientRect().right > innerWidth + 1
                && !e.parentElement.closest('.table')  // It scrolls
        ).map(e => e.outerHTML.slice(0, 80))"""
    )
    assert too_wide == []
    raw = chromium.run("document.querySelector('main').innerText")
    assert not re.search(r':\w+:`|\[\*\*|\\\(|\\times', raw)


def test_maths_is_rendered_and_no_stop_for_the_tab_key(chromium, built):
    show(chromium, built, 'vgg')
    assert chromium.run("document.querySelectorAll('mjx-container').length")
    assert not chromium.run("document.querySelectorAll('mjx-merror').length")
    assert not chromium.run(
        "document.querySelectorAll('mjx-container[tabindex]').length"
    )


# -------------------------------------------------------------------- tabs

# The tabs of which something is to be seen
SHOWN = """[...new Set([...document.querySelectorAll('[role=tabpanel]')]
    .filter(panel => panel.offsetParent !== null)
    .map(panel => panel.dataset.only))]"""
CLICK = """[...document.querySelectorAll('[role=tab]')].find(
    button => button.offsetParent && button.dataset.tab === '{}').click()"""


def test_tabs_switch_all_over_the_page_and_are_remembered(chromium, built):
    show(chromium, built, 'vgg')
    chromium.run('localStorage.clear()')
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


def test_tabs_are_switched_by_keys(chromium, built):
    show(chromium, built, 'vgg')
    chromium.run('localStorage.clear()')
    show(chromium, built, 'vgg')
    chromium.run("document.querySelector('[role=tab]').focus()")
    keys = ['ArrowRight', 'ArrowRight', 'ArrowLeft', 'End', 'ArrowRight']
    for key, tab in zip(
        keys, ['pytorch', 'tensorflow', 'pytorch', 'jax', 'mxnet']
    ):
        for kind in 'keyDown', 'keyUp':
            chromium.call('Input.dispatchKeyEvent', type=kind, key=key)
        assert chromium.run(SHOWN) == [tab]
        assert chromium.run('document.activeElement.dataset.tab') == tab
        stops = chromium.run(
            """[...document.querySelectorAll('[role=tablist]')].map(
                bar => bar.querySelectorAll('[tabindex="0"]').length)"""
        )
        assert max(stops) == 1
    chromium.run('localStorage.clear()')


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
                i => i.offsetParent !== null).every(i => i.alt.length > 9)"""
        )


@pytest.mark.parametrize('tab', TABS)
def test_every_summary_has_its_output_or_the_page_says_why_not(built, tab):
    page = soup_of(built, 'vgg')
    notes = [note['data-only'] for note in page.select('.note')]
    assert (tab in notes) == (f'{tab}: running vgg' not in built[1])
    cells = [
        cell
        for cell in page.select(f'[role=tabpanel][data-only={tab}] > div')
        if 'layer_summary' in cell.text
    ]
    assert cells
    for cell in cells:
        output = cell.find_next_sibling('div')
        shown = output is not None and 'output' in output['class']
        assert shown == (tab not in notes)


TAB_TEXT = """```{.python .input}
%load_ext d2lbook.tab
tab.interact_select('mxnet', 'pytorch')
```

# Page

:begin_tab:`mxnet`
Words before code.
:end_tab:

```{.python .input}
%%tab mxnet
print('printed')
```

:begin_tab:`pytorch`
Words of the other.
:end_tab:

```{.python .input}
%%tab all
print(12345678)
```

| left | right | middle | none |
|:-----|------:|:------:|------|
| 1 | 2 | 3 | 4 |

![A figure of nothing.](one/same.svg)
:width:`40px`

![Another one.](two/same.svg)
:width:`40px`

<details>
<summary>The solution</summary>

It is *7*.

</details>
"""
SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 50">'
    '<title>{0}</title><desc>What {0} is.</desc>'
    '<text y="20" font-size="5">{0}</text></svg>'
)


@pytest.fixture(scope='module')
def small(tmp_path_factory):
    """A small project that has each kind of tab, table and picture."""
    folder = tmp_path_factory.mktemp('small') / 'small'
    project(folder, page=TAB_TEXT, plain=PLAIN)
    config = folder / 'config.ini'
    config.write_text(
        config.read_text().replace('s = ref', 's = */*.svg ref')
    )
    for name in 'one', 'two':
        (folder / name).mkdir()
        (folder / name / 'same.svg').write_text(SVG.format(name))
    with open(folder / 'index.md', 'a') as index:
        index.write('\nSee :cite:`known`.\n')
        index.write('\n```eval_rst\n.. bibliography::\n```\n')
    builder.build(str(folder), progress=lambda line: None)
    return str(folder), []


PLAIN = """# Plain
:label:`sec_plain`

```{.python .input}
%%tab all
print('for all')
```

Text.

```{.python .input .folded}
%%tab all
print('a', 'solution')
```
"""


def soup_of(built, name):
    bs4 = pytest.importorskip('bs4')
    with open(html_of(built, name), encoding='utf-8') as file:
        return bs4.BeautifulSoup(file.read(), 'html.parser')


def test_text_of_one_tab_has_no_tabs_and_code_for_all_stands_once(small):
    page = soup_of(small, 'page')
    assert not page.select('.mdl-tabs')
    (bar,) = page.select('[role=tablist]')
    assert [tab.text for tab in bar.select('[role=tab]')] == ['MXNet']
    words = page.find(string=re.compile('Words before code'))
    assert (
        words.find_parent(attrs={'data-only': True})['data-only'] == 'mxnet'
    )
    assert not words.find_parent(class_='tabs')
    assert str(page).count('print') >= 2
    assert len(page.select('div.output')) == 2  # Of both cells, once


def test_a_page_for_all_tabs_has_a_notebook_in_each(small):
    import nbformat

    for tab in 'mxnet', 'pytorch':
        path = f'{small[0]}/_build/notebooks/{tab}/plain.ipynb'
        cells = nbformat.read(path, as_version=4).cells
        assert cells[1].source == "print('for all')"
        link = soup_of(small, 'plain').select_one(
            f'a[data-only={tab}][href$=".ipynb"]'
        )
        assert link['href'] == f'notebooks/{tab}/plain.ipynb'


def test_tables_keep_their_alignment(small):
    page = soup_of(small, 'page')
    for row in page.select('main tr'):
        classes = [cell.get('class', []) for cell in row.select('th, td')]
        aligned = [[c for c in each if c[:3] == 'to-'] for each in classes]
        assert aligned == [['to-left'], ['to-right'], ['to-center'], []]


def test_each_picture_is_its_own_and_has_the_words_of_its_file(small):
    for image, name in zip(
        soup_of(small, 'page').select('img'), ['one', 'two']
    ):
        assert image['alt'] == f'{name}. What {name} is.'
        with open(f'{small[0]}/_build/html/{image["src"]}') as file:
            assert f'>{name}<' in file.read()
        # 5 units of 100 are 11 pixels
        assert image['style'] == 'min-width: 220px'


def test_pictures_of_the_pdf_have_names_of_their_own(small):
    """Sphinx writes them into one folder, each by the name of its file."""
    with open(f'{small[0]}/_build/rst_all/page.rst') as file:
        figures = re.findall(r'^.. figure:: (.*)$', file.read(), re.M)
    names = [os.path.basename(path) for path in figures]
    assert names == ['one-same.svg', 'two-same.svg']


def test_what_is_folded_comes_through(small):
    import nbformat

    (details,) = soup_of(small, 'page').select('details')
    assert details.summary.text.strip() == 'The solution'
    assert details.em.text == '7'
    path = f'{small[0]}/_build/notebooks/mxnet/page.ipynb'
    text = nbformat.read(path, as_version=4).cells[-1].source
    assert re.search(r'<details>\s*<summary>The solution', text)


def test_code_of_solutions_is_folded(small):
    import nbformat

    (details,) = soup_of(small, 'plain').select('details')
    assert details.summary.text == 'Show the code of the solution'
    assert 'a solution' in details.select_one('.output').text
    assert len(details.select('pre')) == 2
    path = f'{small[0]}/_build/notebooks/mxnet/plain.ipynb'
    cell = nbformat.read(path, as_version=4).cells[-1]
    assert cell.metadata['jupyter']['source_hidden']


def test_long_numbers_are_grouped_and_remain_numbers(small):
    page = soup_of(small, 'page')
    (digits,) = page.select('.digits')
    assert [group.text for group in digits] == ['12', '345', '678']
    assert '12345678' in digits.find_parent('pre').text


def test_references_are_written_as_they_are_cited(small):
    index = soup_of(small, 'index')
    (heading,) = index.select('h2#references')
    (work,) = index.select('ul.references > li')
    assert ' '.join(work.text.split()).startswith('Known, A. (2000)')
    cited = index.find('a', href='#' + work['id'])
    assert cited.text == 'Known, 2000'
    assert len(index.select('h1')) == 1


# ------------------------------------------------------------------- links


def test_a_page_leads_to_its_other_forms(chromium, built):
    show(chromium, built, 'vgg')
    for tab in TABS:
        chromium.run(f"chooseTab('{tab}')")
        links = chromium.run(
            """[...document.querySelectorAll('.forms a')].filter(
                a => a.offsetParent).map(a => a.getAttribute('href'))"""
        )
        assert links == [
            f'notebooks/{tab}/vgg.ipynb',
            f'slides/{tab}/vgg.html',
            'source/vgg.md',
        ]
        for link in links:
            where = os.path.dirname(html_of(built, 'vgg'))
            assert os.path.getsize(os.path.join(where, link)) > 1000


def test_every_link_lands_where_it_says(chromium, built):
    """Loaded afresh, since what comes late moves what is below it."""
    targets = set()
    for name in PAGES:
        for link in soup_of(built, name).select('main a[href*="#"]'):
            page, _, fragment = link['href'].partition('#')
            if fragment and '://' not in page:
                targets.add((page[: -len('.html')] or name, fragment))
    assert len(targets) > 20
    missed = []
    for page, fragment in sorted(targets):
        show(chromium, built, page, fragment=fragment)
        chromium.run('new Promise(done => setTimeout(done, 100))')
        top, end, left = chromium.run(
            f"""(() => {{
                const box = document.getElementById('{fragment}')
                    .getBoundingClientRect();
                return [box.top, document.documentElement.scrollHeight
                    - innerHeight - scrollY, box.left];
            }})()"""
        )
        # At the top, or as near as the page can be moved
        if not (-1 <= top <= 60 or (end < 2 and 0 <= top < 900)):
            missed.append((page, fragment, top, end))
    assert missed == []


def test_a_link_into_another_tab_chooses_that(chromium, built):
    """The browser alone would not find what is hidden."""
    show(chromium, built, 'vgg')
    chromium.run('localStorage.clear()')
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


# ----------------------------------------------------------- accessibility


@pytest.fixture(scope='module')
def axe():
    home = os.path.dirname(pytest.importorskip('axe_core_python').__file__)
    with open(os.path.join(home, 'axe.min.js'), encoding='utf-8') as file:
        return file.read()


VIOLATIONS = """axe.run(document, {
    runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa'],
    resultTypes: ['violations'],
}).then(found => found.violations.map(
    v => [v.id, v.nodes[0].html, v.nodes[0].failureSummary]))"""


@pytest.mark.parametrize('dark', [False, True], ids=['light', 'dark'])
@pytest.mark.parametrize('width', [390, 1280])
@pytest.mark.parametrize('name', [*PAGES, 'search'])
def test_page_is_accessible(chromium, built, axe, name, width, dark):
    """WCAG 2.1 AA, as far as axe-core can tell."""
    show(chromium, built, name, width, dark=dark)
    chromium.run(axe + '; 1')
    for tab in TABS:
        chromium.run(f"chooseTab('{tab}')")
        assert chromium.run(VIOLATIONS) == [], tab


def test_axe_finds_what_is_wrong(chromium, built, axe):
    show(chromium, built, 'vgg')
    chromium.run(
        axe + "; document.querySelector('section p').style.color = '#bbb'"
    )
    chromium.run("document.querySelector('main img').alt = ''")
    chromium.run("document.querySelector('main img').removeAttribute('alt')")
    names = {violation[0] for violation in chromium.run(VIOLATIONS)}
    assert {'color-contrast', 'image-alt'} <= names


def test_nothing_ends_a_page_before_its_end(chromium, built):
    """As the </div> too many below the bibliography of the index did."""
    for name in PAGES:
        show(chromium, built, name)
        assert chromium.run("!!document.querySelector('main nav.along')")
        assert chromium.run("!document.querySelector('main footer')")


def test_without_a_mouse_the_button_that_copies_covers_no_code(
    chromium, built
):
    show(chromium, built, 'vgg', 390)
    assert chromium.run("matchMedia('(hover: none)').matches")
    seen, covered = chromium.run(
        """(() => {
            const pairs = [...document.querySelectorAll('.copy-code')]
                .map(b => [b, b.parentElement.querySelector('pre')]
                    .map(box => box.getBoundingClientRect()))
                .filter(([button]) => button.width);
            return [pairs.length, pairs.filter(([button, code]) =>
                button.top < code.bottom && button.bottom > code.top).length];
        })()"""
    )
    assert seen > 5 and covered == 0


# Pictures of the chosen tab, with their widths
PICTURES = """[...document.querySelectorAll('main img[src$=".svg"]')]
    .map(i => [i.src.slice(7), i.getBoundingClientRect().width])
    .filter(([source, width]) => width)"""


def test_letters_of_figures_can_be_read_on_a_phone(chromium, built):
    from d2l_vgg.chapter.markup import smallest_letters

    for name in PAGES:
        show(chromium, built, name, 390)
        for tab in TABS:
            chromium.run(f"chooseTab('{tab}')")
            shown = chromium.run(PICTURES)
            for source, width in shown:
                letters = smallest_letters(source)
                if letters is not None:
                    assert letters[1] * width / letters[0] > 10.9, source


def test_the_first_stop_of_the_tab_key_skips_to_the_text(chromium, built):
    show(chromium, built, 'vgg')
    for kind in 'keyDown', 'keyUp':
        chromium.call('Input.dispatchKeyEvent', type=kind, key='Tab')
    link = 'document.activeElement'
    assert chromium.run(f'{link}.hash') == '#content'
    assert chromium.run(f'{link}.getBoundingClientRect().left') >= 0
    assert chromium.run("document.querySelectorAll('main#content').length")


def test_code_can_be_copied(chromium, built):
    show(chromium, built, 'vgg')
    chromium.run("chooseTab('mxnet')")
    copied = chromium.run(
        """(async () => {
            let text = null;
            Object.defineProperty(navigator, 'clipboard', {value: {
                writeText: async t => { text = t; }}});
            [...document.querySelectorAll('button.copy-code')].find(
                b => b.offsetParent).click();
            await new Promise(done => setTimeout(done, 50));
            return text;
        })()"""
    )
    assert copied.strip().startswith('from d2l_vgg import mxnet as d2l_vgg')


# ------------------------------------------------------- paper and slides


def test_the_printed_page_is_whole_and_has_no_buttons(chromium, built):
    show(chromium, built, 'vgg')
    chromium.call('Emulation.setEmulatedMedia', media='print')
    shown = chromium.run(
        """[...document.querySelectorAll('button, nav, form')].filter(
            e => e.offsetParent !== null).length"""
    )
    height = chromium.run('document.documentElement.scrollHeight')
    chromium.call('Emulation.setEmulatedMedia', media='')
    assert shown == 0 and height > 3000  # No box that scrolls
    pdf = chromium.call('Page.printToPDF')['data']
    assert len(pdf) > 100000


def test_nothing_is_folded_on_paper(chromium, built):
    show(chromium, built, 'exercises')
    folded = "document.querySelectorAll('details:not([open])').length"
    before = chromium.run(folded)
    # Of two listeners the page's own is called first
    chromium.run(
        f"addEventListener('beforeprint', () => {{ printed = {folded}; }})"
    )
    chromium.call('Page.printToPDF')
    assert before > 5 and chromium.run('printed') == 0
    assert chromium.run(folded) == before


@pytest.mark.parametrize('tab', ['mxnet', 'jax'])
@pytest.mark.parametrize('name', ['vgg', 'exercises'])
def test_slides_can_be_shown(chromium, built, tab, name):
    """Each has a title and something below it, which fits on it."""
    chromium.requests.clear()
    chromium.console.clear()
    chromium.open(html_of(built, f'slides/{tab}/{name}'), 1280, 720)
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


def test_a_key_leads_from_the_slides_to_the_notebook(chromium, built):
    chromium.open(html_of(built, 'slides/mxnet/vgg'), 1280, 720)
    assert (
        chromium.run('typeof Reveal.getConfig().keyboard[67]') == 'function'
    )
    link = chromium.run("document.querySelector('link[rel=alternate]').href")
    assert os.path.exists(link[len('file://') :])


def test_slides_hold_figures_and_marked_phrases(small, built):
    with open(html_of(built, 'slides/mxnet/vgg'), encoding='utf-8') as file:
        text = file.read()
    assert 'halves them' in text and 'vgg_block' in text
    assert 'img/vgg.svg' in text
    assert 'Chip designers' not in text
    # A page without marks has none
    assert not os.path.exists(html_of(small, 'slides/mxnet/page'))
