"""`d2l-vgg summary`: the layers of one network."""

from d2l_vgg.commands.options import argument, command, shapes
from d2l_vgg.networks import architectures, costs


@command(argument('arch', 'such as vgg11, D, or ((1,16),(1,32))'), *shapes())
def summary(arch, resize, channels, num_classes):
    """List the layers of a network with their shapes and costs."""
    shape = channels, resize, resize
    print(costs.summary_table(architectures.read(arch), shape, num_classes))
