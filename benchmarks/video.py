"""What holds the frames of a video together, and what it costs.

    python benchmarks/video.py [--weights vgg16.safetensors] [--samples harbor,portrait,meadow]
    python benchmarks/video.py --size 160 --frames 12 --style brushstrokes --steps 150
    python benchmarks/video.py --clip holiday.mp4

A moving sample, whose flow and occlusions are known, is stylized in five ways. For each: the mean
squared change along the true flow, where both frames show the same (the paper's temporal error);
style losses beside those of stills; the own loss of a frame (all but what holds it to others) by
a still's; evaluations a frame after the first, and the share of those that a still needs to the
same loss; seconds a frame, which only mean something on a quiet machine. Of a clip the true flow is
not known: it is measured along DIS flow, where both directions agree.
"""

import argparse
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from statistics import mean

import torch
from torch import Tensor

from nst_core import Settings, load_vgg16, losses_of, sample, save_image, stylize
from nst_core.control.flow import consistent, warped
from nst_core.control.losses import Loss
from nst_core.control.pyramid import fit, resize
from nst_core.files import clip as files
from nst_core.files.samples.scenes import moving_sample
from nst_core.gatys.vgg import VGG16
from nst_core.run.progress import Record
from nst_core.settings.video import VideoSettings
from nst_core.video.flows import FlowBetween, Frame, dis_flow
from nst_core.video.frame_done import own_loss
from nst_core.video.frames import Painter, stylize_frames

HEADS = (
    "sample",
    "way",
    "temporal error",
    "of stills",
    "style",
    "loss",
    "evaluations",
    "share",
    "s",
)
LOST = float("nan")


@dataclass(frozen=True, eq=False)
class Clip:
    """A moving sample and what it shall look like."""

    name: str
    frames: Sequence[Frame]
    losses_at: Callable[[Frame], Sequence[Loss]]
    truth: Callable[[Frame, Frame], tuple[Tensor, Tensor]]

    def exact(self, first: Frame, second: Frame) -> Tensor:
        """The true flow from one frame to another."""
        return self.truth(first, second)[0]

    def error(self, images: Sequence[Tensor]) -> float:
        """The mean squared change along the true flow, where both frames show the same."""
        found = []
        for index in range(1, len(images)):
            flow, visible = self.truth(self.frames[index], self.frames[index - 1])
            change = (warped(images[index - 1], flow) - images[index]).square().mean(1)[0]
            found.append(float((change * visible).sum() / visible.sum()))
        return mean(found)


@dataclass(frozen=True, eq=False)
class Made:
    """A stylized clip.

    Attributes:
        images: its frames.
        records: of each.
        seconds: for each.
    """

    images: list[Tensor]
    records: list[Sequence[Record]]
    seconds: list[float]


def clip_of(name: str, asked: argparse.Namespace, settings: Settings) -> Clip:
    """The frames of a moving sample, or of a file."""
    style = sample(asked.style, asked.size)

    def losses_at(frame: Frame) -> Sequence[Loss]:
        return losses_of(frame.image, [style], settings)

    if asked.clip:
        return Clip(name, frames_in(asked), losses_at, agreed)
    scene = moving_sample(name)

    def truth(first: Frame, second: Frame) -> tuple[Tensor, Tensor]:
        times = first.index / asked.rate, second.index / asked.rate
        flow, visible = scene.flow(*times, asked.size)
        return flow.float(), visible

    frames = [Frame(i, scene.frame(i / asked.rate, asked.size)) for i in range(asked.frames)]
    return Clip(name, frames, losses_at, truth)


def frames_in(asked: argparse.Namespace) -> list[Frame]:
    """The first frames of a file."""
    found = files.clip_of(asked.clip, max_pixels=2**26)
    size = fit(found.info.height, found.info.width, asked.size)
    frames = islice(found.frames(0), asked.frames)
    return [Frame(index, resize(frame.image, *size)) for index, frame in enumerate(frames)]


def agreed(first: Frame, second: Frame) -> tuple[Tensor, Tensor]:
    """DIS flow, and where both directions agree."""
    between = dis_flow()
    flow = between(first, second)
    return flow, consistent(between(second, first), flow)


def stills(clip: Clip, vgg: VGG16, settings: Settings) -> Made:
    """Frame by frame from the content."""
    made = Made([], [], [])
    for frame in clip.frames:
        began = time.perf_counter()
        result = stylize(clip.losses_at(frame), vgg=vgg, settings=settings)
        made.images.append(result.image)
        made.records.append(result.records)
        made.seconds.append(time.perf_counter() - began)
    return made


