"""The node that gives a video on an empty installation."""

from torch import Tensor

from ..nst_core.files.samples import MIN_SIZE
from ..nst_core.files.samples.scenes import moving_sample
from ..nst_core.settings import default_of, limits_of
from ..nst_core.settings.samples import MOVING
from ..nst_core.video.flows import Frame
from . import _host as host
from ._host import io
from ._inputs import FLOW
from .flow import Flow
from .sample import listed


class SampleVideo(io.ComfyNode):
    """One of the engine's moving pictures, and how it moves."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        """What the host shows."""
        _, largest = limits_of("size")
        return host.schema(
            node_id="NST_SampleVideo",
            display_name="Sample Video",
            description="A short video that is drawn by code, to try things without files of your "
            "own. Its motion is known exactly.",
            search_aliases=["neural style transfer", "nst", "test video", "example", "demo"],
            inputs=[
                io.Combo.Input(
                    "name",
                    options=list(MOVING),
                    default=next(iter(MOVING)),
                    tooltip=listed(MOVING),
                ),
                io.Int.Input(
                    "size",
                    default=default_of("size"),
                    min=MIN_SIZE,
                    max=int(largest or MIN_SIZE),
                    tooltip="Longer side in pixels.",
                ),
                io.Int.Input(
                    "count", default=24, min=1, max=10_000, tooltip="How many frames there are."
                ),
                io.Float.Input(
                    "fps",
                    default=12.0,
                    min=1.0,
                    max=240.0,
                    step=1.0,
                    tooltip="Frames of a second. The more there are, the less moves between two.",
                ),
            ],
            outputs=[
                io.Image.Output("frames", tooltip="The video, as Load Video nodes give it."),
                FLOW.Output(
                    "optical_flow",
                    tooltip="How it moves, exactly, for Stylize Video. Without it, Stylize Video "
                    "finds the motion by itself.",
                ),
            ],
        )

    @classmethod
    def execute(cls, name: str, size: int, count: int, fps: float) -> io.NodeOutput:
        """Draw it."""
        scene = moving_sample(name)

        def between(first: Frame, second: Frame) -> Tensor:
            return scene.flow(first.index / fps, second.index / fps, size)[0].float()

        frames: Tensor | None = None
        for index in range(count):
            host.stop_if_asked()
            frame = host.to_host(scene.frame(index / fps, size))
            frames = frame.new_empty(count, *frame.shape[1:]) if frames is None else frames
            frames[index] = frame[0]
        identity = f"sample {name} {size} {fps}"
        return io.NodeOutput(frames, Flow(between, identity, count))
