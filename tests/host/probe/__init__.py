"""A pack for tests: pictures that no other node makes, and results with all their bits."""

import torch
from server import PromptServer


class Picture:
    """A picture of the kind asked for."""

    CATEGORY = FUNCTION = "make"
    RETURN_TYPES = ("IMAGE", "MASK")

    @classmethod
    def INPUT_TYPES(cls):  # the host's name
        kinds = (["gradient", "nan", "pixel", "batch", "alpha", "half"],)
        return {"required": {"kind": kinds, "side": ("INT", {"default": 64, "max": 4096})}}

    def make(self, kind, side):
        """Gradients in two directions, changed as asked; the mask is that of an opaque file."""
        ramp = torch.linspace(0, 1, side)
        picture = torch.stack(torch.meshgrid(ramp, 1 - ramp, indexing="ij"), dim=-1)
        picture = torch.cat([picture, picture[..., :1].flip(0)], dim=-1)[None]
        changed = {
            "nan": lambda: picture.where(picture > 0.1, torch.nan),
            "pixel": lambda: picture[:, :1, :1],
            "batch": lambda: torch.cat([picture, picture.flip(1)]),
            "alpha": lambda: torch.cat([picture, picture[..., :1]], dim=-1),
            "half": lambda: picture.half(),
        }
        return changed.get(kind, lambda: picture)(), torch.zeros(1, 64, 64)


class Keep:
    """Saves a tensor with all its bits."""

    CATEGORY = FUNCTION = "save"
    RETURN_TYPES = ()
    OUTPUT_NODE = True

    @classmethod
    def INPUT_TYPES(cls):  # the host's name
        return {"required": {"image": ("IMAGE",), "path": ("STRING", {})}}

    def save(self, image, path):
        """For the test to read."""
        torch.save(image.clone(), path)
        return {}


class Evict:
    """Moves a network as hosts move models: in inference mode, and back."""

    CATEGORY = FUNCTION = "move"
    RETURN_TYPES = ("NST_VGG16",)

    @classmethod
    def INPUT_TYPES(cls):  # the host's name
        return {"required": {"vgg": ("NST_VGG16",)}}

    def move(self, vgg):
        """To another dtype: not every machine has a second device."""
        vgg.to(torch.float64).to(torch.float32)
        assert all(weight.is_inference() for weight in vgg.parameters())
        return (vgg,)


class Flood:
    """Sends its client more than a socket holds: all else waits until that is read."""

    CATEGORY = FUNCTION = "send"
    RETURN_TYPES = ()
    OUTPUT_NODE = True

    @classmethod
    def INPUT_TYPES(cls):  # the host's name
        return {"required": {"megabytes": ("INT", {"max": 64})}}

    def send(self, megabytes):
        """One message."""
        server = PromptServer.instance
        server.send_sync("flood", "x" * (megabytes << 20), server.client_id)
        return {}


class Unread:
    """How many messages wait to be read."""

    CATEGORY = FUNCTION = "count"
    RETURN_TYPES = ()
    OUTPUT_NODE = True

    @classmethod
    def INPUT_TYPES(cls):  # the host's name
        return {"required": {"after": ("NST_REPORT",)}}

    def count(self, after):
        """Now."""
        return {"ui": {"text": [str(PromptServer.instance.messages.qsize())]}}


NODE_CLASS_MAPPINGS = {
    "Probe_Picture": Picture,
    "Probe_Keep": Keep,
    "Probe_Evict": Evict,
    "Probe_Flood": Flood,
    "Probe_Unread": Unread,
}
