"""The architecture builder of the page, as a browser shows it."""

import contextlib
import io
import json
import os
import re

import pytest

pytest.importorskip('d2lbook')
pytest.importorskip('websocket')

from browser import wait_for
from small_chapter import SOURCE, project, read_notebook

from d2l_vgg.networks import costs
from d2l_vgg.networks.architectures import (
    FAMILY,
    VGG_NAMES,
    Architecture,
    get,
)
from d2l_vgg.training.experiments import EXPERIMENTS

QUICK = EXPERIMENTS['quick'].arch
OPENING = """\
```eval_rst

.. raw:: html

    <div class="live" data-live="architecture">
```
"""
A = '((1, 64), (1, 128), (2, 256), (2, 512), (2, 512))'
TOOL = "document.querySelector('.architecture')"
STATUS = f"{TOOL}.querySelector('[role=status]').textContent"
ARCH = f"{TOOL}.querySelector('[data-field=arch]').value"


@pytest.fixture(scope='module')
def html(tmp_path_factory):
    """A page that has the tool and nothing else."""
    from d2l_vgg.chapter import builder

    with open(os.path.join(SOURCE, 'vgg.md'), encoding='utf-8') as file:
        _, box = file.read().split(OPENING)
    text = f'# Tool\n\nText.\n\n{OPENING}{box.split("<details>")[0]}'
    folder = project(tmp_path_factory.mktemp('page') / 'page', tool=text)
    with contextlib.redirect_stdout(io.StringIO()):
        index = builder.build(folder, run_cells=False)
    return os.path.dirname(index)


@pytest.fixture
def tool(chromium, html):
    """Show the tool in a window of a width and a scheme."""

    def show(width=1280, scheme='light'):
        chromium.requests.clear()
        chromium.console.clear()
        chromium.call(
            'Emulation.setEmulatedMedia',
            features=[{'name': 'prefers-color-scheme', 'value': scheme}],
        )
        chromium.open(f'{html}/tool.html', width)
        wait_for(lambda: chromium.run(f"!!{TOOL}?.closest('.ready')"))
        return chromium

    return show


def enter(chromium, field, value):
    """Give a field a value, as if it were typed."""
    chromium.run(
        f"""(() => {{
            const field = {TOOL}.querySelector('[data-field={field}]');
            field[field.type === 'checkbox' ? 'checked' : 'value'] =
                {json.dumps(value)};
            field.dispatchEvent(new Event('input', {{bubbles: true}}));
        }})()"""
    )


def enter_network(chromium, arch, input_shape, num_classes):
    blocks = [block if block[2] else block[:2] for block in arch.blocks]
    norm = 'batch' if arch.batch_norm else 'local' if arch.lrn else 'none'
    for field, value in {
        'arch': str(tuple(blocks)),
        'hidden': ', '.join(map(str, arch.hidden)),
        'norm': norm,
        'dropout': arch.dropout > 0,
        'side': str(input_shape[1]),
        'channels': str(input_shape[0]),
        'classes': str(num_classes),
    }.items():
        enter(chromium, field, value)


def rows_shown(chromium):
    """Return name -> output, receptive field and the costs of each row."""
    rows = chromium.run(
        f"""[...{TOOL}.querySelectorAll('tbody tr')].map(row =>
            [...row.children].map(cell => cell.querySelector('data')?.value
                ?? cell.textContent.replaceAll(',', '')))"""
    )
    return {
        name: (output, seen, *map(int, numbers))
        for name, output, seen, *numbers in rows
    }


