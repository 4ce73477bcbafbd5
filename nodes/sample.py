"""The node that gives a picture on an empty installation."""

from collections.abc import Mapping

from ..nst_core.files.samples import CONTENTS, MIN_SIZE, STYLES, sample
from ..nst_core.settings import default_of, limits_of
from . import _host as host
from ._host import io


class SampleImage(io.ComfyNode):
    """One of the engine's pictures drawn by code."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        """What the host shows."""
        _, largest = limits_of("size")
        return host.schema(
            node_id="NST_SampleImage",
            display_name="Sample Image",
            description="A content or a style that is drawn by code, to try things without files "
            "of your own.",
            search_aliases=["neural style transfer", "nst", "test image", "example", "demo"],
            inputs=[
                io.Combo.Input(
                    "name",
                    options=[*CONTENTS, *STYLES],
                    default=next(iter(CONTENTS)),
                    tooltip=f"Contents: {listed(CONTENTS)} Styles: {listed(STYLES)}",
                ),
                io.Int.Input(
                    "size",
                    default=default_of("size"),
                    min=MIN_SIZE,
                    max=int(largest or MIN_SIZE),
                    tooltip="Longer side in pixels. It is the same picture at every size.",
                ),
            ],
            outputs=[io.Image.Output("image", tooltip="The picture.")],
        )

    @classmethod
    def execute(cls, name: str, size: int) -> io.NodeOutput:
        """Draw it."""
        return io.NodeOutput(host.to_host(sample(name, size)))


def listed(samples: Mapping[str, str]) -> str:
    """Each name with what it shows."""
    return " ".join(f"{name}: {text}" for name, text in samples.items())
