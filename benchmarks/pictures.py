"""The pictures of a benchmark: samples, or anyone's own."""

from pathlib import Path

from torch import Tensor

from nst_core import load_image, sample
from nst_core.control.pyramid import fit, resize
from nst_core.gatys.vgg import size_of


def picture(name: str, size: int) -> Tensor:
    """A sample by name or a file, with its longer side at `size`, (1, 3, H, W)."""
    if not Path(name).exists():
        return sample(name, size)
    image = load_image(name, max_pixels=10**8)
    return resize(image, *fit(*size_of(image), size))
