"""The memory that a training keeps between its steps, and gives back."""

import pytest
from processes import run_python

from d2l_vgg.training import allocator

pytestmark = pytest.mark.skipif(
    allocator.glibc() is None, reason='the C library is not that of GNU'
)

SIZE = 64 * 2**20
STEPS = """
import contextlib
import resource
import numpy as np
from d2l_vgg.training import allocator

def resident():
    with open('/proc/self/statm') as file:
        return int(file.read().split()[1]) * resource.getpagesize()

def step():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    np.ones({size}, 'uint8')
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

step()
at_start = resident()
with contextlib.suppress(KeyboardInterrupt), allocator.kept({needed}):
    faults = [step() for _ in range(3)]
    inside = resident() - at_start
    raise KeyboardInterrupt
afterwards = resident() - at_start
step()
print(*faults, inside, afterwards, step())
"""


@pytest.mark.parametrize('needed', [SIZE, None, 2**60])
def test_memory_is_kept_between_steps_and_given_back(needed):
    told = run_python(STEPS.format(size=SIZE, needed=needed)).split()
    first, second, third, inside, afterwards, last = map(int, told)
    assert first > 10 and last > 10
    if needed == SIZE:
        assert second == third == 0
        assert inside >= 0.9 * SIZE
    else:  # As it is not known, or memory is short
        assert second > 10 and third > 10
        assert inside < 0.1 * SIZE
    assert afterwards < 0.1 * SIZE


def test_with_another_c_library_nothing_is_kept(monkeypatch):
    monkeypatch.setattr(allocator, 'glibc', lambda: None)
    with allocator.kept(1):
        pass
