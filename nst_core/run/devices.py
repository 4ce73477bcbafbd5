"""What a device can do, tried once with a tiny computation.

What lies between PyTorch and a card may lack what the card is said to have: translators of CUDA for
other cards, DirectML, builds and drivers of their own. So each of our quick ways is tried before it
is taken, and where it fails the plain one is taken instead, with one line in the log.
"""

import logging
from collections.abc import Callable
from functools import cache, partial

import torch
import torch.nn.functional as F
from torch import Tensor

from ..control.preconditioner import FOR_CONTENT, Spectral
from ..gatys.lbfgs import InitialHessian
from ..kernels.convolution import relu_backward
from ..kernels.cuda_graph import CudaGraph, can_capture
from ..kernels.cudnn import RoundedCudnnConvolution
from ..kernels.history import FastHistory
from ..kernels.pooling import max_pool
from ..kernels.sums import gram_sum
from .memory import is_out_of_memory

log = logging.getLogger(__name__)

# AMD's cards with units for bfloat16: CDNA, and RDNA from the third on. Others emulate it.
_AMD_BFLOAT16 = ("gfx908", "gfx90a", "gfx94", "gfx95", "gfx11", "gfx12")


def _can(
    device: torch.device, what: str, work: Callable[[torch.device], Tensor], plan: str
) -> bool:
    """Whether the work gives finite numbers there; if not, says why, and what the plan is then."""
    reason = "the result is not finite"
    try:
        with torch.inference_mode(False), torch.no_grad():
            if work(device).float().cpu().isfinite().all():
                return True
    except (RuntimeError, TypeError) as error:  # by device
        if is_out_of_memory(error):
            raise
        reason = (str(error).splitlines() or [type(error).__name__])[0]
    log.warning(f"{what} fails on {device} ({reason}). {plan}")
    return False


def is_nvidias(device: torch.device) -> bool:
    """Whether there may be cuDNN; AMD's cards call themselves CUDA too."""
    return device.type == "cuda" and torch.version.cuda is not None


@cache
def has_bfloat16(device: torch.device) -> bool:
    """Whether a device multiplies bfloat16 in hardware, much faster than float32.

    What the device says of itself, not a measurement: the same machine always takes the same
    path, and so finds the same picture.
    """
    if device.type == "cpu":
        names = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
        tests = [getattr(torch.cpu, name, None) for name in names]  # older torch lacks some
        return any(test() for test in tests if test is not None)
    if device.type != "cuda" or not _says_bfloat16(device):
        return False
    plan = "Convolutions are computed in float32, which is slower."
    return _can(device, "A convolution in bfloat16", _bfloat16, plan)


def _says_bfloat16(device: torch.device) -> bool:
    if is_nvidias(device):
        # Emulated before Ampere, which was the first with units of its own (capability 8.0).
        return torch.cuda.get_device_capability(device) >= (8, 0)
    name = str(torch.cuda.get_device_properties(device).gcnArchName)
    return name.startswith(_AMD_BFLOAT16)


def _bfloat16(device: torch.device) -> Tensor:
    features = torch.ones(1, 8, 8, 8, dtype=torch.bfloat16, device=device)
    weight = features.new_ones(8, 8, 3, 3)
    return F.conv_transpose2d(F.conv2d(features, weight, padding=1), weight, padding=1)


def has_cudnn(device: torch.device, dtype: torch.dtype) -> bool:
    """Whether convolutions can be asked for from cuDNN, which belongs to NVIDIA's cards."""
    return is_nvidias(device) and _has_cudnn(device, dtype, torch.backends.cudnn.enabled)


@cache
def _has_cudnn(device: torch.device, dtype: torch.dtype, enabled: bool) -> bool:
    plan = "Convolutions are PyTorch's own."
    if not enabled:
        log.warning(f"cuDNN is turned off in this process. {plan}")
        return False
    return _can(device, f"cuDNN in {dtype}", partial(_cudnn, dtype=dtype), plan)


def _cudnn(device: torch.device, dtype: torch.dtype) -> Tensor:
    with torch.device("meta"):  # PyTorch's own initialization would draw random numbers
        convolution = RoundedCudnnConvolution(8, 8)
    convolution = convolution.to(dtype).to_empty(device=device)
    for weight in convolution.parameters():
        weight.fill_(1)
    features = torch.ones(1, 8, 8, 8, dtype=dtype, device=device)
    return convolution.input_gradient(convolution(features))


@cache
def has_graphs(device: torch.device) -> bool:
    """Whether work can be captured as CUDA graphs."""
    if not is_nvidias(device):
        return False
    if not can_capture(torch.version.cuda, torch.cuda.get_allocator_backend()):
        return True  # but will not: `executor` says why
    return _can(device, "A CUDA graph", _graph, "Work is done without, which is slower.")


def _graph(device: torch.device) -> Tensor:
    graph, one = CudaGraph(), torch.ones(8, device=device)
    for _ in range(3):  # plainly, captured, replayed
        (two,) = graph(lambda x: (x + 1,), one)
    return two


@cache
def fft_device(device: torch.device) -> torch.device:
    """Where to compute Fourier transforms of a device's images: there, or on the CPU."""
    plan = "Fourier transforms are computed on the processor, which is slower."
    return device if _can(device, "A Fourier transform", _fft, plan) else torch.device("cpu")


def _fft(device: torch.device) -> Tensor:
    spectral, image = Spectral(8, 8, device, FOR_CONTENT), torch.ones(1, 3, 8, 8, device=device)
    matrix = spectral.matrix(torch.zeros(1, spectral.values, device=device))
    return matrix(image) + matrix.quadratic_form(image)


@cache
def history_dtype(device: torch.device) -> torch.dtype | None:
    """Of the small numbers in `FastHistory`; None where only the plain recursion works."""
    plans = {
        torch.float64: "L-BFGS solves its small systems in float32.",
        torch.float32: "L-BFGS takes the plain recursion, which is slower.",
    }
    if device.type == "mps":  # known to have none
        del plans[torch.float64]
    for dtype, plan in plans.items():
        if _can(device, f"L-BFGS in {dtype}", partial(_history, dtype=dtype), plan):
            return dtype
    return None


def _history(device: torch.device, dtype: torch.dtype) -> Tensor:
    image = torch.ones(1, 3, 4, 4, device=device)
    history = FastHistory(2, image, InitialHessian(), dtype=dtype)
    history.update(image, image)
    return history.direction(image, image > 0)


@cache
def has_kernels(device: torch.device) -> bool:
    """Whether what `fast_network` and `FAST_SUMS` ask of PyTorch by hand is there."""
    plan = "Gradients are PyTorch's own, which takes more memory and time."
    return _can(device, "The backward pass by hand", _kernels, plan)


def _kernels(device: torch.device) -> Tensor:
    features = torch.ones(1, 8, 8, 8, device=device).contiguous(memory_format=torch.channels_last)
    pooled = max_pool(features)
    gradient = pooled.backward(pooled.features)
    gradient = relu_backward(gradient, features, gradient)
    with torch.enable_grad():
        leaf = features.detach().requires_grad_()
        return torch.autograd.grad(gram_sum(leaf).sum(), leaf)[0] + gradient
