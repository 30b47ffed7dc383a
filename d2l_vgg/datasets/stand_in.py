"""Draw a data set of garments for machines without Fashion-MNIST.

It is not Fashion-MNIST, and a result on it says nothing about Fashion-MNIST:
it has the same sizes and classes, so that everything can be tried.
"""

import os

import numpy as np

from d2l_vgg import limits
from d2l_vgg.datasets.fashion_mnist import TEXT_LABELS, Data

SOURCE = 'stand-in (drawn by code, not Fashion-MNIST)'
# What is shown wherever a result on it is
NOTE = (
    'STAND-IN DATA: drawn by code, not Fashion-MNIST; the figures say '
    'nothing about Fashion-MNIST.'
)

_SIZE = 28
# The centers of the pixels, along either axis
_GRID = np.arange(_SIZE, dtype=np.float32) + 0.5
# So many images at a time stay in the processor's cache
_CHUNK = 250


def is_asked_for(root=None):
    """Return whether the stand-in is named where a folder could be."""
    asked = os.fspath(root or '') or os.environ.get('D2L_VGG_DATA')
    return asked == 'stand-in'


def load(num_train=60000, num_val=10000, seed=0):
    """Draw the stand-in; the same arguments give the same pixels.

    The classes have equal numbers of examples (or differ by one) in random
    order. The validation examples do not depend on `num_train`.

    Returns:
        A `Data` whose `stand_in` is True, images of shape (number of
        examples, 28, 28), labels of shape (number of examples,), all uint8.

    Raises:
        ValueError: a number of examples below one, or not whole.
    """
    for name, num in ('num_train', num_train), ('num_val', num_val):
        if limits.check(name, num, int) < 1:
            raise ValueError(
                f'The stand-in cannot have {num} examples; ask for 1 or more.'
            )
    arrays = []
    for split, num in enumerate((num_train, num_val)):
        rng = np.random.default_rng([seed, split])
        labels = rng.permutation(num).astype(np.int64) % len(TEXT_LABELS)
        images = np.empty((num, _SIZE, _SIZE), np.uint8)
        for label, draw in enumerate(_DRAW):
            indices = np.flatnonzero(labels == label)
            for start in range(0, len(indices), _CHUNK):
                chunk = indices[start : start + _CHUNK]
                images[chunk] = _photograph(_Sheets(rng, len(chunk)), draw)
        arrays += [images, labels.astype(np.uint8)]
    return Data(*arrays, source=SOURCE, stand_in=True)


class _Sheets:
    """A stack of n sheets of paper, on which one garment each is painted.

    Every parameter of a shape is an array of shape (n, 1), its value on
    each sheet, or a number where all are alike. Edges are arrays of shape
    (n, 28), one value for every row (or column). Units are pixels, x from
    the left and y from the top.
    """

    def __init__(self, rng, n):
        self.rng, self.n = rng, n
        self.canvas = np.zeros((n, _SIZE, _SIZE), np.float32)

    def uniform(self, low, high):
        """Draw a parameter between two bounds."""
        u = self.rng.random((self.n, 1), dtype=np.float32)
        return low + (high - low) * u

    def chance(self, probability):
        """Draw 1 with a probability and 0 otherwise."""
        return (self.uniform(0, 1) < probability).astype(np.float32)

    def paint(self, cover, tone):
        """Lay `tone` over the canvas where `cover` is 1, partly between."""
        if isinstance(tone, np.ndarray) and tone.ndim == 2:
            tone = tone[:, :, None]
        self.canvas += cover * (tone - self.canvas)

    def band(self, left, right, top, bottom, tone):
        """Paint all between two edges given row by row."""
        self.paint(self._band(left, right, top, bottom), tone)

    def shelf(self, upper, lower, left, right, tone):
        """Paint all between two edges given column by column."""
        cover = self._band(upper, lower, left, right)
        self.paint(cover.transpose(0, 2, 1), tone)

    def arch(self, x, y, width, height, thickness, tone, bottom):
        """Paint an elliptic line around (x, y), down to `bottom`."""
        u = (_GRID - x) / width
        v = (_GRID - y) / height
        radius = np.sqrt(u[:, None, :] ** 2 + v[:, :, None] ** 2)
        size = np.broadcast_to(np.minimum(width, height), (self.n, 1))
        distance = np.abs(radius - 1) * size[:, :, None]
        half = np.broadcast_to(thickness / 2, (self.n, 1))[:, :, None]
        cover = np.clip(half - distance + 0.5, 0, 1)
        self.paint(cover * _inside(-1, bottom, self.n)[:, :, None], tone)

    def _band(self, left, right, top, bottom):
        left = np.broadcast_to(left, (self.n, _SIZE))[:, :, None]
        right = np.broadcast_to(right, (self.n, _SIZE))[:, :, None]
        # The signed distance to the nearer edge, cut off half a pixel on
        # either side, is how much of a pixel is covered
        cover = _GRID - left
        np.minimum(cover, right - _GRID, out=cover)
        cover += 0.5
        np.clip(cover, 0, 1, out=cover)
        cover *= _inside(top, bottom, self.n)[:, :, None]
        return cover


