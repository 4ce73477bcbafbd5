"""What a visitor asks for of a clip, and what is missing here for that."""

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from ..errors import PackageError, SettingsError
from ..optional import VIDEO_INSTALL, check_installed
from ..settings import ServingSettings
from ..settings.video import VideoSettings
from .asking import request_of
from .clip_job import ClipRequest
from .clip_work import clip_named
from .controls import checked
from .job import Picture
from .kinds import VIDEO
from .pictures import Samples

_OF_VIDEO = frozenset(item.name for item in fields(VideoSettings))
# The server's business: what it has installed.
_SERVER = ("flow", "raft_weights")
NO_CLIP = "There is no clip. Upload one, or try the sample."


def missing_packages() -> str | None:
    """What to install before there can be videos; None if all is there."""
    try:
        for package in ("av", "cv2"):
            check_installed(package, VIDEO_INSTALL)
    except PackageError as error:
        return str(error)
    return None


def clip_request_of(
    *,
    samples: Samples,
    limits: ServingSettings,
    content: str | None = None,
    given: Mapping[str, Any],
    **asked: Any,
) -> ClipRequest:
    """What is asked for, checked as far as it can be without decoding more than a frame.

    Args:
        samples, limits: of the page.
        content: path of the clip.
        given: values of settings by name, those of videos among them.
        asked: the rest, as `request_of` takes it.

    Raises:
        ImageError: the clip cannot be read, or is too large or too long.
        PackageError: a package is missing.
        SettingsError: something is missing, or a setting is not possible or not allowed.
    """
    if words := missing_packages():
        raise PackageError(words)
    if content is None:
        raise SettingsError(NO_CLIP)
    for name in _SERVER:
        if name in given:
            raise SettingsError(f"{name} is for the server to decide. Leave it out.")
    for name in VIDEO.settings:
        if name in _OF_VIDEO and name in given and given[name] is None:
            raise SettingsError(f"{name.replace('_', ' ').capitalize()} is empty. Fill it in.")
    own = {name: value for name, value in given.items() if name in _OF_VIDEO}
    rest = {name: value for name, value in given.items() if name not in _OF_VIDEO}
    request = request_of(
        VIDEO, samples=samples, limits=limits, content=content, given=rest, **asked
    )
    clip_named(Picture(path=content, name=Path(content).name), limits)
    return ClipRequest(**{**vars(request), "video": checked(VideoSettings(), own)})
