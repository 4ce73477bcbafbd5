"""Does a large picture show its style as strongly as a small one, and does a huge style fit?

    python benchmarks/large.py [--small 256] [--large 1024] [--steps 60]
    python benchmarks/large.py --content portrait --style stained_glass
    python benchmarks/large.py --memory 512

The first prints the distance to the style (relative Gram distance, mean of the five layers), with
results and style shrunk to several sizes, of a small result and of large ones with and without
`views`. The second prints the peak memory of a whole run whose style is four times as large as the
result.
"""

import argparse

import torch
from pictures import picture
from torch import Tensor

from nst_core import Runtime, Settings, load_vgg16, losses_of, sample, stylize
from nst_core.control.pyramid import fit, resize
from nst_core.gatys.functions import gram_sum
from nst_core.gatys.vgg import VGG16, size_of
from nst_core.run.memory import peak_memory

LAYERS = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")


def grams(vgg: VGG16, image: Tensor, longer: int) -> dict[str, Tensor]:
    """Gram matrices of an image shrunk to a longer side."""
    with torch.no_grad():
        features = vgg(resize(image, *fit(*size_of(image), longer)), LAYERS)
    return {layer: gram_sum(part) / part[0, 0].numel() for layer, part in features.items()}


def distance(vgg: VGG16, image: Tensor, style: Tensor, longer: int) -> float:
    """Mean relative Gram distance, both pictures shrunk to a longer side."""
    ours, theirs = grams(vgg, image, longer), grams(vgg, style, longer)
    return sum(
        float((ours[layer] - theirs[layer]).square().sum() / theirs[layer].square().sum())
        for layer in LAYERS
    ) / len(LAYERS)


def compare(options: argparse.Namespace) -> None:
    """Print the table of distances."""
    small, large, steps = options.small, options.large, options.steps
    content, style = (picture(name, large) for name in (options.content, options.style))
    vgg = load_vgg16("builtin")
    sizes = [small // 2**level for level in range(3)]
    print(f"| result | {' | '.join(f'at {size} px' for size in sizes)} |")
    print("|-" * (len(sizes) + 1) + "|")
    rows = []
    for name, settings in (
        (f"{small} px", Settings(size=small, steps=steps, views=1)),
        (f"{large} px, with views", Settings(size=large, steps=steps, views=0)),
        (f"{large} px, without", Settings(size=large, steps=steps, views=1)),
    ):
        image = stylize(losses_of(content, [style], settings), vgg=vgg, settings=settings).image
        rows.append([distance(vgg, image, style, size) for size in sizes])
        ratios = (
            f"{ours:.4f} ({ours / first:.2f}x)"
            for ours, first in zip(rows[-1], rows[0], strict=True)
        )
        print(f"| {name} | {' | '.join(ratios)} |", flush=True)


def memory(size: int) -> None:
    """Print the peak memory of this process after a run with a style of four times the size."""
    settings = Settings(size=size, steps=3, scales=1, style_scale=4.0, device="cpu")
    content, style = sample("harbor", size), sample("brushstrokes", 4 * size)
    stylize(losses_of(content, [style], settings), vgg=load_vgg16("builtin"), settings=settings)
    peak = peak_memory(Runtime.choose("cpu").device) or 0
    print(f"{size} px in a style of {4 * size} px: {peak / 1e9:.2f} GB in all")


def main() -> None:
    """One of the two."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", type=int, default=256)
    parser.add_argument("--large", type=int, default=1024)
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--content", default="harbor", help="a sample or a file")
    parser.add_argument("--style", default="brushstrokes", help="a sample or a file")
    parser.add_argument("--memory", type=int, metavar="SIZE")
    options = parser.parse_args()
    if options.memory:
        memory(options.memory)
    else:
        compare(options)


if __name__ == "__main__":
    main()
