"""The pictures of the help pages in web/docs/, and the icon, from the engine's samples."""

from collections.abc import Callable, Collection, Iterator, Mapping
from functools import lru_cache

import torch
from job import GIVEN, Job, Networks
from PIL import Image, ImageDraw
from strip import side_by_side

from nst_core import (
    VGG16,
    ContentLoss,
    Keep,
    LaplacianLoss,
    Region,
    Result,
    RunSettings,
    Settings,
    StyleLoss,
    TotalVariationLoss,
    load_vgg16,
    losses_of_regions,
    sample,
    stylize,
)
from nst_core.files.pixels import to_pil
from nst_core.files.samples import CONTENTS, STYLES
from nst_core.files.samples.scenes import moving_sample
from nst_core.run.plot import plot_losses
from nst_core.settings import VideoSettings
from nst_core.settings.samples import MOVING
from nst_core.video.flows import Frame
from nst_core.video.frames import Painter, stylize_frames
from nst_core.video.moving_mask import moving_masks

SIZE, HEIGHT, ICON = 224, 192, 256
STEPS = 30
# Of the video: most of a second.
FRAMES = 10

Picture = Image.Image


def network(job: Job, pooling: str = "max") -> VGG16:
    """The network of the job."""
    return load_vgg16(job.weights, pooling=pooling)


def run_of(job: Job, steps: int = STEPS) -> Mapping[str, int]:
    """What all runs have in common."""
    return {"size": job.size(SIZE), "steps": job.steps(steps), "scales": 1}


@lru_cache
def painted(
    job: Job, *, layers: str = "all", smooth: float = 0.0, steps: int = STEPS, pooling: str = "max"
) -> Result:
    """The harbor with the brushstrokes of the style."""
    losses = [
        ContentLoss(image=sample("harbor")),
        StyleLoss(images=(sample("brushstrokes"),), layers=layers),
        TotalVariationLoss(weight=smooth),
    ]
    settings = RunSettings(**run_of(job, steps))
    return stylize(losses, vgg=network(job, pooling), settings=settings)


def of(result: Result) -> Picture:
    """The picture of a result."""
    return to_pil(result.image)


def drawn(name: str) -> Picture:
    """A sample."""
    return to_pil(sample(name))


def row(*pictures: Picture) -> Picture:
    """All side by side."""
    return side_by_side(list(pictures), HEIGHT)


def transfer(job: Job) -> Picture:
    """Content, style, result."""
    return row(drawn("harbor"), drawn("brushstrokes"), of(painted(job)))


def content_loss(job: Job) -> Picture:
    """Content, result."""
    return row(drawn("harbor"), of(painted(job)))


def style_loss(job: Job) -> Picture:
    """Style, low layers, high layers."""
    both = [of(painted(job, layers=layers)) for layers in ("low", "high")]
    return row(drawn("brushstrokes"), *both)


def total_variation(job: Job) -> Picture:
    """Without, with."""
    return row(of(painted(job)), of(painted(job, smooth=300.0)))


def laplacian(job: Job) -> Picture:
    """Without, with."""
    content = sample("harbor")
    losses = [
        ContentLoss(image=content),
        StyleLoss(images=(sample("brushstrokes"),)),
        LaplacianLoss(image=content, weight=1000.0),
    ]
    settings = RunSettings(**run_of(job))
    return row(of(painted(job)), of(stylize(losses, vgg=network(job), settings=settings)))


def keep(job: Job) -> Picture:
    """Content, mask, result."""
    content = sample("harbor")
    kept = torch.zeros(3, 4)
    kept[:, 2:] = 1
    settings = Settings(**run_of(job), feather=0.1)
    painted_part = 1 - kept.repeat_interleave(64, 0).repeat_interleave(64, 1)
    region = Region(styles=(sample("brushstrokes"),), mask=painted_part)
    losses = losses_of_regions(content, [region], settings)
    (held,) = (loss for loss in losses if isinstance(loss, Keep))
    mask = held.mask.expand(1, 3, -1, -1)
    result = stylize(losses, vgg=network(job), settings=settings)
    return row(drawn("harbor"), to_pil(mask), of(result))


def optimize(job: Job) -> Picture:
    """After 0, 5 and 30 steps."""
    return row(*(of(painted(job, steps=steps)) for steps in (0, 5, 30)))


def pooling(job: Job) -> Picture:
    """Max, average."""
    return row(of(painted(job)), of(painted(job, pooling="average")))


def plot(job: Job) -> Picture:
    """Result, loss curve."""
    result = painted(job)
    return row(of(result), to_pil(plot_losses(result.records)))


