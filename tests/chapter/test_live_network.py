"""The live network of the page, as a browser shows it."""

import base64
import csv
import json
import os
import re
import shutil
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip('websocket')

from numpy_vgg import conv, max_pool
from PIL import Image
from processes import ROOT

from d2l_vgg.chapter import live
from d2l_vgg.datasets import fashion_mnist, pictures

BOX = '<div class="live" data-live="network"><p>Without scripts</p></div>'
# In channels, out channels, and whether pooling follows
CONVOLUTIONS = (1, 16, True), (16, 32, True), (32, 64, False), (64, 64, True)
# NumPy takes as long for these as the browser for all 10000
NUM_COMPARED = 2000


@pytest.fixture(scope='module')
def page(tmp_path_factory):
    """The path of a page with nothing else; the box is far from its top."""
    folder = tmp_path_factory.mktemp('page')
    chapter = Path(live.HERE)
    for name in 'page.js', 'page.css':
        shutil.copy(chapter / name, folder)
    live.write(folder / 'live')
    (folder / 'page.html').write_text(
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<title>Page</title><link rel="stylesheet" href="page.css">'
        '<script src="page.js"></script></head><body><main><h1>Page</h1>'
        f'<div style="height: 3000px">Far</div>{BOX}</main></body></html>'
    )
    return folder / 'page.html'


@pytest.fixture
def show(chromium, page):
    """Show the box in a window of a width and a scheme."""

    def show_box(width=1280, scheme='light'):
        chromium.requests.clear()
        chromium.console.clear()
        chromium.call(
            'Emulation.setEmulatedMedia',
            features=[{'name': 'prefers-color-scheme', 'value': scheme}],
        )
        chromium.open(page, width, 1200)
        chromium.run(
            """new Promise(done => {
                document.querySelector('.live').scrollIntoView();
                const look = () => document.querySelector('.live.ready')
                    ? done() : setTimeout(look, 20);
                look();
            })"""
        )
        wait(chromium, 100)
        return chromium

    return show_box


def wait(chromium, milliseconds):
    chromium.run(f'new Promise(done => setTimeout(done, {milliseconds}))')


def pixels(chromium, selector='.paper'):
    """Return what a canvas shows: 0 for white paper, 255 for black."""
    wait(chromium, 100)
    levels = chromium.run(
        f"""(() => {{
            const {{width, height}} = document.querySelector('{selector}');
            const context = document.querySelector('{selector}')
                .getContext('2d');
            return [height, width,
                ...context.getImageData(0, 0, width, height).data];
        }})()"""
    )
    shape = *levels[:2], 4
    return 255 - np.array(levels[2:]).reshape(shape)[..., 0]


def click(chromium, selector):
    chromium.run(f"document.querySelector('{selector}').click()")


def sentence(chromium):
    wait(chromium, 800)  # Until the hand rests
    return chromium.run("document.querySelector('.sentence').textContent")


def place(chromium, selector, x, y):
    """Return where a place of a box is, in the window; x, y from 0 to 1."""
    left, top, width, height = chromium.run(
        f"""(() => {{
            const box = document.querySelector('{selector}');
            box.scrollIntoView({{block: 'center'}});
            const {{left, top, width, height}} = box.getBoundingClientRect();
            return [left, top, width, height];
        }})()"""
    )
    return {'x': left + x * width, 'y': top + y * height}


# ------------------------------------------------------------- the numbers


@pytest.fixture(scope='module')
def loaded(page):
    """What the page loads of the network."""
    text = (page.parent / 'live' / 'quick.js').read_text()
    return json.loads(re.fullmatch(r'live\.quickData = (.*);\n', text)[1])


def scores_by_numpy(loaded, images):
    """Return the scores of images, by weights of which each has 16 bits."""
    numbers = np.frombuffer(base64.b64decode(loaded['weights']), '<f2')
    numbers = numbers.astype('float32')
    X = images[:, None].astype('float32') / 255
    used = 0

    def take(*shape):
        nonlocal used
        used += np.prod(shape)
        return numbers[used - np.prod(shape) : used].reshape(shape)

    for inputs, outputs, pool in CONVOLUTIONS:
        W, b = take(outputs, inputs, 3, 3), take(outputs)
        X = np.maximum(conv(X, W, b), 0)
        X = max_pool(X)[0] if pool else X
    X = X.reshape(len(X), -1)
    W, b = take(128, 576), take(128)
    X = np.maximum(X @ W.T + b, 0)
    W, b = take(10, 128), take(10)
    assert used == len(numbers)
    return X @ W.T + b