def rows_counted(arch, input_shape, num_classes):
    """Return the same as `rows_shown`, from `costs` and the kernels."""
    rows, num_blocks = {}, len(arch.blocks)
    for layer in costs.summary(arch, input_shape, num_classes):
        kind, number = re.match(r'([a-z]+)(\d+)', layer.name).groups()
        if kind not in ('dense', 'dropout'):
            name = f'Block {number}'
        elif int(number) > len(arch.hidden):
            name = 'Output'
        else:
            name = f'Hidden {number}'
        row = rows.setdefault(name, ['', 'all', 0, 0, 0])
        row[0] = ' × '.join(map(str, layer.output_shape))
        row[2] += layer.num_params
        row[3] += layer.macs
        row[4] += 4 * layer.activations
    for i in range(num_blocks):
        side = 1  # Backwards, from one number to the pixels that made it
        for num_convs, _, _ in reversed(arch.blocks[: i + 1]):
            side = 2 * side + 2 * num_convs
        rows[f'Block {i + 1}'][1] = f'{side} × {side}'
    return {name: tuple(row) for name, row in rows.items()}


def totals_shown(chromium):
    return chromium.run(
        f"""[...{TOOL}.querySelectorAll('dd')].map(each =>
            each.querySelector('data')?.value
                ?? each.textContent.replaceAll(',', ''))"""
    )


def network_of(line):
    """Return the network and the classes of the line that is copied."""

    def build(arch, lr, num_classes=10):
        assert lr > 0
        return get(arch), num_classes

    line = line.replace('d2l_vgg.VGG', 'VGG').splitlines()
    names = {'VGG': build}
    exec('\n'.join([*line[:-1], 'found = ' + line[-1]]), names)
    return names['found']


# ----------------------------------------------------------------- numbers


@pytest.mark.parametrize('name', [*VGG_NAMES, 'quick', 'alone'])
def test_numbers_are_those_of_costs(tool, name):
    chromium = tool()
    # A tuple of one, and a hidden layer alone
    alone = Architecture('alone', ((1, 3),), hidden=(5,))
    arch = {**FAMILY, 'quick': QUICK, 'alone': alone}[name]
    for shape, num_classes in [
        ((1, 224, 224), 10),
        ((3, 224, 224), 1000),
        ((3, 97, 97), 37),
        ((1, 32, 32), 10),
    ]:
        enter_network(chromium, arch, shape, num_classes)
        shown = rows_shown(chromium)
        assert shown == rows_counted(arch, shape, num_classes)
        total = costs.totals(arch, shape, num_classes)
        layers = costs.summary(arch, shape, num_classes)
        assert totals_shown(chromium)[:5] == [
            str(sum(layer.macs > 0 for layer in layers)),
            str(total.num_params),
            str(total.macs),
            f'{total.macs / total.num_params:.1f}',
            str(4 * total.activations),
        ]
        line = chromium.run(f"{TOOL}.querySelector('pre').textContent")
        found, classes = network_of(line)
        assert classes == num_classes
        assert rows_counted(found, shape, classes) == shown
        assert found.lrn == arch.lrn
    assert chromium.console == []


def test_presets_are_networks_of_the_family(tool):
    chromium = tool()
    for letter in 'ABCDE':
        press(chromium, f'[data-preset={letter}]')
        assert rows_shown(chromium) == rows_counted(
            get(letter), (1, 224, 224), 10
        )
    press(chromium, '[data-preset=Small]')
    assert rows_shown(chromium) == rows_counted(
        get('vgg_small'), (1, 224, 224), 10
    )
    press(chromium, '[data-preset=Quick]')
    assert rows_shown(chromium) == rows_counted(QUICK, (1, 224, 224), 10)


def test_numbers_of_the_chapters_answer_are_those_shown(tool):
    chromium = tool()
    with open(os.path.join(SOURCE, 'vgg.md'), encoding='utf-8') as file:
        answer = file.read().split(OPENING)[1].split('</details>')[0]
    ratios = {}
    for letter in 'ABCDE':
        press(chromium, f'[data-preset={letter}]')
        ratios[letter] = float(totals_shown(chromium)[3])
    assert max(ratios, key=ratios.get) == 'E'
    told = f'{ratios["E"]:.0f} multiply-adds for each parameter, in A '
    assert f'{told}{ratios["A"]:.0f}.' in ' '.join(answer.split())
    press(chromium, '[data-preset=A]')
    enter(chromium, 'side', '32')
    assert f'{int(totals_shown(chromium)[1]):,}' in answer


