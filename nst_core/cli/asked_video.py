"""What `nst video` was asked for, checked as far as that needs no frame.

Nothing here imports PyTorch, which takes seconds: a mistake is said at once.
"""

import os
from dataclasses import dataclass
from pathlib import Path

from ..errors import ImageError, SettingsError
from ..files.listing import PICTURE_ENDINGS, listing_of
from ..files.paths import (
    ANIMATION_ENDINGS,
    VIDEO_ENDINGS,
    check_clip,
    check_readable,
    check_writable,
    is_frames_folder,
    same_file,
)
from ..optional import VIDEO_INSTALL, check_installed
from ..settings import Settings
from ..settings.keyframes import keyframes_in
from ..settings.samples import SAMPLE, moving_named
from ..settings.video import VideoFileSettings, VideoSettings
from .asked import Asked
from .files import Outputs, check_picture
from .words import Words

# Bits of each channel that an output can have.
_VIDEO_BITS, _GIF_BITS, _FOLDER_BITS = (8, 10), (8,), (8, 16)


@dataclass(frozen=True, kw_only=True)
class AskedVideo:
    """The words of the command.

    Attributes:
        content: the video, the animation or the folder of frames.
        words: the styles, and what is painted like which. The mask may be a clip.
        output: where the video goes.
        preview: every so manieth frame is made first; 0 is none.
        keep_frames: whether the frames stay when the video is done.
        mask_moves: whether the mask is of the first frame, and moves with the flow.
        flow_files: where the optical flow is read from; None finds it.
        keyframes: settings that change in the course of the video; "" is none.
        settings, video, files: what was said of them.
    """

    content: str
    words: Words
    output: Path
    preview: int
    keep_frames: bool
    mask_moves: bool
    flow_files: str | None
    keyframes: str
    settings: Settings
    video: VideoSettings
    files: VideoFileSettings

    @property
    def frames(self) -> Path:
        """The folder of the frames, beside the video."""
        path = Path(os.path.abspath(self.output))
        return path.with_name(f"{path.name}.frames")

    @property
    def preview_path(self) -> Path:
        """Of the short film: out-preview.mp4 for out.mp4, and a GIF for a folder."""
        ending = ".gif" if is_frames_folder(self.output) else self.output.suffix
        return self.output.with_name(f"{self.output.stem}-preview{ending}")

    @property
    def is_video(self) -> bool:
        """Whether the result has a codec: even sides, and sound."""
        return not is_frames_folder(self.output) and self.output.suffix.lower() in VIDEO_ENDINGS

    @property
    def moving_mask(self) -> bool:
        """Whether the mask changes from frame to frame."""
        mask = self.words.mask
        if mask is None or mask.startswith(SAMPLE):
            return False
        ending = Path(mask).suffix.lower()
        return os.path.isdir(mask) or ending == ".gif" or ending not in PICTURE_ENDINGS

    @property
    def pictures(self) -> list[str]:
        """Every picture that is named."""
        return [
            name for name in self.words.files if not self.moving_mask or name != self.words.mask
        ]

    def check(self) -> None:
        """ImageError, PackageError or SettingsError for what can be refused without a frame."""
        _check_clip_read(self.content)
        check_clip(self.output)
        self._check_bits()
        self._check_places()
        self._as_picture.check_words()
        for name in self.pictures:
            check_picture(name)
        if self.moving_mask:
            _check_clip_read(str(self.words.mask))
        if self.is_video:
            check_installed("av", VIDEO_INSTALL)
        if self.video.flow == "dis" and not self.flow_files:
            check_installed("cv2", VIDEO_INSTALL)
        keyframes_in(self.keyframes)  # refuses what is none
        if self.mask_moves and (self.words.mask is None or self.moving_mask):
            raise SettingsError(
                "--mask-moves needs a picture as --mask, laid over the first frame."
            )

    @property
    def _as_picture(self) -> Asked:
        """The same words for a picture."""
        return Asked(
            content=self.content,
            words=self.words,
            outputs=Outputs(self.output),
            settings=self.settings,
            start=None,
        )

    def _check_bits(self) -> None:
        can = _VIDEO_BITS if self.is_video else _GIF_BITS
        can = _FOLDER_BITS if is_frames_folder(self.output) else can
        if self.files.bits not in can:
            raise SettingsError(
                f"'{self.output}' cannot have {self.files.bits} bits a channel. Use "
                f"{' or '.join(map(str, can))}."
            )

    def _check_places(self) -> None:
        """ImageError if one of the results would replace what is read."""
        inputs = [self.content, *self.words.files, self.settings.weights]
        written = [self.output, self.frames]
        if self.preview:
            check_writable(self.preview_path, endings=(*VIDEO_ENDINGS, ".gif"))
            written.append(self.preview_path)
        for path in written:
            if any(same_file(path, name) for name in inputs):
                raise ImageError(f"'{path}' would replace what the run reads. Choose another name.")
        if os.path.isdir(self.content) and same_file(self.output.parent, self.content):
            raise ImageError(
                f"The result would lie among the frames of '{self.content}'. Name another folder."
            )


def files_beside(flow: str) -> tuple[Path, ...]:
    """The files in a folder of optical flow, or beside those that a pattern names."""
    folder = Path(flow) if os.path.isdir(flow) else Path(flow).parent
    return tuple(sorted(path for path in folder.glob("*") if path.is_file()))


def _check_clip_read(name: str) -> None:
    """Raise if there is no such clip, or what reads it is missing."""
    if name.startswith(SAMPLE):
        moving_named(name.removeprefix(SAMPLE))
        return
    if os.path.isdir(name):
        listing_of(name)
        return
    check_readable(name)
    ending = Path(name).suffix.lower()
    if ending in ANIMATION_ENDINGS:
        return
    if ending in PICTURE_ENDINGS:
        raise ImageError(f"'{name}' is a picture. Use nst stylize, or name a video.")
    check_installed("av", VIDEO_INSTALL)
