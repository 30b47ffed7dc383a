"""A finished run that the tests of the commands share."""

import collections

import pytest
from command_line import TINY, done

from d2l_vgg.commands import making

Finished = collections.namedtuple('Finished', 'folder printed')


@pytest.fixture(autouse=True, scope='module')
def without_estimate():
    """Do not find out how long the book would take: that takes seconds."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(making, 'estimate_seconds', lambda *args: 7200)
        yield


@pytest.fixture(scope='session')
def finished(tmp_path_factory):
    """The folder of a run that nobody changes, and what was printed."""
    pytest.importorskip('mxnet')
    parent = tmp_path_factory.mktemp('finished')
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(making, 'estimate_seconds', lambda *args: 7200)
        patch.chdir(parent)
        printed = done('train', *TINY, '--name', 'whole')
    return Finished(parent / 'runs' / 'whole', printed)
