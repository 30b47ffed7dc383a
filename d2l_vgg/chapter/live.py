"""What can be tried on the page: its scripts, and the numbers they compute on.

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
    write_exercises(folder)


def write_exercises(folder):
    """Write what `check.js` compares a reader's numbers with."""
    found = {name: each._asdict() for name, each in exercises().items()}
    text = f'live.exercises = {json.dumps(found, indent=1)};\n'
    write_text(f'{folder}/exercises.js', text)
