"""Where and in which arithmetic to compute, and what fits there."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TypeVar

import torch

from .convolution import Convolution
from .cudnn import CudnnConvolution, RoundedCudnnConvolution
from .errors import OutOfMemory, SettingsError
from .memory import free_memory
from .tiling import margin_of
from .vgg import LAYERS, VGG16, assembled
from .winograd import HalfWinograd, Winograd

# Values on the way through the network and back, per pixel: 148 outputs of those ReLUs up to
# relu5_1 that are not pooled at once, and 30 maxima; at the end of the way back 64 of them, and
# two gradients like them. The rest is what allocators round up.
_VALUES_PER_PIXEL = 256
# Where the maxima of four poolings were: 2 bytes for each of 30 values.
_INDEX_BYTES_PER_PIXEL = 60
# Float32 copies beside the network, in pictures of 12 bytes a pixel: two per curvature pair, and
# the image, gradient, trial, direction and their temporaries.
_PICTURE_BYTES = 12
_PICTURES = 12
# Content targets: relu4_2 keeps 8 values per pixel; a little more is allowed for.
_TARGET_VALUES_PER_PIXEL = 16
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

    Image, gradient, sums and curvature are float32 (or the image's own, if wider) whatever
    `dtype` is.

    Attributes:
        device: where to compute.
        dtype: of the convolutions.
        finish: whether the last steps are done in float32, because rounded features find the way
            but not its very end.
        memory: bytes that can be had; None is unknown, and then nothing is tiled on its own.
        convolution: how to convolve.
        record: whether the loop's work is recorded once and then handed over as a whole.
    """

    device: torch.device
    dtype: torch.dtype = torch.float32
    finish: bool = False
    memory: int | None = None
    convolution: type[Convolution] = Convolution
    record: bool = False

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
            return cls(device, dtype, half, memory, _quickest(device, dtype), _is_nvidias(device))
        dtype = torch.bfloat16 if precision == "bfloat16" else torch.float32
        plain = CudnnConvolution if _is_nvidias(device) else Convolution
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
            history: curvature pairs that are remembered.
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
            history: curvature pairs that are remembered.
            tile: longest side of a tile's core; 0 is untiled.
            extra: bytes for each pixel that the statistics of the style take.
        """
        reach = tile + 2 * margin_of(LAYERS) if tile else max(height, width)
        walked = min(height, reach) * min(width, reach) * network_bytes_per_pixel(self.widest)
        return walked + picture_bytes(height, width, history, extra) + self._beside(height, width)

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


def network_bytes_per_pixel(dtype: torch.dtype) -> int:
    """Memory of one walk through the network and back, per pixel."""
    return _VALUES_PER_PIXEL * dtype.itemsize + _INDEX_BYTES_PER_PIXEL


def picture_bytes(height: int, width: int, history: int, extra: int = 0) -> int:
    """Memory that a run holds whatever the tiles are: pictures, curvature, targets."""
    pictures = _PICTURE_BYTES * (_PICTURES + 2 * history)
    return height * width * (pictures + _TARGET_VALUES_PER_PIXEL * 4 + extra)


def has_bfloat16(device: torch.device) -> bool:
    """Whether a device multiplies bfloat16 in hardware, much faster than float32.

    What the device says of itself, not a measurement: the same machine always takes the same
    path, and so finds the same picture.
    """
    if device.type == "cuda":
        # Emulated before Ampere, which was the first with units of its own (capability 8.0).
        return torch.cuda.get_device_capability(device) >= (8, 0)
    if device.type == "cpu":
        names = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
        tests = [getattr(torch.cpu, name, None) for name in names]  # older torch lacks some
        return any(test() for test in tests if test is not None)
    return False


def _quickest(device: torch.device, dtype: torch.dtype) -> type[Convolution]:
    """How to convolve."""
    if _is_nvidias(device):
        return RoundedCudnnConvolution
    if device.type != "cpu":
        return Convolution
    return HalfWinograd if dtype == torch.bfloat16 else Winograd


def _is_nvidias(device: torch.device) -> bool:
    """Whether there is cuDNN; AMD's cards call themselves CUDA too."""
    return device.type == "cuda" and torch.version.cuda is not None


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
