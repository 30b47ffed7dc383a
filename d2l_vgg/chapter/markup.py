"""The markup of the page, as readers without eyes or mouse need it, too.

d2lbook and Sphinx leave tabs that only a mouse can use, tables without their
alignment and pictures without words. Here each page is gone through once.
"""

import os
import re

from d2l_vgg.frameworks import FRAMEWORKS

TITLES = {known.tab: known.title for known in FRAMEWORKS.values()}
LONG_NUMBER = re.compile(r'(?<![\w.])\d{8,}(?![\w.]*\w)')
# What a cell draws, if its fence does not say it: {.python .input alt="..."}
DRAWN = 'Picture that the cell above draws'


def finish(path, tabs, alignments, drawn, folded):
    """Rewrite one page of HTML.

    Args:
        path: of the page
        tabs: of the project, the first of which is shown at first
        alignments: words of a table's head -> how its columns are aligned,
            'left', 'right', 'center' or None
        drawn: name of a picture that a cell drew -> what it shows
        folded: the code that is shown only when it is asked for
    """
    from bs4 import BeautifulSoup

    with open(path, encoding='utf-8') as file:
        soup = BeautifulSoup(_balanced(file.read()), 'html.parser')
    soup.html['data-tabs'] = ' '.join(tabs)
    soup.html['data-tab'] = tabs[0] if tabs else ''
    for number, box in enumerate(soup.select('div.mdl-tabs')):
        _tabs(soup, box, number, tabs)
    for cell in soup.select('main div[class*="highlight-"]'):
        if cell.get_text().strip() in folded and not _is_output(cell):
            _fold(soup, cell)
    for image in soup.select('main img'):
        _picture(image, os.path.dirname(path), drawn)
    for table in soup.select('main table'):
        _table(soup, table, alignments)
    for output in soup.select('div.output pre'):
        output.string = output.get_text()  # It is no code
    for summary in soup.select('summary > p'):
        summary.unwrap()
    _references(soup)
    _group_digits(soup)
    with open(path, 'w', encoding='utf-8') as file:
        file.write(str(soup))


def _balanced(text):
    """Leave out each </div> that closes nothing in its section.

    With docutils of today Sphinx writes one below a bibliography, which would
    end the whole page there.
    """
    open_tags = []

    def kept(match):
        ends, tag = match.groups()
        if not ends:
            open_tags.append(tag)
        elif tag == 'div' and open_tags[-1:] != ['div']:
            return ''
        else:
            open_tags.pop()
        return match.group()

    return re.sub(r'<(/?)(div|section|main)\b[^>]*>', kept, text)


# ------------------------------------------------------------------- tabs


def _tabs(soup, box, number, all_tabs):
    """Make tabs of what d2lbook wrote as tabs; text gets no bar of them.

    What is the same in all tabs stands once, above or below.
    """
    names = [a.get_text() for a in box.select('a.mdl-tabs__tab')]
    panels = box.find_all('div', class_='mdl-tabs__panel', recursive=False)
    columns = [_units(panel) for panel in panels]
    above, below = [], []
    while len(names) == len(all_tabs) and _all_end_alike(columns, 0):
        above += [column.pop(0) for column in columns][0]
    while len(names) == len(all_tabs) and _all_end_alike(columns, -1):
        below = [column.pop() for column in columns][0] + below
    before, bars, after = [], [], []
    for name, units in zip(names, columns):
        code = [i for i, unit in enumerate(units) if _is_code(unit[0])]
        first, last = (code[0], code[-1] + 1) if code else (len(units),) * 2
        before += _only(soup, name, units[:first])
        after += _only(soup, name, units[last:])
        if code:
            bars.append(
                (name, [p for unit in units[first:last] for p in unit])
            )
    middle = _bar(soup, bars, number) if bars else []
    for part in above + before + middle + after + below:
        box.insert_before(part.extract())
    box.decompose()


