"""Each way by which bytes of a stranger come in: as the program itself reads them.

A reader takes the path of a file. It returns, or raises an `NSTError`; all else is a fault.
"""

import base64
import json
import os
from itertools import islice

import numpy as np
import torch
from odd_files import SIGNATURE, chunk
from PIL import Image
from uploading import answers

from nst_core.cli.resuming import asked_again
from nst_core.control.color import luma_of
from nst_core.control.regions import colors_in, masks_of_map
from nst_core.errors import NSTError
from nst_core.files.alpha import load_with_alpha
from nst_core.files.checkpoint_file import write_checkpoint_file
from nst_core.files.clip import clip_of
from nst_core.files.color_profile import in_srgb, values_in_srgb
from nst_core.files.flow_file import FAR_OUT, read_flow
from nst_core.files.read_image import image_size, load_image, read_metadata
from nst_core.files.weights.vgg_file import read_vgg16
from nst_core.run.checkpoint import load_checkpoint

# So much may be decoded: about 0.4 GB with all copies.
PIXELS = 4_000_000


def picture(path):
    """The command line's: its size, its settings, its pixels."""
    image_size(path)
    read_metadata(path)
    colors, alpha = load_with_alpha(path, max_pixels=PIXELS)
    assert colors.dtype == torch.float32
    assert colors.shape[:2] == (1, 3)
    assert bool(((colors >= 0) & (colors <= 1)).all())
    assert alpha is None or alpha.shape == colors.shape[2:]


def mask(path):
    """A picture whose light says where, and one whose colors do."""
    image = load_image(path, max_pixels=PIXELS)
    assert bool(torch.isfinite(luma_of(image)).all())
    for color in colors_in(image, ["red", "blue"]):
        masks_of_map(image, [color])


def animation(path):
    """A GIF, APNG or WebP that moves: its times, and a few of its frames."""
    data = path.read_bytes()
    kinds = {b"GIF8": ".gif", b"\x89PNG": ".png"}
    named = path.with_suffix(kinds.get(data[:4], ".webp"))
    named.write_bytes(data)
    clip(named)


def clip(path):
    """What is to be made a video of."""
    found = clip_of(path, max_pixels=PIXELS)
    for _ in islice(found.times(), 20):
        pass
    for frame in islice(found.frames(0), 3):
        assert bool(((frame.image >= 0) & (frame.image <= 1)).all())


def flow(path):
    """Optical flow that somebody has computed."""
    kind = ".png" if path.read_bytes()[:4] == b"\x89PNG" else ".flo"
    named = path.with_suffix(kind)
    named.write_bytes(path.read_bytes())
    found = read_flow(named, max_pixels=PIXELS)
    assert found.shape[:2] == (1, 2)
    assert bool((found.abs() < max(FAR_OUT, 1e9) + 1).all())


def icc(path):
    """A color profile: of 8 bits, of more, and of gray."""
    profile = path.read_bytes()
    for mode in ("RGB", "L", "CMYK"):
        in_srgb(Image.new(mode, (8, 8), 100 if mode == "L" else "gray"), profile)
    values = np.linspace(0, 1, 48, dtype=np.float32)
    for deep in (values.reshape(4, 4, 3), values.reshape(8, 6, 1)):
        assert np.isfinite(values_in_srgb(deep, profile)).all()


def stored_settings(path):
    """A picture that was dropped onto the page."""
    from nst_core.page.restore import restore
    from nst_core.page.restoring import _words
    from nst_core.settings import ServingSettings

    found = restore(str(path))
    words = _words(found, ServingSettings())
    words.encode()
    assert "<script" not in words
    assert all(0 <= share <= 1 for share in found.shares)


def settings_text(path):
    """The text of the settings alone; the picture around it is made here."""
    whole = path.with_suffix(".around.png")
    whole.write_bytes(png_with_text(path.read_bytes()))
    stored_settings(whole)


def png_with_text(text: bytes, kind=b"tEXt"):
    """A PNG of one pixel with a text where settings are."""
    size = (1).to_bytes(4, "big")
    head = chunk(b"IHDR", size + size + b"\x08\x00\0\0\0")
    pixels = chunk(b"IDAT", bytes.fromhex("789c63000000010001"))
    return SIGNATURE + head + chunk(kind, b"nst\0" + text) + pixels + chunk(b"IEND")


def drawing(path):
    """What a canvas sends, and maps that are uploaded in its place."""
    from nst_core.page.canvas import pixels_of, png_in
    from nst_core.page.regions import map_of_file, part_of_file
    from nst_core.settings import ServingSettings

    limits = ServingSettings(max_megapixels=4)
    sent = base64.b64encode(path.read_bytes()).decode()
    refusals = []
    for read in (
        lambda: pixels_of(png_in({"map": sent})),
        lambda: map_of_file(str(path), limits),
        lambda: part_of_file(str(path), "red", limits),
    ):
        try:
            read()
        except NSTError as error:
            refusals.append(error)
    if len(refusals) == 3:
        raise refusals[0]


def checkpoint(path):
    """What `nst resume` reads before it looks for any other file."""
    found = load_checkpoint(path)
    assert found.image.shape == found.gradient.shape


def command(path):
    """A checkpoint whose document is well signed: the file holds the document alone."""
    tensors = {name: torch.zeros(1, 3, 4, 4) for name in ("image", "gradient")}
    signed = path.with_suffix(".checkpoint")
    try:
        document = json.loads(path.read_bytes())
        write_checkpoint_file(signed, tensors, dict(document))
    except (ValueError, TypeError, RecursionError, OverflowError):
        return
    os.chdir(path.parent)  # "." of the command
    asked_again(load_checkpoint(signed), signed, None)


def weights(path):
    """A network's file, whatever kind its first bytes say."""
    read_vgg16(path)


def route(path):
    """The head of a request to the page, in the process: what is refused before Gradio."""
    import asyncio

    from nst_core.page.routes import Routes

    reached = []

    async def behind(scope, receive, send):
        reached.append(scope["path"])

    async def send(message):
        pass

    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    method, _, rest = path.read_bytes().partition(b" ")
    address, _, cookie = rest.partition(b"\n")
    scope = {
        **{"type": "http", "method": method.decode("latin-1"), "path": address.decode("latin-1")},
        **{"headers": [(b"cookie", cookie)], "root_path": ""},
    }
    asyncio.run(Routes(behind, 1, lambda: None)(scope, receive, send))
    for address in reached:
        assert ".." not in address.replace("\\", "/").split("/")
        assert "file=http" not in address


def upload(path):
    """The body of a request with a file: stored in the page's folder, or refused."""
    assert all(status in (200, 400, 413, 422) for status in answers(path))


READERS = {
    **dict.fromkeys(("picture", "png", "jpeg", "tiff"), picture),
    "mask": mask,
    "animation": animation,
    "video": clip,
    "flow": flow,
    "icc": icc,
    "stored_settings": stored_settings,
    "settings_text": settings_text,
    "drawing": drawing,
    "checkpoint": checkpoint,
    "command": command,
    **dict.fromkeys(("safetensors", "keras", "pickle"), weights),
    "route": route,
    "upload": upload,
}
