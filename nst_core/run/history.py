"""The memory of L-BFGS for one scale, and the matrix it starts from."""

from collections.abc import Sequence

import torch
from torch import Tensor

from ..control.losses import Weighed, styles_in
from ..control.preconditioner import FOR_CONTENT, FOR_STYLE, Spectral
from ..control.pyramid import Scale
from ..gatys.lbfgs import History, InitialHessian
from ..kernels.history import FastHistory
from ..kernels.rows import MakeRows, Rows
from ..processes import ALONE, Processes
from ..settings import RunSettings
from .devices import fft_device, history_dtype


def history_of(
    losses: Sequence[Weighed],
    scale: Scale,
    image: Tensor,
    *,
    settings: RunSettings,
    graphs: bool,
    processes: Processes = ALONE,
    rows: MakeRows = Rows,
) -> History:
    """One without pairs, for images like `image`; the plain one where the quick one fails.

    Args:
        processes: those that share its pairs.
        rows: where they are kept.
    """
    dtype = history_dtype(image.device)
    h0 = _preconditioner(losses, scale, image.device, settings)
    if dtype is None:
        return History(settings.history, h0)
    graphs = graphs and processes.size == 1  # nothing in a graph waits for another process
    return FastHistory(
        settings.history, image, h0, dtype=dtype, graphs=graphs, processes=processes, rows=rows
    )


def _preconditioner(
    losses: Sequence[Weighed], scale: Scale, device: torch.device, settings: RunSettings
) -> InitialHessian:
    if settings.preconditioner == "none":
        return InitialHessian()
    guess = FOR_STYLE if styles_in(losses) else FOR_CONTENT
    return Spectral(scale.height, scale.width, fft_device(device), guess)
