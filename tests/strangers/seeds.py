"""Sound files of every kind that is read, as small as they can be, to be damaged."""

import base64
import io
import json
import pickle
import zipfile
from dataclasses import asdict

import numpy as np
import odd_files
import torch
from clips import make_video
from PIL import Image, ImageCms
from safetensors.torch import save

from nst_core.files.flow_file import write_flow
from nst_core.files.icc import ADOBE_PRIMARIES, profile_of
from nst_core.files.weights.names import SHAPES
from nst_core.run.checkpoint import Checkpoint, Position, save_checkpoint
from nst_core.run.progress import Record
from nst_core.settings import Settings

ADOBE = profile_of(2.2, ADOBE_PRIMARIES, gray=False)
NOISE = np.random.default_rng(0).integers(0, 256, (20, 24, 4), np.uint8)
DEEP = NOISE[..., :3].astype(np.uint16) * 257
EXIF = Image.Exif()
EXIF[0x0112] = 6
EXIF.get_ifd(0x8769)[0x9286] = b"comment"


def pictures():
    """{name: bytes}: each format, and each way of storing in it that has code of its own."""
    found = {}

    def save_as(name, kind, mode="RGB", **options):
        stream = io.BytesIO()
        channels = {"L": 0, "RGB": slice(3), "RGBA": slice(4)}.get(mode, slice(3))
        picture = Image.fromarray(np.ascontiguousarray(NOISE[..., channels]))
        picture = picture if mode in ("L", "RGB", "RGBA") else picture.convert(mode)
        picture.save(stream, kind, **options)
        found[name] = stream.getvalue()

    save_as("plain.png", "PNG", icc_profile=ADOBE, exif=EXIF)
    save_as("alpha.png", "PNG", "RGBA")
    save_as("palette.png", "PNG", "P", transparency=3)
    save_as("baseline.jpg", "JPEG", icc_profile=ADOBE, exif=EXIF)
    save_as("progressive.jpg", "JPEG", progressive=True)
    save_as("cmyk.jpg", "JPEG", "CMYK")
    save_as("lossless.webp", "WEBP", "RGBA", lossless=True, exif=EXIF)
    save_as("lossy.webp", "WEBP", quality=50)
    save_as("plain.bmp", "BMP")
    save_as("palette.gif", "GIF", "P", comment=b"a comment", transparency=1)
    save_as("plain.ppm", "PPM")
    save_as("lzw.tif", "TIFF", compression="tiff_lzw", icc_profile=ADOBE, exif=EXIF)
    save_as("jpeg.tif", "TIFF", compression="jpeg")
    save_as("avif.avif", "AVIF")
    found["deep.png"] = odd_files.png(DEEP, 2, before=odd_files.chunk(b"gAMA", b"\0\0\xb1\x8f"))
    found["deep.tif"] = odd_files.tiff(DEEP, 2)
    found["planes.tif"] = odd_files.tiff(DEEP, 2, planes=True, order=">")
    found["float.tif"] = odd_files.tiff(DEEP.astype(np.float32) / 65535, 2)
    found["lab.tif"] = odd_files.tiff(NOISE[..., :3].copy(), 8)
    frames = [Image.fromarray(NOISE[..., i]) for i in range(3)]
    for name, kind in (("frames.gif", "GIF"), ("frames.webp", "WEBP"), ("frames.png", "PNG"),
                       ("pages.tif", "TIFF")):  # fmt: skip
        stream = io.BytesIO()
        frames[0].save(stream, kind, save_all=True, append_images=frames[1:])
        found[name] = stream.getvalue()
    found["plain.pbm"] = b"P1\n# words\n4 2\n" + b"0 1 0 1 1 0 1 0\n"
    found["ascii.ppm"] = b"P3\n2 2\n255\n" + b"1 2 3 4 5 6 7 8 9 10 11 12\n"
    try:
        import pillow_heif

        stream = io.BytesIO()
        pillow_heif.from_pillow(frames[0].convert("RGB")).save(stream)
        found["phone.heic"] = stream.getvalue()
    except ImportError:
        pass
    return found


def animations():
    """Those that Pillow reads, of three frames."""
    found = {}
    frames = [Image.fromarray(np.roll(NOISE, by, axis=1)) for by in range(3)]
    for name, kind in (("a.gif", "GIF"), ("a.png", "PNG"), ("a.webp", "WEBP")):
        stream = io.BytesIO()
        frames[0].save(stream, kind, save_all=True, append_images=frames[1:], duration=40)
        found[name] = stream.getvalue()
    return found


