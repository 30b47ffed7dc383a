"""The box of the page that trains a network, in Chromium and from a file."""

import base64
import gzip
import json
import os
import re

import numpy as np
import pytest

pytest.importorskip('d2lbook')
pytest.importorskip('websocket')

from browser import wait_for
from small_chapter import SOURCE, project

from d2l_vgg.chapter import builder, live
from d2l_vgg.datasets import fashion_mnist


@pytest.fixture(scope='module')
def html(tmp_path_factory):
    """The path of a page that has nothing but the chapter's box."""
    with open(os.path.join(SOURCE, 'vgg.md'), encoding='utf-8') as file:
        (box,) = re.findall(
            r'```eval_rst\n\n[^`]*data-live="training">.*?</div>\n```',
            file.read(),
            re.DOTALL,
        )
    folder = project(
        tmp_path_factory.mktemp('live') / 'small', page=f'# Page\n\n{box}\n'
    )
    index = builder.build(folder, run_cells=False)
    return os.path.join(os.path.dirname(index), 'page.html')


@pytest.fixture
def page(chromium, html):
    """The page, with the box filled and nothing done yet."""
    open_page(chromium, html)
    return chromium


def open_page(chromium, html, width=1280, scheme='light'):
    chromium.requests.clear()
    chromium.console.clear()
    chromium.call(
        'Emulation.setEmulatedMedia',
        features=[{'name': 'prefers-color-scheme', 'value': scheme}],
    )
    chromium.open(html, width)
    wait_for(lambda: chromium.run("!!document.querySelector('.live.ready')"))


def choose(page, **values):
    """Fill in the fields of the form."""
    page.run(
        f"""Object.entries({json.dumps(values)}).forEach(([name, value]) => {{
            document.querySelector(`.tool [name=${{name}}]`).value = value;
        }})"""
    )


def press(page):
    page.run("document.querySelector('.tool form button').click()")


def button(page):
    return page.run("document.querySelector('.tool form button').innerText")


def told(page):
    return page.run("document.querySelector('.tool [role=status]').innerText")


def train(page, **values):
    """Train to the end; return what the page then says."""
    choose(page, **values)
    press(page)
    wait_for(lambda: button(page) == 'Train again', 300)
    return told(page)


def points(page, name):
    """Return how many points a line of the first chart has."""
    return page.run(
        f"""document.querySelector('.charts polyline.{name}').points
            .numberOfItems"""
    )


@pytest.fixture(scope='module')
def images(tmp_path_factory):
    """Labels and pixels of the images in the page."""
    folder = tmp_path_factory.mktemp('images')
    live.write(folder)
    text = (folder / 'images.js').read_text()
    assert len(text) < 600_000
    content = gzip.decompress(base64.b64decode(text.split("'")[1]))
    content = np.frombuffer(content, 'uint8')
    count = len(content) // 393
    pixels = np.stack([content[count:] >> 4, content[count:] & 15], axis=1)
    return content[:count], 17 * pixels.reshape(count, 28, 28)


