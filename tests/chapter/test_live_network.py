"""The live network of the page, as a browser shows it."""

import base64
import csv
import re
from pathlib import Path

import numpy as np
import numpy_vgg
import pytest
from browser import Browser, wait_for
from PIL import Image
from processes import ROOT

from d2l_vgg.datasets import fashion_mnist, pictures
from d2l_vgg.training import parameters
from d2l_vgg.training.experiments import EXPERIMENTS
from d2l_vgg.training.runs import Run

SHOWN = "document.querySelector('{}').offsetParent !== null"


@pytest.fixture
def page(show_live):
    return show_live('network')


@pytest.fixture(scope='module')
def images():
    return fashion_mnist.load().val_images


def wait(page, milliseconds):
    page.run(f'new Promise(done => setTimeout(done, {milliseconds}))')


def pixels(page, selector='.paper'):
    """Return what a canvas shows: 0 for white paper, 255 for black."""
    wait(page, 100)
    levels = page.run(
        f"""(() => {{
            const canvas = document.querySelector('{selector}');
            const {{width, height}} = canvas;
            return [height, width, ...canvas.getContext('2d')
                .getImageData(0, 0, width, height).data];
        }})()"""
    )
    shape = *levels[:2], 4
    return 255 - np.array(levels[2:]).reshape(shape)[..., 0]


def text_of(page, selector):
    return page.run(f"document.querySelector('{selector}').textContent")


def sentence(page):
    wait(page, 800)  # Until the hand rests
    return text_of(page, '.sentence')


def change(page, selector, value):
    """Choose a value of a list."""
    page.run(
        f"""(() => {{
            const field = document.querySelector('{selector}');
            field.value = '{value}';
            field.dispatchEvent(new Event('change', {{bubbles: true}}));
        }})()"""
    )


def canvas_of(layer):
    return f'.layers > div:nth-of-type({layer}) canvas'


# ------------------------------------------------------------- the numbers


