"""Weights in 8 bits: integers, a float32 factor for each filter and one for each input channel.

The second factor is for channels of very different loudness: on one grid for a whole filter, what
it does with the quiet ones would be lost.
"""

from collections.abc import Mapping

import torch
from torch import Tensor

_LARGEST = 127  # of 8 bits with a sign
_FILTERS, _INPUTS = ".scale", ".input_scale"


def quantized(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Filters, (out, in, h, w), as int8 with factors (out,) and (in,); other tensors float32."""
    small: dict[str, Tensor] = {}
    for name, tensor in tensors.items():
        if tensor.ndim != 4:
            small[name] = tensor.float()
            continue
        inputs = _not_zero(tensor.float().abs().amax(dim=(0, 2, 3)))
        even = tensor.float() / inputs.view(1, -1, 1, 1)
        filters = _not_zero(even.abs().amax(dim=(1, 2, 3))) / _LARGEST
        small[name] = (even / filters.view(-1, 1, 1, 1)).round().to(torch.int8).contiguous()
        small[name + _FILTERS], small[name + _INPUTS] = filters, inputs
    return small


def restored(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Float32 in place of whatever `quantized` made; other tensors as they are.

    Raises:
        ValueError: factors of other shapes than a tensor needs, or that are no floats.
    """
    whole = {}
    for name, tensor in tensors.items():
        filters, inputs = tensors.get(name + _FILTERS), tensors.get(name + _INPUTS)
        if tensor.dtype == torch.int8 and filters is not None and inputs is not None:
            _check(name, tensor, filters, inputs)
            whole[name] = tensor * filters.view(-1, 1, 1, 1) * inputs.view(1, -1, 1, 1)
        elif not name.endswith((_FILTERS, _INPUTS)):
            whole[name] = tensor
    return whole


def _check(name: str, tensor: Tensor, filters: Tensor, inputs: Tensor) -> None:
    found = [tuple(factors.shape) for factors in (filters, inputs)]
    wanted = [(size,) for size in tensor.shape[:2]]
    if tensor.ndim != 4 or found != wanted:
        raise ValueError(
            f"{name} is stored in 8 bits as {tuple(tensor.shape)}, and its factors have the shapes "
            f"{found[0]} and {found[1]}"
        )
    if not (filters.is_floating_point() and inputs.is_floating_point()):
        raise ValueError(f"{name} is stored in 8 bits, and its factors are {filters.dtype}")


def _not_zero(factor: Tensor) -> Tensor:
    """One in place of zero: zeros have no scale to divide by."""
    return torch.where(factor > 0, factor, 1.0)
