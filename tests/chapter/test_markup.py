"""What the builder makes of tabs, tables, pictures and solutions."""

import re

import pytest

pytest.importorskip('d2lbook')

import bs4
from small_chapter import project, read_notebook, soup_of

from d2l_vgg.chapter import builder, markup

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

<!-- table: numbers -->

| network | layers |
|---------|-------:|
| VGG-11 | 11 |

<!-- end of table -->

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
    builder.build(str(folder))
    return str(folder)


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

```{.python .input .folded}
%%tab all
print('its', 'second cell')
```
"""


def test_text_of_one_tab_has_no_tabs_and_code_for_all_stands_once(small):
    page = soup_of(small, 'page')
    assert not page.select('.mdl-tabs')
    (panel,) = page.select('.tabs > div')
    assert panel['data-title'] == 'MXNet' and 'printed' in panel.text
    words = page.find(string=re.compile('Words before code'))
    assert (
        words.find_parent(attrs={'data-only': True})['data-only'] == 'mxnet'
    )
    assert not words.find_parent(class_='tabs')
    assert str(page).count('print') >= 2
    assert len(page.select('div.output')) == 2  # Of both cells, once


def test_a_page_for_all_tabs_has_a_notebook_in_each(small):
    for tab in 'mxnet', 'pytorch':
        cells = read_notebook(small, tab, 'plain').cells
        assert cells[1].source == "print('for all')"
        link = soup_of(small, 'plain').select_one(
            f'a[data-only={tab}][href$=".ipynb"]'
        )
        assert link['href'] == f'notebooks/{tab}/plain.ipynb'


def test_comments_are_seen_by_nobody(small):
    cells = read_notebook(small, 'mxnet', 'page').cells
    text = '\n'.join(cell.source for cell in cells)
    assert '| VGG-11 | 11 |' in text and 'end of table' not in text
    page = soup_of(small, 'page').select_one('main').get_text()
    assert 'layers' in page and 'end of table' not in page


def test_each_picture_is_its_own_and_has_the_words_of_its_file(small):
    for image, name in zip(
        soup_of(small, 'page').select('img'), ['one', 'two']
    ):
        assert image['alt'] == f'{name}. What {name} is.'
        with open(f'{small}/_build/html/{image["src"]}') as file:
            assert f'>{name}<' in file.read()


def test_what_is_folded_comes_through(small):
    (details,) = soup_of(small, 'page').select('details')
    assert details.summary.text.strip() == 'The solution'
    assert details.em.text == '7'
    text = read_notebook(small, 'mxnet', 'page').cells[-1].source
    assert re.search(r'<details>\s*<summary>The solution', text)


def test_code_of_solutions_is_folded(small):
    # One for all tabs, or in each a panel's only one if not all were run
    details, *others = soup_of(small, 'plain').select('details')
    for other in others:
        assert other.parent['data-only'] != details.parent['data-only']
    assert details.summary.text == 'Show the code of the solution'
    printed = [box.text.strip() for box in details.select('.output')]
    assert printed == ['a solution', 'its second cell']
    assert len(details.select('pre')) == 4
    cell = read_notebook(small, 'mxnet', 'plain').cells[-1]
    assert cell.metadata['jupyter']['source_hidden']


def test_references_are_written_as_they_are_cited(small):
    index = soup_of(small, 'index')
    (heading,) = index.select('h2#references')
    (work,) = index.select('.references > .citation')
    assert ' '.join(work.p.text.split()).startswith('Known, A. (2000)')
    cited = index.find('a', href='#' + work['id'])
    assert cited.text == 'Known, 2000'
    assert len(index.select('h1')) == 1


PAGE = """<main><section id="a"><h1>Whole¶</h1><p>Own
words.</p><section id="b"><h2>Part¶</h2><img src="same.svg"/>
<figure><span id="fig_one"></span><a class="image-reference"
href="one.png"><img src="one.png"/></a><p><span class="caption-text">What
one shows.</span><a class="headerlink" href="#id1">¶</a></p></figure>
<img src="drawn.png"/><details><summary><p>Open</p></summary></details>
<table><thead><tr><th>network</th><th>gain</th></tr></thead><tbody>
<tr><td>VGG-11</td><td></td></tr><tr><td>VGG-13</td><td>−2</td></tr>
</tbody></table></section></section></main>"""


def test_a_page_has_words_for_its_pictures_and_places_for_its_links(
    tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'same.svg').write_text(SVG.format('same'))
    for name in 'page.html', 'other.html':  # Which shows the same picture
        (tmp_path / name).write_text(PAGE)
        sections = markup.finish(name)
    addresses, titles, words = zip(*sections)
    assert titles == ('Whole', 'Part') and words[0] == 'Own words.'
    assert [address.split('#')[1] for address in addresses] == ['a', 'b']
    assert (tmp_path / 'same.svg').read_text().count('id="dark"') == 1
    page = bs4.BeautifulSoup((tmp_path / name).read_text(), 'html.parser')
    assert [image['alt'] for image in page.select('img')] == [
        'same. What same is.',
        'What\none shows.',
        markup.DRAWN,
    ]
    assert page.select_one('figure#fig_one a')['href'] == '#fig_one'
    assert not page.select('span[id], .image-reference, summary > p')
    right = [cell.get_text() for cell in page.select('.to-right')]
    assert right == ['gain', '', '−2']
    assert page.select_one('.table')['aria-label'] == 'Table: network, gain'
