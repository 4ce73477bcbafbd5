"""What the host asks for: the list of nodes."""

from ._host import ComfyExtension, io, register_weights_folder
from .details import KeepPixels, LaplacianLoss
from .flow import LoadOpticalFlow
from .load import LoadVGG16
from .losses import ContentLoss, StyleLoss, TotalVariationLoss
from .moving_mask import MovingMask
from .one_box import NeuralStyleTransfer
from .optimize import LBFGSOptimize
from .plot import LossPlot
from .sample import SampleImage
from .sample_video import SampleVideo
from .video import StylizeVideo

NODES = (
    NeuralStyleTransfer,
    LoadVGG16,
    ContentLoss,
    StyleLoss,
    TotalVariationLoss,
    LBFGSOptimize,
    LossPlot,
    SampleImage,
    LaplacianLoss,
    KeepPixels,
    StylizeVideo,
    SampleVideo,
    LoadOpticalFlow,
    MovingMask,
)


class NeuralStyleExtension(ComfyExtension):
    """The pack."""

    async def get_node_list(self) -> list[type[io.ComfyNode]]:
        """Its nodes, in the order of the menu."""
        return list(NODES)


async def comfy_entrypoint() -> NeuralStyleExtension:
    """The host calls this once, after importing us."""
    register_weights_folder()
    return NeuralStyleExtension()
