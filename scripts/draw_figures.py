"""Draw the diagrams of the chapter, as SVG, into chapter/img.

`python scripts/draw_figures.py [FOLDER]` writes vgg.svg, receptive-field.svg
and family.svg. What they tell is read from `d2l_vgg.networks`, and the same
architectures give the same bytes anywhere.
"""

import sys
from pathlib import Path
from xml.sax.saxutils import escape

from d2l_vgg.files import write_text
from d2l_vgg.networks import architectures, costs

IMAGES = Path(__file__).parents[1] / 'chapter' / 'img'
# Told apart in grey print too: light, middle and dark
CONV, POOL, DENSE = '#bdd7f0', '#f0a460', '#7ba88e'
INK, GREY, SHADE, PATCH = '#222222', '#8a8a8a', '#f4f4f4', '#5b9bd5'
DASHED, BOLD = ' stroke-dasharray="4 3"', ' font-weight="bold"'

INPUT_SHAPE, NUM_CLASSES = (1, 224, 224), 10
# From one layer to the next, and where the lowest ends
PITCH, BOTTOM = 38, 446
# The block of VGG-11 that a frame in the middle enlarges
ENLARGED = (2, 256)
FRAME_LEFT, FRAME_WIDTH, FRAME_TOP, FRAME_HEIGHT = 212, 166, 200, 164


class Drawing:
    """An SVG picture on white, 540 units wide: about a column of text."""

    width = 540

    def __init__(self, name, height, title, description):
        self.name = name
        self.elements = [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{self.width}" '
            f'height="{height}" viewBox="0 0 {self.width} {height}" '
            f'role="img" aria-labelledby="{name}-title {name}-desc" '
            'font-family="Helvetica, Arial, sans-serif" font-size="13" '
            f'fill="{INK}" stroke-linejoin="round">',
            f'<title id="{name}-title">{escape(title)}</title>',
            f'<desc id="{name}-desc">{escape(description)}</desc>',
        ]
        self.rect(0, 0, self.width, height, 'white', 'none')

    def polygon(self, points, fill=INK, stroke=INK, style=''):
        style = f' fill="{fill}" stroke="{stroke}"{style}'
        self._shape('polygon', points, style)

    def line(self, points, style=''):
        # As a polygon, two points would have their dashes drawn twice
        self._shape('polyline', points, f' stroke="{INK}"{style}')

    def _shape(self, kind, points, style):
        text = ' '.join(f'{x:.2f},{y:.2f}' for x, y in points)
        self.elements.append(f'<{kind} points="{text}"{style}/>')

    def rect(self, x, y, width, height, fill, stroke=INK):
        right, bottom = x + width, y + height
        corners = [(x, y), (right, y), (right, bottom), (x, bottom)]
        self.polygon(corners, fill, stroke)

    def text(self, x, y, content, anchor='middle', style=''):
        """Write text; its capitals reach from 4 above `y` to 4 below."""
        self.elements.append(
            f'<text x="{x:.2f}" y="{y + 4.3:.2f}" text-anchor="{anchor}"'
            f'{style}>{escape(content)}</text>'
        )

    def title(self, x, y, content, anchor='middle'):
        self.text(x, y, content, anchor, f'{BOLD} font-size="15"')

    def box(self, x, y, width, fill, content):
        """Draw a layer with the arrow that leads into it from below."""
        self.rect(x, y, width, 26, fill)
        self.text(x + width / 2, y + 13, content)
        self.arrow(x + width / 2, y + 26)

    def arrow(self, x, y):
        self.line([(x, y + 5), (x, y + 12)])
        self.polygon([(x, y + 1), (x - 3, y + 6), (x + 3, y + 6)])

    def write(self, folder):
        path = Path(folder, f'{self.name}.svg')
        write_text(path, '\n'.join([*self.elements, '</svg>', '']))


def vgg():
    """Draw AlexNet, a VGG block and VGG-11 beside one another."""
    alexnet, vgg11 = (architectures.get(name) for name in ('alexnet', 'A'))
    blocks = [block[:2] for block in vgg11.blocks]
    drawing = Drawing(
        'vgg',
        480,
        'From AlexNet to VGG',
        'Three columns, read from the image at the bottom to the classes at '
        'the top. AlexNet: five convolutions and three poolings designed one '
        'by one, and three dense layers. A VGG block: num_convs 3×3 '
        'convolutions with padding 1, then 2×2 max-pooling with stride 2. '
        f'VGG-11: the blocks {", ".join(map(str, blocks))} as (num_convs, '
        'num_channels), and the same three dense layers.',
    )
    dense = [(DENSE, f'FC ({n})') for n in (NUM_CLASSES, *vgg11.hidden[::-1])]
    for title, x, width in (('AlexNet', 8, 184), ('VGG-11', 410, 122)):
        drawing.title(x + width / 2, 17, title)
        for i, layer in enumerate(dense):
            drawing.box(x, 40 + i * PITCH, width, *layer)
        drawing.text(x + width / 2, BOTTOM + 20, 'image')
    add_layers_of_alexnet(drawing, alexnet.layers)
    share = len(alexnet.layers) * PITCH / len(blocks)
    for i, block in enumerate(blocks, 1):
        add_small_block(drawing, block, BOTTOM + 12 - i * share, share - 12)
    add_large_block(drawing)
    return drawing


