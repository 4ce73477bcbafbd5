"""Frames on disk: a run that was ended at any moment goes on after the last one that is there."""

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import CheckpointError, ImageError
from ..files.atomic import written_whole
from ..files.read_image import load_image, read_metadata
from ..files.write_image import save_image
from .flows import Frame
from .frames import Painted

log = logging.getLogger(__name__)

# Frames were written by us, in the size of the result: no limit but the engine's own.
MAX_PIXELS = 1 << 30
_ABOUT, _ANEW, _AIM = "nst video", "began_anew", "aim"


@dataclass(frozen=True)
class FramesFolder:
    """The frames of a run, one PNG of 16 bits each.

    What a frame takes from earlier ones is what these files hold, and not what was in memory:
    so it makes no difference whether the run was ended in between.
    """

    path: Path

    def begin(self, run: Mapping[str, Any]) -> None:
        """Make the folder, or go on with it.

        Args:
            run: what decides how the frames look, by what it is called, as JSON has it. Another
                "machine" is announced by a line, because sums may differ there in their last
                digits; all else must be the same.

        Raises:
            CheckpointError: it is of another run.
            ImageError: it cannot be made.
        """
        about = self.path / "run.json"
        try:
            self.path.mkdir(exist_ok=True)
            for part in self.path.glob(".nst-*.part"):  # of a run that was killed
                part.unlink(missing_ok=True)
            if not about.exists():
                with written_whole(about) as part:
                    part.write_text(json.dumps(run, indent=1), encoding="utf-8")
                return
            found = json.loads(about.read_text(encoding="utf-8"))
        except OSError as error:
            raise ImageError(f"'{self.path}' cannot be used: {error}.") from error
        except ValueError as error:
            raise CheckpointError(f"'{about}' is damaged ({error}). {self._advice}") from error
        for name, value in run.items():
            if isinstance(found, Mapping) and found.get(name) == value:
                continue
            if name != "machine":
                raise CheckpointError(
                    f"The frames in '{self.path}' were made with another {name}. {self._advice}"
                )
            log.warning("The frames in '%s' were begun on another machine.", self.path)

    @property
    def _advice(self) -> str:
        return "Delete the folder to begin anew, or choose another name for the video."

    @property
    def count(self) -> int:
        """How many frames are done, in all passes."""
        return sum(1 for _ in self.path.glob("pass*.png"))

    def painted(self, number: int, index: int) -> Path:
        """Where a frame of a pass lies, both counted from 0."""
        return self.path / f"pass{number + 1}-{index + 1:06}.png"

    def found(self, number: int, index: int) -> Path:
        """Where a frame lies before its colors were changed, if they were."""
        return self.path / f"found{number + 1}-{index + 1:06}.png"

    def source(self, index: int) -> Path:
        """Where a frame of the video lies, for passes that go backward."""
        return self.path / f"source-{index + 1:06}.png"

    def save(self, painted: Painted, number: int) -> Frame:
        """Write a frame of a pass, and read again what frames to come go on from."""
        if painted.found is not painted.image:
            save_image(painted.found, self.found(number, painted.index), bits=16)
        save_image(
            painted.image,
            self.painted(number, painted.index),
            metadata={_ABOUT: json.dumps({_ANEW: painted.began_anew, _AIM: painted.aim})},
            bits=16,
        )
        return self.load_found(number, painted.index)

    def save_source(self, frame: Frame) -> None:
        """Write a frame of the video."""
        save_image(frame.image, self.source(frame.index), bits=16)

    def load(self, number: int, index: int) -> Frame:
        """A frame of a pass."""
        return Frame(index, load_image(self.painted(number, index), max_pixels=MAX_PIXELS))

    def load_found(self, number: int, index: int) -> Frame:
        """A frame of a pass, before its colors were changed."""
        path = self.found(number, index)
        if not path.exists():
            return self.load(number, index)
        return Frame(index, load_image(path, max_pixels=MAX_PIXELS))

    def load_source(self, index: int) -> Frame:
        """A frame of the video."""
        return Frame(index, load_image(self.source(index), max_pixels=MAX_PIXELS))

    def began_anew(self, number: int, index: int) -> bool:
        """Whether it was the first one, or came after a cut."""
        return bool(self._about(number, index).get(_ANEW))

    def aim(self, number: int, index: int) -> float:
        """The loss that the frame after it is compared with."""
        return float(self._about(number, index).get(_AIM, 0.0))

    def _about(self, number: int, index: int) -> dict[str, Any]:
        found = json.loads(read_metadata(self.painted(number, index)).get(_ABOUT, "{}"))
        return dict(found)