def videos(folder):
    """Those that FFmpeg reads, with sound."""
    names = ("a.mp4", "a.mkv")
    return {
        name: make_video(folder / name, size=(24, 32), sound=True).read_bytes() for name in names
    }


def flows(folder):
    """Of both kinds."""
    flow = torch.linspace(-40, 40, 96).view(1, 2, 6, 8)
    write_flow(flow, folder / "a.flo")
    levels = np.full((6, 8, 3), 1, np.uint16)
    levels[..., :2] = (flow[0].permute(1, 2, 0) * 64 + 32768).numpy()
    return {"a.flo": (folder / "a.flo").read_bytes(), "a.png": odd_files.png(levels, 2)}


def masks():
    """Flat colors, and gray."""
    stream = io.BytesIO()
    flat = Image.new("RGB", (16, 12), "red")
    flat.paste("blue", (8, 0, 16, 12))
    flat.save(stream, "PNG")
    return {"map.png": stream.getvalue(), **{k: pictures()[k] for k in ("plain.png", "deep.png")}}


def profiles():
    """Of curves and a matrix, of gray, and Pillow's own."""
    return {
        "adobe.icc": ADOBE,
        "gray.icc": profile_of(1.8, ADOBE_PRIMARIES, gray=True),
        "srgb.icc": ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes(),
        "lab.icc": ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes(),
    }


def summary():
    """What a picture says of how it was made."""
    pixel = odd_files.png(np.zeros((1, 1, 1), np.uint8), 0)
    url = "data:image/png;base64," + base64.b64encode(pixel).decode()
    return {
        "nst_gram": "0.1.0",
        "content": "sample:harbor",
        "styles": ["b.jpg", "c.png"],
        "start": "content",
        "weights": "builtin",
        "preprocessing": "caffe",
        "settings": asdict(Settings()),
        "shares": [1.0, 0.5],
        "preset": "default",
        "style_strength": 1.5,
        "drawn": {"map": url, "colors": ["red", "blue"], "parts": ["", url]},
    }


def settings_texts():
    """The text alone."""
    plain = {k: v for k, v in summary().items() if k not in ("drawn", "shares", "preset")}
    return {"page.json": json.dumps(summary()).encode(), "nst.json": json.dumps(plain).encode()}


def stored():
    """In PNG files, with what ComfyUI stores."""
    graph = {"1": {"class_type": "NST_LoadVGG16", "inputs": {"weights": "auto"}}}
    more = odd_files.chunk(b"tEXt", b"prompt\0" + json.dumps(graph).encode())
    text = json.dumps(summary()).encode()
    pixels = np.zeros((4, 4, 1), np.uint8)
    texts = {
        "text.png": odd_files.chunk(b"tEXt", b"nst\0" + text),
        "international.png": odd_files.chunk(b"iTXt", b"nst\0\0\0\0\0" + text),
    }
    return {name: odd_files.png(pixels, 0, before=body + more) for name, body in texts.items()}


def document():
    """Of a checkpoint, with the command of the command line."""
    return {
        "run": {"pictures": "0"},
        "position": {
            "scale": 0,
            "exact": False,
            "steps_before": 0,
            "evaluations_before": 0,
            "tiles": [0],
        },
        "losses": [2.0, 1.0],
        "evaluations": 2,
        "length": 0.5,
        "pairs": 1,
        "records": [asdict(Record(1, 0, 1, 2.0, {"content relu4_2": 2.0}, 0.1))],
        "stops": [],
        "seconds": 1.0,
        "command": {
            "folder": ".",
            "content": "sample:harbor",
            "words": {
                "styles": ["sample:ink"],
                "regions": None,
                "mask": None,
                "style_regions": [],
                "style_masks": [],
            },
            "start": None,
            "settings": asdict(Settings()),
            "outputs": {"picture": "out.png", "report": None, "plot": None, "every": 0},
        },
    }


def documents():
    """The document alone."""
    return {"command.json": json.dumps(document()).encode()}


def small_checkpoint(path):
    """Written to a file."""
    image = torch.linspace(0, 1, 48).view(1, 3, 4, 4)
    told = document()
    made = Checkpoint(
        run=told["run"],
        position=Position(scale=0, exact=False, steps_before=0, evaluations_before=0, tiles=(0,)),
        image=image,
        gradient=-image,
        losses=(2.0, 1.0),
        evaluations=2,
        length=0.5,
        history={"steps": torch.ones(2, 48), "order": torch.arange(2)},
        pairs=1,
        records=(Record(1, 0, 1, 2.0, {"content relu4_2": 2.0}, 0.1),),
        stops=(),
        seconds=1.0,
        command=told["command"],
    )
    save_checkpoint(made, path)


