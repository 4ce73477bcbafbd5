"""ICC profiles of curves and a matrix: their arithmetic in floats, and making one.

Pillow applies profiles to 8 bits a channel. That is too coarse for deeper pictures, and the
profiles that they have (Adobe RGB, Display P3, ProPhoto) need no more than ICC.1:2022, F.3.
"""

import struct
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float32]
_Tags = dict[bytes, memoryview]

# Linear sRGB to XYZ as ICC has it, under D50 (IEC 61966-2-1, adapted by Bradford).
_SRGB_TO_XYZ = np.array(
    [
        [0.4360747, 0.3850649, 0.1430804],
        [0.2225045, 0.7168786, 0.0606169],
        [0.0139322, 0.0971045, 0.7141733],
    ]
)
_BRADFORD = np.array(
    [[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]]
)
_D50 = np.array([0.9642, 1.0, 0.8249])
# White, red, green and blue as x, y: IEC 61966-2-1 and Adobe RGB (1998), version 2005-05.
SRGB_PRIMARIES = (0.3127, 0.3290, 0.64, 0.33, 0.30, 0.60, 0.15, 0.06)
ADOBE_PRIMARIES = (0.3127, 0.3290, 0.64, 0.33, 0.21, 0.71, 0.15, 0.06)


def linear_to_srgb(linear: Values) -> Values:
    """The curve of IEC 61966-2-1; what lies outside of [0, 1] is clipped."""
    linear = np.nan_to_num(linear).clip(0, 1)
    curved = 1.055 * linear ** np.float32(1 / 2.4) - 0.055
    return np.where(linear <= 0.0031308, 12.92 * linear, curved).astype(np.float32)


def xyz_to_srgb(xyz: Values) -> Values:
    """(..., 3) XYZ under D50, its white at Y = 1, to sRGB in [0, 1]."""
    return linear_to_srgb(xyz @ np.linalg.inv(_SRGB_TO_XYZ).T.astype(np.float32))


def converter(icc: bytes) -> Callable[[Values], Values] | None:
    """From (..., 3) or gray (..., 1) in [0, 1] of this profile to sRGB, of as many channels.

    None if the profile is not made of curves and a matrix: then it has tables, for Pillow.

    Raises:
        ValueError, LookupError, struct.error: The profile is damaged.
    """
    tags = _tags(icc)
    if b"A2B0" in tags or icc[20:24] != b"XYZ ":
        return None
    if icc[16:20] == b"GRAY" and b"kTRC" in tags:
        gray = _curve(tags[b"kTRC"])
        return lambda values: linear_to_srgb(gray(values))
    if icc[16:20] != b"RGB " or b"rXYZ" not in tags:
        return None
    curves = [_curve(tags[color + b"TRC"]) for color in (b"r", b"g", b"b")]
    matrix = np.array([_numbers(tags[color + b"XYZ"], 8, 3) for color in (b"r", b"g", b"b")])
    matrix32 = matrix.astype(np.float32)

    def convert(values: Values) -> Values:
        linear = np.stack([curve(values[..., i]) for i, curve in enumerate(curves)], axis=-1)
        return xyz_to_srgb(linear @ matrix32)

    return convert


