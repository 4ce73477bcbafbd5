"""The contenders: each minimizes the same objective from the same content with the same weights.

Run by `compare.py`, each in a process of its own: contenders.py NAME FOLDER OPTIONS.
"""

import contextlib
import json
import runpy
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from evaluator import CONTENT_WEIGHT, STYLE_WEIGHT
from plain import PlainObjective, unprepared
from torch import Tensor
from turns import Stopped, Turn

from nst_core import VGG16, Progress, Runtime, Settings, load_vgg16, losses_of, stylize
from nst_core.gatys.vgg import BLOCKS


@dataclass(frozen=True, eq=False)
class Task:
    """What everyone is given: 8-bit pictures, a network, a device, and a clock."""

    content: Tensor
    style: Tensor
    vgg: VGG16
    device: torch.device
    turn: Turn
    evaluations: int
    options: Mapping[str, str]

    def weights(self) -> dict[str, Tensor]:
        """`conv1_1.weight` and so on, in float32."""
        return {
            key.removeprefix("convolutions."): value for key, value in self.vgg.state_dict().items()
        }

    def plain(self) -> tuple[PlainObjective, Tensor]:
        """The usual program's loss, and its start: the content in the network's own range."""
        prepare = self.vgg.preprocessing
        content, style = (prepare(i.to(self.device)) for i in (self.content, self.style))
        return PlainObjective(self.weights(), content, style), content.clone()

    def finished(self, image: Tensor) -> Tensor:
        """A picture in the network's own range as a user gets it."""
        return unprepared(image, self.vgg.preprocessing)


def torch_lbfgs(task: Task) -> None:
    """torch.optim.LBFGS, history 100, no line search: neural-style-pt's and most people's way."""
    objective, image = task.plain()
    image.requires_grad_()
    optimizer = torch.optim.LBFGS(
        [image],
        max_iter=task.evaluations,
        max_eval=task.evaluations + 1,
        history_size=100,
        tolerance_change=-1,
        tolerance_grad=-1,
    )

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = objective(image)
        loss.backward()
        task.turn.lap(task.finished(image), float(loss))
        return loss

    optimizer.step(closure)


def scipys(task: Task) -> None:
    """SciPy's fmin_l_bfgs_b, started again every 20 evaluations, as the seed project does."""
    from scipy.optimize import fmin_l_bfgs_b

    objective, start = task.plain()

    def function(values: np.ndarray) -> tuple[float, np.ndarray]:
        image = torch.from_numpy(values.astype(np.float32)).view_as(start).to(task.device)
        image.requires_grad_()
        loss = objective(image)
        gradient = torch.autograd.grad(loss, image)[0].cpu().numpy().astype(np.float64)
        task.turn.lap(task.finished(image), float(loss))
        return float(loss), gradient.ravel()

    values = start.cpu().numpy().astype(np.float64).ravel()
    while True:
        values, _, _ = fmin_l_bfgs_b(function, values, maxfun=20)


def neural_style_pt(task: Task) -> None:
    """ProGamerGov's neural-style-pt, as it is; its optimizer's closure is counted from outside."""
    checkout, folder = Path(task.options["neural_style_pt"]), Path(task.options["folder"])
    numbers = [0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28]
    names = sorted({key.split(".")[0] for key in task.weights()})
    state = {
        f"features.{number}.{kind}": task.weights()[f"{name}.{kind}"]
        for number, name in zip(numbers, names, strict=True)
        for kind in ("weight", "bias")
    }
    torch.save(state, folder / "vgg16.pth")
    step = torch.optim.LBFGS.step

    def counted(optimizer: torch.optim.LBFGS, closure: Callable[[], Tensor]) -> object:
        image = optimizer.param_groups[0]["params"][0]

        def lap() -> Tensor:
            loss = closure()
            task.turn.lap(task.finished(image), float(loss))
            return loss

        return step(optimizer, lap)

    torch.optim.LBFGS.step = counted  # type: ignore[assignment,method-assign]
    sys.path.insert(0, str(checkout))
    sys.argv = f"""neural_style.py -content_image {folder}/../content.png
        -style_image {folder}/../style.png -image_size {max(task.content.shape)} -init image
        -gpu {task.device.index or 0 if task.device.type == "cuda" else "c"} -tv_weight 0
        -model_file {folder}/vgg16.pth -disable_check -num_iterations {task.evaluations}
        -content_weight {CONTENT_WEIGHT} -style_weight {STYLE_WEIGHT}
        -save_iter 0 -print_iter 0 -output_image {folder}/out.png""".split()
    runpy.run_path(str(checkout / "neural_style.py"), run_name="__main__")


