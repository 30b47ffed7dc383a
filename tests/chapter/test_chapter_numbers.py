"""The numbers that the chapter's sentences quote: counted, or recorded."""

import csv
import json
import os
import re
import statistics

import numpy as np
import pytest

from d2l_vgg import frameworks
from d2l_vgg.datasets import fashion_mnist
from d2l_vgg.frameworks import FRAMEWORKS
from d2l_vgg.networks import architectures, costs
from d2l_vgg.training import predictions
from d2l_vgg.training.experiments import get_experiment

CHAPTER = os.path.join(os.path.dirname(__file__), '..', '..', 'chapter')


def prose(name):
    """Return the sentences of a page, without its code."""
    with open(os.path.join(CHAPTER, name + '.md'), encoding='utf-8') as file:
        text = re.sub(r'^```.*?^```', '', file.read(), flags=re.M | re.S)
    return ' '.join(text.split())


def totals(arch, size=224, channels=1, num_classes=10):
    return costs.totals(arch, (channels, size, size), num_classes)


def test_vgg():
    text = prose('vgg')
    vgg11, small = totals('vgg11'), totals('vgg_small')
    assert f'{vgg11.num_params} parameters, {vgg11.dense_params} belong' in (
        text
    )
    assert f'{vgg11.macs / 1e9:.2f} billion multiply-adds' in text
    assert f'only {vgg11.dense_macs / 1e9:.2f} billion do' in text
    assert f'{small.num_params} parameters, {small.dense_params} are' in text
    assert f'{small.macs / 1e6:.0f} million multiply-adds' in text


def test_exercises():
    text = prose('exercises')
    vgg11, alexnet = totals('vgg11'), totals('alexnet')
    ratio = vgg11.num_params / alexnet.num_params
    assert f'VGG-11 has {ratio:.2f} times the parameters of AlexNet' in text
    assert f'needs {vgg11.macs / alexnet.macs:.1f} times its' in text
    share = vgg11.dense_params / vgg11.num_params
    assert f'hold {share:.0%}'.replace('%', ' %') in text
    share = vgg11.conv_macs / vgg11.macs
    assert f'do {share:.0%}'.replace('%', ' %') in text
    first = 25088 * 4096 + 4096
    assert f'= {first:,}$'.replace(',', r'\,') in text
    assert first / vgg11.dense_params == pytest.approx(6 / 7, abs=0.005)
    for name in ('vgg16', 'vgg19'):
        published = totals(name, channels=3, num_classes=1000)
        assert f'{published.num_params}' in text
    small, at_56 = totals('vgg_small'), totals('vgg_small', 56)
    assert f'it needs {at_56.macs} multiply-adds' in text
    assert f'and {at_56.num_params} parameters' in text
    assert round(small.macs / at_56.macs) == 11
    best = get_experiment('best')
    assert f'a fourth block and {best.max_epochs} epochs' in text
    # What else it has more of than `quick`
    assert [convs for convs, *_ in best.arch.blocks] == [1, 2, 2, 1]
    channels = [channels for _, channels, _ in best.arch.blocks]
    assert channels == [32, 64, 128, 256]
    assert 'twice the channels, a second convolution in its second' in text
    assert f'$p = {best.arch.dropout}$' in text
    others = best.label_smoothing / 10
    true = 1 - best.label_smoothing + others
    assert f'probability {true:.2f} and every other one {others:.2f}' in text
    quick = totals(get_experiment('quick').arch, 28)
    assert f'{quick.num_params} parameters and needs {quick.macs} ' in text
    assert f'has {small.num_params} and {small.macs}.' in text


def test_what_a_hidden_layer_less_saves():
    text = prose('exercises')
    blocks = architectures.get('vgg11').blocks
    narrow = architectures.Architecture('a', blocks, hidden=(512, 512))
    none = architectures.Architecture('b', blocks, hidden=())
    ratio = totals('vgg11').dense_params / totals(narrow).dense_params
    assert round(ratio) == 9 and 'has a ninth of its parameters' in text
    assert f'Then {totals(none).dense_params} parameters remain' in text


def test_the_resolutions_are_told_as_they_were():
    text = prose('exercises')
    path = os.path.join(CHAPTER, 'results', 'resolutions', 'seeds.csv')
    with open(path, newline='') as file:
        runs = {
            (r['recipe'], int(r['resize'])): r for r in csv.DictReader(file)
        }
    assert set(runs) == {
        ('quick', 56),
        ('quick', 84),
        ('quick', 96),
        ('quick', 224),
        ('book', 56),
    }
    for run in runs.values():
        accuracy, minutes = float(run['val_acc']), float(run['seconds']) / 60
        assert f'{accuracy:.4f}' in text
        digits = 0 if minutes >= 9.95 else 1
        assert re.search(rf'\b{minutes:.{digits}f}\b[^.]* minutes', text)


