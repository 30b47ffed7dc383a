#!/bin/sh
# PyTorch 2.13.0 (CPU): random numbers are filled in by the order of memory,
# not of places. So one seed gives other dropout masks, and other initial
# weights, for the same shape in `channels_last`: a network that is turned to
# it to be faster does not repeat its run, on the same machine.
#
# Seen: after `manual_seed(0)`, masks of 2 x 3 x 4 x 4 and weights of
# `xavier_uniform_` of 4 x 3 x 3 x 3 differ; in the order of memory they agree.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/env"
"$folder/env/bin/pip" install -q torch==2.13.0 numpy==2.4.6
"$folder/env/bin/python" - <<'END'
import torch


def drawn(make, X):
    torch.manual_seed(0)
    return make(X.clone())


made = {
    'dropout': (torch.nn.functional.dropout, torch.ones(2, 3, 4, 4)),
    'xavier': (torch.nn.init.xavier_uniform_, torch.empty(4, 3, 3, 3)),
}
for name, (make, X) in made.items():
    first = drawn(make, X)
    last = drawn(make, X.to(memory_format=torch.channels_last))
    by_memory = last.permute(0, 2, 3, 1).reshape(-1)
    print(name, 'equal:', torch.equal(first, last))
    assert not torch.equal(first, last)
    assert torch.equal(first.reshape(-1), by_memory)
END
