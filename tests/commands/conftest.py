"""A finished run that the tests of the commands share."""

import collections

import pytest
from command_line import TINY, done

Finished = collections.namedtuple('Finished', 'folder printed')


@pytest.fixture(scope='session')
def finished(tmp_path_factory):
    """The folder of a run that nobody changes, and what was printed."""
    pytest.importorskip('mxnet')
    parent = tmp_path_factory.mktemp('finished')
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(parent)
        printed = done('train', *TINY, '--name', 'whole')
    return Finished(parent / 'runs' / 'whole', printed)
