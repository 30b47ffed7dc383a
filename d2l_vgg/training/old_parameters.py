"""Parameters in the .npz files of earlier versions, read to be converted."""

import io
import math
import zipfile

import numpy as np

from d2l_vgg.files import check_unpacked_size, open_regular
from d2l_vgg.training import arrays, parameters


def load(path):
    """As `parameters.load`; nothing in the file is executed."""
    with (
        open_regular(path) as file,
        parameters.explained(path),
        arrays.damage_told(path),
    ):
        check_unpacked_size(file)
        with zipfile.ZipFile(file) as archive:
            found = {
                name[: -len('.npy')]: _array(archive.read(name))
                for name in archive.namelist()
            }
        digest = found.pop('sha256').tobytes().decode()
        found.pop('meta.json')
        if digest != arrays.digest(found, {}):
            raise ValueError('its digest is another')
    return found


def _array(content):
    file = io.BytesIO(content)
    np.lib.format.read_magic(file)
    shape, _, dtype = np.lib.format.read_array_header_1_0(file)
    # NumPy would take the memory first
    if math.prod(shape) * dtype.itemsize > len(content):
        raise ValueError(f'an array claims to be {shape} {dtype}')
    file.seek(0)
    return np.load(file, allow_pickle=False)