def video(job: Job) -> Picture:
    """The first and the last of some frames, and the same painted."""
    scene, fps, size = moving_sample("harbor"), 12, job.size(SIZE)
    frames = [Frame(index, scene.frame(index / fps, size)) for index in range(FRAMES)]
    style = StyleLoss(images=(sample("brushstrokes"),))
    painter = Painter(
        losses_at=lambda frame: [ContentLoss(image=frame.image), style],
        vgg=network(job),
        settings=RunSettings(**run_of(job)),
        video=VideoSettings(),
        flow=lambda a, b: scene.flow(a.index / fps, b.index / fps, size)[0].float(),
    )
    results = [to_pil(painted.image) for painted in stylize_frames(frames, painter)]
    given = [to_pil(frame.image) for frame in frames]
    return row(given[0], given[-1], results[0], results[-1])


def optical_flow() -> Picture:
    """Two frames, and the flow from the first to the second: hue is where, saturation how fast."""
    scene, seconds = moving_sample("harbor"), 0.25
    flow = scene.flow(0.0, seconds, 256)[0][0]
    length = flow.square().sum(0).sqrt()
    hue = torch.atan2(flow[1], flow[0]) / (2 * torch.pi) % 1
    planes = [hue, length / length.max(), torch.ones_like(hue)]
    hsv = Image.merge("HSV", [Image.fromarray((p * 255).byte().numpy()) for p in planes])
    frames = [to_pil(scene.frame(time, 256)) for time in (0.0, seconds)]
    return row(*frames, hsv.convert("RGB"))


def moving_mask() -> Picture:
    """A mask over the large boat, and half a second later."""
    scene, size = moving_sample("harbor"), 256
    flow = scene.flow(0.0, 0.1, size)[0][0]
    boat = (flow[0] > 0.9 * flow[0].max()).float()
    frames = [Frame(index, scene.frame(index / 10, size)) for index in range(11)]
    masks = moving_masks(
        boat, frames, lambda a, b: scene.flow(a.index / 10, b.index / 10, size)[0].float()
    )
    *_, last = masks
    shown = [to_pil(mask.expand(1, 3, -1, -1)) for mask in (boat, last)]
    return row(to_pil(frames[0].image), shown[0], to_pil(frames[-1].image), shown[1])


def moving_samples() -> Picture:
    """Two seconds of each."""
    scenes = [moving_sample(name) for name in MOVING]
    strip = row(*(to_pil(scene.frame(time, 512)) for scene in scenes for time in (0.0, 2.0)))
    return strip.resize((strip.width // 2, strip.height // 2))


def samples() -> Picture:
    """All of them."""
    strip = row(*(drawn(name) for name in (*CONTENTS, *STYLES)))
    return strip.resize((strip.width // 2, strip.height // 2))


def icon(job: Job) -> Picture:
    """A round picture: content on the left, its repainting on the right."""
    side = 4 * ICON
    whole = [drawn("harbor"), of(painted(job))]
    square = [
        p.resize((side * 4 // 3, side)).crop((side // 4, 0, side * 5 // 4, side)) for p in whole
    ]
    both = square[0]
    both.paste(square[1].crop((side // 2, 0, side, side)), (side // 2, 0))
    disc = Image.new("L", (side, side))
    ImageDraw.Draw(disc).ellipse((0, 0, side - 1, side - 1), fill=255)
    both.putalpha(disc)
    return both.resize((ICON, ICON), Image.Resampling.LANCZOS)


PAINTED: Mapping[str, Callable[[Job], Picture]] = {
    "web/docs/NST_NeuralStyleTransfer.jpg": transfer,
    "web/docs/NST_LoadVGG16.jpg": pooling,
    "web/docs/NST_ContentLoss.jpg": content_loss,
    "web/docs/NST_StyleLoss.jpg": style_loss,
    "web/docs/NST_TotalVariationLoss.jpg": total_variation,
    "web/docs/NST_LaplacianLoss.jpg": laplacian,
    "web/docs/NST_KeepPixels.jpg": keep,
    "web/docs/NST_LBFGSOptimize.jpg": optimize,
    "web/docs/NST_LossPlot.jpg": plot,
    "web/docs/NST_StylizeVideo.jpg": video,
    "web/icon.png": icon,
}
DRAWN: Mapping[str, Callable[[], Picture]] = {
    "web/docs/NST_SampleImage.jpg": samples,
    "web/docs/NST_SampleVideo.jpg": moving_samples,
    "web/docs/NST_LoadOpticalFlow.jpg": optical_flow,
    "web/docs/NST_MovingMask.jpg": moving_mask,
}
NETWORKS: Networks = dict.fromkeys(PAINTED, (GIVEN,)) | dict.fromkeys(DRAWN, ())


def make(job: Job, paths: Collection[str]) -> Iterator[tuple[str, Picture]]:
    """Each of these with its picture."""
    for path in paths:
        yield path, PAINTED[path](job) if path in PAINTED else DRAWN[path]()