def test_images_in_the_page_are_balanced_and_of_the_training_set(images):
    labels, pixels = images
    for part in slice(1600), slice(1600, None):
        counts = np.bincount(labels[part], minlength=10)
        assert counts.tolist() == [len(labels[part]) // 10] * 10
    data = fashion_mnist.load()
    for k in range(10):
        expected = data.train_images[data.train_labels == k][:200]
        assert len(expected) == 200
        found = pixels[labels == k].astype(int)
        assert abs(found - expected).max() <= 8


@pytest.mark.parametrize('num_convs', [1, 2])
def test_62_steps_in_the_page_are_those_of_pytorch(page, images, num_convs):
    torch = pytest.importorskip('torch')
    from torch import nn

    begin, end = json.loads(
        page.run(
            f"""(async () => {{
                const {{pixels, labels}} = await trainingImages();
                const net = plainNetwork({num_convs});
                const copy = () => net.parameters.map(p => [...p.value]);
                net.initialize(randomNumbers(4));
                const begin = copy();
                for (let i = 0; i < 62 * 32; i++) {{
                    net.forward(pixels.subarray(784 * i, 784 * (i + 1)));
                    net.backward(labels[i], 32);
                    if (i % 32 === 31) net.update(0.005, 0.9);
                }}
                return JSON.stringify([begin, copy()]);
            }})()"""
        )
    )
    # Where two numbers are equal but for rounding, pooling may choose either.
    # At the box's rate PyTorch's own float32 and float64 differ by up to 0.02
    # after 62 steps of two convolutions; here they stay together
    blocks = []
    for i in range(num_convs):
        blocks += [nn.Conv2d(8 if i else 1, 8, 3, padding=1), nn.ReLU()]
    net = nn.Sequential(
        *blocks, nn.MaxPool2d(2), nn.Flatten(), nn.Linear(1568, 10)
    ).double()
    with torch.no_grad():
        for parameter, values in zip(net.parameters(), begin, strict=True):
            parameter.copy_(torch.tensor(values).reshape(parameter.shape))
    optimizer = torch.optim.SGD(net.parameters(), lr=0.005, momentum=0.9)
    labels = torch.tensor(images[0].astype('int64'))
    X = torch.tensor(images[1].astype('float64')).unsqueeze(1) / 255
    for i in range(0, 62 * 32, 32):
        optimizer.zero_grad()
        Y_hat = net(X[i : i + 32])
        nn.functional.cross_entropy(Y_hat, labels[i : i + 32]).backward()
        optimizer.step()
    for parameter, values in zip(net.parameters(), end, strict=True):
        expected = parameter.detach().numpy().ravel()
        assert abs(np.array(values) - expected).max() < 1e-4


@pytest.mark.parametrize('num_convs, least', [(1, 0.7), (2, 0.65)])
def test_network_learns_while_the_page_answers(page, num_convs, least):
    page.run(
        """heard = 0;
        document.addEventListener('live-trained', () => { heard += 1; });"""
    )
    choose(page, numConvs=num_convs, maxEpochs=1)
    press(page)
    counts = set()
    wait_for(
        lambda: (
            counts.add(points(page, 'training'))
            or button(page) == 'Train again'
        ),
        300,
    )
    # In the page itself, the training would let nothing be asked
    assert len(counts) > 2
    wait_for(lambda: points(page, 'training') == 50)
    assert page.run('heard') == 1
    right = page.run(
        """(async () => {
            const {pixels, labels} = await trainingImages();
            let right = 0;
            for (let i = 1600; i < 2000; i++) {
                const image = pixels.subarray(784 * i, 784 * (i + 1));
                const scores = live.trained.predict(Float32Array.from(image));
                right += scores.indexOf(Math.max(...scores)) === labels[i];
            }
            return right;
        })()"""
    )
    assert f'{round(right / 4)}% of the held-out' in told(page)
    assert right / 400 > least


@pytest.mark.parametrize(
    'chosen',
    [{'lr': 0.5}, {'lr': 1e9}, {'lr': 0.1, 'numConvs': 2, 'seed': 2}],
)
def test_too_large_a_rate_is_told_in_a_sentence(page, chosen):
    assert 'Try a smaller learning rate.' in train(page, **chosen)
    html = page.run("document.querySelector('.tool').outerHTML")
    assert not re.search('NaN|Infinity|undefined', html)


def test_training_stops_and_begins_again(page):
    choose(page, maxEpochs=30)
    press(page)
    # Not before the first look at the held-out images
    wait_for(lambda: points(page, 'training') > 20, 60)
    choose(page, lr='')
    press(page)
    assert 'Stopped after' in told(page)
    assert (
        page.run('live.trained.predict(new Float32Array(784)).length') == 10
    )
    before = points(page, 'training')
    assert before < 1500
    train(page, maxEpochs=1, lr=0.02)
    wait_for(lambda: points(page, 'training') == 50)
    runs = page.run("document.querySelectorAll('.tool li').length")
    assert runs == 2 and points(page, 'earlier') > 0


def test_same_seed_gives_the_same_curve(page):
    curve = """document.querySelector('.charts polyline.training')
        .getAttribute('points')"""
    curves = []
    for seed in 7, 7, 8:
        train(page, maxEpochs=1, seed=seed)
        wait_for(lambda: points(page, 'training') == 50)
        curves.append(page.run(curve))
    assert curves[0] == curves[1] != curves[2]


def test_box_is_used_by_keys_alone(page):
    page.run("document.querySelector('.tool [name=maxEpochs]').focus()")
    page.run('document.activeElement.select()')
    page.call('Input.insertText', text='1')
    for key, code in [('Tab', 9), ('Tab', 9), ('Enter', 13)]:
        for kind in 'keyDown', 'keyUp':
            page.call(
                'Input.dispatchKeyEvent',
                type=kind,
                key=key,
                windowsVirtualKeyCode=code,
                **({'text': '\r'} if key == 'Enter' else {}),
            )
    wait_for(lambda: 'After 1 epoch' in told(page), 300)
    assert page.run('document.activeElement.tagName') == 'BUTTON'


@pytest.mark.parametrize('width, scheme', [(390, 'light'), (1280, 'dark')])
def test_box_is_accessible_fits_and_asks_no_host(
    chromium, html, width, scheme
):
    pytest.importorskip('axe_core_python')
    open_page(chromium, html, width, scheme)
    train(chromium, maxEpochs=1)
    assert chromium.violations() == []
    assert chromium.run('document.documentElement.scrollWidth') <= width
    inner, outer = chromium.run(
        """[Math.max(...[...document.querySelectorAll('.tool *')].map(
            e => e.getBoundingClientRect().right)),
            document.querySelector('.tool').getBoundingClientRect().right]"""
    )
    assert inner <= outer
    assert chromium.console == []
    for request in chromium.requests:
        assert request.startswith(('file:', 'blob:', 'about:')), request
