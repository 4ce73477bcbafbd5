"""What a video is made of, in a form that can be compared."""

import hashlib
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ..errors import ImageError
from ..files.clip import Clip
from ..run.identity import identity_of
from .run import VideoRun

# Of each file of an optical flow, from its middle: all of them are as long as many videos.
_SAMPLE = 1 << 16


def identity_of_video(run: VideoRun) -> dict[str, Any]:
    """What decides how the frames look, by what it is called.

    Raises:
        ImageError: the video cannot be read.
    """
    moving = run.mask if run.mask is not None and not isinstance(run.mask, Clip) else None
    found = identity_of(
        run.usual_losses(run.first_frame()), moving, run.vgg, run.own_settings, run.runtime
    )
    settings = {**found["settings"], **asdict(run.video), "every": run.every}
    tracks = dict(sorted(run.keyframes.tracks.items()))
    return {
        "video": run.clip.digest(),
        "mask": run.mask.digest() if isinstance(run.mask, Clip) else None,
        "optical flow": _sampled(run.flow_files),
        "picture": found["pictures"],
        "loss": found["losses"],
        "network": found["network"],
        "arithmetic": found["arithmetic"],
        "list of keyframes": f"{tracks} {run.keyframes.in_frames}",
        **{f"value of {name.replace('_', ' ')}": value for name, value in settings.items()},
        "machine": found["machine"],
    }


def _sampled(files: Sequence[Path]) -> str:
    found = hashlib.sha256()
    try:
        for path in files:
            size = path.stat().st_size
            found.update(f"{path.name} {size} ".encode())
            with path.open("rb") as stream:
                stream.seek(max(0, size // 2 - _SAMPLE // 2))
                found.update(stream.read(_SAMPLE))
    except OSError as error:
        raise ImageError(f"An optical flow cannot be read: {error}.") from error
    return found.hexdigest()
