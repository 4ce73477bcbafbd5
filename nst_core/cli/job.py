"""One picture to be made: everything it needs, checked and read, and what it leaves behind."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer
from torch import Tensor

from ..image_io import save_image
from ..plot import plot_losses
from ..recipes import losses_of_regions
from ..report import report_of, save_report, summary_of
from ..runtime import Runtime
from ..settings import Settings
from ..stylize import Result
from ..terms import Loss
from ..vgg import VGG16
from ..weights import load_vgg16
from .console import download_bar, say
from .files import Outputs, read_picture, read_start
from .options import settings_of
from .regions import Words, regions_of


@dataclass(frozen=True, eq=False, kw_only=True)
class Job:
    """What the command was asked for, and what it computes with."""

    content: str | None
    words: Words
    start: str | None
    start_picture: Tensor | None
    losses: list[Loss]
    settings: Settings
    vgg: VGG16
    runtime: Runtime
    outputs: Outputs

    def save(self, image: Tensor, path: Path) -> None:
        """Write a picture that says how it was made."""
        summary = summary_of(
            settings=self.settings,
            vgg=self.vgg,
            content=self.content,
            styles=list(self.words.styles),
            start=self.start,
        )
        save_image(image, path, metadata={"nst": json.dumps(summary)})

    def save_step(self, evaluation: int, image: Tensor) -> None:
        """Write a picture on the way beside the result: out-0020.png for out.png."""
        output = self.outputs.picture
        name = f"{output.stem}-{evaluation:04}{output.suffix}"
        self.save(image, output.with_name(name))

    def finish(self, result: Result, *, interrupted: bool) -> None:
        """Write all that was asked for, and say where it is. The picture comes first."""
        self.save(result.image, self.outputs.picture)
        if self.outputs.report:
            report = report_of(
                result,
                settings=self.settings,
                vgg=self.vgg,
                runtime=self.runtime,
                content=self.content,
                styles=list(self.words.styles),
                start=self.start,
                interrupted=interrupted,
            )
            save_report(report, self.outputs.report)
            say(f"Report: {self.outputs.report}")
        if self.outputs.plot:
            save_image(plot_losses(result.records), self.outputs.plot)
            say(f"Plot: {self.outputs.plot}")
        typer.echo(self.outputs.picture)


def prepared(
    content: str | None, words: Words, outputs: Outputs, preset: str, flags: Mapping[str, Any]
) -> Job:
    """The job, once all that can be refused without the network was looked at before loading it."""
    settings, start = settings_of(preset, flags)
    named = [content, *words.files, start]
    outputs.check([name for name in named if name])
    start_picture = read_start(start, settings)
    picture = read_picture(content, settings) if content else None
    losses = losses_of_regions(picture, regions_of(words, settings), settings)
    runtime = Runtime.choose(settings.device, settings.precision)
    return Job(
        content=content,
        words=words,
        start=start,
        start_picture=start_picture,
        losses=losses,
        settings=settings,
        vgg=_network(settings),
        runtime=runtime,
        outputs=outputs,
    )


def _network(settings: Settings) -> VGG16:
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
