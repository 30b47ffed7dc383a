"""The names of parameters and their shapes, against what layers cost."""

import pytest

from d2l_vgg.networks import costs, names
from d2l_vgg.networks.architectures import FAMILY


@pytest.mark.parametrize('name', FAMILY)
def test_names_are_those_of_the_layers_that_cost_parameters(name):
    found = [n.rsplit('.', 1)[0] for n in names.parameter_shapes(name)]
    layers = [row.name for row in costs.summary(name) if row.num_params]
    assert list(dict.fromkeys(found)) == layers
