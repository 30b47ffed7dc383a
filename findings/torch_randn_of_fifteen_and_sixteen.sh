#!/bin/sh
# PyTorch 2.13.0 (CPU): `torch.randn` computes 16 numbers and more in another
# way than fewer. So the 15 numbers that are drawn after a seed are not the
# first 15 of 16, and a bias of 15 has other initial values than the first ones
# of a bias of 16. `torch.rand` has no such step.
#
# Seen: `randn(15)` and `randn(16)[:15]` after `manual_seed(0)` differ;
# `randn(14)` begins `randn(15)`; `rand(15)` begins `rand(16)`.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/env"
"$folder/env/bin/pip" install -q torch==2.13.0 numpy==2.4.6
"$folder/env/bin/python" - <<'END'
import torch


def begins(draw, short, long):
    torch.manual_seed(0)
    few = draw(short)
    torch.manual_seed(0)
    return torch.equal(few, draw(long)[:short])


for draw, short, same in (
    (torch.randn, 14, True),
    (torch.randn, 15, False),
    (torch.rand, 15, True),
):
    found = begins(draw, short, short + 1)
    print(draw.__name__, short, 'begins', short + 1, ':', found)
    assert found == same
END
