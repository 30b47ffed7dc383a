"""The benchmark measures this package as its users have it."""

import json
import subprocess
import sys

import pytest

pytest.importorskip('mxnet')

# The worker itself, told to train two minibatches; it ends with its input
WORKER = """
import io, os, sys
from d2l_vgg.book import bench_worker
from frameworks import MXNet

model, trainer, data = bench_worker.make_ours()
bench_worker.make_ours = lambda: (model, trainer, data)
sys.stdin = io.StringIO('2\\n')
os._exit = sys.exit
try:
    bench_worker.main()
finally:
    print('compiled', MXNet().is_compiled(model))
"""


def test_our_side_is_compiled():
    request = {'side': 'ours', 'size': 32, 'batch_size': 8}
    request.update(num_gpus=0, root='stand-in')
    code = f'import sys; sys.path = {sys.path!r}\n{WORKER}'
    out = subprocess.check_output(
        [sys.executable, '-c', code, json.dumps(request)], text=True
    )
    assert out.splitlines()[-1] == 'compiled True'
