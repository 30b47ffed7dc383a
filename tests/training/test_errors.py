from types import SimpleNamespace

import pytest

from d2l_vgg.training import errors


@pytest.mark.parametrize('num_gpus', [0, 1])
def test_none_and_one_are_numbers_of_gpus(num_gpus):
    errors.check_num_gpus(num_gpus, 0, 'PyTorch')


@pytest.mark.parametrize(
    'num_gpus, told',
    [
        (-1, 'num_gpus is -1, but it must be 0 or 1.'),
        (2, 'num_gpus is 2, .* machine has 4 GPUs that PyTorch can use: ask'),
    ],
)
def test_other_numbers_of_gpus_are_refused(num_gpus, told):
    with pytest.raises(ValueError, match=told):
        errors.check_num_gpus(num_gpus, 4, 'PyTorch')


@pytest.mark.parametrize(
    'asked',
    [
        {'label_smoothing': 0.1},
        {'test_flip': True},
        {'precision': 'bfloat16'},
    ],
)
def test_what_only_a_classifier_can_do_is_refused(asked):
    plain = {'label_smoothing': 0, 'test_flip': False, 'precision': 'float32'}
    model = object()
    errors.check_asks_nothing(SimpleNamespace(**plain), model)
    with pytest.raises(ValueError, match='object is no d2l_vgg.Classifier'):
        errors.check_asks_nothing(
            SimpleNamespace(**{**plain, **asked}), model
        )


@pytest.mark.parametrize(
    'name, value',
    [
        ('momentum', 0.9),
        ('weight_decay', 0.1),
        ('lr_schedule', 'cosine'),
    ],
)
def test_what_an_optimizer_does_not_heed_is_refused(name, value):
    asked = {'momentum': 0, 'weight_decay': 0, 'lr_schedule': 'constant'}
    trainer = SimpleNamespace(**asked, model=object())
    errors.check_supported(trainer, dict.fromkeys(asked, False))
    setattr(trainer, name, value)
    errors.check_supported(trainer, dict.fromkeys(asked, True))
    told = f'{name} is {value!r}, but the optimizer of object does not'
    with pytest.raises(ValueError, match=told):
        errors.check_supported(
            trainer, {**dict.fromkeys(asked, True), name: 0}
        )
