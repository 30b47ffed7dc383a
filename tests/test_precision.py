"""What is asked for is known and can be computed here, or is refused."""

import pytest

from d2l_vgg import precision


@pytest.fixture
def lacks_bfloat16(monkeypatch):
    monkeypatch.setattr(precision, 'has_bfloat16', lambda: False)


@pytest.fixture
def has_bfloat16(monkeypatch):
    monkeypatch.setattr(precision, 'has_bfloat16', lambda: True)


def test_float32_is_computed_everywhere(lacks_bfloat16):
    precision.check('float32')


def test_an_unknown_type_is_refused():
    with pytest.raises(ValueError, match="'float8'.*float32, bfloat16"):
        precision.check('float8')


def test_bfloat16_is_refused_without_its_instructions(lacks_bfloat16):
    with pytest.raises(ValueError, match="avx512_bf16.*use 'float32'"):
        precision.check('bfloat16')


def test_bfloat16_is_accepted_with_them(has_bfloat16):
    precision.check('bfloat16')


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
    assert precision.has_bfloat16(path) is expected


def test_a_system_that_does_not_tell_is_taken_to_have_none(tmp_path):
    assert precision.has_bfloat16(tmp_path / 'cpuinfo') is False


def test_nearest(has_bfloat16):
    assert precision.nearest('float32') == 'float32'
    assert precision.nearest('bfloat16') == 'bfloat16'
    assert precision.nearest('bfloat16', on_cpu=False) == 'float32'


def test_nearest_without_bfloat16(lacks_bfloat16):
    assert precision.nearest('bfloat16') == 'float32'
