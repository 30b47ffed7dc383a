"""The VGG section of Dive into Deep Learning as software that works.

Importing the package imports no framework: `from d2l_vgg import mxnet as
d2l_vgg` does, and reads like the book's `from d2l import mxnet as d2l`.
"""

from d2l_vgg.compatibility import prepare

__version__ = '0.1.0'

prepare()