# ---------------------------------------------------------------- controls


def place_of(chromium, selector):
    """Scroll a part of the tool to the middle; return where that is."""
    return chromium.run(
        f"""(() => {{
            const part = {TOOL}.querySelector('{selector}');
            part.scrollIntoView({{block: 'center', behavior: 'instant'}});
            const box = part.getBoundingClientRect();
            return [box.x + box.width / 2, box.y + box.height / 2];
        }})()"""
    )


def press(chromium, selector):
    """Click with the mouse."""
    x, y = place_of(chromium, selector)
    for kind in 'mousePressed', 'mouseReleased':
        chromium.call(
            'Input.dispatchMouseEvent', type=kind, x=x, y=y, button='left',
            clickCount=1,
        )  # fmt: skip


def tap(chromium, selector):
    """Tap with a finger."""
    x, y = place_of(chromium, selector)
    for kind, points in ('touchStart', [{'x': x, 'y': y}]), ('touchEnd', []):
        chromium.call(
            'Input.dispatchTouchEvent', type=kind, touchPoints=points
        )


def enter_by_key(chromium, selector):
    chromium.run(f"{TOOL}.querySelector('{selector}').focus()")
    for kind in 'keyDown', 'keyUp':
        chromium.call(
            'Input.dispatchKeyEvent', type=kind, key='Enter', text='\r',
            windowsVirtualKeyCode=13,
        )  # fmt: skip


@pytest.mark.parametrize(
    'use, width', [(press, 1280), (tap, 390), (enter_by_key, 1280)]
)
def test_blocks_are_changed_by_mouse_touch_and_keys(tool, use, width):
    chromium = tool(width)
    second = 'fieldset:nth-of-type(2) '
    for selector, arch in [
        ('[data-preset=B]', A.replace('(1, ', '(2, ')),
        ('[data-preset=A]', A),
        (second + '[data-change=more]', A.replace('1, 128', '2, 128')),
        (second + '[data-change=less]', A),
        (second + '[data-change=less]', A),  # At least one
        (second + '[data-change=half]', A.replace('128', '64')),
        (second + '[data-change=double]', A),
        ('[data-change=add]', A[:-1] + ', (2, 512))'),
        (second + '[data-change=remove]', A.replace('(1, 128), ', '')[:-1]
         + ', (2, 512))'),
    ]:  # fmt: skip
        use(chromium, selector)
        assert chromium.run(ARCH) == arch
        assert list(rows_shown(chromium)) == [
            *(f'Block {i + 1}' for i in range(arch.count('(') - 1)),
            'Hidden 1', 'Hidden 2', 'Output',
        ]  # fmt: skip
    assert chromium.console == []


def test_focus_is_kept_where_the_last_block_is_removed(tool):
    chromium = tool()
    enter_by_key(chromium, 'fieldset:nth-of-type(5) [data-change=remove]')
    assert chromium.run('document.activeElement.dataset.change') == 'add'


def type_text(chromium, field, text):
    """Type into an emptied field, letter by letter."""
    chromium.run(
        f"{TOOL}.querySelector('[data-field={field}]').focus();"
        'document.activeElement.select()'
    )
    for letter in text:
        chromium.call('Input.insertText', text=letter)


