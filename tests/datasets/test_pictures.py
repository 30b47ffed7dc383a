"""A reader's own picture becomes what Fashion-MNIST's authors would make."""

import math

import numpy as np
import pytest
from PIL import Image

from d2l_vgg.datasets import pictures


def thing(height=20, width=12):
    """Return a light shape of its own size: a T with a darker stem."""
    image = np.zeros((height, width))
    image[: height // 3] = 230
    image[:, width // 3 : 2 * width // 3] = 120
    image[: height // 3] = 230
    return image


def framed(image, ground=0, margin=7, scale=1):
    """Return `image` enlarged on a ground of its own."""
    image = np.kron(image, np.ones((scale, scale)))
    framed = np.zeros(np.add(image.shape, 2 * margin * scale))
    place = slice(margin * scale, -margin * scale)
    framed[place, place] = image
    framed = ground + framed * (255 - ground) / 255
    return framed.round().astype('uint8')


def saved(tmp_path, array, name='a.png', **options):
    path = tmp_path / name
    Image.fromarray(array).save(path, **options)
    return path


def expected():
    image = np.zeros((28, 28))
    small = Image.fromarray(thing().astype('uint8')).resize(
        (17, 28), Image.LANCZOS
    )
    image[:, 5:22] = small
    return image


def test_a_fashion_mnist_image_stays_as_it_is(tmp_path):
    image = np.zeros((28, 28), 'uint8')
    image[4:20, 9:17] = np.arange(8) * 30
    found = pictures.read(saved(tmp_path, image))
    np.testing.assert_array_equal(found.image, image)
    assert found.steps[-1] == 'taken as it is'


@pytest.mark.parametrize('scale', [1, 20])
@pytest.mark.parametrize('ground', [0, 40])
@pytest.mark.parametrize('light', [False, True])
def test_size_ground_and_light_make_no_difference(
    tmp_path, scale, ground, light
):
    array = framed(thing(), ground, scale=scale)
    found = pictures.read(saved(tmp_path, 255 - array if light else array))
    assert found.image.shape == (28, 28) and found.image.dtype == 'uint8'
    difference = np.abs(found.image.astype(float) - expected())
    assert difference.mean() < 6 and np.median(difference) == 0
    told = ' '.join(found.steps)
    assert f'{array.shape[1]} x {array.shape[0]} pixels' in told
    assert ('light and dark swapped' in told) == light
    assert f'trimmed to {12 * scale} x {20 * scale}' in told
    assert 'resized to 17 x 28' in told


def test_colour_transparency_and_rotation(tmp_path):
    grey = framed(thing(), scale=4)
    plain = pictures.read(saved(tmp_path, 255 - grey))

    colour = np.stack([255 - grey] * 3, -1)
    found = pictures.read(saved(tmp_path, colour))
    np.testing.assert_array_equal(found.image, plain.image)
    assert 'made grey' in found.steps

    black = np.zeros_like(colour)
    alpha = np.concatenate([black, grey[..., None]], -1)
    found = pictures.read(saved(tmp_path, alpha))
    assert np.abs(found.image.astype(int) - plain.image).max() <= 2
    assert 'laid on white' in found.steps

    exif = Image.Exif()
    exif[0x0112] = 6  # The camera was held upright: turn it clockwise
    turned = np.rot90(255 - grey)
    found = pictures.read(
        saved(tmp_path, turned, 'a.png', exif=exif.tobytes())
    )
    np.testing.assert_array_equal(found.image, plain.image)
    assert 'turned upright' in found.steps


@pytest.mark.parametrize(
    'name', ['a.jpg', 'a.gif', 'a.bmp', 'a.tiff', 'a.webp']
)
def test_formats(tmp_path, name):
    array = 255 - framed(thing(), scale=4)
    plain = pictures.read(saved(tmp_path, array))
    options = {'quality': 95} if name.endswith('jpg') else {}
    found = pictures.read(saved(tmp_path, array, name, **options))
    assert np.abs(found.image.astype(float) - plain.image).mean() < 6


def test_sixteen_bits_keep_their_range(tmp_path):
    array = framed(thing(), scale=4)
    found = pictures.read(saved(tmp_path, array.astype('uint16') * 16))
    plain = pictures.read(saved(tmp_path, array))
    assert np.abs(found.image.astype(float) - plain.image).mean() < 12
    assert any('taken as 0 to 255' in step for step in found.steps)


def test_what_is_no_picture(tmp_path):
    path = tmp_path / 'a.png'
    saved(tmp_path, framed(thing()))
    content = path.read_bytes()
    for damaged in b'', b'once upon a time', content[:60], content[:-30]:
        path.write_bytes(damaged)
        with pytest.raises(ValueError, match='a.png is no picture [^<>]*$'):
            pictures.read(path)
    numbers = np.full((40, 40), math.nan, 'float32')
    for other in (
        saved(tmp_path, framed(thing()), 'a.eps'),  # Of a printed page
        saved(tmp_path, numbers, 'a.tiff'),
    ):
        with pytest.raises(ValueError, match='is no picture .*PNG, JPEG'):
            pictures.read(other)


@pytest.mark.parametrize(
    'name, size, options',
    [
        ('a.png', (9000, 9000), {}),
        ('a.jpg', (9000, 9000), {'progressive': True}),
        ('a.png', (70000, 1), {}),  # Which Pillow cannot shrink
    ],
)
def test_what_would_fill_the_memory_is_not_unpacked(
    tmp_path, name, size, options
):
    path = tmp_path / name
    Image.new('L', size).save(path, **options)
    assert path.stat().st_size < 2e6
    with pytest.raises(
        ValueError, match='{} x {} pixels are too'.format(*size)
    ):
        pictures.read(path)


def test_a_jpeg_of_any_size_is_reduced_as_it_is_decoded(tmp_path):
    array = framed(thing(24), margin=13, scale=20)
    large = np.kron(array, np.ones((9, 9), 'uint8'))
    assert large.size > pictures.MAX_PIXELS
    found = pictures.read(saved(tmp_path, large, 'a.jpg'))
    plain = pictures.read(saved(tmp_path, array))
    assert np.abs(found.image.astype(float) - plain.image).mean() < 3
    assert found.steps[:2] == ('6840 x 9000 pixels', 'reduced to 3420 x 4500')


def test_a_thing_that_fills_its_picture_is_not_trimmed(tmp_path):
    cross = np.zeros((60, 50), 'uint8')
    cross[25:35] = cross[:, 20:30] = 200
    assert 'trimmed' not in ' '.join(pictures.read(saved(tmp_path, cross))[2])


def on(level, of_thing, mode='L', size=(50, 60)):
    """Return a picture with a rectangle in the middle of its ground."""
    picture = Image.new(mode, size, level)
    picture.paste(of_thing, (20, 20, 30, 40))
    return picture


@pytest.mark.parametrize(
    'picture',
    [
        *(Image.new('L', (50, 60), level) for level in (0, 128, 255)),
        Image.new('L', (28, 28)),
        on(127, 139),  # Dust on the scanner
        on(60, 20),  # Darker than a dark ground
        on(255, 0, size=(28, 23)),  # A dot of 24 pixels
        on((0, 0, 0, 0), (255, 255, 255, 255), 'RGBA'),  # On transparency
    ],
)
def test_a_picture_that_shows_nothing_is_refused(tmp_path, picture):
    path = tmp_path / 'a.png'
    picture.save(path)
    with pytest.raises(ValueError, match='Too little is left .* .*a.png'):
        pictures.read(path)


@pytest.mark.parametrize('size', [28, 40])
def test_the_emptiest_picture_has_38_pixels(tmp_path, size):
    image = np.zeros((size, size), 'uint8')
    image[9, :28] = image[10, :9] = 200
    with pytest.raises(ValueError, match='Too little is left'):
        pictures.read(saved(tmp_path, image))
    image[10, 9] = 200
    assert (pictures.read(saved(tmp_path, image)).image > 0).sum() == 38


@pytest.mark.parametrize('level, faint', [(63, True), (64, False)])
def test_a_faint_picture_has_a_word_of_it(tmp_path, level, faint):
    on(0, level).save(tmp_path / 'a.png')
    told = ', '.join(pictures.read(tmp_path / 'a.png').steps)
    assert ('so faint that a guess says little' in told) == faint


def test_sixteen_bits_on_a_transparent_level_show_the_thing(tmp_path):
    array = framed(thing(), scale=4).astype('uint16') * 200
    image = Image.fromarray(array)
    image.save(tmp_path / 'a.png', transparency=0)
    found = pictures.read(tmp_path / 'a.png')
    assert found.image.max() > 200