def _units(panel):
    """Return the parts of a panel, those of each cell in a list."""
    units = []
    for part in panel.children:
        if _is_blank(part):
            continue
        if _is_output(part) and units and _is_code(units[-1][0]):
            units[-1].append(part)
        else:
            units.append([part])
    return units


def _fold(soup, cell):
    """Put a cell, with what it printed, behind a line to click at."""
    printed = []
    for part in cell.find_next_siblings():
        if not _is_output(part):
            break
        printed.append(part)
    box, summary = soup.new_tag('details'), soup.new_tag('summary')
    summary.string = 'Show the code of the solution'
    cell.insert_before(box)
    box.extend([summary, cell.extract()])
    box.extend(part.extract() for part in printed)


def _all_end_alike(columns, end):
    return all(columns) and (
        len({''.join(map(str, column[end])) for column in columns}) == 1
    )


def _bar(soup, bars, number):
    """Return the bar and the panels of code, in a box of its own."""
    box = soup.new_tag('div', attrs={'class': 'tabs'})
    box['data-only'] = ' '.join(name for name, _ in bars)
    bar = soup.new_tag('div', role='tablist')
    bar['aria-label'] = 'Framework'
    box.append(bar)
    for i, (name, parts) in enumerate(bars):
        tab, panel = f'tab-{name}-{number}', f'panel-{name}-{number}'
        button = soup.new_tag('button', type='button', role='tab', id=tab)
        button['data-tab'] = name
        button['aria-controls'] = panel
        button['aria-selected'] = 'false' if i else 'true'
        button['tabindex'] = '-1' if i else '0'
        button.string = TITLES.get(name, name)
        bar.append(button)
        content = soup.new_tag('div', role='tabpanel', id=panel)
        content['data-only'] = name
        content['aria-labelledby'] = tab
        content.extend(part.extract() for part in parts)
        box.append(content)
    return [box]


def _only(soup, name, units):
    """Return what only one tab has, in a box that tells so."""
    if not units:
        return []
    box = soup.new_tag('div')
    box['data-only'] = name
    box.extend(part.extract() for unit in units for part in unit)
    return [box]


def _is_blank(part):
    return not part.name and not str(part).strip()


def _is_output(part):
    return part.name == 'figure' or 'output' in _classes(part)


def _is_code(part):
    return any(name.startswith('highlight-') for name in _classes(part))


def _classes(part):
    return part.get('class', []) if part.name else []  # Text has no name


def style_of_tabs(tabs):
    """Return the rules that hide what belongs to other tabs."""
    return ''.join(
        f'html[data-tab="{tab}"] [data-only]:not([data-only~="{tab}"])'
        ' { display: none; }\n'
        for tab in tabs
    )


# --------------------------------------------------- pictures and tables


def words_of(svg):
    """Return the title and the description of an SVG file, or None."""
    with open(svg, encoding='utf-8') as file:
        text = file.read()
    found = [
        re.search(f'<{tag}[^>]*>([^<]+)<', text) for tag in ('title', 'desc')
    ]
    words = [' '.join(match.group(1).split()) for match in found if match]
    return '. '.join(words) or None


def smallest_letters(svg):
    """Return width and smallest letters of an SVG, in its units, or None."""
    with open(svg, encoding='utf-8') as file:
        text = file.read()
    width = re.search(r'viewBox="[-\d.]+ [-\d.]+ ([\d.]+)', text)
    sizes = re.findall(r'font-size[=:]\s*"?([\d.]+)', text)
    sizes += re.findall(r'font: ([\d.]+)px', text)
    # matplotlib draws letters, as outlines of a size of 100
    sizes += [
        str(100 * float(scale))
        for scale in re.findall(r' scale\(([\d.]+) -\1\)', text)
    ]
    if not width or not sizes:
        return None
    return float(width.group(1)), min(map(float, sizes))


