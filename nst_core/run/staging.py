"""Before the work: pictures to the device and to a scale's size, and the picture to start from."""

from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from ..control.losses import (
    ContentLoss,
    Keep,
    Loss,
    StyleLoss,
    Weighed,
)
from ..control.pyramid import Scale, fit, resize
from ..control.resized import resized_picture
from ..errors import ImageError, SettingsError
from ..gatys.minimizer import Bounds
from ..gatys.vgg import size_of
from ..settings import RunSettings

# Standard deviation of the noise start around mid-gray: white noise that hardly clips at 0 and 1.
NOISE = 0.15


def picture(image: Tensor, device: torch.device) -> Tensor:
    """A (1, 3, H, W) picture, contiguous, float32 or wider, on the device; never written to."""
    if image.ndim != 4 or image.shape[0] != 1 or image.shape[1] != 3 or 0 in image.shape:
        raise ImageError(
            f"A picture has the shape {tuple(image.shape)}. Use (1, 3, height, width), RGB."
        )
    dtype = torch.promote_types(image.dtype, torch.float32)
    copy = not is_shared(image, device)
    return image.detach().to(device, dtype, copy=copy, memory_format=torch.contiguous_format)


def is_shared(image: Tensor, device: torch.device) -> bool:
    """Whether a run on a processor looks at a picture where it lies, and makes no copy.

    Matrix libraries sum numbers beside a boundary of 64 bytes in another order, and what was made
    in inference mode has no gradient.
    """
    here = image.device == device and device.type == "cpu"
    usual = image.is_contiguous() and image.dtype in (torch.float32, torch.float64)
    return here and usual and not image.is_inference() and image.data_ptr() % 64 == 0


def moved(loss: Loss, device: torch.device) -> Loss:
    """The same loss with its pictures and masks on the device."""
    return loss.map(
        images=lambda image: picture(image, device),
        masks=lambda mask: mask.detach().to(device, torch.float32, copy=True),
    )


def resized(loss: Weighed, scale: Scale, shape: str) -> Weighed:
    """The same loss with its pictures at a scale's size.

    Content takes the scale's exact size; a style keeps its proportions, unless `shape` is
    "square", and its longer side is the scale's, times the loss's own `scale`.
    """
    if isinstance(loss, StyleLoss):
        return loss.map(
            lambda image: resized_picture(
                image, *style_size(loss, image, scale.height, scale.width, shape)
            )
        )
    return loss.map(lambda image: resize(image, scale.height, scale.width))


def style_size(
    loss: StyleLoss, image: Tensor, height: int, width: int, shape: str
) -> tuple[int, int]:
    """(height, width) of one of a style's pictures beside a (height, width) result."""
    longer = max(1, round(max(height, width) * loss.scale))
    return (longer, longer) if shape == "square" else fit(*size_of(image), longer)


def needed_size(
    settings: RunSettings, factor: float = 1.0
) -> Callable[[int, int], tuple[int, int]]:
    """For readers of large files: (height, width) of a picture -> that in which a run looks at it.

    Args:
        settings: of the run.
        factor: of a style, `style_scale`; of the others, 1.
    """
    longer = max(1, round(settings.size * factor))

    def needed(height: int, width: int) -> tuple[int, int]:
        return (longer, longer) if settings.shape == "square" else fit(height, width, longer)

    return needed


def result_size(
    losses: Sequence[Loss], settings: RunSettings, start: Tensor | None = None
) -> tuple[int, int]:
    """The result's (height, width): proportions of the content, else of the start or style."""
    if settings.shape == "square":
        return settings.size, settings.size
    given = [] if start is None else [start]
    pictures = [*_contents(losses), *given, *_styles(losses)]
    if not pictures:
        raise SettingsError("There is no picture. Give a content loss or a style loss.")
    height, width = size_of(pictures[0])
    if settings.aspect and not _contents(losses) and not given:
        height, width = 1000, round(1000 * settings.aspect)
    return fit(height, width, settings.size)


def bounds_of(keeps: Sequence[Keep], scale: Scale, bounded: bool) -> Bounds | None:
    """The smallest and the largest value that each pixel may have at a scale."""
    if not keeps:
        return (0.0, 1.0) if bounded else None
    low, high = torch.zeros(()), torch.ones(())
    for keep in keeps:
        image = resize(keep.image, scale.height, scale.width)
        # Bicubic would let go of pixels beside an edge; the mean is 1 where all that is met is.
        mask = F.interpolate(keep.mask[None, None], (scale.height, scale.width), mode="area")
        low = torch.maximum(low.to(image), mask * image)
        high = torch.minimum(high.to(image), mask * image + (1 - mask))
    return low, high


def first_picture(
    losses: Sequence[Loss], scale: Scale, settings: RunSettings, device: torch.device
) -> Tensor:
    """The picture that `settings.init` says to start from, (1, 3, H, W) at the scale's size."""
    shape = (1, 3, scale.height, scale.width)
    image = picture_to_start(losses, settings)
    if image is not None:
        return resize(image, scale.height, scale.width)
    if settings.init == "gray":
        return torch.full(shape, 0.5, device=device)
    # Drawn on the CPU, so that every device starts from the same noise.
    generator = torch.Generator().manual_seed(_seed(settings.seed))
    return (0.5 + NOISE * torch.randn(shape, generator=generator)).clamp(0, 1).to(device)


def picture_to_start(losses: Sequence[Loss], settings: RunSettings) -> Tensor | None:
    """The content or style picture that `settings.init` names; None if it names neither.

    Raises:
        SettingsError: there is no such picture.
    """
    if settings.init not in ("content", "style"):
        return None
    pictures = _contents(losses) if settings.init == "content" else _styles(losses)
    if not pictures:
        raise SettingsError(
            f"There is no {settings.init} picture to start from. Start from gray or noise."
        )
    return pictures[0]


def detail_of(losses: Sequence[Loss], start: Tensor | None, settings: RunSettings) -> Tensor | None:
    """What larger scales take their detail from: the content, if the search began with it."""
    contents = _contents(losses)
    return contents[0] if contents and start is None and settings.init == "content" else None


def _seed(seed: int) -> int:
    """The 32 bits that PyTorch's generator on processors takes, of the 64 that hosts have.

    Browsers keep numbers as doubles, so a seed above 2^53 is rounded to one: a page, a graph and a
    program then start from the same noise. Seeds below 2^32 stay what they are.
    """
    rounded = int(float(seed))
    return (rounded ^ rounded >> 32) & 0xFFFF_FFFF


def _contents(losses: Sequence[Loss]) -> list[Tensor]:
    return [loss.image for loss in losses if isinstance(loss, ContentLoss)]


def _styles(losses: Sequence[Loss]) -> list[Tensor]:
    return [loss.images[0] for loss in losses if isinstance(loss, StyleLoss)]
