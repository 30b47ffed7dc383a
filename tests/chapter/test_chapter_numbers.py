"""The counts that the chapter's sentences quote are those of the package."""

import csv
import os
import re

import pytest

from d2l_vgg.networks import architectures, costs
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
    assert f'VGG-11 has {ratio:.1f} times the parameters of AlexNet' in text
    assert f'needs {vgg11.macs / alexnet.macs:.1f} times its' in text
    share = vgg11.dense_params / vgg11.num_params
    assert f'hold {share:.0%}'.replace('%', ' %') in text
    share = vgg11.conv_macs / vgg11.macs
    assert f'do {share:.0%}'.replace('%', ' %') in text
    first = 25088 * 4096 + 4096
    assert f'= {first}$' in text
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
