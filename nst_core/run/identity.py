"""What a run is of: pictures, weights, settings and arithmetic, in a form that can be compared."""

import hashlib
import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from typing import Any

import torch
from torch import Tensor

from ..control.losses import Loss
from ..errors import CheckpointError, SettingsError
from ..gatys.vgg import VGG16
from ..processes import Processes
from ..settings import RunSettings
from .runtime import Runtime

log = logging.getLogger(__name__)

# Where to compute, in which tiles and in how much memory is the machine's affair.
_NOT_COMPARED = ("device", "tile", "memory", "cards")
_CALLED = {
    "pictures": "other pictures or masks",
    "losses": "other losses or weights of losses",
    "network": "other network weights",
}


def identity_of(
    losses: Sequence[Loss],
    start: Tensor | None,
    vgg: VGG16,
    settings: RunSettings,
    runtime: Runtime,
) -> dict[str, Any]:
    """A run's identity, as JSON has it: two runs with the same find the same picture."""
    pictures, values = hashlib.sha256(), hashlib.sha256()
    for loss in losses:
        values.update(type(loss).__name__.encode())
        for item in fields(loss):
            _update(pictures, values, getattr(loss, item.name))
    _update(pictures, values, start)
    processes = runtime.processes.size
    network = hashlib.sha256(f"{vgg.pooling} {vgg.preprocessing}".encode())
    for name, weight in sorted(vgg.weights().items()):
        network.update(name.encode())
        _update(network, network, weight)
    kept = {item.name for item in fields(RunSettings)} - set(_NOT_COMPARED)
    return {
        "pictures": pictures.hexdigest(),
        "losses": values.hexdigest(),
        "network": network.hexdigest(),
        "settings": {name: value for name, value in asdict(settings).items() if name in kept},
        "arithmetic": _arithmetic(runtime),
        "machine": [
            torch.__version__,
            torch.backends.cpu.get_cpu_capability(),
            _threads(runtime),
            *([f"{processes} processes"] if processes > 1 else []),
        ],
    }


def check_identity(found: Mapping[str, Any], wanted: Mapping[str, Any]) -> None:
    """Whether a checkpoint of the run `found` may go on as the run `wanted`.

    Another machine is announced by a line, because sums may differ there in their last digits.

    Raises:
        CheckpointError: it is of other pictures, weights, settings or arithmetic.
    """
    for part, called in _CALLED.items():
        if found.get(part) != wanted[part]:
            raise CheckpointError(f"The checkpoint belongs to {called}. Start the run anew.")
    theirs = found.get("settings")
    theirs = theirs if isinstance(theirs, Mapping) else {}
    for name, value in wanted["settings"].items():
        if theirs.get(name) != value:
            raise CheckpointError(
                f"The checkpoint was made with {name.replace('_', ' ')} {theirs.get(name)}, and "
                f"now it is {value}. Go on with the same, or start the run anew."
            )
    if found.get("arithmetic") != wanted["arithmetic"]:
        raise CheckpointError(
            f"The checkpoint was made on {_words(found.get('arithmetic'))}, and this is "
            f"{_words(wanted['arithmetic'])}. Choose the same device and precision, or start anew."
        )
    if found.get("machine") != wanted["machine"]:
        log.warning(
            "The checkpoint was made with PyTorch %s, and here it is %s: the picture may differ in "
            "its last digits from that of a run which was not stopped.",
            _words(found.get("machine")),
            _words(wanted["machine"]),
        )


def check_alike(run: Mapping[str, Any], processes: Processes) -> None:
    """Whether all processes of a picture have the same pictures, weights, settings and arithmetic.

    Raises:
        SettingsError: one has others, in all processes.
    """
    every = processes.told(run)
    for rank, other in enumerate(every):
        parts = [name for name, value in every[0].items() if other[name] != value]
        if parts and parts != ["machine"]:
            raise SettingsError(
                f"Process {rank} has other {' and '.join(parts)} than process 0. Give all of them "
                "the same files, the same words and the same kind of device."
            )
        if parts:
            log.warning(
                "Process %d runs with PyTorch %s, and process 0 with %s: that may be slower.",
                rank,
                _words(other["machine"]),
                _words(every[0]["machine"]),
            )


def _arithmetic(runtime: Runtime) -> list[str]:
    dtype = str(runtime.dtype).removeprefix("torch.")
    finish = " with a float32 finish" if runtime.finish else ""
    return [runtime.device.type, dtype + finish, runtime.convolution.__name__]


def _threads(runtime: Runtime) -> int:
    return torch.get_num_threads() if runtime.device.type == "cpu" else 0


def _words(parts: object) -> str:
    return ", ".join(map(str, parts)) if isinstance(parts, list) else str(parts)


def _update(pictures: "hashlib._Hash", values: "hashlib._Hash", value: object) -> None:
    """A loss's field to one of the digests: tensors are pictures, all else are values."""
    if isinstance(value, Tensor):
        pictures.update(f"{value.dtype} {tuple(value.shape)}".encode())
        pictures.update(value.detach().cpu().contiguous().flatten().numpy().view("uint8").data)
    elif isinstance(value, tuple):
        values.update(f"tuple {len(value)}".encode())
        for part in value:
            _update(pictures, values, part)
    else:
        values.update(repr(value).encode())
