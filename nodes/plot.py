"""The node that draws the loss curve."""

import torch

from ..nst_core.run.plot import plot_losses
from . import _host as host
from ._host import io
from ._inputs import REPORT
from .report import Report


class LossPlot(io.ComfyNode):
    """A report as a picture."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        """What the host shows."""
        return host.schema(
            node_id="NST_LossPlot",
            display_name="Loss Plot",
            description="Draws how the loss and its parts fell, evaluation by evaluation, on a "
            "log scale.",
            search_aliases=["neural style transfer", "nst", "loss curve", "graph", "convergence"],
            inputs=[
                REPORT.Input(
                    "report",
                    tooltip="From L-BFGS Optimize or Neural Style Transfer. Each picture of a "
                    "batch gets a plot of its own.",
                )
            ],
            outputs=[io.Image.Output("image", tooltip="The plot, 960x540.")],
        )

    @classmethod
    def execute(cls, report: Report) -> io.NodeOutput:
        """One plot for each run."""
        plots = torch.cat([plot_losses(records) for records in report.records])
        return io.NodeOutput(host.to_host(plots))
