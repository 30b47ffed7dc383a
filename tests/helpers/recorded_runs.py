"""A small run, stopped and whole, as each version of MXNet has written it.

`python tests/helpers/recorded_runs.py` writes that of the MXNet it finds, for
a change which is meant to train in another way; say in the commit why.
"""

import os
import shutil
from pathlib import Path

import pytest
from command_line import call, done, stop_at

from d2l_vgg import machine

RECORDED = Path(__file__).parents[1] / 'mxnet' / 'recorded'
VERSIONS = '1.9.1', '2.0.0b1'
# As `quick`, with all that is drawn by chance
RUN = (
    '--arch ((1,2),(1,4)) --batch-norm --hidden 8 --dropout 0.5 --resize 8 '
    '--flip --shift 1 --batch-size 8 --num-train 64 --num-val 64 '
    '--max-epochs 2 --num-gpus 0 --display none'
).split()


def record():
    os.environ['OMP_NUM_THREADS'] = '1'  # Read when MXNet is imported
    from d2l_vgg import mxnet as package

    folder = RECORDED / machine.versions('mxnet')['mxnet']
    shutil.rmtree(folder, ignore_errors=True)
    options = [*RUN, '--runs', folder, '--name']
    done('train', *options, 'whole')
    with pytest.MonkeyPatch.context() as patch:
        stop_at(patch, package, step=10)
        assert call('train', *options, 'stopped').returncode == 130
    for path in folder.glob('*/curves.*'):
        path.unlink()


if __name__ == '__main__':
    record()
