"""The commands of `d2l-vgg`: one file each, and what they share.

Each file has a text `HELP`, a function `add_arguments(parser)` and a function
`run(args)`; `d2l_vgg/cli.py` lists them. argparse is known in this folder
only. What draws, computes or trains is imported by the function that needs
it, so that the others, and `--help`, answer at once.
"""
