"""The box of the page that trains a network, in Chromium and from a file."""

import base64
import gzip
import json
import re

import numpy as np
import pytest
from browser import wait_for

from d2l_vgg.datasets import fashion_mnist

BUTTON = "document.querySelector('.tool form button')"


@pytest.fixture
def page(show_live):
    return show_live('training')


def choose(page, **values):
    """Fill in the fields of the form."""
    page.run(
        f"""Object.entries({json.dumps(values)}).forEach(([name, value]) => {{
            document.querySelector(`.tool [name=${{name}}]`).value = value;
        }})"""
    )


def press(page):
    page.run(f'{BUTTON}.click()')


def is_done(page):
    return page.run(f'{BUTTON}.innerText') == 'Train again'


def told(page):
    return page.run("document.querySelector('.tool [role=status]').innerText")


def train(page, **values):
    """Train to the end; return what the page then says."""
    choose(page, **values)
    press(page)
    wait_for(lambda: is_done(page), 300)
    # What is drawn comes a little later
    page.run('new Promise(done => requestAnimationFrame(done))')
    return told(page)


def line(page, name):
    """Return epoch and height of each point of a line of the first chart."""
    return page.run(
        f"""[...document.querySelector('.charts polyline.{name}').points].map(
            ({{x, y}}) => [x, y])"""
    )


@pytest.fixture(scope='module')
def images(live_folder):
    """Labels and pixels of the images in the page."""
    text = (live_folder / 'live' / 'images.js').read_text()
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
        found = pixels[labels == k].astype(int)
        assert abs(found - expected).max() <= 8


@pytest.mark.parametrize('num_convs', [1, 2])
def test_steps_in_the_page_are_those_of_pytorch(page, images, num_convs):
    torch = pytest.importorskip('torch')
    from torch import nn

    begin, end = page.run(
        f"""(async () => {{
            const {{pixels, labels}} = await trainingImages();
            const net = plainNetwork({num_convs});
            const copy = () => net.parameters.map(p => [...p.value]);
            net.initialize(randomNumbers(4));
            const begin = copy();
            for (let i = 0; i < 6 * 32; i++) {{
                net.forward(pixels.subarray(784 * i, 784 * (i + 1)));
                net.backward(labels[i], 32);
                if (i % 32 === 31) net.update(0.02, 0.9);
            }}
            return [begin, copy()];
        }})()"""
    )
    blocks = []
    for i in range(num_convs):
        blocks += [nn.Conv2d(8 if i else 1, 8, 3, padding=1), nn.ReLU()]
    net = nn.Sequential(
        *blocks, nn.MaxPool2d(2), nn.Flatten(), nn.Linear(1568, 10)
    ).double()
    with torch.no_grad():
        for parameter, values in zip(net.parameters(), begin, strict=True):
            parameter.copy_(torch.tensor(values).reshape(parameter.shape))
    optimizer = torch.optim.SGD(net.parameters(), lr=0.02, momentum=0.9)
    labels = torch.tensor(images[0].astype('int64'))
    X = torch.tensor(images[1].astype('float64')).unsqueeze(1) / 255
    for i in range(0, 6 * 32, 32):
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
        lambda: counts.add(len(line(page, 'training'))) or is_done(page), 300
    )
    # In the page itself, the training would let nothing be asked
    assert len(counts) > 2
    wait_for(lambda: len(line(page, 'training')) == 50)
    assert len(line(page, 'validation')) == 5
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
    label = page.run("document.querySelector('.charts svg').ariaLabel")
    loss = float(re.search(r'training (\d\.\d+)', label)[1])
    epoch, height = line(page, 'training')[-1]
    assert epoch == 1 and 3 - height == pytest.approx(loss, abs=0.0051)


@pytest.mark.parametrize(
    'chosen, words',
    [
        ({'lr': 100}, r'The loss grew from \d\.\d\d to \d+ in \d+ step'),
        ({'lr': 1e9}, 'more than a million'),
        ({'lr': 0.1, 'numConvs': 2, 'seed': 2}, 'cannot recover'),
    ],
)
def test_too_large_a_rate_is_told_in_a_sentence(page, chosen, words):
    said = train(page, **chosen)
    assert re.search(words, said) and said.endswith(
        'Try a smaller learning rate.'
    )
    html = page.run("document.querySelector('.tool').outerHTML")
    assert not re.search('NaN|Infinity|undefined', html)


@pytest.mark.parametrize(
    'losses, held_out, words',
    [
        ([2.3, 2.3], [2.3, 2.3], 'Try a larger learning rate'),
        ([2.3, 3.5], [2.3, 2.3], 'Try a smaller learning rate'),
        ([2.3, 0.2], [0.5, 0.6], 'Their loss was lower before'),
        ([2.3, 0.5], [2.3, 0.5], 'more epochs may do better'),
        ([2.3, 0.5], [0.5, 0.52], r'After 2 epochs 80% of .* right\.$'),
    ],
)
def test_what_is_seen_is_told(page, losses, held_out, words):
    run = {
        'maxEpochs': 2,
        'losses': list(enumerate(losses, 1)),
        'validations': [
            {'epoch': i, 'loss': loss, 'accuracy': 0.8}
            for i, loss in enumerate(held_out, 1)
        ],
    }
    assert re.search(words, page.run(f'whatIsSeen({json.dumps(run)})'))


def test_training_stops_and_begins_again(page):
    choose(page, maxEpochs=30)
    press(page)
    # Not before the first look at the held-out images
    wait_for(lambda: len(line(page, 'training')) > 20, 60)
    choose(page, lr='')  # It stops all the same
    press(page)
    assert 'Stopped after' in told(page)
    assert (
        page.run('live.trained.predict(new Float32Array(784)).length') == 10
    )
    assert len(line(page, 'training')) < 1500
    curves = []
    for seed in 7, 7, 8:
        train(page, maxEpochs=1, lr=0.02, seed=seed, momentum=0.8)
        wait_for(lambda: len(line(page, 'training')) == 50)
        curves.append(line(page, 'training'))
    assert curves[0] == curves[1] != curves[2]
    assert len(line(page, 'earlier')) == 5
    runs = page.run(
        "[...document.querySelectorAll('.tool li')].map(li => li.innerText)"
    )
    assert len(runs) == 4
    begin = 'one convolution, learning rate 0.02, momentum 0.8, seed 8: '
    assert re.fullmatch(begin + r'\d+% right after 1 epoch', runs[-1])


def test_box_is_used_by_keys_alone(page):
    page.run("document.querySelector('.tool [name=maxEpochs]').select()")
    page.call('Input.insertText', text='1')
    for key in 'Tab', 'Tab', 'Enter':
        page.press(key)
    wait_for(lambda: 'After 1 epoch' in told(page), 300)
    assert page.run('document.activeElement.tagName') == 'BUTTON'
