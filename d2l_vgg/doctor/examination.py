"""Look at everything, so that what is broken cannot end the look itself."""

from __future__ import annotations

import dataclasses
from typing import Any, Callable, Iterable, NamedTuple

from d2l_vgg import messages, wheels
from d2l_vgg.doctor import (
    framework_checks,
    gpu_checks,
    mxnet_checks,
    probing,
    surroundings,
)
from d2l_vgg.doctor.checks import Check
from d2l_vgg.doctor.probing import Outcome
from d2l_vgg.frameworks import FRAMEWORKS
from d2l_vgg.nvml import Driver
from d2l_vgg.training import memory, precisions
from d2l_vgg.training.experiments import EXPERIMENTS


class Findings(NamedTuple):
    """What was found out.

    `trained` tells by the name of a framework on what it has trained: 'CPU',
    'GPU' or both. A framework that has on none is not in it.
    """

    trained: dict[str, list[str]]
    checks: list[Check]

    @property
    def headline(self) -> str:
        """One sentence that says what this machine can run."""
        if not self.trained:
            return 'You cannot train here yet: no framework can.'
        by_devices: dict[str, list[str]] = {}
        for name, devices in self.trained.items():
            titles = by_devices.setdefault(' and '.join(devices), [])
            titles.append(FRAMEWORKS[name].title)
        ways = [
            f'on the {devices} in {_list(titles)}'
            for devices, titles in by_devices.items()
        ]
        return f'You can train here, {", ".join(ways)}.'


def _list(words):
    return ' and '.join(filter(None, [', '.join(words[:-1]), words[-1]]))


def examine(
    name: str,
    seconds: float = probing.SECONDS,
    progress: Callable[[str], object] = lambda text: None,
) -> Findings:
    """Find out what this machine can run.

    Args:
        name: of the experiment that it is to run
        seconds: after which a framework is taken to hang
        progress: called with what is being tried
    """
    experiment = EXPERIMENTS[name]
    if not precisions.has_bfloat16():
        experiment = dataclasses.replace(experiment, precision='float32')
    needed = memory.least_bytes(experiment)
    found: list[Check] = []
    trained: dict[str, list[str]] = {}

    def probe(*words):
        progress(words[-1])
        try:
            return probing.run(*words, seconds=seconds)
        except OSError as error:
            return Outcome({}, messages.explain(error))

    def add(subject, look, *args):
        found.extend(guarded(subject, look, *args))

    add('Python', surroundings.check_python)
    add('NumPy', surroundings.check_numpy, probe('numpy'))
    told = probe('driver')
    driver = gpu_checks.read_driver(told.facts)
    frameworks = [f for f in FRAMEWORKS if _is_there(f)]
    for framework in frameworks:
        outcome = probe('framework', framework)
        devices = [d for d in ('CPU', 'GPU') if f'on_{d.lower()}' in
                   outcome.facts]  # fmt: skip
        if devices:
            trained[framework] = devices
        title = FRAMEWORKS[framework].title
        add(title, _look_at, framework, outcome, driver, probe)
    if not frameworks:
        add('frameworks', framework_checks.check_none)
    add('GPU', gpu_checks.check, driver, told.problem, needed)
    add('processor', surroundings.check_processor)
    add('memory', surroundings.check_memory, name, needed)
    add('disk', surroundings.check_disk, name, experiment)
    add('chapter', surroundings.check_chapter)
    return Findings(trained, found)


def guarded(
    subject: str, look: Callable[..., Any], *args: Any
) -> Iterable[Check]:
    """Return what `look(*args)` returns, or one check that it failed."""
    try:
        checks = look(*args)
    except Exception as error:
        what = f'{type(error).__name__}: {messages.explain(error)}'
        return [
            Check(
                subject,
                f'cannot be examined: {what}',
                'Send this line to the authors.',
            )
        ]
    return [checks] if isinstance(checks, Check) else checks


def _is_there(framework: str) -> bool:
    try:
        return framework_checks.is_there(framework)
    except Exception:  # Damaged enough to be worth a look
        return True


def _look_at(
    framework: str,
    outcome: Outcome,
    driver: Driver | None,
    probe: Callable[..., Outcome],
) -> Check | list[Check]:
    if framework != 'mxnet':
        versions = wheels.versions(framework)
        return framework_checks.check(framework, versions, outcome, driver)
    installed = wheels.find()
    assert installed is not None
    library = mxnet_checks.read_library(installed)
    # An MXNet that pip did not install has others, and finds them itself
    if library.is_for_gpus and installed.wheels:
        missing = probe('libraries').facts.get('missing', ())
        library = library._replace(missing=tuple(map(tuple, missing)))
    return mxnet_checks.check(installed, library, outcome, driver)
