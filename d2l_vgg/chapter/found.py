"""What a notebook says at its beginning: with what it will compute."""

from d2l_vgg import frameworks, gpus, machine
from d2l_vgg.training import smoke_test


def found(framework: str) -> str:
    """Return which framework, such as 'torch', and device a notebook has.

    Where `$D2L_VGG_TRIAL` cuts trainings short, the text says so. Raises
    ModuleNotFoundError where the framework is not installed.
    """
    note = smoke_test.note(smoke_test.size())
    trainer = frameworks.load(framework).Trainer(max_epochs=1)
    if trainer.on_cpu:
        device = f'no usable GPU, running on the CPU ({machine.processor()})'
    else:
        device = f'on {", ".join(gpus.names()) or trainer.device}'
    versions = machine.versions(framework)
    named = ', '.join(
        f'{name} {versions[name]}' for name in versions if name != 'python'
    )
    return '\n'.join(filter(None, [f'{named}: {device}.', note]))