def test_validation_images_get_the_scores_of_python(show, loaded):
    """And as many are right and refused as the text says."""
    chromium, data = show(), fashion_mnist.load()
    num_right, num_known = 0, 0
    for k in range(0, 10000, 1000):
        images = data.val_images[k : k + 1000]
        text = base64.b64encode(images.tobytes()).decode()
        scores, known = chromium.run(
            f"""(() => {{
                const images = Quick.bytes('{text}'), scores = [];
                let known = 0;
                for (let i = 0; i < images.length; i += 784) {{
                    scores.push([...live.quick.predict(
                        images.subarray(i, i + 784))]);
                    known += live.quick.knows();
                }}
                return [scores, known];
            }})()"""
        )
        if k < NUM_COMPARED:
            expected = scores_by_numpy(loaded, images)
            np.testing.assert_allclose(scores, expected, atol=1e-3)
        predicted = np.argmax(scores, 1)
        num_right += (predicted == data.val_labels[k : k + 1000]).sum()
        num_known += known
    assert abs(num_right - 9177) <= 2
    record = Path(ROOT, 'chapter/results/unknown/rates.csv').read_text()
    rows = {row['images']: row for row in csv.DictReader(record.splitlines())}
    refused = float(rows['validation images']['hidden units'])
    assert 1 - num_known / 10000 == pytest.approx(refused, abs=5e-4)


def test_images_beside_the_network_are_right_and_wrong_ones(loaded):
    data = fashion_mnist.load()
    indices = loaded['indices']
    scores = scores_by_numpy(loaded, data.val_images[indices])
    right = scores.argmax(1) == data.val_labels[indices]
    labels = data.val_labels[indices]
    for each, count in (right, 2), (~right, 1):
        assert np.bincount(labels[each]).tolist() == [count] * 10


def test_network_is_small_and_loaded_only_when_the_box_is_near(
    chromium, page
):
    sizes = [os.path.getsize(page.parent / 'live' / 'quick.js')]
    for name in 'network', 'forward', 'known', 'maps', 'picture', 'pixels':
        sizes.append(os.path.getsize(page.parent / 'live' / f'{name}.js'))
    assert sum(sizes) < 500_000
    chromium.requests.clear()
    chromium.open(page)
    wait(chromium, 200)
    assert not [url for url in chromium.requests if '/live/' in url]


# ----------------------------------------------------------------- drawing


def by_mouse(chromium, way):
    kinds = ['mousePressed', *['mouseMoved'] * (len(way) - 2)]
    for kind, (x, y) in zip([*kinds, 'mouseReleased'], way):
        chromium.call(
            'Input.dispatchMouseEvent',
            type=kind,
            button='left',
            buttons=1,
            clickCount=1,
            **place(chromium, '.paper', x, y),
        )


def by_touch(chromium, way):
    kinds = ['touchStart', *['touchMove'] * (len(way) - 2), 'touchEnd']
    for kind, (x, y) in zip(kinds, way):
        points = [place(chromium, '.paper', x, y)]
        chromium.call(
            'Input.dispatchTouchEvent',
            type=kind,
            touchPoints=[] if kind == 'touchEnd' else points,
        )


def press(chromium, key, count=1, shift=False):
    for _ in range(count):
        for kind in 'keyDown', 'keyUp':
            chromium.call(
                'Input.dispatchKeyEvent',
                type=kind,
                key=key,
                modifiers=8 if shift else 0,
            )


def by_keys(chromium, way):
    """From the middle, where the keys begin, to the left and back."""
    chromium.run(
        "document.querySelector('.paper').focus({preventScroll: true})"
    )
    press(chromium, 'ArrowLeft', 7)
    press(chromium, ' ')
    press(chromium, 'ArrowRight', 14, shift=True)
    told = chromium.run("document.querySelector('.place').textContent")
    assert told == 'Row 15, column 22.'


