"""One picture to be made: everything it needs, checked and read, and what it leaves behind."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from ..control.alpha import alpha_of
from ..control.losses import Loss
from ..files.paths import check_room
from ..files.weights import load_vgg16
from ..files.write_image import save_image
from ..gatys.vgg import VGG16
from ..processes import ALONE, Processes
from ..run.plot import plot_losses
from ..run.progress import Result
from ..run.recipes import Region, losses_of_regions
from ..run.report import report_of, save_report, summary_of
from ..run.runtime import Runtime
from ..run.staging import result_size
from ..settings import Settings
from .asked import Asked
from .console import answer, download_bar, say
from .regions import read_picture, read_with_alpha, regions_of


@dataclass(frozen=True, eq=False, kw_only=True)
class Job:
    """What the command was asked for, and what it computes with."""

    asked: Asked
    start_picture: Tensor | None
    losses: list[Loss]
    vgg: VGG16
    runtime: Runtime

    def save(self, image: Tensor, path: Path) -> None:
        """Write a picture that says how it was made."""
        summary = summary_of(
            settings=self.asked.settings,
            vgg=self.vgg,
            content=self.asked.content,
            styles=list(self.asked.words.styles),
            start=self.asked.start,
        )
        save_image(
            image,
            path,
            metadata={"nst": json.dumps(summary)},
            alpha=alpha_of(self.losses),
            bits=self.asked.settings.bits,
        )

    def save_step(self, evaluation: int, image: Tensor) -> None:
        """Write a picture on the way beside the result: out-0020.png for out.png."""
        self.save(image, self.asked.outputs.step(evaluation))

    def finish(self, result: Result, *, interrupted: bool) -> None:
        """Write all that was asked for, and say where it is. The picture comes first."""
        outputs = self.asked.outputs
        self.save(result.image, outputs.picture)
        if outputs.report:
            report = report_of(
                result,
                settings=self.asked.settings,
                vgg=self.vgg,
                runtime=self.runtime,
                content=self.asked.content,
                styles=list(self.asked.words.styles),
                start=self.asked.start,
                interrupted=interrupted,
            )
            save_report(report, outputs.report)
            say(f"Report: {outputs.report}")
        if outputs.plot:
            save_image(plot_losses(result.records), outputs.plot)
            say(f"Plot: {outputs.plot}")
        answer(outputs.picture)


def prepared(
    asked: Asked,
    *,
    vgg: VGG16 | None = None,
    regions: Sequence[Region] | None = None,
    runtime: Runtime | None = None,
    processes: Processes = ALONE,
    writes: bool = True,
) -> Job:
    """The job: pictures read, losses made, and then the network loaded.

    Args:
        asked: what for.
        vgg, regions, runtime: the network, the styles read, and where to compute, of those who
            have them already.
        processes: those that make the picture together.
        writes: whether there must be room for the result.
    """
    settings, start = asked.settings, asked.start
    start_picture = read_picture(start, settings) if start is not None else None
    content, alpha = read_with_alpha(asked.content, settings) if asked.content else (None, None)
    if regions is None:
        regions = regions_of(asked.words, settings)
    losses = losses_of_regions(content, regions, settings, alpha=alpha)
    if writes:
        size = result_size(losses, settings, start_picture)
        channels = 3 if alpha is None else 4
        check_room(asked.outputs.picture, *size, bits=settings.bits, channels=channels)
    runtime = runtime or Runtime.choose(settings.device, settings.precision, processes)
    return Job(
        asked=asked,
        start_picture=start_picture,
        losses=losses,
        vgg=vgg or network_of(settings),
        runtime=runtime,
    )


def network_of(settings: Settings) -> VGG16:
    """The network, with the one line that says which weights it has."""
    asked = settings.preprocessing
    with download_bar() as on_progress:
        vgg = load_vgg16(
            settings.weights,
            pooling=settings.pooling,
            preprocessing=None if asked == "auto" else asked,
            on_message=say,
            on_progress=on_progress,
        )
    if settings.weights != "auto":  # auto has said which it took, and why
        say(f"Weights: {vgg.source}, '{vgg.preprocessing.name}' input.")
    return vgg
