"""`d2l-vgg convert` beside torchvision, whose files of parameters it reads.

Torchvision's pretrained files cannot be had here: its networks are drawn at
random, which proves names, order and layout, whatever the numbers.
"""

import collections
import gc
import importlib.util
import io
import json
import os
import re
import shutil
import zipfile

import numpy as np
import pytest
from command_line import call, done, run_on_a_full_disk
from frameworks import FRAMEWORKS, images
from safetensors.numpy import load_file, save_file

from d2l_vgg import frameworks
from d2l_vgg.training import parameters
from d2l_vgg.training.arrays import digest
from d2l_vgg.training.runs import TRAINED, Run

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


@needs_torch
def test_our_second_writing_is_torchvisions():
    if importlib.util.find_spec('torchvision') is None:
        pytest.skip('torchvision is not installed')
    for name in torch_vgg.NAMES:
        with torch.device('meta'):
            theirs = torch_vgg.torchvisions(name, 12).state_dict()
            ours = torch_vgg.VGG(name, 12).state_dict()
        assert list(ours) == list(theirs)
        for parameter, tensor in ours.items():
            assert tensor.shape == theirs[parameter].shape
            assert tensor.dtype == theirs[parameter].dtype


class Converted:
    """A network of torchvision, and the files that were made of it.

    A process that has seen one of half a GB in four frameworks is to stay
    small: the arrays are in these files only.
    """

    num_classes = 12

    def __init__(self, name, folder):
        self.name = name
        found = importlib.util.find_spec('torchvision')
        self.make = torch_vgg.torchvisions if found else torch_vgg.VGG
        net = torch_vgg.drawn(name, self.num_classes, self.make)
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
            state = {f'module.{n}': t for n, t in state.items()}
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


@pytest.mark.parametrize('framework', FRAMEWORKS, ids=lambda f: f.name)
def test_scores_are_the_same_in_every_framework(converted, framework):
    if not framework.is_installed():
        pytest.skip(f'{framework.name} is not installed')
    VGG = frameworks.load(framework.name).VGG
    # It has not seen an image yet
    model = VGG(converted.name, num_classes=converted.num_classes)
    model.load(converted.ours)
    Y_hat = framework.forward(model, converted.X)
    assert converted.Y_hat.std() > 0.1
    np.testing.assert_allclose(Y_hat, converted.Y_hat, rtol=0, atol=1e-4)
    del model
    gc.collect()  # Half a GB each, too


@pytest.mark.slow
@pytest.mark.parametrize('framework', FRAMEWORKS, ids=lambda f: f.name)
def test_all_but_the_last_layer_serve_another_number_of_classes(
    converted, framework
):
    """As for a training that goes on with them."""
    if not framework.is_installed():
        pytest.skip(f'{framework.name} is not installed')
    if converted.name != 'vgg11':
        pytest.skip('one network is enough')
    model = frameworks.load(framework.name).VGG('vgg11', num_classes=5)
    with pytest.raises(ValueError, match='of another network: dense3'):
        model.load(converted.ours)
    model.load(converted.ours, last=False)
    assert framework.forward(model, converted.X).shape == (1, 5)
    arrays, before = model.arrays(), parameters.load(converted.ours)
    for name in before:
        if not name.startswith('dense3'):
            np.testing.assert_array_equal(arrays[name], before[name], name)
    del model, arrays, before
    gc.collect()


@pytest.mark.parametrize('kind', ['pth', 'safetensors'])
def test_way_there_and_back_changes_no_bit(converted, kind, tmp_path):
    path = str(tmp_path / f'back.{kind}')
    done('convert', converted.ours, path)
    if kind == 'pth':
        found = torch.load(path, weights_only=True, mmap=True)
    else:
        arrays = load_file(path)
        found = {n: torch.from_numpy(a) for n, a in arrays.items()}
    net = torch_vgg.drawn(
        converted.name, converted.num_classes, converted.make
    )
    state = net.state_dict()
    assert set(found) == set(state)
    for name, tensor in state.items():
        if name.endswith('num_batches_tracked'):
            tensor = torch.tensor(0)
        assert found[name].dtype == tensor.dtype
        assert torch.equal(found[name], tensor), name
    net.load_state_dict(found)
    os.remove(path)


def test_network_and_its_images_are_told(converted):
    assert converted.printed.startswith(
        f'{converted.name} for 12 classes and images of 224 to 255 pixels a '
        'side in 3 channels: '
    )
    assert 'names are ours, for every framework' in converted.printed


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


@needs_torch
def test_a_network_of_ours_is_no_pth(tmp_path):
    text = refusal('quick', tmp_path / 'quick.pth')
    assert 'torchvision, which has no such network' in text


