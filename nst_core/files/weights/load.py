"""A VGG-16 by name or file: found, downloaded or made, and paired with its preprocessing."""

import logging
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor

from ...errors import WeightsError
from ...gatys.vgg import VGG16
from . import builtin, untrained
from .assemble import assembled
from .download import ByteProgress
from .identity import Identity, choose_preprocessing, identify
from .library import get_weights, read_named
from .preprocessings import preprocessing_named
from .sources import SOURCES, find_all
from .vgg_file import read_vgg16

NAMES = ("auto", *SOURCES, "builtin", "untrained")
AUTO_PATIENCE = 3.0  # seconds; a network that says nothing may cost 5, with making `builtin`

_LOG = logging.getLogger("nst_core")
_Made = tuple[Mapping[str, Tensor], Identity]
_BUILTIN = Identity("builtin", builtin.SOURCE, builtin.PREPROCESSING.name, "making")
_UNTRAINED = Identity("untrained", untrained.SOURCE, untrained.PREPROCESSING.name, "making")


def load_vgg16(
    weights: str | Path = "auto",
    *,
    pooling: str = "max",
    preprocessing: str | None = None,
    folders: Sequence[Path] = (),
    on_message: Callable[[str], None] = _LOG.warning,
    on_progress: ByteProgress | None = None,
) -> VGG16:
    """The network, on the CPU in float32, without gradients for its weights.

    Args:
        weights: one of `NAMES`, or a file: .safetensors, PyTorch's or Keras's. `auto` takes trained
            weights if it can have them at once, and `builtin` otherwise.
        pooling: "max" or "average".
        preprocessing: the input the weights want; needed only for files that do not tell.
        folders: where to look for files before the usual caches.
        on_message: receives each line a user should read: what was taken, skipped or assumed.
        on_progress: receives (bytes so far, bytes in all) while downloading.

    Raises:
        WeightsError: the weights cannot be had, or are not VGG-16's.
        SettingsError: an unknown pooling or preprocessing.
    """
    if preprocessing is not None:
        preprocessing_named(preprocessing)  # a wrong name is told before the download, not after
    # Hosts call us in inference mode, whose tensors can never take part in a gradient later.
    with torch.inference_mode(False):
        tensors, identity = _choose(weights, folders, on_message, on_progress)
        chosen, _ = choose_preprocessing(identity, preprocessing, on_message)
        return assembled(tensors, chosen, pooling, identity.source)


def _choose(
    weights: str | Path,
    folders: Sequence[Path],
    on_message: Callable[[str], None],
    on_progress: ByteProgress | None,
) -> _Made:
    if weights == "auto":
        return _automatic(folders, on_message, on_progress)
    if weights == "builtin":
        return builtin.builtin_weights(), _BUILTIN
    if weights == "untrained":
        return untrained.untrained_weights(), _UNTRAINED
    if isinstance(weights, str) and weights in SOURCES:
        path = get_weights(weights, folders=folders, on_progress=on_progress)
        vgg_file, identity = read_named(SOURCES[weights], path)
        return vgg_file.tensors, identity
    path = Path(os.path.expanduser(weights))
    if not os.path.exists(path):  # Path.exists raises for names that are too long
        raise WeightsError(
            f"Weights '{weights}' are neither a file nor one of {', '.join(NAMES)}. "
            "Check the path or the spelling."
        )
    vgg_file = read_vgg16(path)
    for note in vgg_file.notes:
        on_message(f"{path.name}: {note}")
    return vgg_file.tensors, identify(vgg_file)


def _automatic(
    folders: Sequence[Path], on_message: Callable[[str], None], on_progress: ByteProgress | None
) -> _Made:
    """Trained weights if they can be had at once, else ours; says which, and why."""
    for source, path in find_all(folders):
        try:
            vgg_file, identity = read_named(source, path)
        except WeightsError as error:
            on_message(f"Skipped: {error}")
            continue
        on_message(f"Weights: {identity.source}, from {path}.")
        return vgg_file.tensors, identity
    keras = SOURCES["keras"]  # the only one small enough to fetch unasked
    try:
        path = get_weights(keras.name, on_progress=on_progress, patience=AUTO_PATIENCE)
        vgg_file, identity = read_named(keras, path)
    except WeightsError as error:
        on_message(
            f"Weights: {builtin.SOURCE}, because no trained ones could be had. "
            f"{str(error).rstrip('.')}. For trained ones later: nst weights get {keras.name}"
        )
        return builtin.builtin_weights(), _BUILTIN
    on_message(f"Weights: {identity.source}, downloaded to {path}.")
    return vgg_file.tensors, identity