def add_layers_of_alexnet(drawing, layers):
    for i, spec in enumerate(layers, 1):
        kind = f'Conv ({spec.size})' if spec.size else 'MaxPool'
        # There is no room for both
        how = f'pad {spec.padding}'
        if spec.stride > 1:
            how = f'stride {spec.stride}'
        text = f'{spec.kernel}×{spec.kernel} {kind}, {how}'
        y = BOTTOM + 12 - i * PITCH
        drawing.box(8, y, 184, CONV if spec.size else POOL, text)


def add_small_block(drawing, block, top, height):
    """Draw a block of VGG-11: its convolutions with the pooling on top."""
    x, width, center = 410, 122, top + height / 2
    if block == ENLARGED:
        right, low = FRAME_LEFT + FRAME_WIDTH, FRAME_TOP + FRAME_HEIGHT
        wedge = [
            (right, low),
            (right, FRAME_TOP),
            (x, top),
            (x, top + height),
        ]
        drawing.polygon(wedge, SHADE, GREY, DASHED)
    drawing.rect(x, top, width, height, SHADE)
    for j, fill in enumerate([CONV] * block[0] + [POOL]):
        lift = 12 * j - 6 * block[0]
        drawing.rect(x + 9, center - lift - 4.5, 22, 9, fill)
    drawing.text(x + 77, center - 8, 'VGG block')
    drawing.text(x + 77, center + 8, str(block))
    drawing.arrow(x + width / 2, top + height)


def add_large_block(drawing):
    """Draw the layers of a block, and what its numbers are."""
    x, width, top = FRAME_LEFT, FRAME_WIDTH, FRAME_TOP
    center = x + width / 2
    drawing.rect(x, top, width, FRAME_HEIGHT, SHADE)
    drawing.title(center, top - 32, 'VGG block')
    drawing.text(center, top - 13, '(num_convs, num_channels)')
    conv, pool = (CONV, '3×3 Conv, pad 1'), (POOL, '2×2 MaxPool, stride 2')
    for row, layer in ((0, pool), (1, conv), (3, conv)):
        drawing.box(x + 10, top + 12 + row * PITCH, width - 20, *layer)
    dots = top + 12 + 2 * PITCH + 5
    for dot in range(3):
        drawing.rect(center - 1, dots + 7 * dot, 2, 2, INK, 'none')
    drawing.arrow(center, dots + 21)
    drawing.arrow(center, top)
    words = 'num_convs convolutions of', 'num_channels each,'
    for i, text in enumerate((*words, 'then one pooling')):
        drawing.text(center, top + FRAME_HEIGHT + 16 + 16 * i, text)


def grid_corners(x, y, side, size, column=0, row=0):
    """Return the corners of a square of cells in a grid that lies flat.

    The grid of `side` x `side` cells has its middle in (x, y); the square
    of `size` x `size` begins at a column and a row, counted from the front.
    """
    points = []
    for i, j in ((0, 0), (1, 0), (1, 1), (0, 1)):
        across = column + i * size - side / 2
        back = row + j * size - side / 2
        points.append((x + 17 * across + 6 * back, y - 9 * back))
    return points


