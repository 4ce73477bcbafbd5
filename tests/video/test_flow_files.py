"""Flow in files."""

import struct
import zlib

import numpy as np
import pytest
import torch
from PIL import Image

from nst_core.errors import ImageError
from nst_core.files.flow_file import FAR_OUT, read_flow, write_flow


def a_flow(height=5, width=7):
    return torch.randn(1, 2, height, width, generator=torch.Generator().manual_seed(2)) * 20


def kitti(path, flow, known):
    """KITTI's layout, written here by hand: 16-bit RGB, big-endian."""
    height, width = known.shape
    levels = np.zeros((height, width, 3), ">u2")
    levels[..., :2] = (flow[0].permute(1, 2, 0).numpy() * 64 + 32768).round()
    levels[..., 2] = known
    rows = b"".join(b"\0" + row.tobytes() for row in levels)

    def chunk(name, data):
        return (
            struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        )

    head = struct.pack(">IIBBBBB", width, height, 16, 2, 0, 0, 0)
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


def test_flo_comes_back_bit_for_bit(tmp_path):
    flow = a_flow()
    write_flow(flow, tmp_path / "a.flo")
    assert torch.equal(read_flow(tmp_path / "a.flo"), flow)


def test_flo_has_the_layout_of_middlebury(tmp_path):
    flow = a_flow(2, 3)
    write_flow(flow, tmp_path / "a.flo")
    data = (tmp_path / "a.flo").read_bytes()
    assert data[:4] == b"PIEH"
    assert struct.unpack("<ii", data[4:12]) == (3, 2)
    assert struct.unpack("<ff", data[12:20]) == tuple(flow[0, :, 0, 0].tolist())


def test_kitti_is_read_to_a_64th_of_a_pixel_and_what_it_does_not_know_points_out(tmp_path):
    flow, known = a_flow(), np.ones((5, 7), np.uint16)
    known[2, 3] = 0
    kitti(tmp_path / "a.png", flow, known)
    found = read_flow(tmp_path / "a.png")
    assert (found[0, :, 2, 3] == FAR_OUT).all()
    found[0, :, 2, 3] = flow[0, :, 2, 3]
    assert float((found - flow).abs().max()) <= 1 / 128 + 1e-4


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1.1e9])
def test_what_a_flo_file_does_not_know_points_out(tmp_path, value):
    flow = a_flow()
    flow[0, 0, 1, 1] = value
    write_flow(flow, tmp_path / "a.flo")
    assert (read_flow(tmp_path / "a.flo")[0, :, 1, 1] == FAR_OUT).all()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"PIEH",
        b"PIEH" + struct.pack("<ii", 2, 2) + bytes(31),
        b"PIEH" + struct.pack("<ii", 2, 2) + bytes(33),
        b"PIEH" + struct.pack("<ii", -2, 2) + bytes(32),
        b"PIEH" + struct.pack("<ii", 2**30, 2**30),
        b"RIFF" + struct.pack("<ii", 2, 2) + bytes(32),
    ],
)
def test_what_is_no_flow_is_refused(tmp_path, data):
    (tmp_path / "a.flo").write_bytes(data)
    with pytest.raises(ImageError, match=r"a\.flo"):
        read_flow(tmp_path / "a.flo")


def test_a_missing_file_and_a_picture_are_refused(tmp_path):
    with pytest.raises(ImageError, match=r"none\.flo"):
        read_flow(tmp_path / "none.flo")
    Image.new("RGB", (4, 4)).save(tmp_path / "photo.png")
    with pytest.raises(ImageError, match="16 bits"):
        read_flow(tmp_path / "photo.png")


def test_a_picture_of_more_pixels_than_are_taken_is_not_decoded(tmp_path):
    kitti(tmp_path / "a.png", a_flow(10, 11), np.ones((10, 11), np.uint16))
    data = (tmp_path / "a.png").read_bytes()
    (tmp_path / "a.png").write_bytes(data[: data.index(b"IDAT") + 8])
    with pytest.raises(ImageError, match="11x10 pixels, and the limit is 100"):
        read_flow(tmp_path / "a.png", max_pixels=100)
