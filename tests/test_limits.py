"""What an argument may be is told in one sentence."""

import numpy as np
import pytest

from d2l_vgg.limits import check


@pytest.mark.parametrize(
    'kind, value, expected',
    [
        (int, 3, 3),
        (int, np.int64(3), 3),
        (float, 3, 3.0),
        (float, np.float32(0.5), 0.5),
        (bool, np.bool_(False), False),
    ],
)
def test_numbers_become_pythons(kind, value, expected):
    found = check('lr', value, kind)
    assert found == expected and type(found) is kind


@pytest.mark.parametrize(
    'kind, value, bounds, told',
    [
        (int, 2.0, {}, '2.0: it must be a whole number'),
        (int, True, {}, 'True: it must be a whole number'),
        (int, '2', {}, "'2': it must be a whole number"),
        (float, True, {}, 'True: it must be a number'),
        (float, '0.1', {}, "'0.1': it must be a number"),
        (float, float('inf'), {'above': 0}, 'inf: it must be finite'),
        (float, float('nan'), {}, 'nan: it must be finite'),
        (bool, 1, {}, '1: it must be True or False'),
        (int, 0, {'above': 0}, '0: it must be positive'),
        (int, 8, {'below': 8}, '8: it must be below 8'),
        (str, 'c', {'choices': ('a', 'b')}, "'c': it must be one of a, b"),
    ],
)
def test_all_else_is_refused(kind, value, bounds, told):
    with pytest.raises(ValueError) as caught:
        check('lr', value, kind, **bounds)
    assert str(caught.value).startswith('lr is ')
    assert str(caught.value).endswith(f'{told}.')
