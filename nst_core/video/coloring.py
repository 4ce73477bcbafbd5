"""Colors of frames. The search knows nothing of them, so frames go on from what it has found."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from torch import Tensor

from ..control.losses import Loss
from ..run.finishing import Finish, recolored
from ..run.progress import OnProgress, Preview, Progress
from ..settings import RunSettings


@dataclass(frozen=True, eq=False)
class Coloring:
    """A frame's search without colors, and the colors.

    A frame that went on from recolored ones would first have to undo that.

    Attributes:
        losses: with pictures that were recolored before, if the settings say so.
        settings: those of the search.
        finish: from what it has found to what is shown; None is the same.
    """

    losses: Sequence[Loss]
    settings: RunSettings
    finish: Finish | None

    @classmethod
    def of(cls, losses: Sequence[Loss], settings: RunSettings) -> "Coloring":
        """As the settings of colors say."""
        if settings.colors == "style" or not settings.color_strength:
            return cls(losses, settings, None)
        own = replace(settings, colors="style")
        return cls(recolored(losses, settings), own, Finish.of(losses, settings))

    def shown(self, found: Tensor) -> Tensor:
        """(1, 3, H, W) of what the search has found, likewise."""
        return found if self.finish is None else self.finish(found)

    def told(self, on_progress: OnProgress) -> OnProgress:
        """The callback, told previews with these colors."""
        if self.finish is None:
            return on_progress
        return lambda progress: on_progress(
            replace(progress, preview=_recolored_preview(progress, self.finish))
        )


def _recolored_preview(progress: Progress, finish: Finish) -> Preview:
    made = progress.preview
    return lambda longer=0: finish(made(longer))
