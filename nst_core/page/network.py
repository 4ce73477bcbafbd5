"""The network of the page: loaded once, and the line that says which it is."""

from ..files.weights import load_vgg16
from ..files.weights.assemble import assembled
from ..gatys.vgg import VGG16

# What the sources of our own weights begin with.
_OURS = ("builtin", "untrained")
_TRAINED = (
    "For weights trained on photographs, run `nst weights get keras` on the server and start the "
    "page again."
)


class Network:
    """VGG-16 by the name of its weights.

    Args:
        weights: as `load_vgg16` takes them.

    Attributes:
        messages: what a person should read about the weights.
    """

    def __init__(self, weights: str) -> None:
        self.messages: list[str] = []
        self.vgg = load_vgg16(weights, on_message=self.messages.append)

    def pooled(self, pooling: str) -> VGG16:
        """The network with this pooling. The weights are there once, whatever the pooling."""
        if pooling == self.vgg.pooling:
            return self.vgg
        kind = self.vgg.preprocessing, pooling, self.vgg.source
        return assembled(self.vgg.weights(), *kind, copy=False)

    def line(self) -> str:
        """Which weights are in use, and how to get trained ones, in Markdown."""
        line = f"**Weights in use:** {self.vgg.source}."
        return f"{line} {_TRAINED}" if self.vgg.source.startswith(_OURS) else line
