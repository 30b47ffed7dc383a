"""`d2l-vgg convert` beside torchvision, whose files of parameters it reads.

Torchvision's pretrained files cannot be had here: its networks are drawn at
random, which proves names, order and layout, whatever the numbers.
"""

import collections
import gc
import io
import os
import re
import zipfile
from dataclasses import replace

import numpy as np
import pytest
from command_line import call, done
from frameworks import PARAMS, images
from safetensors.numpy import load_file, save_file

from d2l_vgg.networks.architectures import Architecture
from d2l_vgg.networks.names import parameter_shapes
from d2l_vgg.training import parameters
from d2l_vgg.training.runs import Run

try:
    import torch
    import torch_vgg
except ModuleNotFoundError:
    torch = None
needs_torch = pytest.mark.skipif(
    torch is None, reason='torch is not installed'
)


def refusal(*paths):
    """Return the one line that `convert` refuses these paths with."""
    result = call('convert', *paths)
    assert result.returncode == 1
    assert result.stdout == '' and result.stderr.count('\n') == 1
    assert result.stderr.startswith('d2l-vgg: ')
    assert result.stderr.endswith('.\n')
    assert not os.path.exists(paths[-1])
    return result.stderr


# ------------------------------------------------- the eight of torchvision


def wrapped(name):
    """Return a parameter's name as in a part that is trained in parallel.

    So PyTorch's own example of ImageNet does; ours is compiled, too.
    """
    part, _, rest = name.partition('.')
    inner = 'module.' if part == 'features' else ''
    return f'model._orig_mod.{part}.{inner}{rest}'


class Converted:
    """A network of torchvision, and the files that were made of it.

    A process that has seen one of half a GB in four frameworks is to stay
    small: the arrays are in these files only.
    """

    num_classes = 12

    def __init__(self, name, folder):
        self.name = name
        net = torch_vgg.drawn(name, self.num_classes)
        self.X = 2 * images((1, 3, 224, 224)) - 1
        with torch.no_grad():
            self.Y_hat = net(torch.tensor(self.X)).numpy()
        self.theirs = str(folder / 'theirs')
        self.ours = str(folder / 'ours.safetensors')
        self.write(net.state_dict())
        self.printed = done('convert', self.theirs, self.ours)

    def write(self, state):
        """Write the state dict in another way for each network."""
        if self.name == 'vgg11':
            self.theirs += '.pth'
            torch.save(state, self.theirs)
        elif self.name == 'vgg11_bn':
            # As PyTorch wrote before 1.6, out of a training of its own
            self.theirs += '.pt'
            state = {wrapped(n): t for n, t in state.items()}
            torch.save(
                {'epoch': 3, 'state_dict': collections.OrderedDict(state)},
                self.theirs,
                _use_new_zipfile_serialization=False,
            )
        else:
            self.theirs += '.safetensors'
            state = {n: t.numpy() for n, t in state.items()}
            save_file(state, self.theirs)


@pytest.fixture(
    scope='module',
    params=[
        'vgg11_bn',
        pytest.param('vgg11', marks=pytest.mark.slow),
        pytest.param('vgg16', marks=pytest.mark.slow),
    ],
)
def converted(request, tmp_path_factory):
    if torch is None:
        pytest.skip('torch is not installed')
    folder = tmp_path_factory.mktemp('converted')
    yield Converted(request.param, folder)
    for name in os.listdir(folder):  # Half a GB each
        os.remove(folder / name)


@pytest.mark.parametrize('framework', PARAMS)
def test_scores_are_the_same_in_every_framework(converted, framework):
    # It has not seen an image yet
    model = framework.vgg(converted.name, converted.num_classes)
    model.load(converted.ours)
    Y_hat = framework.forward(model, converted.X)
    assert converted.Y_hat.std() > 0.1
    np.testing.assert_allclose(Y_hat, converted.Y_hat, rtol=0, atol=1e-4)
    del model
    gc.collect()  # Half a GB each, too


@pytest.mark.parametrize('kind', ['pth', 'safetensors'])
def test_way_there_and_back_changes_no_bit(converted, kind, tmp_path):
    path = str(tmp_path / f'back.{kind}')
    done('convert', converted.ours, path)
    if kind == 'pth':
        found = torch.load(path, weights_only=True, mmap=True)
    else:
        arrays = load_file(path)
        found = {n: torch.from_numpy(a) for n, a in arrays.items()}
    net = torch_vgg.drawn(converted.name, converted.num_classes)
    state = net.state_dict()
    assert set(found) == set(state)
    for name, tensor in state.items():
        if name.endswith('num_batches_tracked'):
            tensor = torch.tensor(0)
        assert found[name].dtype == tensor.dtype
        assert torch.equal(found[name], tensor), name
    net.load_state_dict(found)
    os.remove(path)


# ---------------------------------------------- what torchvision has not


def test_a_network_of_ours_keeps_its_names(tmp_path):
    path = tmp_path / 'a.safetensors'
    told = 'ours, as torchvision has no such network'
    assert told in done('convert', 'quick', path)
    parameters.check_digest(path, Run.find('quick').info['parameters'])
    save_file(load_file(path), path)  # As others would, without a digest
    done('convert', path, tmp_path / 'b.safetensors')
    before = parameters.load(Run.find('quick').find_parameters())
    after = parameters.load(tmp_path / 'b.safetensors')
    assert list(after) == list(before)
    for name, array in before.items():
        np.testing.assert_array_equal(after[name], array)


LRN = Architecture('lrn', ((1, 4),), lrn=True, hidden=(8,), dropout=0.2)