def test_what_is_written_is_whole_or_not_at_all(tmp_path):
    (tmp_path / 'a.safetensors').write_bytes(b'before')
    result = run_on_a_full_disk(
        'convert', 'quick', 'a.safetensors', cwd=tmp_path
    )
    assert result.returncode == 1
    assert result.stderr.count('\n') == 1
    assert 'a.safetensors cannot be used' in result.stderr
    assert os.listdir(tmp_path) == ['a.safetensors']
    assert (tmp_path / 'a.safetensors').read_bytes() == b'before'


# ------------------------------------------------------ what does not fit


def tiny(name='vgg16', **changes):
    """Return a state dict with torchvision's names and next to no numbers."""
    from d2l_vgg.networks.torchvision_names import torchvision_names

    names = torchvision_names(name).values()
    state = {n: np.zeros(1, 'float32') for n in names}
    changes = {n.replace('__', '.'): a for n, a in changes.items()}
    state = {**state, **changes}
    return {n: array for n, array in state.items() if array is not None}


def shape(*sizes):
    return np.zeros(sizes, 'float32')


@pytest.mark.parametrize(
    'state, words',
    [
        (
            {'conv1.weight': shape(64, 3, 7, 7), 'bn1.weight': shape(64)},
            'not those of a VGG .* begin with bn1.weight, conv1.weight',
        ),
        ({}, 'they begin with nothing'),
        (
            tiny(classifier__6__bias=None),
            "classifier.6.bias is missing .* in torchvision's vgg16",
        ),
        (tiny(head__bias=shape(1)), 'head.bias is .* missing in torchvision'),
        (
            tiny('vgg11_bn', features__1__running_var=None),
            'features.1.running_var is missing there',
        ),
        (
            tiny(),
            r'features.0.weight is \(1,\) float32 there and '
            r'\(64, None, 3, 3\) in',
        ),
        (
            tiny(features__0__weight=np.zeros((64, 3, 3, 3), 'float16')),
            'features.0.weight is .* float16',
        ),
        ({'\x1b[2J' + 'a' * 999: shape(1)}, r'begin with \\x1b\[2Jaaa'),
    ],
    ids='resnet empty missing besides missing_bn shape type name'.split(),
)
@pytest.mark.parametrize('kind', ['safetensors', 'pth'])
def test_another_state_dict(state, words, kind, tmp_path):
    path = tmp_path / f'theirs.{kind}'
    if kind == 'safetensors':
        save_file(state, str(path))
    elif torch is None:
        pytest.skip('torch is not installed')
    else:
        state = {n: torch.from_numpy(state[n]) for n in sorted(state)}
        torch.save(state, path)
    text = refusal(path, tmp_path / 'ours.safetensors')
    assert str(path) in text and len(text) < 500
    if kind == 'pth' and 'float16' in words:
        words = 'features.0.weight is in torch.float16'
    assert re.search(words, text), text


def header(**about):
    """Return a file of safetensors with what it says, and four bytes."""
    text = json.dumps({'a': about}).encode()
    return len(text).to_bytes(8, 'little') + text + bytes(4)


@pytest.mark.parametrize(
    'content',
    [
        b'',
        b'no file of safetensors at all',
        header(dtype='F32', shape=[1], data_offsets=[0, 4])[:-1],
        header(dtype='F32', shape=[10**12], data_offsets=[0, 4]),
        header(dtype='F32', shape=[10**12], data_offsets=[0, 4 * 10**12]),
        header(dtype='F8_E4M3', shape=[4], data_offsets=[0, 4]),
        header(dtype='object', shape=[1], data_offsets=[0, 4]),
        (2**60).to_bytes(8, 'little') + b'{}',
    ],
)
def test_damaged_safetensors(content, tmp_path):
    path = tmp_path / 'theirs.safetensors'
    path.write_bytes(content)
    text = refusal(path, tmp_path / 'ours.safetensors')
    assert 'theirs.safetensors is damaged (' in text


class RunsCode:
    def __reduce__(self):
        return os.system, ('touch pwned',)


def hostile(kind):
    """Return the bytes of a file that PyTorch must not be fooled by."""
    file = io.BytesIO()
    old = {'_use_new_zipfile_serialization': False}
    if kind in ('code', 'old code'):
        torch.save({'a': RunsCode()}, file, **(old if ' ' in kind else {}))
    elif kind == 'module':
        torch.save(torch.nn.Linear(2, 2), file)
    elif kind == 'list':
        torch.save([torch.zeros(2)], file)
    elif kind == 'numbers':
        torch.save({0: torch.zeros(2)}, file)
    elif kind == 'sparse':
        torch.save({'a': torch.eye(9).to_sparse()}, file)
    elif kind == 'repeated':
        torch.save({'a': torch.zeros(1).expand(10**6, 10**6)}, file)
    elif kind == 'bomb':
        plain = io.BytesIO()
        torch.save({'a': torch.zeros(10**7)}, plain)
        with (
            zipfile.ZipFile(plain) as archive,
            zipfile.ZipFile(file, 'w', zipfile.ZIP_DEFLATED) as packed,
        ):
            for entry in archive.namelist():
                packed.writestr(entry, archive.read(entry))
    elif kind == 'text':
        file.write(b'hello')
    elif kind in ('cut', 'old cut'):
        torch.save(
            {'a': torch.zeros(999)}, file, **(old if ' ' in kind else {})
        )
        return file.getvalue()[:-200]
    return file.getvalue()


