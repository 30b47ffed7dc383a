#!/bin/sh
# MXNet 1.9.1: after `net.optimize_for(X, backend='MKLDNN')`, which is told to
# make a network faster on a CPU, it does not train any more: gradients are 0,
# and the trainer's steps change nothing. There is no error, no warning.
#
# Seen over three steps: losses 7.331, 1.5835, 0.5038 hybridized, 7.331 three
# times after `optimize_for`.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3.11}" -m venv "$folder/env"
"$folder/env/bin/pip" install -q numpy==1.23.5 requests==2.31.0 graphviz==0.8.4
"$folder/env/bin/pip" install -q --no-deps mxnet==1.9.1
# Its library asks for one that NumPy's wheel brings along
packages=$("$folder/env/bin/python" -c 'import numpy, os
print(os.path.dirname(os.path.dirname(numpy.__file__)))')
for library in "$packages"/numpy.libs/libquadmath*; do
    ln -s "$library" "$packages/mxnet/libquadmath.so.0"
done
"$folder/env/bin/python" - <<'END'
from mxnet import autograd, gluon, init, np, npx
from mxnet.gluon import nn

npx.set_np()
X = np.ones((2, 3))


def losses(optimize):
    npx.random.seed(0)
    net = nn.HybridSequential()
    net.add(nn.Dense(4, in_units=3, activation='relu'))
    net.add(nn.Dense(2, in_units=4))
    net.initialize(init.Xavier())
    if optimize:
        net.optimize_for(X, backend='MKLDNN')
    else:
        net.hybridize()
    options = {'learning_rate': 0.1}
    trainer = gluon.Trainer(net.collect_params(), 'sgd', options)
    found = []
    for _ in range(3):
        with autograd.record():
            loss = ((net(X) - 1) ** 2).sum()
        loss.backward()
        trainer.step(2)
        found.append(round(float(loss), 4))
    return found


hybridized, optimized = losses(optimize=False), losses(optimize=True)
print('hybridized:', hybridized, 'optimized:', optimized)
assert hybridized[0] > hybridized[1] > hybridized[2]
assert len(set(optimized)) == 1
END
