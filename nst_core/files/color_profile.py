"""Colors of a picture's ICC profile to sRGB: 8-bit pictures by Pillow, deeper ones in floats."""

import io
import logging

import numpy as np
from PIL import Image, ImageCms

from .damage import DAMAGE
from .icc import Values, converter

log = logging.getLogger(__name__)

# 16 levels of each channel: enough colors to see whether an ICC transform changes any.
_PROBE = (17 * np.indices((16, 16, 16)).astype(np.uint8)).reshape(3, 64, 64).transpose(1, 2, 0)


def in_srgb(picture: Image.Image, icc: bytes | None) -> Image.Image:
    """`picture` in sRGB if the ICC profile says it is not; an unusable profile says nothing."""
    if not icc:
        return picture
    try:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(icc))
        if profile.profile.xcolor_space == "RGB " and picture.mode not in ("CMYK", "LAB"):
            picture = picture.convert("RGB")
        srgb = ImageCms.createProfile("sRGB")
        transform = ImageCms.buildTransform(profile, srgb, picture.mode, "RGB")
    except DAMAGE as error:
        log.warning("Unusable ICC profile ignored: %s", error)
        return picture
    if picture.mode == "RGB":
        # sRGB profiles are told by what they do, not by name, and leave every pixel as it is.
        # 2 of 255 is the rounding of their curve tables; other profiles move colors by tens.
        moved = np.asarray(transform.apply(Image.fromarray(_PROBE)), int) - _PROBE
        if abs(moved).max() <= 2:
            return picture
    log.info("Colors converted to sRGB from the ICC profile '%s'.", _name(profile))
    return transform.apply(picture)


def values_in_srgb(values: Values, icc: bytes | None) -> Values:
    """(H, W, 3) or gray (H, W, 1) in [0, 1], the same way, without rounding to 8 bits.

    But a profile made of tables is Pillow's to apply, with 8 bits.
    """
    if not icc:
        return values
    gray = values.shape[-1] == 1
    try:
        name = _name(ImageCms.ImageCmsProfile(io.BytesIO(icc)))
        if (icc[16:20] == b"GRAY") != gray:
            raise ValueError("it is for another number of channels")
        convert = converter(icc)
    except DAMAGE as error:
        log.warning("Unusable ICC profile ignored: %s", error)
        return values
    if convert is None:
        log.warning("Colors rounded to 8 bits, because the ICC profile '%s' has tables.", name)
        rounded = Image.fromarray(
            np.squeeze((values * 255 + 0.5).astype(np.uint8), -1 if gray else ())
        )
        return (np.asarray(in_srgb(rounded, icc).convert("RGB")) / 255).astype(np.float32)
    with np.errstate(all="ignore"):  # what is not finite, `linear_to_srgb` clips
        if not gray and abs(convert(_PROBE / np.float32(255)) - _PROBE / 255).max() <= 2 / 255:
            return values
        log.info("Colors converted to sRGB from the ICC profile '%s'.", name)
        # By rows: a large picture's intermediate values would take several times its memory.
        return np.concatenate(
            [convert(rows) for rows in np.array_split(values, len(values) // 256 + 1)]
        )


def _name(profile: ImageCms.ImageCmsProfile) -> str:
    return (profile.profile.profile_description or "without a name").strip()
