"""Make the pictures of the help pages in web/docs/, and the icon, from the engine's samples.

python scripts/make_pictures.py [name ...]
"""

import sys
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import torch
from PIL import Image, ImageDraw
from strip import side_by_side

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

# Found by the line before.
from nst_core import (  # noqa: E402
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
from nst_core.pixels import to_pil  # noqa: E402
from nst_core.plot import plot_losses  # noqa: E402
from nst_core.samples import CONTENTS, STYLES  # noqa: E402

SIZE, HEIGHT, ICON = 224, 192, 256
QUALITY = 88

Picture = Image.Image


@lru_cache
def painted(vgg: VGG16, *, layers: str = "all", smooth: float = 0.0, **run: object) -> Result:
    """The harbor with the brushstrokes of the style."""
    losses = [
        ContentLoss(image=sample("harbor")),
        StyleLoss(images=(sample("brushstrokes"),), layers=layers),
        TotalVariationLoss(weight=smooth),
    ]
    settings = RunSettings(**{"size": SIZE, "steps": 30, "scales": 1, **run})  # type: ignore[arg-type]
    return stylize(losses, vgg=vgg, settings=settings)


def of(result: Result) -> Picture:
    """The picture of a result."""
    return to_pil(result.image)


def drawn(name: str) -> Picture:
    """A sample."""
    return to_pil(sample(name))


def row(*pictures: Picture) -> Picture:
    """All side by side."""
    return side_by_side(list(pictures), HEIGHT)


def transfer(vgg: VGG16) -> Picture:
    """Content, style, result."""
    return row(drawn("harbor"), drawn("brushstrokes"), of(painted(vgg)))


def content_loss(vgg: VGG16) -> Picture:
    """Content, result."""
    return row(drawn("harbor"), of(painted(vgg)))


def style_loss(vgg: VGG16) -> Picture:
    """Style, low layers, high layers."""
    both = [of(painted(vgg, layers=layers)) for layers in ("low", "high")]
    return row(drawn("brushstrokes"), *both)


def total_variation(vgg: VGG16) -> Picture:
    """Without, with."""
    return row(of(painted(vgg)), of(painted(vgg, smooth=300.0)))


def laplacian(vgg: VGG16) -> Picture:
    """Without, with."""
    content = sample("harbor")
    losses = [
        ContentLoss(image=content),
        StyleLoss(images=(sample("brushstrokes"),)),
        LaplacianLoss(image=content, weight=1000.0),
    ]
    settings = RunSettings(size=SIZE, steps=30, scales=1)
    return row(of(painted(vgg)), of(stylize(losses, vgg=vgg, settings=settings)))


def keep(vgg: VGG16) -> Picture:
    """Content, mask, result."""
    content = sample("harbor")
    kept = torch.zeros(3, 4)
    kept[:, 2:] = 1
    settings = Settings(size=SIZE, steps=30, scales=1, feather=0.1)
    painted_part = 1 - kept.repeat_interleave(64, 0).repeat_interleave(64, 1)
    region = Region(styles=(sample("brushstrokes"),), mask=painted_part)
    losses = losses_of_regions(content, [region], settings)
    (held,) = (loss for loss in losses if isinstance(loss, Keep))
    mask = held.mask.expand(1, 3, -1, -1)
    return row(drawn("harbor"), to_pil(mask), of(stylize(losses, vgg=vgg, settings=settings)))


def optimize(vgg: VGG16) -> Picture:
    """After 0, 5 and 30 steps."""
    return row(*(of(painted(vgg, steps=steps)) for steps in (0, 5, 30)))


def pooling(vgg: VGG16) -> Picture:
    """Max, average."""
    return row(of(painted(vgg)), of(painted(load_vgg16("builtin", pooling="average"))))


def plot(vgg: VGG16) -> Picture:
    """Result, loss curve."""
    result = painted(vgg)
    return row(of(result), to_pil(plot_losses(result.records)))


def samples(vgg: VGG16) -> Picture:
    """All of them."""
    strip = row(*(drawn(name) for name in (*CONTENTS, *STYLES)))
    return strip.resize((strip.width // 2, strip.height // 2))


def icon(vgg: VGG16) -> Picture:
    """A round picture: content on the left, its repainting on the right."""
    side = 4 * ICON
    whole = [drawn("harbor"), of(painted(vgg))]
    square = [
        p.resize((side * 4 // 3, side)).crop((side // 4, 0, side * 5 // 4, side)) for p in whole
    ]
    both = square[0]
    both.paste(square[1].crop((side // 2, 0, side, side)), (side // 2, 0))
    disc = Image.new("L", (side, side))
    ImageDraw.Draw(disc).ellipse((0, 0, side - 1, side - 1), fill=255)
    both.putalpha(disc)
    return both.resize((ICON, ICON), Image.Resampling.LANCZOS)


PICTURES: dict[str, Callable[[VGG16], Picture]] = {
    "web/docs/NST_NeuralStyleTransfer.jpg": transfer,
    "web/docs/NST_LoadVGG16.jpg": pooling,
    "web/docs/NST_ContentLoss.jpg": content_loss,
    "web/docs/NST_StyleLoss.jpg": style_loss,
    "web/docs/NST_TotalVariationLoss.jpg": total_variation,
    "web/docs/NST_LaplacianLoss.jpg": laplacian,
    "web/docs/NST_KeepPixels.jpg": keep,
    "web/docs/NST_LBFGSOptimize.jpg": optimize,
    "web/docs/NST_LossPlot.jpg": plot,
    "web/docs/NST_SampleImage.jpg": samples,
    "web/icon.png": icon,
}


def main() -> None:
    """Make those whose file name has one of the words given, or all."""
    words = sys.argv[1:] or [""]
    vgg = load_vgg16("builtin")
    for name, make in PICTURES.items():
        if any(word in name for word in words):
            make(vgg).save(ROOT / name, **({"quality": QUALITY} if ".jpg" in name else {}))
            sys.stdout.write(f"{name}\n")


if __name__ == "__main__":
    main()
