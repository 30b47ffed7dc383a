"""The architecture builder of the page, as a browser shows it."""

import json
import os
import re

import pytest
from browser import Browser
from small_chapter import SOURCE

from d2l_vgg.networks import costs
from d2l_vgg.networks.architectures import (
    FAMILY,
    VGG_NAMES,
    Architecture,
    get,
)
from d2l_vgg.training.experiments import EXPERIMENTS

QUICK = EXPERIMENTS['quick'].arch
A = '((1, 64), (1, 128), (2, 256), (2, 512), (2, 512))'
TOOL = "document.querySelector('.architecture')"
STATUS = f"{TOOL}.querySelector('[role=status]').textContent"
ARCH = f"{TOOL}.querySelector('[data-field=arch]').value"
HEADS = ['Output', 'Receptive field', 'Parameters', 'Multiply-adds', 'Memory']


@pytest.fixture
def tool(show_live):
    return show_live('architecture')


def enter(tool, field, value):
    """Give a field a value, as if it were typed."""
    tool.run(
        f"""(() => {{
            const field = {TOOL}.querySelector('[data-field={field}]');
            field[field.type === 'checkbox' ? 'checked' : 'value'] =
                {json.dumps(value)};
            field.dispatchEvent(new Event('input', {{bubbles: true}}));
        }})()"""
    )


def enter_network(tool, arch, input_shape, num_classes):
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
        enter(tool, field, value)


def rows_shown(tool):
    """Return name -> what the columns of `HEADS` say, numbers as such."""
    heads, *rows = tool.run(
        f"""[...{TOOL}.querySelectorAll('tr')].map(row =>
            [...row.children].map(cell => cell.querySelector('data')?.value
                ?? cell.textContent.replaceAll(',', '')))"""
    )
    rows = {name: dict(zip(heads[1:], cells)) for name, *cells in rows}
    return {
        name: [*map(row.get, HEADS[:2]), *(int(row[h]) for h in HEADS[2:])]
        for name, row in rows.items()
    }


def rows_counted(arch, input_shape, num_classes):
    """Return the same as `rows_shown`, from `costs` and the kernels."""
    rows = {}
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
    for i in range(len(arch.blocks)):
        side = 1  # Backwards, from one number to the pixels that made it
        for num_convs, _, _ in reversed(arch.blocks[: i + 1]):
            side = 2 * side + 2 * num_convs
        rows[f'Block {i + 1}'][1] = f'{side} × {side}'
    return rows


def totals_shown(tool):
    return tool.run(
        f"""Object.fromEntries([...{TOOL}.querySelectorAll('dd')].map(each =>
            [each.previousElementSibling.textContent,
                each.textContent.replaceAll(',', '')]))"""
    )


def network_of(line):
    """Return the network and the classes of the line that is copied."""

    def build(arch, lr, num_classes=10):
        assert lr == (0.1 if get(arch).batch_norm else 0.01)
        return get(arch), num_classes

    line = line.replace('d2l_vgg.VGG', 'VGG').splitlines()
    names = {'VGG': build}
    exec('\n'.join([*line[:-1], 'found = ' + line[-1]]), names)
    return names['found']


# ----------------------------------------------------------------- numbers


@pytest.mark.parametrize('name', [*VGG_NAMES, 'quick', 'alone'])
def test_numbers_are_those_of_costs(tool, name):
    # A tuple of one, and a hidden layer alone
    alone = Architecture('alone', ((1, 3),), hidden=(5,))
    arch = {**FAMILY, 'quick': QUICK, 'alone': alone}[name]
    for shape, num_classes in [
        ((1, 224, 224), 10),
        ((3, 97, 97), 37),
        ((1, 32, 32), 10),
    ]:
        enter_network(tool, arch, shape, num_classes)
        shown = rows_shown(tool)
        assert shown == rows_counted(arch, shape, num_classes)
        total = costs.totals(arch, shape, num_classes)
        layers = costs.summary(arch, shape, num_classes)
        seen = shown[f'Block {len(arch.blocks)}'][1].split()[0]
        assert totals_shown(tool) == {
            'Layers with weights': str(sum(row.macs > 0 for row in layers)),
            'Parameters': str(total.num_params),
            'Multiply-adds for one image': str(total.macs),
            'Multiply-adds for each parameter': (
                f'{total.macs / total.num_params:.1f}'
            ),
            'Memory of all outputs': (
                f'{4 * total.activations / 2**20:.2f} MiB'
            ),
            'The last block sees': f'{seen} pixels a side',
        }
        line = tool.run(f"{TOOL}.querySelector('pre').textContent")
        found, classes = network_of(line)
        assert classes == num_classes
        assert rows_counted(found, shape, classes) == shown
        assert found.lrn == arch.lrn


