"""`d2l-vgg compare`: the costs of several networks, side by side."""

from d2l_vgg.commands.options import argument, command, number, shapes, switch
from d2l_vgg.networks import architectures, costs
from d2l_vgg.training.experiments import Experiment


@command(
    argument('arch', 'such as vgg11, D, or ((1,16)); none for all', nargs=-1),
    *shapes(),
    number(
        'batch_size', 'whose memory counts', default=Experiment.batch_size
    ),
    switch('--markdown', 'print a Markdown table'),
)
def compare(arch, resize, channels, num_classes, batch_size, markdown):
    """Show the parameters, multiply-adds and memory of networks."""
    found = [architectures.read(a) for a in arch or architectures.FAMILY]
    shape = channels, resize, resize
    print(
        costs.table(found, shape, num_classes, batch_size, markdown=markdown)
    )
