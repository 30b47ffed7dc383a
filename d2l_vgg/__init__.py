"""The VGG section of Dive into Deep Learning as software that works.

Importing the package imports no framework and changes nothing: `from d2l_vgg
import mxnet as d2l_vgg` does, and reads like `from d2l import mxnet as d2l`.
"""

__version__ = '0.1.0'
