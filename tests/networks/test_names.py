"""The names of parameters and their shapes, against what layers cost."""

import math

import pytest

from d2l_vgg.networks import costs, names
from d2l_vgg.networks.architectures import FAMILY, VGG_NAMES


@pytest.mark.parametrize('name', FAMILY)
def test_names_are_those_of_the_layers_that_cost_parameters(name):
    found = [n.rsplit('.', 1)[0] for n in names.parameter_names(name)]
    layers = [row.name for row in costs.summary(name) if row.num_params]
    assert list(dict.fromkeys(found)) == layers
    assert list(names.parameter_shapes(name)) == names.parameter_names(name)


@pytest.mark.parametrize('name', [*VGG_NAMES, 'alexnet'])
def test_shapes_hold_as_many_numbers_as_a_layer_costs(name):
    rows = {row.name: row for row in costs.summary(name, num_classes=7)}
    shapes = names.parameter_shapes(name, num_classes=7)
    first = next(iter(shapes))
    unknown = [n for n, shape in shapes.items() if None in shape]
    assert unknown == [first, 'dense1.weight']
    inputs = {first: 1}
    width = rows['dense1'].output_shape[0]
    inputs['dense1.weight'] = rows['dense1'].macs // width
    counts = dict.fromkeys(rows, 0)
    for n, shape in shapes.items():
        layer, part = n.rsplit('.', 1)
        if not part.startswith('running'):
            known = [inputs[n] if size is None else size for size in shape]
            counts[layer] += math.prod(known)
    assert counts == {n: row.num_params for n, row in rows.items()}