@pytest.mark.parametrize('width', [390, 1280])
@pytest.mark.parametrize('draw', [by_mouse, by_touch, by_keys])
def test_line_can_be_drawn(show, draw, width):
    chromium = show(width)
    before = chromium.run('scrollY')
    click(chromium, '.erase')
    assert not pixels(chromium).any()
    maps = pixels(chromium, '.layers canvas')
    bars = "document.querySelector('.bars').innerText"
    shares = chromium.run(bars)
    draw(chromium, [(0.25, 0.518), (0.5, 0.518), (0.75, 0.518), (0.75, 0.5)])
    drawn = pixels(chromium)
    assert (drawn[14, 8:20] == 255).all()
    assert (drawn[:11] == 0).all() and (drawn[18:] == 0).all()
    assert (drawn[:, :4] == 0).all() and (drawn[:, 25:] == 0).all()
    assert (pixels(chromium, '.layers canvas') != maps).any()
    assert chromium.run(bars) != shares
    if draw is not by_keys:  # Nothing but the tests' own looking moves it
        return
    assert chromium.run('scrollY') == before


def test_picture_is_shifted_and_erased(show):
    chromium = show()
    first = fashion_mnist.load().val_images[0]
    np.testing.assert_array_equal(pixels(chromium), first)
    click(chromium, '[aria-label=right]')
    click(chromium, '[aria-label=down]')
    click(chromium, '[aria-label=down]')
    shifted = np.zeros((28, 28))
    shifted[2:, 1:] = first[:-2, :-1]
    np.testing.assert_array_equal(pixels(chromium), shifted)
    assert 'The label' not in sentence(chromium)
    click(chromium, '.erase')
    assert sentence(chromium).startswith('This is nothing it knows.')


def test_rubber_takes_ink_away_and_grey_gives_half(show):
    chromium = show()
    click(chromium, '.erase')
    for ink, level in ('255', 255), ('128', 128), ('0', 0):
        chromium.run(f"document.querySelector('.ink').value = '{ink}'")
        by_keys(chromium, None)
        press(chromium, 'ArrowLeft', 7)
        assert (pixels(chromium)[14, 8:20] == level).all(), ink


def test_image_that_is_taken_for_another_class_is_one_click_away(show):
    chromium = show()
    wrong = '[aria-labelledby=gets-wrong] button'
    names = chromium.run(
        f"""[...document.querySelectorAll('{wrong}')].map(
            button => button.title)"""
    )
    assert len(names) == 10
    pattern = r'Image (\d+): (.+), taken for (.+)'
    number, label, taken = re.fullmatch(pattern, names[0]).groups()
    click(chromium, wrong)
    image = fashion_mnist.load().val_images[int(number)]
    np.testing.assert_array_equal(pixels(chromium), image)
    said = sentence(chromium)
    assert taken in said and said.endswith(f'The label is {label}.')


def test_sentence_waits_until_the_hand_rests(show):
    """A reader of the screen would say each."""
    chromium = show()
    chromium.run(
        """window.said = [];
        new MutationObserver(() => said.push(1)).observe(
            document.querySelector('.sentence'),
            {childList: true, characterData: true, subtree: true});
        document.querySelector('.erase').click()"""
    )
    by_keys(chromium, None)
    assert chromium.run('said.length') == 0
    wait(chromium, 800)
    assert chromium.run('said.length') == 1


# ------------------------------------------------------- a picture's file


def choose(chromium, path):
    document = chromium.call('DOM.getDocument')['root']['nodeId']
    field = chromium.call(
        'DOM.querySelector', nodeId=document, selector='[type=file]'
    )['nodeId']
    chromium.call('DOM.setFileInputFiles', files=[str(path)], nodeId=field)
    wait(chromium, 500)


