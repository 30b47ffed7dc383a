"""What can be tried on the page: scripts, and the numbers they compute on.

A box `<div class="live" data-live="NAME">` is filled by `live/NAME.js`, when
the reader comes near; without scripts, and on paper, it shows what stands in
it.
"""

import json
import shutil
from pathlib import Path

from d2l_vgg.chapter.exercises import exercises
from d2l_vgg.files import write_text

HERE = Path(__file__).parent


def write(folder):
    """Write into a folder the scripts and what they load."""
    shutil.copytree(HERE / 'live', folder, dirs_exist_ok=True)
    text = json.dumps(exercises(), indent=1)
    write_text(f'{folder}/exercises.js', f'live.exercises = {text};\n')
