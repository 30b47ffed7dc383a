"""What is asked for is known and can be computed here, or is refused."""

import re

import pytest
from frameworks import PARAMS

from d2l_vgg.training import precisions


@pytest.fixture(params=PARAMS)
def trainer(request):
    return request.param.package.Trainer(1, display='none')


@pytest.mark.parametrize('has', [False, True])
def test_bfloat16_needs_a_processor_with_its_instructions(
    trainer, monkeypatch, has
):
    monkeypatch.setattr(precisions, 'has_bfloat16', lambda: has)
    is_jax = 'jax' in type(trainer).__module__
    assert trainer.no_gain('float32') == ''
    reason = trainer.no_gain('bfloat16')
    assert bool(reason) == (is_jax or not has)
    options = {'display': 'none', 'precision': 'bfloat16'}
    if has or is_jax:  # XLA computes in it anywhere, though no faster
        type(trainer)(1, **options)
        return
    assert (
        reason == 'takes a processor with avx512_bf16, and this one has none'
    )
    with pytest.raises(ValueError, match=reason):
        type(trainer)(1, **options)


@pytest.mark.parametrize('precision, first', [
    ('float32', '0.0'), ('bfloat16', '8.0'), ('TF32', '8.0'),
])  # fmt: skip
@pytest.mark.parametrize(
    'found', ['0.0', '6.1', '7.0', '7.5', '8.0', '9.0', '12.0']
)
def test_what_gpus_have(precision, first, found):
    capability = tuple(map(int, found.split('.')))
    words = f'takes a GPU of compute capability {first}, .* has {found}'
    if float(found) >= float(first):
        words = ''
    assert re.fullmatch(words, precisions.gpu_lacks(precision, capability))


@pytest.mark.parametrize(
    'flags, expected',
    [
        ('avx512f avx512bw avx512_bf16 amx_tile', True),
        ('avx512f avx512bw avx512_vnni', False),
        ('avx avx2 not_avx512_bf16', False),
    ],
)
def test_the_flags_of_the_processor_tell(tmp_path, flags, expected):
    path = tmp_path / 'cpuinfo'
    path.write_text(f'processor\t: 0\nflags\t\t: fpu vme {flags} sse\n')
    assert precisions.has_bfloat16(path) is expected


def test_a_system_that_does_not_tell_is_taken_to_have_none(tmp_path):
    assert precisions.has_bfloat16(tmp_path / 'cpuinfo') is False