def test_the_memory_that_training_and_prediction_take():
    text = prose('exercises')
    shape = (1, 224, 224)
    outputs = {
        name: costs.activation_bytes(name, shape, batch_size=128)
        for name in ('vgg11', 'alexnet')
    }
    kept = [costs.memory_text(outputs[n]) for n in ('vgg11', 'alexnet')]
    assert f'VGG-11 keeps {kept[0]} of outputs, AlexNet {kept[1]}' in text
    assert round(outputs['vgg11'] / outputs['alexnet']) == 12
    params = costs.memory_text(4 * totals('vgg11').num_params)
    assert f'Its parameters take {params}' in text
    rows = costs.summary('vgg11', shape)
    pairs = [
        (a.activations + b.activations, b) for a, b in zip(rows, rows[1:])
    ]
    largest, layer = max(pairs, key=lambda pair: pair[0])
    assert layer.name == 'pool1'
    for_one, for_all = (costs.memory_text(4 * n * largest) for n in (1, 128))
    assert f'{for_all} for 128 images, {for_one} for one' in text


# Table 3 of Simonyan and Zisserman (2014): top-1 and top-5 error in percent,
# by the scale of the training images, 256 or 256 to 512
ERRORS = {
    'A': [(29.6, 10.4)],
    'A-LRN': [(29.7, 10.5)],
    'B': [(28.7, 9.9)],
    'C': [(28.1, 9.4), (27.3, 8.8)],
    'D': [(27.0, 8.8), (25.6, 8.1)],
    'E': [(27.3, 9.0), (25.5, 8.0)],
}


def test_the_family_beside_its_errors():
    with open(os.path.join(CHAPTER, 'vgg.md'), encoding='utf-8') as file:
        lines = file.read().splitlines()
    rows = {}
    for line in lines:
        cells = [cell.strip() for cell in line.strip('|').split('|')]
        letter = cells[0].split(' ')[0]
        if len(cells) == 6 and letter in ERRORS:
            rows[letter] = cells[1:]
    assert list(rows) == list(ERRORS)
    for letter, row in rows.items():
        t = totals(letter, channels=3, num_classes=1000)
        blocks = architectures.get(letter).blocks
        depth = 3 + sum(convs + num_1x1 for convs, _, num_1x1 in blocks)
        expected = [str(depth), f'{t.num_params / 1e6:.1f} M']
        expected.append(f'{t.macs / 1e9:.2f} G')
        expected += [f'{one} / {five}' for one, five in ERRORS[letter]]
        assert [cell for cell in row if cell] == expected
    text = prose('vgg')
    first = {letter: errors[0][0] for letter, errors in ERRORS.items()}
    assert f'takes {first["A"] - first["D"]:.1f} points off' in text
    assert f'is worth {first["C"] - first["D"]:.1f} points' in text
    a, d, e = (totals(n, channels=3, num_classes=1000).macs for n in 'ADE')
    assert round(d / a) == 2 and e / d == pytest.approx(1.25, abs=0.03)


def conv_macs(arch, kernel_size, size, channels):
    """Count the multiply-adds of convolutions of one size, by hand."""
    macs = 0
    for num_convs, num_channels in arch:
        for _ in range(num_convs):
            macs += kernel_size**2 * channels * num_channels * size**2
            channels = num_channels
        size //= 2
    return macs


def test_what_deep_and_wide_networks_cost():
    text = prose('vgg')
    pairs, single, wide = (
        conv_macs(arch, kernel_size, 28, 1) / 1e6
        for arch, kernel_size in [
            (((2, 16), (2, 32), (2, 64)), 3),
            (((1, 16), (1, 32), (1, 64)), 5),
            (((1, 32), (1, 64), (1, 128)), 3),
        ]
    )
    assert f'need {pairs:.1f} million multiply-adds' in text
    assert f'the wide ones {wide:.1f} million' in text
    assert f'ones {single:.1f} million' in text
    in_paper = ((1, 64), (1, 128), (1, 256), (1, 512), (1, 512))
    b = totals('B', channels=3, num_classes=1000).conv_macs
    assert conv_macs(in_paper, 5, 224, 3) < b


def records(name):
    path = os.path.join(CHAPTER, 'results', 'cheap', name)
    with open(path, newline='', encoding='utf-8') as file:
        return list(csv.DictReader(file))


def test_the_runs_of_quick_are_told_as_they_were():
    runs = [
        r
        for r in records('seeds.csv')
        if r['experiment'] == 'quick' and not r['division']
    ]
    accuracies = [float(r['val_acc']) for r in runs]
    seconds = statistics.median(float(r['seconds']) for r in runs)
    low, high = min(accuracies), max(accuracies)
    for page in 'vgg', 'exercises':
        text = prose(page)
        assert len(runs) == 5 and 'Five runs' in text
        assert f'from {low:.4f} to {high:.4f}' in text
        assert f'the median {statistics.median(accuracies):.4f}' in text
        assert f'in {seconds:.0f} seconds' in text


