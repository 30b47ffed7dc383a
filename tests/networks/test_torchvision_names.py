"""The names in torchvision's files, against what its eight VGGs have."""

import pytest

from d2l_vgg.networks import architectures, names, torchvision_names

# The places of the convolutions in `features`, read off torchvision 0.28
PUBLISHED = {
    'vgg11': '0 3 6 8 11 13 16 18',
    'vgg13': '0 2 5 7 10 12 15 17 20 22',
    'vgg16': '0 2 5 7 10 12 14 17 19 21 24 26 28',
    'vgg19': '0 2 5 7 10 12 14 16 19 21 23 25 28 30 32 34',
    'vgg11_bn': '0 4 8 11 15 18 22 25',
    'vgg13_bn': '0 3 7 10 14 17 21 24 28 31',
    'vgg16_bn': '0 3 7 10 14 17 20 24 27 30 34 37 40',
    'vgg19_bn': '0 3 7 10 14 17 20 23 27 30 33 36 40 43 46 49',
}


@pytest.mark.parametrize('name', PUBLISHED)
def test_each_parameter_is_where_torchvision_has_it(name):
    found = torchvision_names.torchvision_names(name)
    assert list(found) == list(names.parameter_shapes(name))
    for part in 'weight', 'bias':
        convs = [n for n in found if n[:4] == 'conv' and n.endswith(part)]
        assert [found[n] for n in convs] == [
            f'features.{place}.{part}' for place in PUBLISHED[name].split()
        ]
        dense = [n for n in found if n[:5] == 'dense' and n.endswith(part)]
        assert [found[n] for n in dense] == [
            f'classifier.{place}.{part}' for place in (0, 3, 6)
        ]
    for n, theirs in found.items():
        if n.startswith('norm'):
            _, place, part = theirs.split('.')
            conv = found[f'conv{n[4:].rpartition(".")[0]}.weight']
            assert conv == f'features.{int(place) - 1}.weight'
            assert n.endswith(f'.{part}')


def test_these_are_all_of_torchvisions():
    assert set(torchvision_names.NETWORKS) == set(PUBLISHED)
    for name in PUBLISHED:
        found = torchvision_names.torchvision_names(name).values()
        assert torchvision_names.nearest(found) == name
        assert torchvision_names.nearest([*found][3:]) == name
    assert torchvision_names.nearest(['conv1.weight', 'bn1.weight']) is None
    assert torchvision_names.nearest([]) is None


def shapes_of(arch, num_classes=10, channels=3, inputs=25088):
    found = names.parameter_shapes(arch, num_classes)
    first, (units, _) = next(iter(found)), found['dense1.weight']
    found[first] = (found[first][0], channels, *found[first][2:])
    return {**found, 'dense1.weight': (units, inputs)}


@pytest.mark.parametrize('name', architectures.VGG_NAMES)
def test_a_network_is_known_by_its_shapes(name):
    shapes = shapes_of(name)
    found = names.architecture_of(dict(sorted(shapes.items())))
    # What normalizes the responses of neighbours has no parameters
    assert found.name == name.replace('_lrn', '')
    arch = architectures.get(name)
    known = name in PUBLISHED
    assert torchvision_names.has_network(arch, shapes) == known
    shapes['dense1.weight'] = (4096, 512 * 3 * 3)  # For images of 96 x 96
    assert not torchvision_names.has_network(arch, shapes)


@pytest.mark.parametrize(
    'change',
    [
        {'conv1_1.bias': None},
        {'conv1_1.weight': (64, 3, 5, 5)},
        {'conv2_1.weight': (128, 32, 3, 3)},
        {'conv9_1.weight': (8, 512, 3, 3)},
        {'dense2.weight': (0, 4096)},
        {'dense3.bias': (11,)},
        {'fc.bias': (10,)},
    ],
)
def test_what_is_no_vgg_is_refused(change):
    shapes = {**shapes_of('vgg11'), **change}
    shapes = {n: shape for n, shape in shapes.items() if shape is not None}
    with pytest.raises(ValueError):
        names.architecture_of(shapes)
    with pytest.raises(ValueError):
        names.architecture_of({})
