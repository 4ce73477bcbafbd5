"""Where and in which arithmetic to compute, and what fits there."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TypeVar

import torch

from ..control.tiles import margin_of
from ..errors import OutOfMemory, SettingsError
from ..files.weights.assemble import assembled
from ..gatys.vgg import LAYERS, VGG16
from ..kernels.convolution import Convolution
from ..kernels.cudnn import CudnnConvolution, RoundedCudnnConvolution
from ..kernels.winograd import WinogradF2x2, WinogradF4x4
from .devices import has_bfloat16, has_cudnn, has_graphs
from .memory import free_memory, network_bytes_per_pixel, picture_bytes

# Whatever the picture: on a processor the scratch of the convolutions, code and buffers of
# libraries, and free pieces of the heap; on NVIDIA's cards the workspaces of cuDNN and cuBLAS.
_LIBRARY_BYTES = {"cpu": 64 << 20, "cuda": 384 << 20}
# The share of free memory that a run may plan with; the rest is the allocator's and the system's.
_SHARE = 0.8
_TILES = (2048, 1536, 1024, 768, 512, 384, 256)


R = TypeVar("R", bound="Runtime")


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
        convolution: how to convolve.
        graphs: whether the loop's work becomes CUDA graphs.
    """

    device: torch.device
    dtype: torch.dtype = torch.float32
    finish: bool = False
    memory: int | None = None
    convolution: type[Convolution] = Convolution
    graphs: bool = False

    @classmethod
    def choose(cls: type[R], device: str = "auto", precision: str = "auto") -> R:
        """The device called `device` (auto: CUDA, MPS, CPU in this order) with its free memory.

        Raises:
            SettingsError: there is no such device here.
        """
        chosen = torch.device(_best_device()) if device == "auto" else _device_named(device)
        return cls.on(chosen, precision, free_memory(chosen))

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

    def tile_for(
        self, height: int, width: int, layers: Iterable[str], history: int, extra: int = 0
    ) -> int:
        """The largest tile that fits in memory; 0 when the whole picture does.

        Args:
            height, width: of the picture, in pixels.
            layers: whose features are needed.
            history: pairs that L-BFGS remembers.
            extra: bytes for each pixel that the statistics of the style take.

        Raises:
            OutOfMemory: not even the smallest tile fits; names a size that would.
        """
        if self.memory is None:
            return 0
        budget = self.memory * _SHARE - picture_bytes(height, width, history, extra)
        per_pixel = network_bytes_per_pixel(self.widest)
        if height * width * per_pixel <= budget:
            return 0
        margin = margin_of(layers)
        for tile in _TILES:
            if (tile + 2 * margin) ** 2 * per_pixel <= budget:
                return tile
        smallest = (_TILES[-1] + 2 * margin) ** 2 * per_pixel
        room = max(0.0, self.memory * _SHARE - smallest) / picture_bytes(1, 1, history, extra)
        side = int((room * max(height, width) / min(height, width)) ** 0.5)
        raise OutOfMemory(
            f"{width}x{height} px need about "
            f"{self.estimate(height, width, history, extra=extra) / 1e9:.1f} GB, "
            f"and {self.device} has {self.memory / 1e9:.1f} GB free. "
            + (f"Use a size up to {side}." if side >= 64 else "Free some memory first.")
        )

    def estimate(self, height: int, width: int, history: int, tile: int = 0, extra: int = 0) -> int:
        """Bytes that a run of a (height, width) picture takes beside the network.

        Args:
            height, width: in pixels.
            history: pairs that L-BFGS remembers.
            tile: longest side of a tile's core; 0 is untiled.
            extra: bytes for each pixel that the statistics of the style take.
        """
        reach = tile + 2 * margin_of(LAYERS) if tile else max(height, width)
        passed = min(height, reach) * min(width, reach) * network_bytes_per_pixel(self.widest)
        return passed + picture_bytes(height, width, history, extra) + self._beside(height, width)

    def _beside(self, height: int, width: int) -> int:
        """What the convolutions up to relu5_1 hold beside their weights, and the libraries."""
        convolution = (self.exact() if self.finish else self).convolution
        return _LIBRARY_BYTES.get(self.device.type, 0) + sum(
            convolution.extra_bytes(
                layer.in_channels, layer.channels, height // layer.stride, width // layer.stride
            )
            for layer in LAYERS.values()
            if layer.name <= "relu5_1"
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