def profile_of(gamma: float, primaries: Sequence[float], *, gray: bool) -> bytes:
    """An ICC profile of version 2 (ICC.1:2001-04) for a display.

    Args:
        gamma: Light is the value to the power of it; below 256.
        primaries: x, y of white, red, green and blue, as PNG's cHRM has them.
        gray: For pictures of one channel; the primaries are not used.

    Raises:
        ValueError, ZeroDivisionError: No display has such primaries or such a gamma.
    """
    curve = b"curv\0\0\0\0" + struct.pack(">IH2x", 1, _checked(gamma))
    tags = {b"wtpt": _xyz_tag(_D50)}
    if gray:
        tags[b"kTRC"] = curve
    else:
        columns = _to_d50(primaries).T
        for color, column in zip((b"r", b"g", b"b"), columns, strict=True):
            tags |= {color + b"XYZ": _xyz_tag(column), color + b"TRC": curve}
    table, body, start = struct.pack(">I", len(tags)), b"", 128 + 4 + 12 * len(tags)
    for name, data in tags.items():
        table += name + struct.pack(">II", start + len(body), len(data))
        body += data
    space = b"GRAY" if gray else b"RGB "
    head = struct.pack(">I4xI4s4s4s", start + len(body), 0x02400000, b"mntr", space, b"XYZ ")
    head = head.ljust(36, b"\0") + b"acsp" + b"\0" * 28 + _xyz_tag(_D50)[8:]
    return head.ljust(128, b"\0") + table + body


def _tags(icc: bytes) -> _Tags:
    tags, whole = {}, memoryview(icc)  # without copies: tags may share their bytes
    for at in range(132, 132 + 12 * min(100, *struct.unpack_from(">I", icc, 128)), 12):
        name, start, size = struct.unpack_from(">4sII", icc, at)
        tags[name] = whole[start : start + size]
    return tags


def _numbers(tag: memoryview, start: int, count: int) -> list[float]:
    """s15Fixed16Number."""
    return [number / 65536 for number in struct.unpack_from(f">{count}i", tag, start)]


def _curve(tag: memoryview) -> Callable[[Values], Values]:
    """What makes values linear: curveType or parametricCurveType (ICC.1:2022, 10.6 and 10.18)."""
    if bytes(tag[:4]) == b"curv":
        (count,) = struct.unpack_from(">I", tag, 8)
        points = np.frombuffer(tag, ">u2", count, 12).astype(np.float32)
        if count == 0:
            return lambda values: values
        if count == 1:
            return lambda values: values ** (points[0] / 256)
        places = np.linspace(0, 1, count, dtype=np.float32)
        return lambda values: np.interp(values, places, points / 65535).astype(np.float32)
    if bytes(tag[:4]) != b"para":
        raise ValueError("a curve of an unknown type")
    (kind,) = struct.unpack_from(">H", tag, 8)
    count = (1, 3, 4, 5, 7)[kind]
    g, *rest = _numbers(tag, 12, count)
    a, b, c, d, e, f = (*rest, *(1.0, 0.0, 0.0, 0.0, 0.0, 0.0)[len(rest) :])
    if kind in (1, 2):
        # Below -b / a the curve is flat, at c for kind 2.
        c, d, e, f = 0.0, -b / a, (c if kind == 2 else 0.0), (c if kind == 2 else 0.0)

    def curve(values: Values) -> Values:
        power = np.maximum(a * values + b, 0) ** np.float32(g) + e
        return np.where(values >= d, power, c * values + f).astype(np.float32)

    return curve


def _checked(gamma: float) -> int:
    """u8Fixed8Number."""
    if not 1 / 256 <= gamma < 256:
        raise ValueError(f"a gamma of {gamma}")
    return round(256 * gamma)


def _xyz_tag(xyz: NDArray[np.float64]) -> bytes:
    return b"XYZ \0\0\0\0" + struct.pack(">3i", *(round(65536 * float(value)) for value in xyz))


def _to_d50(primaries: Sequence[float]) -> NDArray[np.float64]:
    """(3, 3) linear RGB to XYZ under D50, white adapted by Bradford."""
    white, *colors = (
        np.array([x / y, 1.0, (1 - x - y) / y])
        for x, y in zip(primaries[::2], primaries[1::2], strict=True)
    )
    columns = np.stack(colors, axis=1)
    matrix = columns * np.linalg.solve(columns, white)
    scale = (_BRADFORD @ _D50) / (_BRADFORD @ white)
    return np.asarray(np.linalg.inv(_BRADFORD) @ np.diag(scale) @ _BRADFORD @ matrix)
