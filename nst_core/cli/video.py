"""`nst video`: its arguments."""

import inspect
from functools import wraps
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import typer

from ..errors import SettingsError
from ..settings.video import VideoFileSettings, VideoSettings
from .asked_video import AskedVideo
from .console import answer, polite
from .options import settings_of, taken_from, with_video_settings
from .stylize import REGIONS_PANEL, PresetName, Regions, StyleMask, StyleRegions, Styles
from .words import Words

_Clip = Annotated[
    str,
    typer.Argument(
        metavar="VIDEO",
        help="What to repaint: a video of any kind, a GIF, APNG or WebP that moves, or a folder "
        "with a picture for each frame; or sample:harbor, sample:portrait, sample:meadow.",
    ),
]
_Output = Annotated[
    Path,
    typer.Option(
        "--output",
        "-o",
        metavar="FILE",
        help="Where the video goes: .mp4, .mov, .mkv or .gif; without an ending it is a folder "
        "with a PNG for each frame.",
    ),
]
_Preview = Annotated[
    int,
    typer.Option(
        min=0,
        metavar="NUMBER",
        help="First make a short film of every so manieth frame, as FILE-preview.mp4, and then "
        "the video; 0 does not.",
    ),
]
_KeepFrames = Annotated[
    bool,
    typer.Option(
        "--keep-frames",
        help="Keep FILE.frames, where each frame lies in 16 bits, when the video is done.",
    ),
]
_Mask = Annotated[
    str | None,
    typer.Option(
        metavar="PICTURE or VIDEO",
        help="Laid over each frame: white is painted, black stays as it is. A video or a "
        "folder has a mask for each frame.",
        rich_help_panel=REGIONS_PANEL,
    ),
]
_MaskMoves = Annotated[
    bool,
    typer.Option(
        "--mask-moves",
        help="The mask is of the first frame, and moves with what it lies on.",
        rich_help_panel=REGIONS_PANEL,
    ),
]
_FlowFiles = Annotated[
    str | None,
    typer.Option(
        metavar="FOLDER",
        help="Read the optical flow instead of finding it: .flo or KITTI's PNG, there and back for "
        "each pair of frames, such as 000001-000002.flo and 000002-000001.flo; or a path with "
        "{first} and {second} in it, such as flow/{first:4}_{second:4}.flo.",
    ),
]
_Keyframes = Annotated[
    str,
    typer.Option(
        metavar="TEXT",
        help="Settings that change in the course of the video, by seconds or frames: '0s: "
        "shares=1,0; 4s: shares=0,1 style_weight=200'.",
    ),
]
_Quiet = Annotated[
    bool, typer.Option("--quiet", "-q", help="No progress, only what must be known.")
]


@with_video_settings
def video_order(
    content: _Clip,
    styles: Styles,
    *,
    output: _Output,
    preview: _Preview = 0,
    keep_frames: _KeepFrames = False,
    keyframes: _Keyframes = "",
    flow_files: _FlowFiles = None,
    quiet: _Quiet = False,
    preset: PresetName = "default",
    regions: Regions = None,
    mask: _Mask = None,
    mask_moves: _MaskMoves = False,
    style_regions: StyleRegions = None,
    style_mask: StyleMask = None,
    **flags: Any,
) -> tuple[AskedVideo, bool]:
    """Repaint VIDEO in the manner of STYLE. The last line printed is where the video is.

    Each frame goes on from the one before, carried along by what moves. Times and sound are those
    of VIDEO. Finished frames are in FILE.frames: after Ctrl-C, or whatever ended the run, the same
    command goes on from there.
    """
    video, files = taken_from(flags, VideoSettings), taken_from(flags, VideoFileSettings)
    settings, start = settings_of(preset, flags)
    if start is not None:
        raise SettingsError(
            f"init '{start}' is a picture, and each frame of a video starts from the one before. "
            "Use content, gray, noise or style for the first."
        )
    asked = AskedVideo(
        content=content,
        words=Words(styles, regions, mask, style_regions or (), style_mask or ()),
        output=output,
        preview=preview,
        keep_frames=keep_frames,
        mask_moves=mask_moves,
        flow_files=flow_files,
        keyframes=keyframes,
        settings=settings,
        video=video,
        files=files,
    )
    asked.check()
    return asked, quiet


@wraps(video_order)
def video_command(*words: Any, **flags: Any) -> None:
    """The command."""
    with polite("Stopped before the first frame."):
        asked, quiet = video_order(*words, **flags)
        from .making_video import make_video  # only now: it brings PyTorch

        make_video(asked, quiet)


@wraps(video_order)
def plan_video_command(*words: Any, **flags: Any) -> None:
    """What nst video with the same words will take."""
    with polite(), TemporaryDirectory() as folder:
        flags["output"] = flags["output"] or Path(folder) / "plan.mp4"
        asked, _ = video_order(*words, **flags)
        from ..video.plan import plan_video
        from .making_video import prepared_video

        for line in plan_video(prepared_video(asked)).sentences:
            answer(line)


_signature = inspect.signature(video_order)
_given = {**_signature.parameters, "output": _signature.parameters["output"].replace(default=None)}
vars(plan_video_command)["__signature__"] = _signature.replace(parameters=list(_given.values()))
