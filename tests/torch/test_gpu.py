"""What is done on a GPU only, as far as a processor can tell.

tests/trainer/test_gpu.py trains where there is one.
"""

import os
import pickle
import warnings
from dataclasses import replace

import pytest
from processes import run_python
from trainings import ARCH

torch = pytest.importorskip('torch')

from d2l_vgg import torch as package  # noqa: E402
from d2l_vgg.torch import VGG, Classifier, gpu  # noqa: E402


@pytest.fixture
def on_gpu(monkeypatch):
    """Let models believe that they are on one."""
    monkeypatch.setattr(Classifier, 'device', torch.device('cuda'))


@pytest.fixture
def model():
    model = VGG(replace(ARCH, dropout=0.5))
    model(torch.zeros(2, 1, 28, 28))
    return model


@pytest.mark.parametrize('precision', ['float32', 'bfloat16'])
@pytest.mark.parametrize('train', [True, False])
def test_the_forward_pass_is_one_graph(model, precision, train):
    model.set_precision(precision)
    model.train(train)
    found = torch._dynamo.explain(model.scores)(torch.zeros(2, 1, 28, 28))
    assert (found.graph_count, found.graph_break_count) == (1, 0)


def test_full_minibatches_of_a_training_are_compiled(
    model, on_gpu, monkeypatch
):
    sizes = []

    def compiled(function):
        return lambda X: sizes.append(len(X)) or function(X)

    monkeypatch.setattr(gpu, 'compiled', compiled)
    model.compile()
    for train, size in [(1, 8), (1, 8), (1, 3), (0, 8), (0, 2), (1, 8)]:
        model.train(bool(train))
        assert model(torch.zeros(size, 1, 28, 28)).shape == (size, 10)
    assert sizes == [8, 8, 8]
    model.compile()  # For another training
    model.train()
    model(torch.zeros(3, 1, 28, 28))
    assert sizes == [8, 8, 8, 3]


def test_scores_are_kept_when_the_graph_runs_again(
    model, on_gpu, monkeypatch
):
    place = torch.zeros(4, 10)
    monkeypatch.setattr(
        gpu, 'compiled', lambda scores: lambda X: place.copy_(scores(X))
    )
    model.compile()
    model.train()
    first = model(torch.rand(4, 1, 28, 28))
    before = first.clone()
    model(torch.rand(4, 1, 28, 28))
    assert torch.equal(first, before)


@pytest.mark.parametrize(
    'told, reason',
    [
        ('Failed to find C compiler.\nMore', r'to find C compiler\. More\)'),
        ('gcc ' * 99, r'(gcc ){19}\[...\]\)'),
        ('', 'RuntimeError'),
    ],
)
def test_without_a_compiler_it_trains_all_the_same(
    model, on_gpu, monkeypatch, told, reason
):
    def fail(*args, **options):
        raise RuntimeError(told)

    monkeypatch.setattr(torch, 'compile', fail)
    gpu.can_compile.cache_clear()
    with pytest.warns(UserWarning, match=f'{reason}.*gcc and python3-dev'):
        model.compile()
    assert model.compiled is None
    with warnings.catch_warnings():  # Said once
        warnings.simplefilter('error')
        model.compile()
    gpu.can_compile.cache_clear()


@pytest.mark.parametrize('chosen', ['the readers', None])
def test_programs_are_kept_where_the_reader_wants_or_in_his_cache(
    chosen, monkeypatch, tmp_path
):
    monkeypatch.setenv('TORCHINDUCTOR_CACHE_DIR', chosen or '')
    if chosen is None:
        monkeypatch.delenv('TORCHINDUCTOR_CACHE_DIR')
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path))
    monkeypatch.setattr(gpu, 'can_compile', lambda: False)
    gpu.compiled(torch.relu)
    folder = chosen or str(tmp_path / 'd2l_vgg' / 'inductor')
    assert os.environ['TORCHINDUCTOR_CACHE_DIR'] == folder


def test_a_compiled_model_can_be_pickled(model):
    model.compiled = lambda X: X
    copy = pickle.loads(pickle.dumps(model))
    assert copy.compiled is None and model.compiled is not None
    X = torch.rand(2, 1, 28, 28)
    assert torch.equal(copy.eval()(X), model.eval()(X))


@pytest.fixture
def flags():
    yield torch.backends.cuda.matmul
    torch.backends.cuda.matmul.allow_tf32 = False


def test_tf32_by_its_newer_name_is_left_alone(flags):
    flags.fp32_precision = 'tf32'
    with gpu.tf32(False):
        assert flags.fp32_precision == 'tf32'
    assert flags.fp32_precision == 'tf32'


def test_a_training_sets_what_a_gpu_gains_by(flags, monkeypatch):
    cudnn, seen = torch.backends.cudnn, []

    class Watched(VGG):
        def training_step(self, batch):
            seen.append((flags.allow_tf32, cudnn.benchmark))
            raise ZeroDivisionError  # What was set is set back all the same

    monkeypatch.setattr(cudnn, 'benchmark', False)
    data = package.FashionMNIST(16, num_train=16, num_val=16)
    with pytest.raises(ZeroDivisionError):
        package.Trainer(1, display='none').fit(Watched(ARCH), data)
    assert seen == [(True, True)]
    assert (flags.allow_tf32, cudnn.benchmark) == (False, False)


def test_images_are_resized_without_tf32(flags, monkeypatch):
    """Its 11 bits would move grey levels."""
    seen = []
    matmul = torch.Tensor.__matmul__
    monkeypatch.setattr(
        torch.Tensor,
        '__matmul__',
        lambda a, b: seen.append(flags.allow_tf32) or matmul(a, b),
    )
    data = package.FashionMNIST(16, 56, num_train=16, num_val=16)
    with gpu.tf32(True):
        next(iter(data.train_dataloader()))
    assert seen == [False, False]


@pytest.mark.slow
def test_a_kept_program_computes_the_bits_of_a_compiled_one(tmp_path):
    """On a processor, where the Trainer itself compiles none."""
    code = """
import torch
from d2l_vgg.torch import VGG, gpu

gpu.can_compile = lambda: True
torch.manual_seed(0)
model = VGG(((1, 8), (1, 8)))
X = torch.rand(4, 1, 28, 28)
model(X)
scores = gpu.compiled(model.scores)(X)
scores.sum().backward()
found = [scores, *(p.grad for p in model.parameters())]
print(float(sum(array.double().sum() for array in found)).hex())
counters = torch._dynamo.utils.counters
print(counters['aot_autograd']['autograd_cache_hit'])
"""
    told = [
        run_python(code, XDG_CACHE_HOME=home).split()
        for home in (str(tmp_path), str(tmp_path), '/dev/null')
    ]
    assert len({bits for bits, _ in told}) == 1
    assert [int(hits) > 0 for _, hits in told[:2]] == [False, True]
