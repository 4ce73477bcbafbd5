"""Where and in which arithmetic to compute."""

from dataclasses import dataclass, replace
from typing import TypeVar

import torch

from ..control.known import KnownStyles
from ..errors import SettingsError
from ..files.weights.assemble import assembled
from ..gatys.vgg import VGG16
from ..kernels.convolution import Convolution
from ..kernels.cudnn import CudnnConvolution, RoundedCudnnConvolution
from ..kernels.winograd import WinogradF2x2, WinogradF4x4
from ..processes import ALONE, Processes
from .devices import has_bfloat16, has_cudnn, has_graphs
from .memory import free_memory, held_memory

R = TypeVar("R", bound="Runtime")

# The share of free memory that a run may plan with; the rest is the allocator's and the system's.
_SHARE = 0.8


@dataclass(frozen=True)
class Runtime:
    """A device, the arithmetic of the convolutions, and how many bytes a run may take.

    Image, gradient, sums and L-BFGS history are float32 (or the image's own, if wider) whatever
    `dtype` is.

    Attributes:
        device: where to compute.
        dtype: of the convolutions.
        finish: whether the last steps are done in float32, because rounded features lead near the
            minimum but not to it.
        memory: bytes that can be had; None is unknown, and then nothing is tiled on its own.
        limited: whether that is what the user allows; else some of it is left to others.
        convolution: how to convolve.
        graphs: whether the loop's work becomes CUDA graphs.
        processes: those that share one picture.
        known: what is kept of styles from one run to the next; None is nothing. For runs with the
            same network.
    """

    device: torch.device
    dtype: torch.dtype = torch.float32
    finish: bool = False
    memory: int | None = None
    convolution: type[Convolution] = Convolution
    graphs: bool = False
    limited: bool = False
    processes: Processes = ALONE
    known: KnownStyles | None = None

    @classmethod
    def choose(
        cls: type[R], device: str = "auto", precision: str = "auto", processes: Processes = ALONE
    ) -> R:
        """The device called `device` (auto: CUDA, MPS, CPU in this order) with its free memory.

        Of several processes that share a picture, each takes its own device and its share of the
        memory; they plan with the smallest.

        Raises:
            SettingsError: there is no such device here.
        """
        name = processes.device(_best_device() if device == "auto" else device)
        chosen = torch.device(name) if device == "auto" else _device_named(name)
        memory = processes.memory_each(free_memory(chosen), chosen.type)
        return replace(cls.on(chosen, precision, memory), processes=processes)

    @classmethod
    def on(cls: type[R], device: torch.device, precision: str, memory: int | None = None) -> R:
        """A device that the caller chose, with a `precision` of the settings."""
        if precision == "auto":
            half = has_bfloat16(device)
            dtype = torch.bfloat16 if half else torch.float32
            return cls(device, dtype, half, memory, _quickest(device, dtype), has_graphs(device))
        dtype = torch.bfloat16 if precision == "bfloat16" else torch.float32
        plain = CudnnConvolution if has_cudnn(device, dtype) else Convolution
        return cls(device, dtype, memory=memory, convolution=plain)

    @property
    def widest(self) -> torch.dtype:
        """The widest arithmetic of a run: what its memory must be enough for."""
        return torch.float32 if self.finish else self.dtype

    @property
    def budget(self) -> float | None:
        """Bytes that a run may plan with; None is unknown."""
        if self.memory is None or self.limited:
            return self.memory
        return self.memory * _SHARE

    def within(self: R, limit: int | None) -> R:
        """The same with at most so many bytes in all, those that are held already among them."""
        if limit is None:
            return self
        return replace(self, memory=max(0, limit - held_memory(self.device)), limited=True)

    def exact(self: R) -> R:
        """The same in float32, for the last steps."""
        quickest = _quickest(self.device, torch.float32)
        return replace(self, dtype=torch.float32, finish=False, convolution=quickest)

    def place(self, vgg: VGG16) -> VGG16:
        """The network, here and in this dtype. The caller's own is not touched.

        Weights that are here already are shared, not copied. A host may have moved the caller's
        network in inference mode, which makes tensors that cannot take part in a gradient; those
        are copied in any case.
        """
        weights = {
            name: weight.clone() if weight.is_inference() else weight
            for name, weight in vgg.weights().items()
        }
        kind = vgg.preprocessing, vgg.pooling, vgg.source
        return assembled(
            weights,
            *kind,
            dtype=self.dtype,
            device=self.device,
            copy=False,
            convolution=self.convolution.maker(),
        )


def _quickest(device: torch.device, dtype: torch.dtype) -> type[Convolution]:
    """How to convolve."""
    if has_cudnn(device, dtype):
        return RoundedCudnnConvolution
    if device.type != "cpu":
        return Convolution
    return WinogradF2x2 if dtype == torch.bfloat16 else WinogradF4x4


def _best_device() -> str:
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def _device_named(name: str) -> torch.device:
    try:
        device = torch.device(name)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError) as error:  # torch raises either, by device
        raise SettingsError(
            f"Device '{name}' cannot be used here: {str(error).splitlines()[0]} Use auto or cpu."
        ) from error
    return device