def _inside(start, end, n):
    """How much of each row (or column) lies between two bounds."""
    start = np.broadcast_to(start, (n, 1))
    end = np.broadcast_to(end, (n, 1))
    return np.clip(np.minimum(_GRID - start, end - _GRID) + 0.5, 0, 1)


def _path(start, end, *points):
    """A line through points (fraction of the way, value), as an edge.

    Returns:
        An array of shape (n, 28): the value on every row from `start` to
        `end`, and that of the first or last point outside.
    """
    t = (_GRID - start) / (end - start)
    edge = points[0][1] + np.zeros_like(t)
    for (t0, v0), (t1, v1) in zip(points, points[1:]):
        edge += (v1 - v0) * np.clip((t - t0) / (t1 - t0), 0, 1)
    return edge


def _upper_body(s, length, width, waist, hem, sleeve, reach, neck):
    """Paint sleeves, trunk and neckline, which five classes share.

    Args:
        length: of the trunk.
        width, waist, hem: half of the trunk's breadth at three heights.
        sleeve: the length of the sleeves.
        reach: how far the cuffs stand out from the shoulders.
        neck: the depth of the neckline.

    Returns:
        The middle, top, bottom and tone of the trunk, and half the breadth
        of the neckline.
    """
    middle = 14 + s.uniform(-2, 2)
    top = 14 - length / 2 + s.uniform(-1.5, 1.5)
    bottom = top + length
    tone = s.uniform(0.2, 1)
    opening = s.uniform(2, 3.5)
    slope = s.uniform(1.5, 3)
    cuff = top + sleeve
    outer = _path(
        top,
        cuff,
        (0, opening),
        (slope / sleeve, width),
        (1, width + reach),
    )
    inner = outer - s.uniform(3, 4.5)
    arm_tone = tone * s.uniform(0.85, 1.1)
    s.band(middle - outer, middle - inner, top, cuff, arm_tone)
    s.band(middle + inner, middle + outer, top, cuff, arm_tone)
    trunk = _path(
        top,
        bottom,
        (0, opening),
        (slope / length, width - 0.8),
        (0.5, waist),
        (1, hem),
    )
    # The shadow that parts the trunk from the sleeves
    armpit = top + s.uniform(0.2, 0.4) * length
    shadow = trunk + s.uniform(0.2, 0.9)
    s.band(middle - shadow, middle + shadow, armpit, bottom, 0)
    s.band(middle - trunk, middle + trunk, top, bottom, tone)
    curve = _path(top, top + neck, (0, 1), (0.5, 0.8), (1, 0.0))
    notch = (opening - 1.3) * curve
    s.band(middle - notch, middle + notch, -1, top + neck, 0)
    return middle, top, bottom, tone, opening


def _collar(s, middle, top, tone, opening, depth):
    """Paint a collar: two flaps beside a notch that is `depth` deep."""
    flap = opening * _path(top, top + depth, (0, 1), (1, 0.1))
    upper = top - s.uniform(0.3, 1)
    s.band(middle - flap - 1.2, middle + flap + 1.2, upper, top + depth, tone)
    s.band(middle - flap, middle + flap, -1, top + depth, tone * 0.3)


def _front(s, middle, top, bottom, tone, present):
    """Paint a line of buttons or a zip down the middle, where `present`."""
    half = 0.1 + s.uniform(0.3, 0.6) * present
    tone = tone * (1 - present * s.uniform(0.2, 0.8))
    s.band(middle - half, middle + half, top, bottom, tone)


