"""What is asked for is known and can be computed here, or is refused."""

import pytest

from d2l_vgg.training import precisions


@pytest.fixture
def lacks_bfloat16(monkeypatch):
    monkeypatch.setattr(precisions, 'has_bfloat16', lambda: False)


@pytest.fixture
def has_bfloat16(monkeypatch):
    monkeypatch.setattr(precisions, 'has_bfloat16', lambda: True)


def test_float32_is_computed_everywhere(lacks_bfloat16):
    precisions.check('float32')


def test_an_unknown_type_is_refused():
    with pytest.raises(ValueError, match="'float8'.*float32, bfloat16"):
        precisions.check('float8')


def test_bfloat16_is_refused_without_its_instructions(lacks_bfloat16):
    with pytest.raises(ValueError, match='avx512_bf16.*this one has none'):
        precisions.check('bfloat16')


def test_bfloat16_is_accepted_with_them(has_bfloat16):
    precisions.check('bfloat16')


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


def test_available(has_bfloat16):
    assert precisions.available('float32') == 'float32'
    assert precisions.available('bfloat16') == 'bfloat16'


def test_float32_stands_in_for_what_is_not_available(lacks_bfloat16):
    assert precisions.available('bfloat16') == 'float32'


def test_no_bfloat16_on_a_gpu(has_bfloat16):
    precisions.check('float32', on_cpu=False)
    assert precisions.available('bfloat16', on_cpu=False) == 'float32'
    with pytest.raises(ValueError, match='not on a GPU'):
        precisions.check('bfloat16', on_cpu=False)