def test_file_is_made_what_predict_makes_of_it(show, tmp_path):
    """But for how a browser shrinks it."""
    large = 255 - np.kron(
        fashion_mnist.load().val_images[0], np.ones((11, 11), 'uint8')
    )
    path = tmp_path / 'boot.png'
    Image.fromarray(np.pad(large, 40, constant_values=255)).save(path)
    chromium = show()
    click(chromium, '.erase')
    choose(chromium, path)
    expected = pictures.read(path).image.astype(int)
    assert np.abs(pixels(chromium) - expected).mean() < 6
    assert 'ankle boot' in sentence(chromium)


@pytest.mark.parametrize(
    'kind, words',
    [
        ('text', 'mine.png is no picture that'),
        ('one colour', 'Nothing is left to see in mine.png'),
        ('light on light', 'Nothing is left to see in mine.png'),
    ],
)
def test_file_with_nothing_to_see_is_refused_in_a_sentence(
    show, tmp_path, kind, words
):
    path = tmp_path / 'mine.png'
    if kind == 'text':
        path.write_text('Words')
    else:
        picture = Image.new('RGB', (90, 50), 'silver')
        if kind == 'light on light':
            picture.paste('white', (20, 20, 40, 40))
        picture.save(path)
    chromium = show()
    before = pixels(chromium)
    choose(chromium, path)
    assert sentence(chromium).startswith(words)
    np.testing.assert_array_equal(pixels(chromium), before)


def test_file_can_be_dropped(show):
    chromium = show()
    chromium.run(
        """(async () => {
            const canvas = new OffscreenCanvas(28, 28);
            const context = canvas.getContext('2d');
            context.fillRect(0, 0, 28, 28);
            context.fillStyle = 'white';
            context.fillRect(9, 4, 10, 20);
            const files = new DataTransfer();
            files.items.add(new File(
                [await canvas.convertToBlob()], 'tower.png'));
            document.querySelector('.network').dispatchEvent(new DragEvent(
                'drop', {dataTransfer: files, cancelable: true}));
        })()"""
    )
    wait(chromium, 500)
    expected = np.zeros((28, 28))
    expected[4:24, 9:19] = 255
    np.testing.assert_array_equal(pixels(chromium), expected)


# -------------------------------------------------------------------- maps


def where(chromium):
    """Return the numbers in the sentence on the pointed place."""
    text = chromium.run("document.querySelector('.where').textContent")
    name, *numbers = re.fullmatch(
        r'(conv\d_\d), map (\d+), row (\d+), column (\d+) sees rows (\d+) to '
        r'(\d+) and columns (\d+) to (\d+) of the image\.',
        text,
    ).groups()
    return name, *map(int, numbers)