def _motif(s, middle, top, tone, present):
    """Paint a rectangle, such as letters make, on the chest."""
    half = s.uniform(2, 4.5)
    upper = top + s.uniform(5, 8)
    lower = upper + s.uniform(1, 6)
    contrast = s.uniform(-0.5, 0.4)
    motif = tone * (1 + present * contrast)
    s.band(middle - half, middle + half, upper, lower, motif)


def _t_shirt(s):
    width = s.uniform(5.5, 8)
    # Some have sleeves down to the elbow, as some shirts do
    elbow = s.chance(0.25)
    body = _upper_body(
        s,
        length=s.uniform(21, 26),
        width=width,
        waist=width - s.uniform(0, 1.5),
        hem=width + s.uniform(-1, 0.8),
        sleeve=s.uniform(6, 10) + elbow * s.uniform(3, 10),
        reach=s.uniform(1, 4.5),
        neck=s.uniform(1.5, 4.5),
    )
    middle, top, _, tone, _ = body
    _motif(s, middle, top, tone, s.chance(0.35))


def _pullover(s):
    width = s.uniform(5.5, 8)
    body = _upper_body(
        s,
        length=s.uniform(20, 27),
        width=width,
        waist=width - s.uniform(0, 1),
        hem=width - s.uniform(0, 1.5),
        sleeve=s.uniform(16, 25),
        reach=s.uniform(1, 4.5),
        neck=s.uniform(1, 3.5),
    )
    middle, top, bottom, tone, opening = body
    # The ribbed edges
    ribs = tone * s.uniform(0.6, 1)
    hem = bottom - s.uniform(1, 3)
    half = width - 1.5
    s.band(middle - half, middle + half, hem, bottom, ribs)
    _motif(s, middle, top, tone, s.chance(0.3))
    hood = s.chance(0.2)
    half = opening * hood
    s.band(middle - half, middle + half, top - hood, top + 3 * hood, ribs)


def _coat(s):
    width = s.uniform(5.5, 8)
    body = _upper_body(
        s,
        length=s.uniform(21, 27),
        width=width,
        waist=width - s.uniform(0, 1.2),
        hem=width + s.uniform(-0.6, 1.4),
        sleeve=s.uniform(17, 25),
        reach=s.uniform(1, 4),
        neck=s.uniform(1, 4),
    )
    middle, top, bottom, tone, opening = body
    depth = s.uniform(2, 5)
    _collar(s, middle, top, tone * s.uniform(0.6, 1.2), opening, depth)
    _front(s, middle, top + 2, bottom, tone, s.chance(0.95))
    # Pockets
    present = s.chance(0.5)
    pocket = tone * (1 - present * s.uniform(0.15, 0.5))
    level = top + s.uniform(14, 17)
    for side in (-1, 1):
        x = middle + side * s.uniform(3, 4)
        s.band(x - 1.3, x + 1.3, level, level + 1, pocket)


def _shirt(s):
    width = s.uniform(5.5, 8)
    # Mostly long sleeves, some short or half
    short = s.chance(0.3)
    sleeve = s.uniform(18, 25) * (1 - short) + s.uniform(7, 13) * short
    body = _upper_body(
        s,
        length=s.uniform(21, 26),
        width=width,
        waist=width - s.uniform(0, 1.5),
        hem=width + s.uniform(-0.8, 1),
        sleeve=sleeve,
        reach=s.uniform(1.2, 4),
        neck=s.uniform(1, 4),
    )
    middle, top, bottom, tone, opening = body
    depth = s.uniform(2, 4)
    _collar(s, middle, top, tone * s.uniform(0.8, 1.3), opening, depth)
    first = top + s.uniform(3.5, 5.5)
    button = tone * s.uniform(0.4, 0.7)
    for i in range(5):
        y = first + 4 * i
        s.band(middle - 0.5, middle + 0.5, y, y + 1, button)
    checks = s.chance(0.3) * s.uniform(0.1, 0.4)
    for axis in (1, 2):
        wave = np.sin(_GRID * s.uniform(1.2, 2.4) + s.uniform(0, 6))
        s.canvas *= 1 - checks[:, :, None] * np.expand_dims(wave > 0, axis)


def _dress(s):
    width = s.uniform(3.2, 6.2)
    # None, short or long
    sleeveless = s.chance(0.4)
    long = s.chance(0.4)
    sleeve = s.uniform(5, 8) + long * 11
    _upper_body(
        s,
        length=s.uniform(23.5, 27.5),
        width=width,
        waist=width - s.uniform(0.2, 1.4),
        hem=width + s.uniform(-0.5, 3.5),
        sleeve=sleeve * (1 - sleeveless) + 1.5 * sleeveless,
        reach=s.uniform(0.5, 3) * (1 - sleeveless),
        neck=s.uniform(1, 5),
    )


