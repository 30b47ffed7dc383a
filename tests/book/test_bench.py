"""The benchmark measures this package as its users have it."""

import json
import os
import subprocess
import sys

import pytest
from processes import ROOT

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


@pytest.mark.parametrize(
    'side, threads',
    [('stock', 'None'), ('stock, all cores', '7'), ('ours', '7')],
)
def test_each_side_of_the_benchmark_has_its_threads(tmp_path, side, threads):
    (tmp_path / 'mxnet.py').write_text(
        'import os\n'
        "print(os.environ.get('OMP_NUM_THREADS'), flush=True)\n"
        'os._exit(0)\n'
    )
    done = subprocess.run(
        [
            sys.executable,
            '-m',
            'd2l_vgg.book.bench_worker',
            json.dumps({'side': side}),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        env={
            **os.environ,
            'OMP_NUM_THREADS': '7',
            'PYTHONPATH': str(tmp_path),
        },
    )
    assert done.stdout.split() == [threads], done.stderr