def test_presets_are_networks_of_the_family_and_answer_the_chapter(tool):
    names = {letter: get(letter) for letter in 'ABCDE'}
    ratios = {}
    for name, arch in {
        **names, 'Small': get('vgg_small'), 'Quick': QUICK
    }.items():  # fmt: skip
        tool.click(f'[data-preset={name}]')
        assert rows_shown(tool) == rows_counted(arch, (1, 224, 224), 10)
        pressed = f"{TOOL}.querySelectorAll('[aria-pressed=true]')"
        assert tool.run(f'[...{pressed}].map(b => b.innerText)') == [name]
        each = totals_shown(tool)['Multiply-adds for each parameter']
        ratios[name] = float(each)
    with open(os.path.join(SOURCE, 'vgg.md'), encoding='utf-8') as file:
        _, answer = file.read().split('data-live="architecture"')
    answer = ' '.join(answer.split('</details>')[0].split())
    assert max('ABCDE', key=ratios.get) == 'E'
    told = f'{ratios["E"]:.0f} multiply-adds for each parameter, in A '
    assert f'{told}{ratios["A"]:.0f}.' in answer
    small = costs.totals(get('A'), (1, 32, 32), 10).num_params
    assert f'{small:,}' in answer


def test_blocks_and_shares_are_drawn_to_scale(tool):
    enter(tool, 'arch', '((2, 64), (1, 256, 1))')
    rects = tool.run(
        f"""[...{TOOL}.querySelectorAll('rect')].map(rect =>
            ['width', 'height'].map(what => rect.getBBox()[what]))"""
    )
    pixels = [224, 224, 224, 112, 112, 56]
    for (width, height), channels, side in zip(
        rects, [1, 64, 64, 256, 256, 256], pixels
    ):
        assert width / rects[0][0] == pytest.approx(channels, rel=1e-3)
        assert height / rects[0][1] == pytest.approx(side / 224, rel=1e-3)
    title = tool.run(f"{TOOL}.querySelector('svg title').textContent")
    assert '1 × 224 × 224 becomes 256 × 56 × 56' in title
    words = tool.run(f"{TOOL}.querySelector('svg').textContent")
    shares = shares_of(rows_shown(tool))
    for i, (name, parts) in enumerate(shares.items()):
        bars = [width for width, _ in rects[7 + 5 * i :][:5]]
        assert [bar / sum(bars) for bar in bars] == pytest.approx(
            parts, abs=1e-3
        )
        dense = 100 * sum(parts[2:])
        assert re.search(f'{name}: {dense:.0f}(\\.\\d)?% in the', words)


def shares_of(rows):
    return {
        name: [row[k] / sum(r[k] for r in rows.values())
               for row in rows.values()]
        for k, name in enumerate(['Parameters', 'Multiply-adds', 'Memory'], 2)
    }  # fmt: skip


# ---------------------------------------------------------------- controls


def by_key(tool, selector):
    tool.focus(selector)
    tool.press('Enter')


