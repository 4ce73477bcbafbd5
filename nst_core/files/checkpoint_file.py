"""Tensors and a document in one safetensors file, written whole and known to be whole when read."""

import hashlib
import json
import math
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, Protocol

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from ..errors import CheckpointError
from .atomic import written_whole
from .json_text import parsed

# Raised when what the file holds changes its meaning.
VERSION = 1
_KIND = "nst checkpoint"
_DTYPES = {torch.float32: "F32", torch.float64: "F64", torch.int64: "I64"}
_BLOCK = 1 << 20  # bytes read at a time
_LONGEST_HEADER = 100_000_000  # as the safetensors library has it
_NO_DIGEST = "0" * 64


class InBlocks(Protocol):
    """A tensor that does not lie in memory as a whole."""

    @property
    def shape(self) -> Sequence[int]:
        """As a tensor's."""

    @property
    def dtype(self) -> torch.dtype:
        """As a tensor's."""

    def blocks(self) -> Iterable[Tensor]:
        """All values in their order, a block at a time."""


def write_checkpoint_file(
    path: Path, tensors: Mapping[str, Tensor | InBlocks], document: Mapping[str, Any]
) -> None:
    """Write a checkpoint; the one that was there is kept as `previous_of(path)`.

    Tensors on the CPU are written as they lie in memory, without a copy. The digest is there to
    find damage; it does not tell who wrote the file.

    Args:
        path: an existing file is replaced, as a whole.
        tensors: of float32, float64 or int64. What processes share is gathered while it is written.
        document: what `json.dumps` takes.

    Raises:
        CheckpointError: the file cannot be written.
    """
    try:
        with written_whole(path, path.with_name(f".{path.name}.part")) as part:
            part.unlink(missing_ok=True)
            with part.open("xb") as stream:  # never through a link that lies there
                _write(stream, tensors, document)
            _keep(path)
    except OSError as error:
        raise CheckpointError(
            f"The checkpoint '{path}' could not be written: {error}. Check the free space."
        ) from error


def read_checkpoint_file(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Tensors and document of a file from `write_checkpoint_file`.

    Raises:
        CheckpointError: there is no such file, or it is none, damaged, or of another version.
    """
    try:
        if path.exists() and not path.is_file():  # reading a pipe would wait for ever
            raise ValueError("it is no regular file")
        with path.open("rb") as stream:
            metadata = _verified(stream)
        tensors = load_file(path)
        document = parsed(metadata["document"])
    except FileNotFoundError as error:
        raise CheckpointError(f"There is no checkpoint '{path}'.") from error
    except (OSError, SafetensorError, ValueError, KeyError, TypeError, MemoryError) as error:
        raise _refused(path, f"is damaged or no checkpoint ({error})") from error
    except _OtherVersion as error:
        raise _refused(path, str(error)) from error
    if not isinstance(document, dict):
        raise _refused(path, "is damaged or no checkpoint (its document is no object)")
    return tensors, document


def previous_of(path: Path) -> Path:
    """Where the checkpoint before the last is kept: `out.nst` -> `out.previous.nst`."""
    return path.with_name(f"{path.stem}.previous{path.suffix}")


def _keep(path: Path) -> None:
    """Give the checkpoint that is there its second name; the first stays until it is replaced."""
    previous = previous_of(path)
    if not path.exists():
        return
    previous.unlink(missing_ok=True)
    try:
        os.link(path, previous)
    except OSError:  # a disk without links
        os.replace(path, previous)


class _OtherVersion(Exception):
    """A checkpoint that another version of this program wrote."""


def _write(
    stream: IO[bytes], tensors: Mapping[str, Tensor | InBlocks], document: Mapping[str, Any]
) -> None:
    text = json.dumps(document)  # Python reads its own NaN and Infinity again
    header = _header(tensors, text, _NO_DIGEST)
    digest = hashlib.sha256(header)
    stream.write(header)  # the place of the one with the digest, which is as long
    for tensor in tensors.values():
        for block in _bytes_of(tensor):
            digest.update(block)
            stream.write(block)
    stream.seek(0)
    stream.write(_header(tensors, text, digest.hexdigest()))


def _bytes_of(tensor: Tensor | InBlocks) -> Iterator[memoryview]:
    for block in [tensor] if isinstance(tensor, Tensor) else tensor.blocks():
        yield block.detach().cpu().contiguous().flatten().numpy().view("uint8").data


def _header(tensors: Mapping[str, Tensor | InBlocks], document: str, digest: str) -> bytes:
    """The length of the header in 8 bytes, and the header: what stands where, and the metadata."""
    metadata = {"kind": _KIND, "version": str(VERSION), "document": document, "digest": digest}
    entries: dict[str, Any] = {"__metadata__": metadata}
    end = 0
    for name, tensor in tensors.items():
        begin, end = end, end + math.prod(tensor.shape) * tensor.dtype.itemsize
        entries[name] = {
            "dtype": _DTYPES[tensor.dtype],
            "shape": list(tensor.shape),
            "data_offsets": [begin, end],
        }
    text = json.dumps(entries).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text


def _verified(stream: IO[bytes]) -> dict[str, str]:
    """The metadata of a file whose bytes are those that were written."""
    length = int.from_bytes(stream.read(8), "little")
    if not 0 < length <= _LONGEST_HEADER:
        raise ValueError("it has no header")
    header = stream.read(length)
    entries = parsed(header)
    metadata = entries.get("__metadata__") if isinstance(entries, dict) else None
    if not isinstance(metadata, dict) or metadata.get("kind") != _KIND:
        raise ValueError("it holds something else")
    if metadata.get("version") != str(VERSION):
        raise _OtherVersion(
            f"was written by another version of this program (its format is "
            f"{metadata.get('version')}, ours {VERSION})"
        )
    told = str(metadata.get("digest"))
    digest = hashlib.sha256(length.to_bytes(8, "little"))
    digest.update(header.replace(told.encode(), _NO_DIGEST.encode(), 1))
    while block := stream.read(_BLOCK):
        digest.update(block)
    if digest.hexdigest() != told:
        raise ValueError("its bytes are not those that were written")
    return metadata


def _refused(path: Path, why: str) -> CheckpointError:
    previous = previous_of(path)
    with suppress(OSError):
        if previous.exists():
            return CheckpointError(
                f"'{path}' {why}. The one before it is still there: '{previous}'."
            )
    return CheckpointError(f"'{path}' {why}. Start the run anew.")
