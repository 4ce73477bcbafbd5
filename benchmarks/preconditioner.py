"""Our L-BFGS against scipy's, with several preconditioners.

    python benchmarks/preconditioner.py [--size 96] [--evaluations 200]

Both minimize the same float32 objective from the same start. The figures are our best loss divided
by scipy's best loss after as many evaluations: below 1 is better than scipy. Gains fall with the
frequency f as 1 / f^power; power 0 that is not local assumes nothing. Local is whether pixels gain
less where pairs say that the loss is steep.
"""

import argparse
from collections.abc import Callable
from itertools import product

import numpy as np
import scipy.optimize
import torch
from torch import Tensor

from nst_core import ContentLoss, Runtime, StyleLoss, load_vgg16, sample
from nst_core.control.preconditioner import Guess, Spectral
from nst_core.control.pyramid import resize
from nst_core.gatys.minimizer import Minimizer
from nst_core.gatys.objective import Evaluation
from nst_core.kernels.history import FastHistory
from nst_core.run.objective import evaluator_of, in_units

CHECKPOINTS = (50, 100, 200)
GUESSES = [
    Guess(power=power, chroma=1.0, local=local)
    for power, local in product((0.0, 0.5, 1.0), (False, True))
]
Evaluate = Callable[[Tensor], Evaluation]


def objective(size: int, normalization: str, style_weight: float) -> tuple[Evaluate, Tensor]:
    """The evaluation of harbor in brushstrokes, and its content."""
    content = resize(sample("harbor", 256), size * 3 // 4, size)
    style = resize(sample("brushstrokes", 256), size * 4 // 5, size)
    losses = [
        ContentLoss(image=content, weight=1.0, normalization=normalization),
        StyleLoss(images=(style,), weight=style_weight, normalization=normalization),
    ]
    height, width = content.shape[-2:]
    vgg = Runtime.choose("cpu", "float32").place(load_vgg16("builtin"))
    losses, _ = in_units(losses)
    return evaluator_of(losses, vgg=vgg, height=height, width=width).evaluate, content


def scipys(evaluate: Evaluate, start: Tensor, bounded: bool, evaluations: int) -> list[float]:
    """Best loss of fmin_l_bfgs_b after each evaluation."""
    best: list[float] = []

    def function(values: np.ndarray) -> tuple[float, np.ndarray]:
        evaluation = evaluate(torch.from_numpy(values.astype(np.float32)).view_as(start))
        best.append(min([evaluation.loss, *best[-1:]]))
        return evaluation.loss, evaluation.gradient.double().numpy().ravel()

    scipy.optimize.fmin_l_bfgs_b(
        function,
        start.double().numpy().ravel(),
        bounds=[(0.0, 1.0)] * start.numel() if bounded else None,
        maxfun=evaluations,
        maxiter=evaluations,
        factr=0,
        pgtol=0,
    )
    return best


def ours(
    evaluate: Evaluate, start: Tensor, bounded: bool, evaluations: int, guess: Guess
) -> list[float]:
    """Best loss of our L-BFGS after each evaluation, from a guess on."""
    best: list[float] = []
    height, width = start.shape[-2:]
    minimizer = Minimizer(
        evaluate,
        bounds=(0.0, 1.0) if bounded else None,
        max_evaluations=evaluations,
        on_evaluation=lambda state, _: best.append(state.loss),
    )
    h0 = Spectral(height, width, start.device, guess)
    minimizer.run(minimizer.start(start, FastHistory(10, start, h0)), evaluations)
    return best


def main() -> None:
    """Race over both normalizations, starts and kinds of bounds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=96)
    parser.add_argument("--evaluations", type=int, default=200)
    options = parser.parse_args()
    checkpoints = [count for count in CHECKPOINTS if count <= options.evaluations]
    print(f"| objective | bounds | power | local | {' | '.join(map(str, checkpoints))} |")
    print("|-|-|-|-" + "|-" * len(checkpoints) + "|")
    for normalization, style_weight in (("relative", 100.0), ("gatys", 1e3)):
        evaluate, content = objective(options.size, normalization, style_weight)
        for name, start in (("content", content), ("gray", torch.full_like(content, 0.5))):
            for bounded in (True, False):
                theirs = scipys(evaluate, start, bounded, options.evaluations)
                for guess in GUESSES:
                    best = ours(evaluate, start, bounded, options.evaluations, guess)
                    ratios = " | ".join(f"{best[n - 1] / theirs[n - 1]:.3f}" for n in checkpoints)
                    bounds = "[0, 1]" if bounded else "none"
                    kind = f"{normalization}, from {name} | {bounds}"
                    kind += f" | {guess.power} | {'yes' if guess.local else 'no'}"
                    print(f"| {kind} | {ratios} |", flush=True)


if __name__ == "__main__":
    main()