def _picture(image, folder, drawn):
    """Give a picture its words, and letters that can be read on a phone."""
    source = os.path.join(folder, image['src'])
    caption = None
    figure = image.find_parent('figure')
    if figure is not None and figure.select_one('.caption-text'):
        caption = figure.select_one('.caption-text').get_text()
    words = drawn.get(os.path.basename(source))
    if source.endswith('.svg'):
        words = words or words_of(source)
        letters = smallest_letters(source)
        if letters:
            # At least 11 pixels; a phone scrolls what is wider
            width = round(11 * letters[0] / letters[1])
            image['style'] = f'min-width: {width}px'
    elif source.endswith('.png'):
        with open(source, 'rb') as file:
            width = int.from_bytes(file.read(24)[16:20], 'big')
        image['style'] = f'min-width: {width}px'  # Its letters are small
    image['alt'] = words or caption or DRAWN
    link = image.find_parent('a', class_='image-reference')
    if link is not None:
        link.unwrap()


def key_of_table(cells):
    """Return what tells a table from others: the words of its head."""
    return tuple(re.sub(r'\W+', '', cell) for cell in cells)


def alignments_in(markdown):
    """Return how the columns of each table are aligned, by its head."""
    found = {}
    lines = markdown.splitlines()
    for head, rule in zip(lines, lines[1:]):
        if re.fullmatch(r'\|(\s*:?-+:?\s*\|)+\s*', rule):
            cells = rule.strip().strip('|').split('|')
            found[key_of_table(head.strip().strip('|').split('|'))] = [
                _alignment(cell.strip()) for cell in cells
            ]
    return found


def _alignment(cell):
    ends = cell.startswith(':'), cell.endswith(':')
    return {
        (True, True): 'center',
        (False, True): 'right',
        (True, False): 'left',
    }.get(ends)


def _table(soup, table, alignments):
    heads = table.select('thead th')
    for head in heads:
        head['scope'] = 'col'
    columns = alignments.get(key_of_table(h.get_text() for h in heads), [])
    for row in table.select('tr'):
        for cell, column in zip(row.find_all(['th', 'td']), columns):
            if column:
                cell['class'] = [*cell.get('class', []), f'to-{column}']
    box = soup.new_tag('div', attrs={'class': 'table', 'role': 'region'})
    caption = table.select_one('.caption-text')
    box['aria-label'] = (
        caption.get_text()
        if caption
        else 'Table: ' + (', '.join(head.get_text() for head in heads))
    )
    table.wrap(box)


# -------------------------------------------------------------------- text


def _references(soup):
    """Write the works as a list with a heading, not by made-up labels."""
    works = soup.select('div.citation')
    if not works:
        return
    box = works[0].parent
    box.name, box['class'] = 'ul', ['references']
    heading = soup.new_tag('h2', id='references')
    heading.string = 'References'
    box.insert_before(heading)
    for work in works:
        label = work.find(class_='label')
        if label is not None:
            label.decompose()
        work.name = 'li'
        del work['role']
        if work.p is not None:
            work.p.unwrap()


def _group_digits(soup):
    """Set long numbers so that they are seen in groups of three."""
    for text in soup.find_all(string=LONG_NUMBER):
        parents = {parent.name for parent in text.parents}
        if 'main' not in parents or parents & {'script', 'style', 'summary'}:
            continue
        classes = [c for p in text.parents for c in p.get('class', [])]
        if 'math' in classes or 'output' not in classes and 'pre' in parents:
            continue
        end = 0
        for match in LONG_NUMBER.finditer(text):
            text.insert_before(text[end : match.start()])
            text.insert_before(_digits(soup, match.group()))
            end = match.end()
        text.insert_before(text[end:])
        text.extract()


def _digits(soup, number):
    box = soup.new_tag('span', attrs={'class': 'digits'})
    first = len(number) % 3 or 3
    cuts = [0, *range(first, len(number) + 1, 3)]
    for start, end in zip(cuts, cuts[1:]):
        group = soup.new_tag('span')
        group.string = number[start:end]
        box.append(group)
    return box
