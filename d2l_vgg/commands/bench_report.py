"""What a benchmark has measured, and on what machine, as a file to send."""

import json
import os

from d2l_vgg import __version__, machine
from d2l_vgg.doctor import examination, report
from d2l_vgg.files import write_text


def check_place(path):
    """Refuse a file that cannot be made, before anything is measured.

    Raises:
        FileExistsError: there is something already.
        OSError: its folder is not there, or cannot be written.
    """
    if os.path.lexists(path):
        raise FileExistsError(
            f'{path} is there already: name another file, --report FILE.'
        )
    folder = os.path.dirname(path) or os.curdir
    if not os.path.isdir(folder) or not os.access(folder, os.W_OK):
        raise OSError(
            f'The report cannot be written to {path}: name a file in a '
            'folder that is there and yours, --report FILE.'
        )


def write(path, measured, progress=lambda text: None):
    """Write what was measured, and what `d2l-vgg doctor` says, to `path`.

    Names of users and home folders are left out.

    Args:
        path: of a file that is not there
        measured: as `bench.measure` returns it
        progress: called with what is being looked at

    Raises:
        OSError: the disk is full.
    """
    findings = examination.examine('book', progress=progress)
    told = {
        'd2l_vgg': __version__,
        'machine': machine.describe(),
        **measured,
    }
    told = report.without_names(told, report.user_names())
    told['doctor'] = json.loads(report.as_json(findings))
    write_text(path, json.dumps(told, indent=2) + '\n')