def seconds_of(name):
    path = os.path.join(CHAPTER, 'results', name, 'run.json')
    with open(path, encoding='utf-8') as file:
        return json.load(file)['seconds']


def test_the_small_network_took_a_small_part_of_the_time():
    assert 'after less than a hundredth of the time' in prose('vgg')
    assert seconds_of('quick') < seconds_of('book') / 100


def test_the_measured_speeds_are_those_of_readme_and_benchmarks():
    root = os.path.dirname(CHAPTER)
    with open(os.path.join(root, 'README.md'), encoding='utf-8') as file:
        readme = file.read()
    with open(os.path.join(root, 'BENCHMARKS.md'), encoding='utf-8') as file:
        benchmarks = ' '.join(file.read().split())
    text = prose('vgg')
    for how, said in {
        'stock': 'loop handles {} on the one core',
        'stock, all cores': 'and {} on both',
        'ours': 'handles {} images a second. The book',
        'ours, bfloat16': 'handles {} images a second. On others',
    }.items():
        row = re.search(
            rf'^\| 224 x 224 \| (?:MXNet, |MXNet \| )?{how} \| ([\d.]+)',
            readme,
            re.M,
        )
        assert said.format(row.group(1)) in text
    assert (
        'a step alone takes 2.2 s imperatively, 1.7 s hybridized and 1.2 s'
    ) in benchmarks
    assert 'took 2.2 seconds without hybridize, 1.7 seconds' in text
    assert '1.2 seconds with both flags' in text


def test_what_the_trained_network_confuses():
    pytest.importorskip('torch')
    from d2l_vgg import torch as d2l_vgg

    try:
        fashion_mnist.load(download=False)
    except fashion_mnist.DataNotFound:
        pytest.skip('Fashion-MNIST is not on this machine')
    model = d2l_vgg.VGG.trained('quick')
    data = d2l_vgg.FashionMNIST(batch_size=256)
    labels, scores = model.predict(data.val_dataloader())
    matrix = predictions.confusion_matrix(labels, scores)
    text = prose('vgg')
    assert f'right on {np.trace(matrix)} of the 10000' in text
    shirts = dict(zip(data.text_labels(range(10)), matrix[6]))
    others = sorted(shirts, key=shirts.get, reverse=True)[1:4]
    assert others == ['t-shirt', 'coat', 'pullover']
    one, two, three = (shirts[name] for name in others)
    assert (
        f'of 1000 it takes {one} for T-shirts, {two} for coats and '
        f'{three} for pullovers'
    ) in text


def test_the_trial_of_the_claims_is_told_as_it_was():
    """And no more is claimed of it than it shows."""
    path = os.path.join(CHAPTER, 'results', 'cells', 'claims-mxnet.txt')
    with open(path, encoding='utf-8') as file:
        _, *lines = file.read().splitlines()
    pairs, large, wide = [re.findall(r'0\.\d{4}', line) for line in lines]
    for told in pairs, large, wide:
        assert '{}, {} and {} for the'.format(*told) in prose('vgg')
    pairs, large, wide = [
        [float(accuracy) for accuracy in told]
        for told in (pairs, large, wide)
    ]
    assert min(pairs) > max(large)
    assert min(wide) < min(pairs) < max(wide)
    ahead = sum(pairs) / 3 - sum(wide) / 3
    assert f'ahead by {ahead:.4f} on average' in prose('vgg')


@pytest.mark.parametrize(
    'tab, told',
    [
        ('pytorch', '{} seconds with images channels first and {} seconds'),
        ('tensorflow', '{} seconds call by call and {} seconds as a graph'),
        ('jax', '{} seconds call by call and {} seconds when compiled'),
    ],
)
def test_what_compiling_brings_is_told_as_it_was(tab, told):
    path = os.path.join(CHAPTER, 'results', 'cells', f'compile-{tab}.txt')
    with open(path, encoding='utf-8') as file:
        head, *lines = file.read().splitlines()
    seconds = {}
    for line in lines:
        how, time = re.match(r'(.*): ([\d.]+) seconds', line).groups()
        seconds.setdefault(how, []).append(float(time))
    before, after = seconds.values()
    assert len(before) == len(after) == 5 and max(after) < min(before)
    told = told.format(
        *(f'{statistics.median(s):.2f}' for s in (before, after))
    )
    version = re.search(
        r'(?:torch|tensorflow-cpu|jax) (\d[.\d]*)', head
    ).group(1)
    title = FRAMEWORKS[frameworks.named(tab)].title
    (sentence,) = re.findall(
        rf'The gradient took {re.escape(told)}.*?\)\.', prose('vgg')
    )
    assert f'{title} {version})' in sentence and 'AMD EPYC' in head