@pytest.mark.parametrize('width', [390, 1280])
def test_maps_tell_by_mouse_and_by_keys_what_a_place_sees(show, width):
    chromium = show(width)
    canvas = '.layers > div:nth-of-type(3) canvas'
    columns = 8 if width == 390 else 16
    # Of maps of 7 x 7 in rows, the second in row 3: its row 3 and column 5
    x = (8 + 4.5) / (8 * columns - 1)
    y = (16 + 2.5) / (8 * 64 // columns - 1)
    chromium.call(
        'Input.dispatchMouseEvent',
        type='mouseMoved',
        **place(chromium, canvas, x, y),
    )
    number = 2 * columns + 2
    assert where(chromium) == ('conv3_1', number, 3, 5, 2, 19, 10, 27)
    chromium.run(f"document.querySelector('{canvas}').focus()")
    press(chromium, 'ArrowDown')
    assert where(chromium)[:4] == ('conv3_1', number, 4, 5)
    press(chromium, 'ArrowRight', shift=True)
    assert where(chromium)[:4] == ('conv3_1', number + 1, 4, 5)
    press(chromium, 'ArrowRight', 3)
    assert where(chromium)[:4] == ('conv3_1', number + 2, 4, 1)


def test_receptive_field_is_what_a_place_depends_on(show):
    """Of the image, all that is outside may change, nothing at its edges."""
    chromium = show()
    wrong = chromium.run(
        """(() => {
            const wrong = [], noise = Float32Array.from(
                {length: 784}, (_, i) => i * 7919 % 256);
            live.quick.convolutions.forEach(({Y, size}, l) => {
                for (let i = 0; i < size; i++) {
                    const [first, last] = live.quick.receptiveField(l, i);
                    const inside = at => at >= first && at <= last;
                    const outputs = keep => {
                        live.quick.predict(noise.map((p, at) =>
                            keep(Math.floor(at / 28)) ? p : 0));
                        // Of all channels, in row i
                        return Y.filter((_, at) =>
                            Math.floor(at / size) % size === i).join();
                    };
                    const whole = outputs(() => true);
                    if (outputs(inside) !== whole) wrong.push([l, i]);
                    for (const edge of [first, last]) {
                        if (outputs(at => at !== edge) === whole) {
                            wrong.push([l, i, edge]);
                        }
                    }
                }
            });
            return wrong;
        })()"""
    )
    assert wrong == []


def test_numbers_shown_are_those_of_the_output(show, loaded):
    chromium = show()
    canvas = '.layers > div:nth-of-type(1) canvas'
    chromium.call(
        'Input.dispatchMouseEvent',
        type='mouseMoved',
        # Of maps of 28 x 28, the first: row 15 and column 11
        **place(chromium, canvas, 10.5 / 231, 14.5 / 57),
    )
    tables = chromium.run(
        """['.input', '.weights'].map(selector => [...document
            .querySelectorAll(`.detail ${selector} td`)].map(
                cell => Number(cell.textContent)))"""
    )
    image = fashion_mnist.load().val_images[0] / 255
    numbers = np.frombuffer(base64.b64decode(loaded['weights']), '<f2')
    X, W, b = image[13:16, 9:12].ravel(), numbers[:9], numbers[144]
    np.testing.assert_allclose(tables, [X, W], atol=0.0051)
    words = chromium.run("document.querySelector('.sum').textContent")
    told = [float(number) for number in re.findall(r'-?\d+\.\d+', words)]
    np.testing.assert_allclose(told, [X @ W, X @ W + b], atol=0.0051)


# ------------------------------------------------------------- and besides


def test_network_that_the_reader_trained_answers(show):
    chromium = show()
    shown = "document.querySelector('{}').offsetParent !== null"
    assert not chromium.run(shown.format('.answerer'))
    chromium.run(
        """live.trained = {name: 'mine', predict: pixels =>
            Float32Array.from({length: 10}, (_, k) => k === 3 ? 9 : 0)};
        document.dispatchEvent(new Event('live-trained'))"""
    )
    assert chromium.run(shown.format('.answerer'))
    assert 'ankle boot' in sentence(chromium)
    chromium.run(
        """(() => {
            const choice = document.querySelector('.answerer select');
            choice.value = 'trained';
            choice.dispatchEvent(new Event('change', {bubbles: true}));
        })()"""
    )
    assert sentence(chromium).startswith('It sees: dress 100%.')
    assert not chromium.run(shown.format('.layers'))


@pytest.mark.parametrize(
    'width, scheme', [(390, 'light'), (390, 'dark'), (1280, 'dark')]
)
def test_box_fits_is_accessible_and_needs_no_other_host(
    show, page, width, scheme
):
    pytest.importorskip('axe_core_python')
    chromium = show(width, scheme)
    chromium.run("document.querySelector('.layers canvas').focus()")
    chromium.run(
        """live.trained = {name: 'yours: two convolutions, 85% right '
            + 'after 20.5 epochs', predict: () => new Float32Array(10)};
        document.dispatchEvent(new Event('live-trained'))"""
    )
    assert chromium.violations() == []
    assert chromium.run('document.documentElement.scrollWidth') <= width
    inner = chromium.run("document.querySelector('.network').scrollWidth")
    assert inner <= chromium.run(
        "document.querySelector('.network').offsetWidth"
    )
    for url in chromium.requests:
        assert url.startswith((f'file://{page.parent}', 'blob:', 'data:'))
    assert chromium.console == []


def test_paper_shows_what_stands_in_the_box(show):
    chromium = show()
    shown = """['.network', '.live > p'].map(selector =>
        document.querySelector(selector).offsetParent !== null)"""
    assert chromium.run(shown) == [True, False]
    chromium.call('Emulation.setEmulatedMedia', media='print')
    printed = chromium.run(shown)
    chromium.call('Emulation.setEmulatedMedia', media='')
    assert printed == [False, True]