def ours(task: Task, **changes: Any) -> None:
    """The engine with its defaults but for `changes`, at the objective of the comparison.

    By default half of the evaluations are spent on a picture of half the size, which looks better
    sooner; `scales=1` spends all on the loss that is compared.
    """
    settings = Settings(
        normalization="mean",
        content_weight=CONTENT_WEIGHT,
        style_weight=STYLE_WEIGHT,
        size=max(task.content.shape),
        steps=task.evaluations,
        max_evaluations=task.evaluations,
        tolerance=0,
        device=str(task.device),
        **changes,
    )

    def on_progress(progress: Progress) -> None:
        if progress.latest.scale < len(progress.scales):
            task.turn.lap(note=progress.stage)
        else:
            task.turn.lap(progress.preview(), progress.latest.loss, progress.stage)

    stylize(
        losses_of(task.content, [task.style], settings),
        vgg=task.vgg,
        settings=settings,
        on_progress=on_progress,
    )


def convolutions(task: Task, precision: str) -> None:
    """The machine's limit: nothing but the convolutions up to relu5_1 and their data gradient."""
    runtime = Runtime.choose(str(task.device), precision)
    dtype, device = runtime.dtype, runtime.device
    height, width, channels, layers = *task.content.shape[-2:], 3, []
    for block, widths in enumerate(BLOCKS, start=1):
        for outputs in widths if block < 5 else widths[:1]:
            sizes = (outputs, channels, 3, 3), (1, channels, height, width)
            outward = 1, outputs, height, width
            shapes = (torch.randn(size, device=device) for size in (*sizes, outward))
            layers.append(
                [t.to(dtype).contiguous(memory_format=torch.channels_last) for t in shapes]
            )
            channels = outputs
        height, width = height // 2, width // 2

    def both_passes() -> None:
        for weight, features, gradient in layers:
            torch.conv2d(features, weight, padding=1)
            torch.ops.aten.convolution_backward(
                gradient, features, weight, None, [1, 1], [1, 1], [1, 1], False, [0, 0], 1,
                [True, False, False],
            )  # fmt: skip

    if device.type == "cuda":  # or the limit would be the processor's, which launches the kernels
        both_passes()
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            both_passes()
        both_passes = graph.replay
    while True:
        both_passes()
        task.turn.lap()


CONTENDERS: Mapping[str, Callable[[Task], None]] = {
    "torch-lbfgs": torch_lbfgs,
    "scipy": scipys,
    "neural-style-pt": neural_style_pt,
    "ours": ours,
    "ours in float32": partial(ours, precision="float32"),
    "ours at one scale": partial(ours, scales=1),
    "ours, plain": partial(ours, scales=1, preconditioner="none"),  # bounded L-BFGS, no more
    "convolutions": partial(convolutions, precision="auto"),
    "convolutions in float32": partial(convolutions, precision="float32"),
}


def main() -> None:
    """One contender, until the parent has seen enough."""
    name, folder, options = sys.argv[1], Path(sys.argv[2]), json.loads(sys.argv[3])
    device, evaluations = torch.device(options["device"]), options["evaluations"]
    with contextlib.suppress(Stopped):
        # The limit is only to be known over the whole run; it needs no long turns.
        bare = name.startswith("convolutions")
        seconds, limit = (1.0, sys.maxsize) if bare else (options["turn"], evaluations)
        turn = Turn(folder, seconds, limit, device)
        task = Task(
            content=_picture(folder.parent / "content.npy"),
            style=_picture(folder.parent / "style.npy"),
            vgg=load_vgg16(options["weights"]),
            device=device,
            turn=turn,
            evaluations=evaluations,
            options=options | {"folder": str(folder)},
        )
        turn.begin()
        CONTENDERS[name](task)


def _picture(path: Path) -> Tensor:
    return torch.from_numpy(np.load(path)).permute(2, 0, 1).unsqueeze(0).float() / 255


if __name__ == "__main__":
    main()
