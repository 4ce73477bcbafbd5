"""The frames of a video, and what each of them shall look like."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ..nst_core.control.alpha import alpha_of, both
from ..nst_core.control.losses import ContentLoss, Keep, Loss, StyleLoss
from ..nst_core.control.pyramid import resize
from ..nst_core.control.regions import feathered
from ..nst_core.errors import SettingsError
from ..nst_core.files.write_image import with_alpha
from ..nst_core.run.staging import result_size
from ..nst_core.settings import RunSettings
from ..nst_core.video.flows import Frame
from . import _host as host
from .losses import Chain, check_sizes
from .pictures import together, with_alpha_of


@dataclass(frozen=True, eq=False)
class Clip:
    """A video in memory. Its frames lie where the host has them, and are copied one at a time.

    Attributes:
        pictures: each (1, 3, h, w) RGB in [0, 1].
        losses: of each frame, as if all of it were painted.
        areas: what is painted of each frame, (h, w) in [0, 1]; None is everything.
        feather: width of the soft edges of the areas, in their longer sides.
        starts: of the first frame, or of every frame, as pictures; none is as the settings say.
        size: (height, width) of the result.
    """

    pictures: Sequence[Tensor]
    losses: Sequence[Sequence[Loss]]
    areas: Sequence[Tensor | None]
    feather: float
    starts: Sequence[Tensor]
    size: tuple[int, int]

    def losses_at(self, frame: Frame) -> list[Loss]:
        """The losses of a frame, but those that hold it to other frames.

        As with `Region`s, a style counts by the area that is painted; the rest keeps its pixels.
        """
        losses, area = self.losses[frame.index], self.areas[frame.index]
        if area is None:
            return list(losses)
        soft = feathered(area, self.feather)
        within = [_within(loss, soft) if isinstance(loss, StyleLoss) else loss for loss in losses]
        return [*within, Keep(image=self.pictures[frame.index], mask=1 - soft)]

    def frames(self, first: int) -> Iterator[Frame]:
        """Its frames from an index on, in the size of the result."""
        for index in range(first, len(self.pictures)):
            host.stop_if_asked()
            yield self.frame(index)

    def frame(self, index: int) -> Frame:
        """One of them."""
        return Frame(index, self._resized(self.pictures[index]))

    def start_of(self, frame: Frame) -> Tensor | None:
        """The picture that a frame starts from, in the size of the result."""
        if frame.index >= len(self.starts):
            return None
        return self._resized(self.starts[frame.index])

    def masks(self) -> Tensor:
        """(B, H, W), how transparent each frame is: 1 is fully, as in the host's masks."""
        alphas = [alpha_of(losses) for losses in self.losses]
        like = torch.zeros(1, 3, *self.size)
        black = host.to_host(like)[..., 0]
        if not any(alpha is not None for alpha in alphas):
            return black.expand(len(alphas), -1, -1)
        masks = black.repeat(len(alphas), 1, 1)
        for mask, alpha in zip(masks, alphas, strict=True):
            if alpha is not None:
                opaque = with_alpha(like, alpha, keep=True)[3:]  # (1, H, W)
                mask.copy_(host.to_host(1 - opaque[None])[0, ..., 0])
        return masks

    def _resized(self, picture: Tensor) -> Tensor:
        return resize(picture.detach().float(), *self.size)


def clip_of(
    image: Tensor,
    chain: Chain,
    *,
    masks: Sequence[Tensor | None],
    feather: float,
    starts: Sequence[Tensor],
    settings: RunSettings,
) -> Clip:
    """Frames, with their losses out of a chain.

    Args:
        image: (B, H, W, C), the host's.
        chain: losses of the frames. Without a Content Loss, each frame is its own content.
        masks: what is painted: (h, w) for each frame, or one for all; None is everything.
        feather: width of their soft edges, in their longer sides.
        starts: pictures to start from: none, one or B.
        settings: of the run.

    Raises:
        SettingsError: there are not as many of one as of the others, or contents are no frames.
    """
    frames = with_alpha_of(image, "video's")
    if len(starts) not in (0, 1, len(frames)):
        raise SettingsError(
            f"There are {len(starts)} start pictures and {len(frames)} frames. Start from one "
            "picture, or from one for each frame."
        )
    contents = tuple(ContentLoss(image=picture, alpha=alpha) for picture, alpha in frames)
    given = [link for link in chain if isinstance(link[0], ContentLoss)]
    if given and len(given[0]) < len(frames):
        raise SettingsError(
            f"The Content Loss has one picture, and the video has {len(frames)} frames. Connect "
            "the frames to the Content Loss too, or leave it out: each frame then is its own "
            "content."
        )
    check_sizes(contents[0], "video's")
    links = chain if given else (contents, *chain)
    rows = together("The video's frames, masks and losses", frames, masks, *links)
    clip = Clip(
        pictures=[picture for picture, _ in frames],
        losses=[losses for _, _, *losses in rows],
        areas=[mask for _, mask, *_ in rows],
        feather=feather,
        starts=starts,
        size=result_size([contents[0]], settings),
    )
    if result_size(clip.losses[0], settings) != clip.size:
        raise SettingsError(
            "The Content Loss has pictures of another shape than the video. Connect the frames to "
            "it."
        )
    return clip


def _within(loss: StyleLoss, area: Tensor) -> StyleLoss:
    mask = both(loss.mask, area)
    assert mask is not None
    before = 1.0 if loss.mask is None else float(loss.mask.mean())
    share = float(mask.mean()) / before if before else 0.0
    return replace(loss, mask=mask, weight=loss.weight * share)
