"""The frameworks in which this package has VGG: one folder for each.

Every folder has the same classes, `VGG`, `Classifier`, `Trainer` and
`FashionMNIST`, so that what stands above need not know which one it uses.
"""

import importlib

FRAMEWORKS = ('mxnet',)


def load(name):
    """Import the folder of a framework, and with it the framework.

    Raises:
        ModuleNotFoundError: the framework is not installed.
    """
    return importlib.import_module(f'd2l_vgg.{name}')
