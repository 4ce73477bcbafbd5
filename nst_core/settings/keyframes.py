"""Settings that change in the course of a video.

Keyframes say what a setting is at a time. Between two of them it changes evenly; before the first
and after the last it stays. A setting that no keyframe names is the same all the time.

>>> keys = keyframes_in("0s: shares=1,0; 4s: shares=0,1 style_weight=200")
>>> settings_at(Settings(), keys, frame=30, seconds=1.0).style_shares
'0.75,0.25'
"""

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import TypeVar

from ..errors import SettingsError
from .all import Settings
from .loss import LossSettings, shares_in

S = TypeVar("S", bound=LossSettings)

_SHARES = "style_shares"
# How a setting is called in keyframes, and what it is.
NAMES = {
    "shares": _SHARES,
    **{
        name: name
        for name in (
            _SHARES,
            "style_weight",
            "content_weight",
            "tv_weight",
            "laplacian_weight",
            "color_strength",
        )
    },
}
_HOW = (
    "Write a time, a colon and settings, and a semicolon before the next time, such as "
    "'0s: shares=1,0; 4s: shares=0,1 style_weight=200'."
)

# A number, or as many as there are style pictures.
Values = tuple[float, ...]
# Times that rise, and what it is at each.
Track = tuple[tuple[float, ...], tuple[Values, ...]]


@dataclass(frozen=True)
class Keyframes:
    """What settings are at some times.

    Attributes:
        tracks: {setting: (times, values)}, the times rising. Shares add up to 1.
        in_frames: whether times are numbers of frames, counted from 0; else they are seconds.
    """

    tracks: Mapping[str, Track] = field(default_factory=dict)
    in_frames: bool = False


def keyframes_in(text: str) -> Keyframes:
    """Read keyframes.

    Args:
        text: times, each followed by settings, as above. A time is in seconds ("4s", "0.5s") or the
            number of a frame, counted from 0 ("96"); one text has one kind of them. Settings are
            `NAMES`. Line breaks separate keyframes as semicolons do; empty is no keyframes.

    Raises:
        SettingsError: it cannot be read, or a setting cannot have that value.
    """
    entries = [part.strip() for part in text.replace("\n", ";").split(";") if part.strip()]
    found: dict[str, dict[float, Values]] = {}
    kinds = set()
    for entry in entries:
        when, colon, rest = entry.partition(":")
        if not colon or not rest.split():
            raise SettingsError(f"The keyframe '{entry}' has no {_lacks(colon)}. {_HOW}")
        time, in_frames = _time(when.strip())
        kinds.add(in_frames)
        for assignment in rest.split():
            name, values = _assigned(assignment)
            track = found.setdefault(name, {})
            if time in track:
                raise SettingsError(f"The keyframes set {name} twice at {when.strip()}.")
            track[time] = values
    if len(kinds) > 1:
        raise SettingsError(
            "Some keyframes are at seconds and some at frames. Write all with an s, or none."
        )
    tracks = {name: _track(track) for name, track in found.items()}
    return Keyframes(tracks, in_frames=kinds == {True})


def settings_at(settings: S, keyframes: Keyframes, *, frame: int, seconds: float) -> S:
    """The settings of a frame.

    Args:
        settings: of the video.
        keyframes: what changes in them.
        frame: its number, counted from 0.
        seconds: its time, from the first frame's.
    """
    at = frame if keyframes.in_frames else seconds
    changed: dict[str, float | str] = {}
    for name, (times, values) in keyframes.tracks.items():
        now = _between(times, values, at)
        changed[name] = ",".join(map(repr, now)) if name == _SHARES else now[0]
    return replace(settings, **changed) if changed else settings


def _between(times: tuple[float, ...], values: tuple[Values, ...], at: float) -> Values:
    after = bisect_right(times, at)
    if after == 0 or after == len(times):
        return values[min(after, len(times) - 1)]
    begin, end = times[after - 1], times[after]
    part = (at - begin) / (end - begin)
    return tuple(
        old if old == new else old + part * (new - old)
        for old, new in zip(values[after - 1], values[after], strict=True)
    )


def _lacks(colon: str) -> str:
    return "setting" if colon else "colon"


def _time(text: str) -> tuple[float, bool]:
    """How much, and whether it is the number of a frame."""
    try:
        if text.endswith("s"):
            seconds = float(text.removesuffix("s"))
            if 0 <= seconds < float("inf"):
                return seconds, False
        elif text.isdecimal():
            return float(int(text)), True
    except (ValueError, OverflowError):
        pass  # said below
    raise SettingsError(
        f"'{text}' is no time of a keyframe. Write seconds, such as 4s or 0.5s, or the number of a "
        "frame, such as 96."
    )


def _assigned(text: str) -> tuple[str, Values]:
    """A setting and what it is: "style_weight=200"."""
    called, equals, value = text.partition("=")
    if not equals or called not in NAMES:
        raise SettingsError(
            f"Keyframes cannot set '{called}'. Use {', '.join(NAMES)}, each with = and a number "
            f"and without spaces. {_HOW}"
        )
    name = NAMES[called]
    if name == _SHARES:
        shares = shares_in(value) or ()
        if min(shares, default=-1.0) < 0 or not sum(shares):
            raise SettingsError(
                f"The keyframe's shares are '{value}'. Write numbers from 0 up, one for each style "
                "picture and not all 0."
            )
        return name, tuple(share / sum(shares) for share in shares)
    try:
        number = float(value)
    except ValueError:
        raise SettingsError(f"The keyframe's {name} is '{value}'. Write a number.") from None
    Settings(**{name: number})  # refuses what is out of its limits
    return name, (number,)


def _track(track: Mapping[float, Values]) -> Track:
    times = tuple(sorted(track))
    for before, after in pairwise(times):
        if len(track[before]) != len(track[after]):
            raise SettingsError(
                f"The keyframes have {len(track[before])} shares and then {len(track[after])}. "
                "Give one share for each style picture in all of them."
            )
    return times, tuple(track[time] for time in times)