@pytest.mark.parametrize(
    'use, width', [(Browser.click, 1280), (Browser.tap, 390), (by_key, 1280)]
)
def test_blocks_are_changed_by_mouse_touch_and_keys(show_live, use, width):
    tool = show_live('architecture', width)
    second = 'fieldset:nth-of-type(2) '
    more = A[:-1] + ', (2, 512))'
    for selector, arch in [
        ('[data-preset=B]', A.replace('(1, ', '(2, ')),
        ('[data-preset=A]', A),
        (second + '[data-change=more]', A.replace('1, 128', '2, 128')),
        (second + '[data-change=less]', A),
        (second + '[data-change=less]', A),  # At least one
        (second + '[data-change=half]', A.replace('128', '64')),
        (second + '[data-change=double]', A),
        ('[data-change=add]', more),
        ('fieldset:nth-of-type(6) [data-change=less]',
         A[:-1] + ', (1, 512))'),
        (second + '[data-change=remove]', A.replace('(1, 128), ', '')[:-1]
         + ', (1, 512))'),
        ('[data-preset=A]', A),  # Which no change has changed
    ]:  # fmt: skip
        use(tool, selector)
        assert tool.run(ARCH) == arch
        assert list(rows_shown(tool)) == [
            *(f'Block {i + 1}' for i in range(arch.count('(') - 1)),
            'Hidden 1', 'Hidden 2', 'Output',
        ]  # fmt: skip
        # The sentence is in sight of what was used
        bottom = tool.run(
            f"""{TOOL}.querySelector('[role=status]')
                .getBoundingClientRect().bottom - innerHeight"""
        )
        assert width > 390 or bottom <= 1, selector
    by_key(tool, 'fieldset:nth-of-type(5) [data-change=remove]')
    assert tool.run('document.activeElement.dataset.change') == 'add'


@pytest.mark.parametrize(
    'text',
    [
        '((1,64),(2,128),)',
        '[[1, 64], (2, 128)]',
        ' arch = ((1, 64),\n (2, 128))',
        'VGG(arch=((1, 64), (2, 128)), lr=0.1)',
        'model = VGG(arch=((1, 64), (2, 128)), lr=0.1, num_classes=3)',
    ],
)
def test_blocks_are_typed(tool, text):
    tool.run(f"{TOOL}.querySelector('[data-field=arch]').select()")
    for letter in text:
        tool.call('Input.insertText', text=letter)
    assert list(rows_shown(tool))[:3] == ['Block 1', 'Block 2', 'Hidden 1']
    assert tool.run(ARCH) == text  # Not rewritten while it is typed
    numbers = tool.run(
        f"[...{TOOL}.querySelectorAll('fieldset input')].map(i => i.value)"
    )
    assert numbers == ['1', '64', '2', '128']


@pytest.mark.parametrize(
    'field, value, told',
    [
        ('side', '31', 'A side of 31 cannot be halved once for each block '
         '(31, 15, 7, 3, 1). Remove a block, or take an image of at least '
         '32 pixels.'),
        ('side', '', 'The side of the image must be a whole number'),
        ('side', '22.5', 'The side of the image must be a whole number'),
        ('channels', '0', 'The number of channels of the image must be'),
        ('classes', '-1', 'The number of classes must be'),
        ('hidden', '64, x', 'The width of a hidden layer must be'),
        ('arch', '((1, 64), (1, 12', 'does not read as blocks'),
        ('arch', '(1, 64)', 'does not read as blocks'),
        ('arch', '((1, 64, 1, 1),)', 'does not read as blocks'),
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
)  # fmt: skip
def test_what_cannot_be_is_told_beside_the_last_network(
    tool, field, value, told
):
    before = rows_shown(tool)
    marked = f"{TOOL}.classList.contains('wrong')"
    enter(tool, field, value)
    sentence = tool.run(STATUS)
    assert told in sentence and 'Below is still the last' in sentence
    assert tool.run(marked)
    assert rows_shown(tool) == before
    assert tool.run(f"{TOOL}.querySelectorAll('fieldset').length") < 12
    tool.click('[data-preset=B]')
    for each, good in ('side', '32'), ('channels', '1'), ('classes', '10'):
        enter(tool, each, good)
    assert not tool.run(marked)
    assert 'network B of the paper' in tool.run(STATUS)
    assert rows_shown(tool) == rows_counted(get('B'), (1, 32, 32), 10)
    assert tool.console == []


def test_python_line_is_copied(tool):
    tool.click('[data-preset=D]')
    copied = tool.copied_by(f"{TOOL}.querySelector('.copy-code')")
    blocks = '((2, 64), (2, 128), (3, 256), (3, 512), (3, 512))'
    assert copied == f'VGG(arch={blocks}, lr=0.01)'