def receptive_field():
    """Draw how few weights stacked 3x3 convolutions need to see as much."""
    drawing = Drawing(
        'receptive-field',
        396,
        'What stacked 3×3 convolutions see',
        'One 5×5 convolution makes one output of 5×5 inputs and has 25 c² '
        'weights for c channels. Two stacked 3×3 convolutions see the same '
        '5×5 inputs with 18 c² weights, and three see 7×7 inputs with '
        '27 c² weights, where one 7×7 convolution has 49 c².',
    )
    for x, title, kernel, num_convs in (
        (87, 'one 5×5 Conv', 5, 1),
        (257, 'two 3×3 Convs', 3, 2),
        (439, 'three 3×3 Convs', 3, 3),
    ):
        drawing.title(x, 17, title)
        patch = []
        # From the inputs at the bottom to the one output at the top
        for i in range(num_convs + 1):
            side = 1 + (num_convs - i) * (kernel - 1)
            y = 270 - 218 * i / num_convs
            cell = grid_corners(x, y, side, 1)
            for ends in zip(patch, cell):
                drawing.line(ends, DASHED)
            if i:
                name = f'{side}×{side}' if side > 1 else 'output'
                drawing.text(x + 8.5 * side + 10, y, name, 'start')
            patch = grid_corners(x, y, side, min(kernel, side))
            drawing.polygon(grid_corners(x, y, side, side), CONV)
            drawing.polygon(patch, PATCH)
            for j in range(side**2):
                cell = grid_corners(x, y, side, 1, j % side, j // side)
                drawing.polygon(cell, 'none', style=' stroke-width="0.6"')
        field = 1 + num_convs * (kernel - 1)
        weights = f'{num_convs * kernel**2} c² weights'
        if num_convs > 1:
            weights = f'{num_convs} · {kernel**2} c² = {weights}'
        drawing.text(x, 318, f'sees {field}×{field} inputs')
        drawing.text(x, 337, weights, style=BOLD)
    drawing.text(x, 356, f'(one {field}×{field} Conv: {field**2} c²)')
    note = 'for c channels in and out of every layer, without biases'
    drawing.text(drawing.width / 2, 382, note)
    return drawing


def family_costs():
    """Return (architecture, layers with weights, totals) of A to E."""
    members = []
    for letter in 'ABCDE':
        arch = architectures.get(letter)
        rows = costs.summary(arch, INPUT_SHAPE, NUM_CLASSES)
        total = costs.totals(arch, INPUT_SHAPE, NUM_CLASSES)
        members.append((arch, sum(row.macs > 0 for row in rows), total))
    return members


def family():
    """Draw the multiply-adds and parameters of A to E beside the depth."""
    members = family_costs()
    first, last = members[0][2], members[-1][2]
    growth = 100 * (last.num_params / first.num_params - 1)
    notes = [
        f'From A to E the multiply-adds grow {last.macs / first.macs:.1f}-'
        f'fold, the parameters by only {growth:.0f} %:',
        f'the dense layers, {first.dense_params / 1e6:.1f} M parameters and '
        f'{first.dense_macs / 1e9:.2f} G multiply-adds, are the same in all.',
        f'Counted for one image of {"×".join(map(str, INPUT_SHAPE))} and '
        f'{NUM_CLASSES} classes.',
    ]
    lines = [
        f'{arch.letter} ({arch.name}, {depth} layers): {total.macs / 1e9:.2f}'
        f' G multiply-adds, {total.num_params / 1e6:.1f} M parameters'
        for arch, depth, total in members
    ]
    drawing = Drawing(
        'family',
        320,
        'Depth and costs of the VGG family',
        f'{"; ".join(lines)}. {" ".join(notes)}',
    )
    pitch, top, x_macs, x_params = 36, 40, 150, 350
    macs_scale, params_scale = 130 / last.macs, 130 / last.num_params

    def bar(x, y, scale, conv, dense, text):
        drawing.rect(x, y - 12, scale * conv, 24, CONV, 'none')
        x += scale * conv
        drawing.rect(x, y - 12, scale * dense, 24, DENSE, 'none')
        drawing.text(x + scale * dense + 6, y, text, 'start')

    drawing.text(120, 18, 'layers', 'end')
    for i, (arch, depth, total) in enumerate(members):
        y = top + i * pitch + 12
        drawing.text(8, y, arch.letter, 'start', BOLD)
        drawing.text(26, y, arch.name, 'start')
        drawing.text(120, y, str(depth), 'end')
        parts, text = total.conv_macs, f'{total.macs / 1e9:.2f} G'
        bar(x_macs, y, macs_scale, parts, total.dense_macs, text)
        parts, text = total.conv_params, f'{total.num_params / 1e6:.1f} M'
        bar(x_params, y, params_scale, parts, total.dense_params, text)
    for x, title, fill, text in (
        (x_macs, 'Multiply-adds', CONV, 'in convolutions'),
        (x_params, 'Parameters', DENSE, 'in dense layers'),
    ):
        drawing.title(x, 17, title, 'start')
        drawing.line([(x, top - 6), (x, top + 4 * pitch + 30)])
        drawing.rect(x, 231, 14, 14, fill, 'none')
        drawing.text(x + 21, 238, text, 'start')
    for i, text in enumerate(notes):
        drawing.text(drawing.width / 2, 268 + 18 * i, text)
    return drawing


def main(folder=IMAGES):
    for draw in (vgg, receptive_field, family):
        draw().write(folder)


if __name__ == '__main__':
    main(*sys.argv[1:2])
