#!/bin/sh
# PyTorch 2.13.0 (CPU): who makes an optimizer imports PyTorch's compiler, and
# with it SymPy, a library for algebra, though nothing is ever compiled: 823
# modules to the 1078 of `import torch`. `loss.backward()` imports nothing,
# but `loss.backward(torch.ones_like(loss))`, which means the same, SymPy.
#
# Seen: 0 modules more after `backward()`, 487 after `backward(gradient)`, and
# 823 after `torch.optim.SGD([X], lr=0.1)`.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/env"
"$folder/env/bin/pip" install -q torch==2.13.0 numpy==2.4.6
for step in 'loss.backward()' 'loss.backward(torch.ones_like(loss))' \
    'torch.optim.SGD([X], lr=0.1)'; do
    "$folder/env/bin/python" - "$step" <<'END'
import sys

import torch

X = torch.ones(4, requires_grad=True)
loss = (X**2).mean()
before = len(sys.modules)
exec(sys.argv[1])
found = [name for name in ('torch._dynamo', 'sympy') if name in sys.modules]
print(f'{sys.argv[1]}: {len(sys.modules) - before} modules, of them {found}')
expected = {
    'loss.backward()': [],
    'loss.backward(torch.ones_like(loss))': ['sympy'],
    'torch.optim.SGD([X], lr=0.1)': ['torch._dynamo', 'sympy'],
}
assert found == expected[sys.argv[1]]
END
done