def test_converted_network_keeps_what_no_parameter_tells(tmp_path):
    arrays = {
        name: np.zeros([n or 1 for n in shape], 'float32')
        for name, shape in parameter_shapes(LRN).items()
    }
    parameters.save(tmp_path / 'a.safetensors', arrays, LRN)
    told = done(
        'convert', tmp_path / 'a.safetensors', tmp_path / 'b.safetensors'
    )
    assert told.startswith('custom for 10 classes')
    parameters.load(tmp_path / 'b.safetensors', LRN)
    with pytest.raises(ValueError, match='lrn is True there and False'):
        parameters.load(tmp_path / 'b.safetensors', replace(LRN, lrn=False))


def test_names_of_two_networks_are_not_made_one(tmp_path):
    arrays = parameters.load(Run.find('quick').find_parameters())
    both = {**arrays, **{f'module.{n}': a for n, a in arrays.items()}}
    save_file(both, tmp_path / 'both.safetensors')
    text = refusal(tmp_path / 'both.safetensors', tmp_path / 'a.safetensors')
    assert 'are not those of a VGG' in text


# ------------------------------------------------------ what does not fit


def tiny(name='vgg16', **changes):
    """Return a state dict with torchvision's names and next to no numbers."""
    from d2l_vgg.networks.torchvision_names import torchvision_names

    names = torchvision_names(name).values()
    state = {n: np.zeros(1, 'float32') for n in names}
    changes = {n.replace('__', '.'): a for n, a in changes.items()}
    state = {**state, **changes}
    return {n: array for n, array in state.items() if array is not None}


@pytest.mark.parametrize(
    'state, words',
    [
        (
            {
                'conv1.weight': np.zeros((64, 3, 7, 7)),
                'bn1.weight': np.zeros(64),
            },
            'not those of a VGG .* begin with bn1.weight, conv1.weight',
        ),
        (
            tiny(classifier__6__bias=None),
            "classifier.6.bias is missing .* in torchvision's vgg16",
        ),
        (
            tiny(head__bias=np.zeros(1)),
            'head.bias is .* missing in torchvision',
        ),
        (
            tiny(),
            r'features.0.weight is \(1,\) float32 there and '
            r'\(64, None, 3, 3\) in',
        ),
    ],
    ids='resnet missing besides shape'.split(),
)
def test_another_state_dict(state, words, tmp_path):
    path = tmp_path / 'theirs.safetensors'
    save_file(state, path)
    text = refusal(path, tmp_path / 'ours.safetensors')
    assert re.search(words, text), text


class RunsCode:
    def __reduce__(self):
        return os.mkdir, ('made',)


@needs_torch
@pytest.mark.parametrize('zipped', [True, False])
@pytest.mark.parametrize(
    'make, words',
    [
        (lambda: {'a': RunsCode()}, 'it asks for posix.mkdir, which could'),
        (lambda: [torch.zeros(2)], 'it holds a list'),
        (lambda: {'a': torch.eye(9).to_sparse()}, 'a is not dense'),
        (
            lambda: {'a': torch.zeros(1).expand(10**6, 10**6)},
            'it claims 4000000000000 bytes',
        ),
    ],
)
def test_pth_with_more_than_a_state_dict(
    make, words, zipped, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    torch.save(make(), 'theirs.pth', _use_new_zipfile_serialization=zipped)
    assert words in refusal('theirs.pth', 'ours.safetensors')
    assert os.listdir() == ['theirs.pth']  # The code has not run


@needs_torch
def test_damaged_pth(tmp_path):
    path = tmp_path / 'theirs.pth'
    packed = io.BytesIO()
    torch.save({'a': torch.zeros(10**7)}, path)
    content = path.read_bytes()
    with (
        zipfile.ZipFile(path) as archive,
        zipfile.ZipFile(packed, 'w', zipfile.ZIP_DEFLATED) as small,
    ):
        for entry in archive.namelist():
            small.writestr(entry, archive.read(entry))
    for damaged in b'', b'hello', content[:-200], packed.getvalue():
        path.write_bytes(damaged)
        assert 'is damaged' in refusal(path, tmp_path / 'ours.safetensors')
    assert 'it claims 4000' in refusal(path, tmp_path / 'ours.safetensors')


@needs_torch
def test_a_pytorch_that_would_run_code_reads_nothing(tmp_path, monkeypatch):
    torch.save({}, tmp_path / 'theirs.pth')
    monkeypatch.setattr(torch, '__version__', '2.5.1+cpu')
    text = refusal(tmp_path / 'theirs.pth', tmp_path / 'ours.safetensors')
    assert 'PyTorch 2.5.1+cpu may run what a file holds' in text


@pytest.mark.parametrize(
    'source, target, words',
    [
        ('no.safetensors', 'a.safetensors', 'no.safetensors cannot be used'),
        ('folder', 'a.safetensors', 'No run in folder'),
        ('quick', 'a.txt', 'a.txt must end in .safetensors, .pth or .pt'),
        ('weights', 'a.safetensors', '.safetensors, .pth or .pt'),
        pytest.param(
            *('quick', 'a.pth', 'torchvision, which has no such network'),
            marks=needs_torch,
        ),
        ('nan.safetensors', 'a.safetensors', 'conv1_1.bias holds nan'),
    ],
)
def test_other_mistakes(source, target, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    os.mkdir('folder')
    arrays = parameters.load(Run.find('quick').find_parameters())
    arrays['conv1_1.bias'] = np.full(16, np.nan, 'float32')
    parameters.save('nan.safetensors', arrays)
    assert words in refusal(source, target)