@pytest.mark.parametrize(
    'text',
    [
        '((1, 64), (2, 128))',
        '((1,64),(2,128),)',
        '[[1, 64], (2, 128)]',
        ' arch = ((1, 64),\n (2, 128))',
        'VGG(arch=((1, 64), (2, 128)), lr=0.1)',
        'model = VGG(arch=((1, 64), (2, 128)), lr=0.1, num_classes=3)',
    ],
)
def test_blocks_are_typed(tool, text):
    chromium = tool()
    type_text(chromium, 'arch', text)
    assert list(rows_shown(chromium))[:3] == [
        'Block 1',
        'Block 2',
        'Hidden 1',
    ]
    assert chromium.run(ARCH) == text  # Not rewritten while it is typed
    numbers = chromium.run(
        f"[...{TOOL}.querySelectorAll('fieldset input')].map(i => i.value)"
    )
    assert numbers == ['1', '64', '2', '128']


# -------------------------------------------------------- what cannot be


@pytest.mark.parametrize(
    'field, value, told',
    [
        ('side', '31', '31 pixels can be halved only 4 times'),
        ('side', '', 'The side of the image must be a whole number'),
        ('side', '22.5', 'The side of the image must be a whole number'),
        ('channels', '0', 'The number of channels of the image must be'),
        ('classes', '-1', 'The number of classes must be'),
        ('hidden', '64, x', 'The width of a hidden layer must be'),
        ('arch', '((1, 64), (1, 12', 'does not read as blocks'),
        ('arch', '(1, 64)', 'does not read as blocks'),
        ('arch', '((1, 64, 1, 1),)', 'does not read as blocks'),
        ('arch', 'vgg11', 'does not read as blocks'),
        ('arch', '7', 'does not read as blocks'),
        ('arch', '("ab", "cd")', 'does not read as blocks'),
        ('arch', '[{"length": 2}]', 'does not read as blocks'),
        ('arch', '((1e999, 64),)', 'does not read as blocks'),
        ('arch', '((1, null),)', 'does not read as blocks'),
        ('arch', '()', 'The number of blocks must be'),
        ('arch', '((0, 64),)', 'num_convs of block 1 must be'),
        ('arch', '((1, 64), (1, 1e9))', 'num_channels of block 2 must be'),
        ('arch', '((1, 64, -1),)', 'num_1x1 of block 1 must be'),
        ('arch', f'({"(1, 1), " * 300})', 'The number of blocks must be'),
        ('hidden', '1 ' * 11, 'The number of hidden layers must be'),
    ],
)
def test_what_cannot_be_is_told_beside_the_last_network(
    tool, field, value, told
):
    chromium = tool()
    before = rows_shown(chromium)
    marked = f"{TOOL}.classList.contains('wrong')"
    enter(chromium, field, value)
    sentence = chromium.run(STATUS)
    assert told in sentence and 'Below is still the last' in sentence
    assert chromium.run(marked)
    assert rows_shown(chromium) == before
    assert chromium.run(f"{TOOL}.querySelectorAll('fieldset').length") < 12
    press(chromium, '[data-preset=B]')
    for each, good in ('side', '32'), ('channels', '1'), ('classes', '10'):
        enter(chromium, each, good)
    assert not chromium.run(marked)
    assert 'network B of the paper' in chromium.run(STATUS)
    assert rows_shown(chromium) == rows_counted(get('B'), (1, 32, 32), 10)
    assert chromium.console == []


def test_six_halvings_of_32_pixels_are_told(tool):
    chromium = tool()
    enter(chromium, 'side', '32')
    press(chromium, '[data-change=add]')
    assert '32 pixels can be halved only 5 times (32, 16, 8, 4, 2, 1)' in (
        chromium.run(STATUS)
    )
    assert 'at least 64 pixels' in chromium.run(STATUS)
    assert chromium.run(ARCH).count('512') == 3  # What the reader asked for
    assert len(rows_shown(chromium)) == 8
    enter(chromium, 'side', '64')
    assert len(rows_shown(chromium)) == 9


