"""What MXNet 1.9.1 has written serves MXNet 2, and the other way round."""

import shutil

import numpy as np
import pytest

pytest.importorskip('mxnet')

from command_line import done
from recorded_runs import RECORDED, VERSIONS

from d2l_vgg.commands import making
from d2l_vgg.mxnet import VGG
from d2l_vgg.training.runs import Run


@pytest.mark.parametrize('version', VERSIONS)
def test_run_that_was_stopped_in_either_version_ends_as_in_both(
    version, tmp_path, monkeypatch
):
    # How long the book would take, which takes seconds to find out
    monkeypatch.setattr(making, 'estimate_seconds', lambda *args: 7200)
    run = shutil.copytree(RECORDED / version / 'stopped', tmp_path / 'run')
    done('train', '--resume', run)
    found, points = VGG.trained(run).arrays(), Run.open(run).history().points
    for other in VERSIONS:
        whole = RECORDED / other / 'whole'
        expected = VGG.trained(whole).arrays()
        assert list(found) == list(expected)
        for name, array in expected.items():
            np.testing.assert_allclose(
                found[name], array, rtol=1e-4, atol=1e-5, err_msg=name
            )
        for series, values in Run.open(whole).history().points.items():
            np.testing.assert_allclose(points[series], values, rtol=1e-5)