def _trouser(s):
    middle = 14 + s.uniform(-2, 2)
    top = s.uniform(0.5, 4)
    bottom = s.uniform(23.5, 27.5)
    tone = s.uniform(0.2, 1)
    hip = s.uniform(3.5, 5)
    apart = s.uniform(0.6, 3)
    cuff = s.uniform(1.8, 3.4)
    crotch = s.uniform(0.25, 0.38)
    inner = _path(top, bottom, (crotch, 0.0), (1, apart))
    outer = _path(
        top, bottom, (0, hip - 0.8), (crotch, hip), (1, apart + cuff)
    )
    s.band(middle - outer, middle + outer, top, bottom, tone)
    fork = top + crotch * (bottom - top)
    s.band(middle - inner, middle + inner, fork, bottom + 1, 0)
    # The waistband, and the crease or the worn part of each leg
    belt = top + s.uniform(1, 2)
    s.band(middle - hip, middle + hip, belt, belt + 0.7, tone * 0.6)
    crease = (inner + outer) / 2
    tone = tone * s.uniform(0.7, 1.35)
    for side in (-1, 1):
        leg = middle + side * crease
        s.band(leg - 0.6, leg + 0.6, fork, bottom - 1, tone)


def _sneaker(s):
    toe, heel = s.uniform(0.5, 4), s.uniform(23.5, 27.5)
    floor = s.uniform(17.5, 23)
    tone = s.uniform(0.2, 1)
    # A few are as high as boots are low
    high = s.uniform(7, 10.5) + s.chance(0.2) * s.uniform(2, 5)
    tongue = s.uniform(0.5, 0.65)
    upper = floor - _path(
        toe,
        heel,
        (0, s.uniform(1.5, 3.5)),
        (0.25, s.uniform(4, 5.5)),
        (tongue, high),
        (0.85, high - s.uniform(0.3, 2.5)),
        (1, high - s.uniform(0, 1.5)),
    )
    s.shelf(upper, floor, toe, heel, tone)
    # The opening for the foot, the stripe and the laces
    rim = s.uniform(0.8, 1.6)
    inside = toe + tongue * (heel - toe) + 1
    s.shelf(upper, upper + rim, inside, heel - 1, tone * 0.45)
    stripe = toe + s.uniform(0.45, 0.75) * (heel - toe)
    lean = _path(floor - high, floor, (0, 2.0), (1, -1.0))
    contrast = tone * s.uniform(0.4, 1.4)
    s.band(stripe + lean, stripe + lean + 2, floor - 5, floor, contrast)
    for i in range(3):
        x = toe + (0.3 + 0.1 * i) * (heel - toe)
        s.shelf(upper + 0.5, upper + 2.5, x - 0.4, x + 0.4, tone * 1.35)
    thick = s.uniform(1, 2.5)
    s.shelf(floor - 0.5, floor + thick, toe, heel, s.uniform(0.15, 1))


def _ankle_boot(s):
    toe, heel = s.uniform(0.5, 5), s.uniform(23, 27.5)
    floor = s.uniform(19.5, 24)
    tone = s.uniform(0.2, 1)
    high = s.uniform(10.5, 19)
    instep = s.uniform(0.45, 0.6)
    upper = floor - _path(
        toe,
        heel,
        (0, s.uniform(2, 4)),
        (instep - 0.1, s.uniform(5.5, 8)),
        (instep + 0.04, high - s.uniform(0, 2)),
        (1, high),
    )
    back = heel - s.uniform(0, 1.5)
    s.shelf(upper, floor, toe, back, tone)
    # A zip or an elastic side
    side = toe + s.uniform(0.62, 0.75) * (heel - toe)
    half = s.uniform(0.2, 1.4)
    darker = tone * s.uniform(0.5, 1)
    s.band(side - half, side + half, floor - high + 1, floor - 6, darker)
    s.shelf(upper, upper + 1, toe + 10, back, tone * s.uniform(0.7, 1.2))
    # The sole, and below its end the heel
    sole = tone * s.uniform(0.3, 1)
    s.shelf(floor - 1, floor + 0.7, toe, heel, sole)
    block = back - s.uniform(3, 8)
    s.shelf(floor, floor + s.uniform(1, 3.5), block, back, sole)


