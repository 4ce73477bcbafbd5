"""The one entry point: losses in, a picture out, straight down from coarse to fine."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from .errors import ImageError, SettingsError
from .objective import Evaluation, Objective
from .optimizer import Minimizer, State
from .progress import OnProgress, Progress, Record, ignore_progress
from .pyramid import Scale, fit, plan_scales, resize
from .runtime import Runtime
from .settings import LossSettings, RunSettings
from .terms import ContentLoss, Loss, StyleLoss, TotalVariationLoss
from .vgg import VGG16, size_of

# Standard deviation of the noise start around mid-gray: white noise that hardly clips at 0 and 1.
NOISE = 0.15


@dataclass(frozen=True, eq=False)
class Result:
    """A finished picture and how it came about.

    Attributes:
        image: (1, 3, H, W) float32 RGB in [0, 1] on the CPU.
        records: every evaluation, over all scales.
        scales: the sizes that were worked on.
        stops: why each scale ended, in words.
        tile: longest side of the last scale's tiles in pixels; 0 is untiled.
        seconds: of the whole run.
    """

    image: Tensor
    records: tuple[Record, ...]
    scales: tuple[Scale, ...]
    stops: tuple[str, ...]
    tile: int
    seconds: float


def losses_of(content: Tensor, styles: Sequence[Tensor], settings: LossSettings) -> list[Loss]:
    """The usual three losses: one content, one style from any number of pictures, smoothness.

    Args:
        content: (1, 3, H, W) RGB in [0, 1].
        styles: each likewise, of any size.
        settings: weights, layers and normalization.
    """
    norm = settings.normalization
    return [
        ContentLoss(
            image=content,
            weight=settings.content_weight,
            layers=settings.content_layers,
            normalization=norm,
        ),
        StyleLoss(
            images=tuple(styles),
            weight=settings.style_weight,
            layers=settings.style_layers,
            normalization=norm,
        ),
        TotalVariationLoss(weight=settings.tv_weight),
    ]


def stylize(
    losses: Sequence[Loss],
    *,
    vgg: VGG16,
    settings: RunSettings | None = None,
    runtime: Runtime | None = None,
    start: Tensor | None = None,
    on_progress: OnProgress = ignore_progress,
    on_tile: Callable[[], None] = lambda: None,
) -> Result:
    """Find the picture that the losses like best.

    Args:
        losses: values from `terms`, or `losses_of(content, styles, settings)`. The first content
            picture gives the proportions, else `start`, else the first style.
        vgg: from `load_vgg16`. A copy is moved to the runtime's device; yours stays as it is.
        settings: size, steps, start …; None is the defaults.
        runtime: where to compute; None chooses by the settings.
        start: a (1, 3, h, w) picture to start from, in place of `settings.init`.
        on_progress: told after each evaluation; raising there cancels.
        on_tile: called after each tile, for hosts that must hear of a cancel sooner; may raise.

    Raises:
        SettingsError, ImageTooSmall, NotFinite, OutOfMemory: what to do is in the message.
    """
    settings = settings or RunSettings()
    runtime = runtime or Runtime.choose(settings.device, settings.precision)
    # A host may call in inference mode, where nothing has a gradient and every tensor made stays
    # unusable for one: leave it, and copy what was brought along.
    with torch.inference_mode(False), torch.no_grad():
        run = _Run(
            losses=[_moved(loss, runtime.device) for loss in losses],
            vgg=runtime.place(vgg),
            settings=settings,
            runtime=runtime,
            start=None if start is None else _picture(start, runtime.device),
            on_progress=on_progress,
            on_tile=on_tile,
        )
        return run.result()


def _picture(image: Tensor, device: torch.device) -> Tensor:
    """A contiguous copy, float32 or wider, on the device."""
    if image.ndim != 4 or image.shape[0] != 1 or image.shape[1] != 3 or 0 in image.shape:
        raise ImageError(
            f"A picture has the shape {tuple(image.shape)}. Use (1, 3, height, width), RGB."
        )
    dtype = torch.promote_types(image.dtype, torch.float32)
    return image.detach().to(device, dtype, copy=True, memory_format=torch.contiguous_format)


def _moved(loss: Loss, device: torch.device) -> Loss:
    """The same loss with its pictures on the device."""
    if isinstance(loss, TotalVariationLoss):
        return loss
    mask = None if loss.mask is None else loss.mask.detach().to(device, torch.float32, copy=True)
    if isinstance(loss, ContentLoss):
        return replace(loss, image=_picture(loss.image, device), mask=mask)
    return replace(loss, images=tuple(_picture(i, device) for i in loss.images), mask=mask)


@dataclass(frozen=True, eq=False)
class _Run:
    """One call of `stylize`: what stays the same over its scales, and the records so far."""

    losses: list[Loss]
    vgg: VGG16
    settings: RunSettings
    runtime: Runtime
    start: Tensor | None
    on_progress: OnProgress
    on_tile: Callable[[], None]
    began: float = field(default_factory=time.perf_counter)
    records: list[Record] = field(default_factory=list)

    def result(self) -> Result:
        """Every scale in turn, each starting from the one before."""
        height, width = self._full_size()
        settings = self.settings
        scales = plan_scales(height, width, scales=settings.scales, steps=settings.steps)
        image = self._first(scales[0])
        stops, tile = [], 0
        for index, scale in enumerate(scales):
            tile = self._tile(scale)
            image, stop = self._minimize(resize(image, scale.height, scale.width), scales, index)
            stops.append(stop)
        return Result(
            image=image.clamp(0, 1).float().cpu(),
            records=tuple(self.records),
            scales=scales,
            stops=tuple(stops),
            tile=tile,
            seconds=time.perf_counter() - self.began,
        )

    def _full_size(self) -> tuple[int, int]:
        """The result's (height, width): the content's proportions, else the start's or style's."""
        size = self.settings.size
        if self.settings.shape == "square":
            return size, size
        contents = [loss.image for loss in self.losses if isinstance(loss, ContentLoss)]
        starts = [] if self.start is None else [self.start]
        styles = [loss.images[0] for loss in self.losses if isinstance(loss, StyleLoss)]
        pictures = contents + starts + styles
        if not pictures:
            raise SettingsError("There is no picture. Give a content loss or a style loss.")
        return fit(*size_of(pictures[0]), size)

    def _first(self, scale: Scale) -> Tensor:
        """The picture to start from, at the coarsest scale."""
        if self.start is not None:
            return resize(self.start, scale.height, scale.width)
        pictures = {
            "content": [loss.image for loss in self.losses if isinstance(loss, ContentLoss)],
            "style": [loss.images[0] for loss in self.losses if isinstance(loss, StyleLoss)],
        }
        init, shape = self.settings.init, (1, 3, scale.height, scale.width)
        if init in pictures:
            if not pictures[init]:
                raise SettingsError(f"There is no {init} picture to start from. Use gray or noise.")
            return resize(pictures[init][0], scale.height, scale.width)
        if init == "gray":
            return torch.full(shape, 0.5, device=self.runtime.device)
        # Drawn on the CPU, so that every device starts from the same noise.
        generator = torch.Generator().manual_seed(self.settings.seed)
        noise = 0.5 + NOISE * torch.randn(shape, generator=generator)
        return noise.clamp(0, 1).to(self.runtime.device)

    def _tile(self, scale: Scale) -> int:
        if self.settings.tile:
            return self.settings.tile
        layers = {
            layer
            for loss in self.losses
            if not isinstance(loss, TotalVariationLoss)
            for layer in loss.layer_weights
        }
        return self.runtime.tile_for(scale.height, scale.width, layers, self.settings.history)

    def _resized(self, loss: Loss, scale: Scale) -> Loss:
        """The loss with its pictures at the scale's size."""
        if isinstance(loss, TotalVariationLoss):
            return loss
        if isinstance(loss, ContentLoss):
            return replace(loss, image=resize(loss.image, scale.height, scale.width))
        square = self.settings.shape == "square"
        sizes = [
            (scale.height, scale.width)
            if square
            else fit(*size_of(image), max(scale.height, scale.width))
            for image in loss.images
        ]
        images = (resize(i, *size) for i, size in zip(loss.images, sizes, strict=True))
        return replace(loss, images=tuple(images))

    def _minimize(self, image: Tensor, scales: tuple[Scale, ...], index: int) -> tuple[Tensor, str]:
        """The best picture of one scale, and why its search ended."""
        scale, settings = scales[index], self.settings
        objective = Objective(
            [self._resized(loss, scale) for loss in self.losses],
            vgg=self.vgg,
            height=scale.height,
            width=scale.width,
            tile=self._tile(scale),
            on_tile=self.on_tile,
        )
        left = settings.max_evaluations - len(self.records)
        minimizer = Minimizer(
            objective.evaluate,
            bounds=(0.0, 1.0) if settings.bounded else None,
            history=settings.history,
            tolerance=settings.tolerance,
            # Shared evenly between the scales that are left; one is needed to start.
            max_evaluations=max(1, left // (len(scales) - index))
            if settings.max_evaluations
            else 0,
            on_evaluation=self._reporter(scales, index, objective.unit),
        )
        state, stop = minimizer.run(minimizer.start(image), scale.steps)
        return state.image, stop

    def _reporter(
        self, scales: tuple[Scale, ...], index: int, unit: float
    ) -> Callable[[State, Evaluation], None]:
        """What tells the caller of each evaluation in one scale."""
        work = [scale.height * scale.width * (scale.steps + 1) for scale in scales]
        pixels = scales[index].height * scales[index].width

        def report(state: State, evaluation: Evaluation) -> None:
            record = Record(
                scale=index + 1,
                step=state.steps,
                evaluation=len(self.records) + 1,
                loss=evaluation.loss * unit,
                parts={name: part * unit for name, part in evaluation.parts.items()},
                seconds=time.perf_counter() - self.began,
            )
            self.records.append(record)
            best = state.image
            self.on_progress(
                Progress(
                    records=self.records,
                    latest=record,
                    scales=len(scales),
                    steps=scales[index].steps,
                    fraction=(sum(work[:index]) + pixels * (state.steps + 1)) / sum(work),
                    preview=lambda: best.clamp(0, 1).float().cpu(),
                )
            )

        return report