def ask(page, images):
    """Return the scores of images, and how many of them it knows."""
    text = base64.b64encode(images.tobytes()).decode()
    return page.run(
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


def test_scores_are_those_of_the_trained_network(page, images):
    """But for its numbers, of which each has 16 bits here."""
    arrays = parameters.load(Run.find('quick').find_parameters())
    network = numpy_vgg.Network(EXPERIMENTS['quick'].arch, arrays)
    expected = network.forward(images[:50, None] / 255)
    found, _ = ask(page, images[:50])
    np.testing.assert_allclose(found, expected, atol=0.02)


@pytest.mark.slow
def test_as_many_validation_images_are_right_and_refused_as_told(
    page, images
):
    num_right, num_known = 0, 0
    labels = fashion_mnist.load().val_labels
    for k in range(0, 10000, 1000):
        scores, known = ask(page, images[k : k + 1000])
        num_right += (np.argmax(scores, 1) == labels[k : k + 1000]).sum()
        num_known += known
    assert abs(num_right - 9177) <= 2
    record = Path(ROOT, 'chapter/results/unknown/rates.csv').read_text()
    rows = {row['images']: row for row in csv.DictReader(record.splitlines())}
    refused = float(rows['validation images']['hidden units'])
    assert 1 - num_known / 10000 == pytest.approx(refused, abs=5e-4)


def test_images_beside_the_network_are_right_and_wrong_ones(page, images):
    data = fashion_mnist.load()
    labels, classes = data.val_labels, data.classes
    for group, pattern, count in [
        ('right', r'Image (\d+): ([^,]+)', 2),
        ('wrong', r'Image (\d+): (.+), taken for (.+)', 1),
    ]:
        buttons = f'[aria-labelledby=gets-{group}] button'
        titles = page.run(
            f"""[...document.querySelectorAll('{buttons}')].map(
                button => button.title)"""
        )
        found = [re.fullmatch(pattern, title).groups() for title in titles]
        names = [label for _, label, *_ in found]
        assert sorted(names) == sorted(count * list(classes))
        for number, label, *_ in found:
            assert classes[labels[int(number)]] == label
    page.click(buttons)
    number, label, taken = found[0]
    np.testing.assert_array_equal(pixels(page), images[int(number)])
    said = sentence(page)
    assert taken in said and said.endswith(f'The label is {label}.')


def test_bars_have_the_shares_of_softmax(page):
    page.click('.erase')
    wait(page, 100)
    (scores,), _ = ask(page, np.zeros((1, 784), 'uint8'))
    shares = np.exp(np.array(scores) - max(scores))
    expected = 100 * shares / shares.sum()
    for of in 'e.style.width', 'e.textContent':
        bars = page.run(
            f"""[...document.querySelectorAll('.share, .percent')].map(
                e => parseFloat({of})).filter(share => share >= 0)"""
        )
        np.testing.assert_allclose(bars, expected, atol=0.51)


# ----------------------------------------------------------------- drawing


def by_keys(page, way=None):
    """From the middle, where the keys begin, to the left, and a line."""
    page.focus('.paper')
    page.press('ArrowDown', 6)
    page.press('ArrowLeft', 7)
    page.press('ArrowUp', 6)
    page.press(' ')
    page.press('ArrowRight', 14, shift=True)
    assert text_of(page, '.place') == 'Row 15, column 22.'
    page.press('ArrowLeft', 7)


@pytest.mark.parametrize(
    'draw, width', [(Browser.click, 1280), (Browser.tap, 390), (by_keys, 390)]
)
def test_line_can_be_drawn(show_live, draw, width):
    page = show_live('network', width)
    before = page.run('scrollY')
    page.run("document.querySelector('.erase').click()")
    assert not pixels(page).any()
    maps, bars = pixels(page, canvas_of(1)), text_of(page, '.bars')
    if draw is by_keys:
        draw(page)
    else:
        way = (0.25, 0.518), (0.5, 0.518), (0.75, 0.518), (0.75, 0.5)
        draw(page, '.paper', way)
        # A hand that was lifted draws no more
        page.mouse('mouseMoved', '.paper', 0.5, 0.9)
    drawn = pixels(page)
    assert (drawn[14, 8:20] == 255).all()
    assert (drawn[:11] == 0).all() and (drawn[18:] == 0).all()
    assert (drawn[:, :4] == 0).all() and (drawn[:, 25:] == 0).all()
    assert (pixels(page, canvas_of(1)) != maps).any()
    assert text_of(page, '.bars') != bars
    if draw is by_keys:  # Nothing but the tests' own looking moves it
        assert page.run('scrollY') == before


def test_brushes_grey_and_rubber_draw_what_they_are_called(page):
    sums = []
    for brush in '0.6', '1.3', '3':
        page.click('.erase')
        change(page, '.brush', brush)
        by_keys(page)
        sums.append(pixels(page).sum())
    assert sums[0] < sums[1] < sums[2]
    for ink in 128, 0:
        change(page, '.ink', str(ink))
        by_keys(page)
        assert (pixels(page)[14, 8:20] == ink).all()


def test_picture_is_shifted_and_erased(page, images):
    first = images[0]
    np.testing.assert_array_equal(pixels(page), first)
    for name in 'right', 'down', 'down':
        page.click(f'[aria-label={name}]')
    shifted = np.zeros((28, 28))
    shifted[2:, 1:] = first[:-2, :-1]
    np.testing.assert_array_equal(pixels(page), shifted)
    assert re.match('It sees: .*%.$', sentence(page))
    doubted = "!!document.querySelector('.bars.doubted')"
    assert not page.run(doubted)
    page.click('.erase')
    assert sentence(page).startswith('This is nothing it knows.')
    assert page.run(doubted)


def test_sentence_waits_until_the_hand_rests(page):
    """A reader of the screen would say each."""
    page.run(
        """window.said = [];
        new MutationObserver(() => said.push(1)).observe(
            document.querySelector('.sentence'),
            {childList: true, characterData: true, subtree: true});
        document.querySelector('.erase').click()"""
    )
    by_keys(page)
    assert page.run('said.length') == 0
    wait(page, 800)
    assert page.run('said.length') == 1


# ------------------------------------------------------- a picture's file


def choose(page, path):
    document = page.call('DOM.getDocument')['root']['nodeId']
    field = page.call(
        'DOM.querySelector', nodeId=document, selector='[type=file]'
    )['nodeId']
    page.call('DOM.setFileInputFiles', files=[str(path)], nodeId=field)
    wait(page, 500)


@pytest.mark.parametrize('kind', ['red on white', 'on black', 'on nothing'])
def test_file_is_made_what_predict_makes_of_it(page, images, tmp_path, kind):
    """But for how a browser shrinks it."""
    ink = np.kron(images[0], np.ones((11, 11), 'uint8'))
    ink = np.pad(ink, ((40, 40), (90, 10)))
    paper, dark = 255 - ink, np.zeros_like(ink)
    channels = {
        'red on white': [np.full_like(ink, 255), paper, paper],
        'on black': [ink, ink, ink],
        'on nothing': [dark, dark, dark, ink],
    }[kind]
    path = tmp_path / 'boot.png'
    Image.fromarray(np.stack(channels, 2)).save(path)
    page.click('.erase')
    choose(page, path)
    expected = pictures.read(path).image.astype(int)
    assert np.abs(pixels(page) - expected).mean() < 6
    assert 'ankle boot' in sentence(page)


@pytest.mark.parametrize(
    'kind, words',
    [
        ('text', 'mine.png is no picture that'),
        ('silver', 'Too little is left to see in mine.png'),
        ('light on light', 'Too little is left to see in mine.png'),
        ('black', 'Too little is left to see in mine.png'),
        ('dot on black', 'Too little is left to see in mine.png'),
        ('dot on white', 'Too little is left to see in mine.png'),
    ],
)
def test_file_with_nothing_to_see_is_refused_in_a_sentence(
    page, tmp_path, kind, words
):
    path = tmp_path / 'mine.png'
    if kind == 'text':
        path.write_text('Words')
    else:
        thing, _, ground = kind.rpartition(' on ')
        ground = {'light': 'silver'}.get(ground, ground)
        # As those of Fashion-MNIST, which are taken as they are
        size = (90, 50) if ground == 'silver' else (28, 28)
        picture = Image.new('RGB', size, ground)
        if thing == 'light':
            picture.paste('white', (20, 20, 40, 40))
        elif thing == 'dot':
            picture.paste('grey', (12, 12, 18, 18))
        picture.save(path)
    before = pixels(page)
    choose(page, path)
    assert sentence(page).startswith(words)
    np.testing.assert_array_equal(pixels(page), before)


def test_file_can_be_dropped(page):
    went_on = page.run(
        """(async () => {
            const canvas = new OffscreenCanvas(28, 28);
            const context = canvas.getContext('2d');
            context.fillRect(0, 0, 28, 28);
            context.fillStyle = 'white';
            context.fillRect(9, 4, 10, 20);
            const files = new DataTransfer();
            files.items.add(new File(
                [await canvas.convertToBlob()], 'tower.png'));
            return ['dragover', 'drop'].map(kind =>
                document.querySelector('.network').dispatchEvent(
                    new DragEvent(kind,
                        {dataTransfer: files, cancelable: true})));
        })()"""
    )
    assert went_on == [False, False]  # The browser would leave the page
    expected = np.zeros((28, 28))
    expected[4:24, 9:19] = 255
    wait_for(lambda: (pixels(page) == expected).all())


# -------------------------------------------------------------------- maps


def where(page):
    """Return the numbers in the sentence on the pointed place."""
    name, *numbers = re.fullmatch(
        r'(conv\d_\d), map (\d+), row (\d+), column (\d+) sees rows (\d+) to '
        r'(\d+) and columns (\d+) to (\d+) of the image\.',
        text_of(page, '.where'),
    ).groups()
    return name, *map(int, numbers)


@pytest.mark.parametrize('width', [390, 1280])
def test_maps_tell_by_mouse_and_by_keys_what_a_place_sees(show_live, width):
    page = show_live('network', width)
    columns = 8 if width == 390 else 16
    # Of maps of 7 x 7 in rows, the second in row 3: its row 3 and column 5
    x = (8 + 4.5) / (8 * columns - 1)
    y = (16 + 2.5) / (8 * 64 // columns - 1)
    page.mouse('mouseMoved', canvas_of(3), x, y)
    number = 2 * columns + 2
    assert where(page) == ('conv3_1', number, 3, 5, 2, 19, 10, 27)
    page.focus(canvas_of(3))
    page.press('ArrowDown')
    assert where(page)[:4] == ('conv3_1', number, 4, 5)
    page.press('ArrowRight', shift=True)
    assert where(page)[:4] == ('conv3_1', number + 1, 4, 5)
    page.press('ArrowRight', 3)
    assert where(page)[:4] == ('conv3_1', number + 2, 4, 1)
    top, bottom, left, right = where(page)[4:]
    frame = page.run(
        """(({style}) => ['left', 'top', 'width', 'height'].map(
            name => 28 * parseFloat(style[name]) / 100))(
                document.querySelector('.detail .frame'))"""
    )
    expected = [left - 1, top - 1, right - left + 1, bottom - top + 1]
    assert frame == pytest.approx(expected, abs=0.01)
    # Not to be said aloud where the image is another one, not the place
    page.run("document.querySelector('.erase').click()")
    wait(page, 100)
    assert page.run("document.querySelector('.where').ariaLive") == 'off'


def test_receptive_field_is_what_a_place_depends_on(page):
    """Of the image, all that is outside may change, nothing at its edges."""
    wrong = page.run(
        """(() => {
            const wrong = [], noise = Float32Array.from(
                {length: 784}, (_, i) => i * 7919 % 256);
            live.quick.convolutions.forEach(({Y, size}, l) => {
                // Both edges and the middle
                for (const i of [0, 1, size >> 1, size - 1]) {
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


@pytest.mark.parametrize('layer', [1, 2])
def test_maps_and_numbers_shown_are_those_of_the_output(page, layer):
    """Of the second map: row 8, column 5."""
    i, j, channel = 7, 4, 1
    W, b, X, Y = (
        np.array(each) for each in page.run(
            f"""(({{W, b, X, Y}}) => [W, b, X, Y].map(each => [...each]))(
                live.quick.convolutions[{layer - 1}])"""
        )
    )  # fmt: skip
    size, numbers = 28 // layer, len(b)
    X, Y = X.reshape(-1, size + 2, size + 2), Y.reshape(numbers, size, size)
    W = W.reshape(numbers, -1, 3, 3)
    shown = pixels(page, canvas_of(layer))
    height, width = shown.shape
    top, left = slice(size), slice(size + 1, 2 * size + 1)
    expected = 255 * np.maximum(Y[channel], 0) / Y.max()
    assert abs(shown[top, left] - expected).max() <= 1
    page.mouse(
        'mouseMoved', canvas_of(layer),
        (size + 1 + j + 0.5) / width, (i + 0.5) / height,
    )  # fmt: skip
    tables = page.run(
        """['.input', '.weights'].map(selector => [...document
            .querySelectorAll(`.detail ${selector} td`)].map(
                cell => Number(cell.textContent)))"""
    )
    inputs = X[:, i : i + 3, j : j + 3]
    sums = (inputs * W[channel]).sum((1, 2))
    most = abs(sums).argmax()
    np.testing.assert_allclose(
        tables,
        [inputs[most].ravel(), W[channel, most].ravel()],
        atol=0.0051,
    )
    words = text_of(page, '.sum')
    told = [float(number) for number in re.findall(r'-?\d+\.\d+', words)]
    y = Y[channel, i, j]
    np.testing.assert_allclose(told, [sums[most], y], atol=0.0051)
    assert y == pytest.approx(sums.sum() + b[channel], abs=1e-4)
    assert ('ReLU makes 0' in words) == (y < 0)
    assert layer == 1 or f'channel {most + 1} of 16' in words


# ------------------------------------------------------------- and besides


def test_network_that_the_reader_trained_answers(page):
    assert not page.run(SHOWN.format('.answerer'))
    page.run(
        """live.trained = {name: 'mine', predict: pixels =>
            Float32Array.from({length: 10}, (_, k) => k === 3 ? 9 : 0)};
        document.dispatchEvent(new Event('live-trained'))"""
    )
    assert page.run(SHOWN.format('.answerer'))
    assert 'ankle boot' in sentence(page)
    change(page, '.answerer select', 'trained')
    assert sentence(page).startswith('It sees: dress 100%.')
    assert not page.run(SHOWN.format('.layers'))
    page.click('.erase')
    assert sentence(page).startswith('This is nothing it knows.')