def _sandal(s):
    toe, heel = s.uniform(0.5, 4), s.uniform(23.5, 27.5)
    tone = s.uniform(0.2, 1)
    pumps = s.chance(0.3)
    lift = pumps * s.uniform(5, 12) + s.uniform(0, 1.5)
    floor = s.uniform(16.5, 21) + pumps * 2
    sole = floor - lift * _path(toe, heel, (0.25, 0.0), (0.75, 0.9), (1, 1.0))
    thick = s.uniform(1, 2.2)
    # Straps are arches on the sole
    straps = (
        (0.2, 0.35, 1.0),
        (0.35, 0.5, s.chance(0.6)),
        (0.6, 0.75, s.chance(0.5)),
        (0.78, 0.88, s.chance(0.7)),
    )
    for low, high, present in straps:
        x = toe + s.uniform(low, high) * (heel - toe)
        wide, tall = s.uniform(2, 4.5), s.uniform(3, 6.5)
        rise = lift * np.clip((x - toe) / (heel - toe) * 1.6 - 0.4, 0, 1)
        s.arch(
            x,
            floor - rise,
            wide,
            tall,
            s.uniform(0.6, 1.6) * present - 1 + present,
            tone * s.uniform(0.6, 1.3),
            bottom=floor - rise,
        )
    s.shelf(sole - thick / 2, sole + thick / 2, toe, heel, tone)
    stick = heel - s.uniform(1, 2.5)
    s.shelf(sole, floor + thick / 2, stick, heel, tone * pumps)


def _bag(s):
    middle = 14 + s.uniform(-1.5, 1.5)
    half = s.uniform(6, 12.5)
    height = s.uniform(7, 22)
    bottom = s.uniform(22, 26.5)
    top = bottom - height
    tone = s.uniform(0.2, 1)
    # Short handles, long straps, or none
    handle = s.chance(0.75)
    s.arch(
        middle,
        top + 1,
        half * s.uniform(0.35, 0.8),
        np.maximum(top - s.uniform(0, 2), 2),
        s.uniform(0.8, 1.8) * handle - 1 + handle,
        tone * s.uniform(0.6, 1.1),
        bottom=top + 1,
    )
    side = half - _path(
        top,
        bottom,
        (0, s.uniform(0.5, 3)),
        (0.15, s.uniform(0, 2.5)),
        (0.9, 0.0),
        (1, s.uniform(0, 1)),
    )
    s.band(middle - side, middle + side, top, bottom, tone)
    flap = top + s.uniform(0.1, 0.6) * height
    below = tone * s.uniform(0.6, 1.1)
    s.band(middle - half + 1, middle + half - 1, flap, flap + 0.8, below)
    lock = s.uniform(0.5, 1.6)
    shine = tone * s.uniform(0.4, 1.5)
    s.band(middle - lock, middle + lock, flap, flap + 2 * lock, shine)


# In the order of `TEXT_LABELS`
_DRAW = (
    _t_shirt,
    _trouser,
    _pullover,
    _dress,
    _coat,
    _sandal,
    _shirt,
    _sneaker,
    _bag,
    _ankle_boot,
)


def _photograph(s, draw):
    """Paint one class on the sheets `s`, give them cloth, light and noise.

    Returns:
        A uint8 array of shape (n, 28, 28).
    """
    draw(s)
    image = s.canvas
    # A third of the cloth is striped or mottled
    striped = s.chance(0.15) * s.uniform(0.1, 0.5)
    stripes = np.sin(_GRID * s.uniform(0.8, 2.5) + s.uniform(0, 6)) > 0
    image *= 1 - (striped * stripes)[:, :, None]
    mottled = s.chance(0.2) * s.uniform(0.2, 0.7)
    spots = s.rng.random((s.n, _SIZE // 2, _SIZE // 2), dtype=np.float32)
    spots = spots.repeat(2, axis=1).repeat(2, axis=2)
    image *= 1 - mottled[:, :, None] * spots
    # Light falls from one side
    light = 1 + s.uniform(-0.15, 0.15) * (_GRID / 14 - 1)
    image *= light[:, None, :]
    noise = s.rng.standard_normal(image.shape, dtype=np.float32)
    image *= 1 + s.uniform(0.02, 0.12)[:, :, None] * noise
    return (np.clip(image, 0, 1) * 255).astype(np.uint8)
