"""What the two sides of the benchmark run with."""

import json
import os
import subprocess
import sys

import pytest
from processes import ROOT


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