def checkpoints(folder):
    """As files have them."""
    path = folder / "seed.checkpoint"
    small_checkpoint(path)
    return {"run.checkpoint": path.read_bytes()}


def networks(folder):
    """Weights in each container: all of VGG-16 where that is small, else a part."""
    one = {name: torch.ones(1).expand(shape) for name, shape in SHAPES.items()}
    part = {"features.0.weight": torch.ones(64, 3, 3, 3) / 8, "features.0.bias": torch.ones(64)}
    small = {"conv1_1.weight": torch.ones(2, 3, 3, 3), "conv1_1.bias": torch.ones(2)}
    found = {"small.safetensors": save(small, {"format": "nst-vgg16", "preprocessing": "caffe"})}
    stream = io.BytesIO()
    torch.save({"state_dict": one, "epoch": 3}, stream)
    found["whole.pth"] = stream.getvalue()
    stream = io.BytesIO()
    torch.save(part, stream, _use_new_zipfile_serialization=False)
    found["old.pth"] = stream.getvalue()
    found["bare.pkl"] = pickle.dumps({"conv1_1.weight": [1.0, 2.0]}, protocol=2)
    try:
        import h5py
    except ImportError:
        return found
    path = folder / "seed.h5"
    with h5py.File(path, "w") as file:
        file.attrs["backend"] = b"tensorflow"
        group = file.create_group("block1_conv1")
        group.attrs["name"] = "block1_conv1"
        group.create_dataset("kernel:0", data=np.ones((3, 3, 3, 64), "f4"), compression="gzip")
        group["bias:0"] = np.zeros(64, "f4")
    found["keras.h5"] = path.read_bytes()
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("config.json", "{}")
        archive.writestr("model.weights.h5", found["keras.h5"])
    found["archive.keras"] = stream.getvalue()
    return found


def requests():
    """Heads of requests."""
    lines = {"home": b"GET /\nnst=x", "file": b"GET /gradio_api/file=/tmp/x/a.png\n"}
    return lines | {"upload": b"POST /gradio_api/upload\n", "login": b"POST /login\na=b; c"}


def uploads():
    """Bodies with a file, after the type of the content."""
    kind = b"multipart/form-data; boundary=abc"
    named = b'Content-Disposition: form-data; name="files"; filename="%s"\r\n'

    def body(name, data, more=b""):
        return b"--abc\r\n" + named % name + more + b"\r\n" + data + b"\r\n"

    field = b'--abc\r\nContent-Disposition: form-data; name="upload_id"\r\n\r\nx\r\n'
    picture = pictures()["plain.bmp"][:400]
    bodies = {
        "one": body(b"a.png", picture, b"Content-Type: image/png\r\n"),
        "two": body(b"a.png", b"1") + body(b"../../b.png", b"2") + field,
        "windows": body(rb"..\\c:\\d.png", b"", b"Content-Transfer-Encoding: base64\r\n"),
        "extended": body(b"\xff\0/.", b"x").replace(b"filename=", b"filename*=UTF-8''%2e%2e%2f"),
    }
    return {name: kind + b"\n" + text + b"--abc--\r\n" for name, text in bodies.items()}


def seeds(folder):
    """{reader: {name: bytes}}; the readers of one kind of picture have these alone."""
    every, of_networks = pictures(), networks(folder)

    def ending(files, *endings):
        return {name: data for name, data in files.items() if name.endswith(endings)}

    return {
        "picture": ending(every, "webp", "bmp", "gif", "pbm", "ppm", "avif", "heic"),
        "png": ending(every, "png"),
        "jpeg": ending(every, "jpg"),
        "tiff": ending(every, "tif"),
        "mask": masks(),
        "animation": animations(),
        "video": videos(folder),
        "flow": flows(folder),
        "icc": profiles(),
        "stored_settings": stored(),
        "settings_text": settings_texts(),
        "drawing": masks(),
        "checkpoint": checkpoints(folder),
        "command": documents(),
        "safetensors": ending(of_networks, "safetensors"),
        "keras": ending(of_networks, "h5", "keras"),
        "pickle": ending(of_networks, "pth", "pkl"),
        "route": requests(),
        "upload": uploads(),
    }
