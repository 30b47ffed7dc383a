"""The commands of `d2l-vgg`: one file each, and what they share.

Each file has a click command called `command`, and the function that it
calls; `d2l_vgg/cli.py` lists them. What draws, computes or trains is imported
by the function that needs it, so that the others, and `--help`, answer at
once.
"""