@needs_torch
@pytest.mark.parametrize(
    'kind, words',
    [
        ('code', 'asks for posix.system, which could run anything'),
        ('old code', 'asks for posix.system, which could run anything'),
        ('module', 'asks for torch.nn.modules.linear.Linear'),
        ('list', 'it holds a list'),
        ('numbers', 'more than tensors by name'),
        ('sparse', 'a is not dense'),
        ('repeated', 'it claims 4000000000000 bytes'),
        ('bomb', 'it claims 4000'),
        ('text', 'is damaged'),
        ('empty', 'is damaged'),
        ('cut', 'is damaged'),
        ('old cut', 'unexpected EOF'),
    ],
)
def test_hostile_files(kind, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with open('theirs.pth', 'wb') as file:
        file.write(hostile(kind))
    assert words in refusal('theirs.pth', 'ours.safetensors')
    assert os.listdir() == ['theirs.pth']


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
        ('quick', 'a.npz', 'a.npz must end in .safetensors, .pth or .pt'),
        ('weights', 'a.safetensors', '.pth, .pt or .npz'),
        ('lenet.safetensors', 'a.safetensors', 'are not those of a VGG'),
        ('nan.safetensors', 'a.safetensors', 'conv1_1.bias holds nan'),
    ],
)
def test_other_mistakes(source, target, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    os.mkdir('folder')
    parameters.save('lenet.safetensors', {'net.0.weight': shape(6, 1, 5, 5)})
    arrays = parameters.load(Run.find('quick').find_parameters())
    arrays['conv1_1.bias'] = np.full(16, np.nan, 'float32')
    parameters.save('nan.safetensors', arrays)
    assert words in refusal(source, target)


# ------------------------------------------- files of earlier versions


@pytest.fixture
def old(tmp_path):
    """A finished run of an earlier version, with its file of parameters."""
    arrays = parameters.load(Run.find('quick').find_parameters())
    folder = tmp_path / 'old'
    shutil.copytree(os.path.join(TRAINED, 'quick'), folder)
    os.remove(folder / 'parameters.safetensors')
    told = {'meta.json': '{}', 'sha256': digest(arrays, {})}
    told = {n: np.frombuffer(t.encode(), 'uint8') for n, t in told.items()}
    np.savez(folder / 'parameters.npz', **arrays, **told)
    return folder


def test_old_run_is_whole_once_converted(old):
    assert f'convert {old} ' in call('predict', old).stderr
    path = old / 'parameters.safetensors'
    assert 'are ours, for every framework' in done('convert', old, path)
    assert Run.open(old).find_parameters() == str(path)  # Checks the digest


def test_old_file_is_converted_and_refused_elsewhere(old, tmp_path):
    path = old / 'parameters.npz'
    with pytest.raises(ValueError, match=f'`d2l-vgg convert {path} new.safe'):
        parameters.load(path)
    new = tmp_path / 'new.safetensors'
    done('convert', path, new)
    parameters.check_digest(new, Run.find('quick').info['parameters'])


def test_stopped_run_of_an_earlier_version_is_refused(old):
    (old / 'checkpoint.npz').write_bytes(b'PK')
    text = call('train', '--resume', old).stderr
    assert 'was stopped, by an earlier version' in text


def test_damaged_old_file_is_refused(old, tmp_path):
    path, new = old / 'parameters.npz', tmp_path / 'new.safetensors'
    content = path.read_bytes()
    with np.load(path) as file:
        entries = dict(file)
    flipped = bytearray(content)
    flipped[len(content) // 2] ^= 1
    for damaged in content[:-100], bytes(flipped), b'', b'once upon a time':
        path.write_bytes(damaged)
        assert 'is damaged (' in refusal(path, new)
    entries['conv1_1.bias'] = entries['conv1_1.bias'] + 1
    np.savez(path, **entries)
    assert 'its digest is another' in refusal(path, new)
    # Packed, a thousand times as much; it is not unpacked to see that
    np.savez_compressed(path, **entries, bomb=np.zeros(2**24, 'uint8'))
    assert 'it claims 17' in refusal(path, new)
    np.savez(path, a=np.array([RunsCode()]))
    assert 'Object arrays cannot be loaded' in refusal(path, new)
    path.write_bytes(
        content.replace(
            b'(16,), }' + b' ' * 13, b'(16' + b'0' * 13 + b',), }'
        )
    )
    assert 'is damaged (' in refusal(path, new)
