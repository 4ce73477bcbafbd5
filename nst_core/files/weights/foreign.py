"""What a file is that holds no weights we read, so that the refusal can say it."""

import os
import zipfile
from pathlib import Path

from ...errors import WeightsError
from .contents import DAMAGE, LARGEST, RETRY, SAVE_WEIGHTS, too_large

_UNPACK = "Unpack it and use the weights file that is in it."
_DOWNLOAD = "Open the address in a browser, then download the file itself."

# First bytes, what they belong to, and what to do.
_STARTS = (
    (b"GGUF", "a GGUF file", SAVE_WEIGHTS),
    (b"\x93NUMPY", "a NumPy array", SAVE_WEIGHTS),
    (b"MATLAB", "a MATLAB file", SAVE_WEIGHTS),
    (b"\x89PNG", "a picture", "Use a file of VGG-16's weights."),
    (b"\xff\xd8\xff", "a picture", "Use a file of VGG-16's weights."),
    (b"\x1f\x8b", "a gzip archive", _UNPACK),
    (b"BZh", "a bzip2 archive", _UNPACK),
    (b"\xfd7zXZ", "an xz archive", _UNPACK),
    (b"\x28\xb5\x2f\xfd", "a zstd archive", _UNPACK),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", _UNPACK),
    (b"Rar!", "a rar archive", _UNPACK),
    (b"version https://git-lfs", "a Git LFS pointer, not the file", "Run 'git lfs pull' there."),
)
# Formats without such bytes.
_SUFFIXES = {
    ".onnx": "an ONNX model",
    ".caffemodel": "a Caffe model",
    ".pb": "a TensorFlow graph",
    ".tflite": "a TensorFlow Lite model",
    ".pt2": "an exported program, not weights",
    ".t7": "a Lua Torch file",
}
# Of a state dict, which names its tensors: VGG-16's has some kilobytes.
_LONGEST_PICKLE = 64 << 20
_TEXTS = (b"<!doctype", b"<html", b"<?xml", b"<!--", b"<head")


def first_bytes(path: Path) -> bytes:
    """The first bytes of a file that may be one of weights.

    Raises:
        WeightsError: it cannot be read, or these bytes tell that it is something else.
    """
    if os.path.isdir(path):
        raise WeightsError(f"{path} is a folder. Choose the weights file in it.")
    if os.path.exists(path) and not os.path.isfile(path):  # reading a pipe would wait for ever
        raise WeightsError(f"{path} is no regular file. Choose a weights file.")
    try:
        with path.open("rb") as file:
            start = file.read(512)
    except (OSError, ValueError) as error:  # a name with NUL is a ValueError
        reason = getattr(error, "strerror", None) or error
        raise WeightsError(
            f"{path} cannot be read: {reason}. Check the path and its rights."
        ) from error
    if not start:
        raise WeightsError(f"{path} is empty. {RETRY}")
    if other := _other_format(path, start):
        what, to_do = other
        raise WeightsError(f"{path} is {what}. {to_do}")
    return start


def zip_members(path: Path) -> list[str]:
    """Names in a zip archive that may be weights: of torch.save, or Keras's.

    Raises:
        WeightsError: it is damaged, or another program's.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.namelist()
            unpacked = [one.file_size for one in archive.infolist() if one.compress_type]
            pickles = [one.file_size for one in archive.infolist()
                       if one.filename.endswith("data.pkl")]  # fmt: skip
    except (NotImplementedError, *DAMAGE) as error:
        raise WeightsError(f"{path} is damaged: {error}. {RETRY}") from error
    if sum(unpacked) > LARGEST or sum(pickles) > _LONGEST_PICKLE:
        raise too_large(path, sum(unpacked) + sum(pickles))
    if any(name.endswith("/constants.pkl") or "/code/" in name for name in members):
        raise WeightsError(
            f"{path} is a TorchScript program, not weights: nothing in it was run. {SAVE_WEIGHTS}"
        )
    if any(name.endswith(("archive_format", "serialized_exported_program.json"))
           for name in members):  # fmt: skip
        raise WeightsError(
            f"{path} is an exported program, not weights: nothing in it was run. {SAVE_WEIGHTS}"
        )
    if "model.weights.h5" in members or any(name.endswith("data.pkl") for name in members):
        return members
    if members and all(name.endswith(".npy") for name in members):
        raise WeightsError(f"{path} is a NumPy archive. {SAVE_WEIGHTS}")
    raise WeightsError(f"{path} is a zip archive without weights that we know in it. {_UNPACK}")


def _other_format(path: Path, start: bytes) -> tuple[str, str] | None:
    """(what it is, what to do)."""
    for known, what, to_do in _STARTS:
        if start.startswith(known):
            return what, to_do
    text = start.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if text.startswith(_TEXTS):
        return "a web page: a server sent it in place of the weights", _DOWNLOAD
    # Not a safetensors file, whose header follows eight bytes.
    if text.startswith((b"{", b"[")) and start[8:9] != b"{":
        return "a JSON text, not weights: a list of their parts, or a server's answer", _DOWNLOAD
    if start[257:262] == b"ustar":
        return "a tar archive", _UNPACK
    if start[4:8] == b"TFL3":
        return _SUFFIXES[".tflite"], SAVE_WEIGHTS
    if start[:1] == b"\x08" and start[2:3] == b"\x12":  # version of the format, then the producer
        return _SUFFIXES[".onnx"], SAVE_WEIGHTS
    known_start = start.startswith((b"PK\x03\x04", b"\x80", b"\x89HDF")) or start[8:9] == b"{"
    if path.suffix.lower() in _SUFFIXES and not known_start:
        return _SUFFIXES[path.suffix.lower()], SAVE_WEIGHTS
    return None
