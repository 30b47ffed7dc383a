"""What can be tried on the page: its scripts, and the numbers they compute on.

A box `<div class="live" data-live="NAME">` is filled by `live/NAME.js`, when
the reader comes near; without scripts, and on paper, it shows what stands in
it.
"""

import shutil
from pathlib import Path

HERE = Path(__file__).parent


def write(folder):
    """Write into a folder the scripts and what they load."""
    shutil.copytree(HERE / 'live', folder, dirs_exist_ok=True)
