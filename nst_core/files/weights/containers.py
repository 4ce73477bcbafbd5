"""Weights files to tensors under the names they have there. Nothing in a file is ever run."""

from pathlib import Path

from safetensors import SafetensorError, safe_open

from ...errors import WeightsError
from .contents import DAMAGE, RETRY, Contents
from .foreign import first_bytes, zip_members
from .keras import read_hdf5, read_keras_archive
from .pickles import read_torch

# Tensors of a file that are looked at; the largest networks have some thousands.
_MOST = 50_000
_SIGNATURE_OF_HDF5 = b"\x89HDF\r\n\x1a\n"


def read_tensors(path: Path) -> Contents:
    """What a file holds; its kind is told by its first bytes, whatever its name.

    Raises:
        WeightsError: the file is missing, damaged, unsafe, or no weights file at all.
    """
    start = first_bytes(path)
    if start.startswith(_SIGNATURE_OF_HDF5):
        return read_hdf5(path, path)
    if start.startswith(b"PK\x03\x04"):
        members = zip_members(path)
        if "model.weights.h5" in members:
            return read_keras_archive(path)
        return read_torch(path, zipped=True)
    if start.startswith(b"\x80"):
        return read_torch(path, zipped=False)
    if start[8:9] == b"{":
        return _read_safetensors(path)
    raise WeightsError(
        f"{path} is no weights file (.safetensors, .pth, .keras or Keras .h5), or it is damaged. "
        f"{RETRY}"
    )


def _read_safetensors(path: Path) -> Contents:
    try:
        with safe_open(path, framework="pt", device="cpu") as file:
            names = file.keys()
            if len(names) > _MOST:
                raise WeightsError(
                    f"{path} holds {len(names):,} tensors, far more than a network. Use a file of "
                    "VGG-16."
                )
            tensors = {name: file.get_tensor(name) for name in names}
            return Contents("safetensors", tensors, file.metadata() or {})
    except (SafetensorError, *DAMAGE) as error:
        raise WeightsError(f"{path} is a damaged safetensors file: {error}. {RETRY}") from error
