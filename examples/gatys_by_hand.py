"""Gatys, Ecker and Bethge's "A Neural Algorithm of Artistic Style" from nst_core's parts.

    python examples/gatys_by_hand.py CONTENT STYLE OUT.png [SIZE] [EVALUATIONS]

Everything `nst_core.stylize` does for you, for one size and one tile: features, Gram matrices,
the loss with its gradient, L-BFGS. Equation numbers are those of arXiv:1508.06576.
"""

import sys
from dataclasses import dataclass

import torch
from torch import Tensor

from nst_core import load_image, load_vgg16, save_image
from nst_core.control.pyramid import resize
from nst_core.gatys.functions import gram_sum
from nst_core.gatys.minimizer import Minimizer

CONTENT_LAYER = "relu4_2"
STYLE_LAYERS = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")
ALPHA, BETA = 1.0, 1e3  # of equation 7; alpha / beta = 1e-3


@dataclass
class Evaluation:
    """What the optimizer wants to know of a picture; the gradient is (1, 3, H, W)."""

    loss: float
    gradient: Tensor


def mean_gram(features: Tensor) -> Tensor:
    """G of equation 3, divided by its M positions: (1, N, h, w) -> (N, N)."""
    return gram_sum(features) / (features.shape[-2] * features.shape[-1])


def gatys(content: Tensor, style: Tensor, evaluations: int) -> Tensor:
    """Content and style (1, 3, H, W) in [0, 1] to a picture of the same size."""
    vgg = load_vgg16("auto")
    with torch.no_grad():
        target_features = vgg(content, [CONTENT_LAYER])[CONTENT_LAYER]
        style_features = vgg(style, STYLE_LAYERS)
        target_grams = {layer: mean_gram(style_features[layer]) for layer in STYLE_LAYERS}

    def total_loss(image: Tensor) -> Tensor:
        features = vgg(image, [CONTENT_LAYER, *STYLE_LAYERS])
        content_loss = (features[CONTENT_LAYER] - target_features).square().sum() / 2  # equation 1
        style_loss = image.new_zeros(())
        for layer in STYLE_LAYERS:
            channels = features[layer].shape[1]
            distance = (mean_gram(features[layer]) - target_grams[layer]).square().sum()
            style_loss = style_loss + distance / (4 * channels**2) / len(STYLE_LAYERS)  # 4 and 5
        return ALPHA * content_loss + BETA * style_loss  # equation 7

    def evaluate(image: Tensor) -> Evaluation:
        leaf = image.clone().requires_grad_()
        loss = total_loss(leaf)
        return Evaluation(float(loss), torch.autograd.grad(loss, leaf)[0])

    minimizer = Minimizer(evaluate, max_evaluations=evaluations)
    gray = torch.full_like(content, 0.5)
    best, why = minimizer.run(minimizer.start(gray), steps=evaluations)
    print(f"loss {best.losses[0]:.4g} -> {best.loss:.4g} in {best.evaluations} evaluations: {why}")
    return best.image


def main(content_path: str, style_path: str, out: str, size: int = 224, evaluations: int = 300):
    """The seed project's way: everything at size x size, from a gray square."""
    content, style = (
        resize(load_image(path, max_pixels=10**8), size, size)
        for path in (content_path, style_path)
    )
    save_image(gatys(content, style, evaluations), out)


if __name__ == "__main__":
    main(*sys.argv[1:4], *map(int, sys.argv[4:]))