def video(
    clip: Clip, vgg: VGG16, settings: Settings, flow: FlowBetween, chosen: VideoSettings
) -> Made:
    """Each frame from the one before."""
    painter = Painter(losses_at=clip.losses_at, vgg=vgg, settings=settings, video=chosen, flow=flow)
    made, began = Made([], [], []), time.perf_counter()
    for painted in stylize_frames(clip.frames, painter):
        made.images.append(painted.image)
        made.records.append(painted.records)
        made.seconds.append(time.perf_counter() - began)
        began = time.perf_counter()
    return made


def standing(first: Frame, second: Frame) -> Tensor:
    """Flow of zero: each frame starts from the last as it is."""
    return torch.zeros(1, 2, *first.image.shape[-2:])


def last(records: Sequence[Record]) -> Record:
    """The best evaluation at the result's own size."""
    return min((r for r in records if r.scale == records[-1].scale), key=own_loss)


def style_loss(record: Record) -> float:
    """Of all layers."""
    return sum(value for name, value in record.parts.items() if name.startswith("style"))


def evaluations_to(loss: float, records: Sequence[Record]) -> float:
    """How many a still takes to a loss; not a number if it never comes there."""
    found = (r.evaluation for r in records if r.scale == records[-1].scale and r.loss <= loss)
    return next(found, LOST)


def row_of(clip: Clip, way: str, made: Made, still: Made) -> str:
    """A row of the table; the first frame counts in no mean but the error."""
    error, base = clip.error(made.images), clip.error(still.images)
    own = [last(records) for records in made.records[1:]]
    theirs = [last(records) for records in still.records[1:]]
    counts = [len(records) for records in made.records[1:]]
    needed = [evaluations_to(own_loss(r), s) for r, s in zip(own, still.records[1:], strict=True)]
    shares = [n / need for n, need in zip(counts, needed, strict=True) if need == need]
    style = mean(style_loss(a) / style_loss(b) for a, b in zip(own, theirs, strict=True))
    loss = mean(own_loss(a) / own_loss(b) for a, b in zip(own, theirs, strict=True))
    share = f"{mean(shares):.2f}" if shares else "-"
    return (
        f"| {clip.name} | {way} | {error:.5f} | {error / base:.3f} | {style:.3f} | {loss:.3f} "
        f"| {mean(counts):.1f} | {share} | {mean(made.seconds[1:]):.1f} |"
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--samples", default="harbor,portrait,meadow")
    parser.add_argument("--clip", type=Path, help="a video, animation or folder in their place")
    parser.add_argument("--style", default="brushstrokes")
    parser.add_argument("--size", type=int, default=160)
    parser.add_argument("--frames", type=int, default=12)
    parser.add_argument("--rate", type=int, default=12, help="frames a second")
    parser.add_argument("--steps", type=int, default=150)
    parser.add_argument("--weights", default="builtin")
    parser.add_argument("--pictures", type=Path, help="a folder for the first and last frames")
    asked = parser.parse_args()
    settings = Settings(size=asked.size, steps=asked.steps)
    vgg, usual = load_vgg16(asked.weights), VideoSettings()
    free = replace(usual, temporal_weight=0.0)
    print(f"| {' | '.join(HEADS)} |\n{'|-' * len(HEADS)}|")
    for name in [asked.clip.stem] if asked.clip else asked.samples.split(","):
        clip = clip_of(name, asked, settings)
        still = stills(clip, vgg, settings)
        ways = {
            "from the last frame": (standing, free),
            "from the warped frame, no temporal loss": (dis_flow(), free),
            "video, DIS flow": (dis_flow(), usual),
            "video, exact flow": (clip.exact, usual),
        }
        if asked.clip:  # whose true flow is not known
            del ways["video, exact flow"]
        print(row_of(clip, "stills from the content", still, still), flush=True)
        for way, (flow, chosen) in ways.items():
            made = video(clip, vgg, settings, flow, chosen)
            print(row_of(clip, way, made, still), flush=True)
            if asked.pictures:
                asked.pictures.mkdir(exist_ok=True)
                for index in (0, len(made.images) // 2, len(made.images) - 1):
                    path = asked.pictures / f"{name}-{way.replace(', ', '-').replace(' ', '-')}"
                    save_image(made.images[index], f"{path}-{index}.png")


if __name__ == "__main__":
    main()