def test_sentence_is_in_sight_of_each_control_on_a_phone(tool):
    chromium = tool(390)
    for selector in '[data-preset=E]', '[data-change]', '[data-field=side]':
        place_of(chromium, selector)
        bottom = chromium.run(
            f"""{TOOL}.querySelector('[role=status]')
                .getBoundingClientRect().bottom - innerHeight"""
        )
        assert bottom <= 1, selector


# -------------------------------------------------------------- the page


@pytest.mark.parametrize('scheme', ['light', 'dark'])
@pytest.mark.parametrize('width', [390, 1280])
def test_tool_fits_and_is_accessible(tool, html, width, scheme):
    pytest.importorskip('axe_core_python')
    chromium = tool(width, scheme)
    chromium.run(f"{TOOL}.querySelector('details').open = true")
    # As it begins, much larger, and wrong
    for arch, side in [
        (A, '224'),
        (str(((16, 2048),) * 10), '1024'),
        (A, '16'),
    ]:
        enter(chromium, 'arch', arch)
        enter(chromium, 'side', side)
        assert chromium.violations() == []
        assert chromium.run('document.documentElement.scrollWidth') <= width
        assert (
            chromium.run(
                f"""(() => {{
                const {{left, right}} = {TOOL}.getBoundingClientRect();
                return [...{TOOL}.querySelectorAll('*')].filter(part => {{
                    const box = part.getBoundingClientRect();
                    return box.width
                        && (box.left < left || box.right > right);
                }}).map(part => part.outerHTML.slice(0, 80));
            }})()"""
            )
            == []
        )
    small = chromium.run(
        f"""[...{TOOL}.querySelectorAll('button, input, select')].filter(
            part => part.getBoundingClientRect().height < 44
                || part.tagName === 'BUTTON'
                && part.getBoundingClientRect().width < 44)
            .map(part => part.outerHTML)"""
    )
    assert small == []
    for request in chromium.requests:
        assert request.startswith((f'file://{html}', 'data:')), request
    assert chromium.console == []


def test_slabs_are_drawn_to_scale(tool):
    chromium = tool()
    enter(chromium, 'arch', '((2, 64), (1, 256, 1))')
    slabs = chromium.run(
        f"""[...{TOOL}.querySelectorAll('rect')].slice(0, 6).map(rect =>
            ['width', 'height'].map(what => rect.getBBox()[what]))"""
    )
    pixels = [224, 224, 224, 112, 112, 56]
    for (width, height), channels, side in zip(
        slabs, [1, 64, 64, 256, 256, 256], pixels
    ):
        assert width / slabs[0][0] == pytest.approx(channels, rel=1e-3)
        assert height / slabs[0][1] == pytest.approx(side / 224, rel=1e-3)
    title = chromium.run(f"{TOOL}.querySelector('svg title').textContent")
    assert '1 × 224 × 224 becomes 256 × 56 × 56' in title


def test_python_line_is_copied(tool):
    chromium = tool()
    press(chromium, '[data-preset=D]')
    copied = chromium.run(
        f"""(async () => {{
            let text = null;
            Object.defineProperty(navigator, 'clipboard', {{value: {{
                writeText: async t => {{ text = t; }}}}}});
            {TOOL}.querySelector('.copy-code').click();
            await new Promise(done => setTimeout(done, 50));
            return text;
        }})()"""
    )
    blocks = '((2, 64), (2, 128), (3, 256), (3, 512), (3, 512))'
    assert copied == f'VGG(arch={blocks}, lr=0.01)'


def test_paper_and_notebooks_have_no_tool(html, tool):
    chromium = tool()
    chromium.call('Emulation.setEmulatedMedia', media='print')
    words = chromium.run("document.querySelector('.live').innerText")
    chromium.call('Emulation.setEmulatedMedia', media='')
    assert 'd2l-vgg summary' in words and 'Add a block' not in words
    folder = os.path.join(html, '..', '..')
    cell = read_notebook(folder, 'pytorch', 'tool').cells[0].source
    assert 'd2l-vgg summary' in cell and '<' not in cell
