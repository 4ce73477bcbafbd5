"""Pictures that are read and files that are written, checked before any work."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from ..errors import ImageError, SettingsError
from ..image_io import check_writable, load_image
from ..report import check_report
from ..samples import sample
from ..settings import STARTS, Settings

SAMPLE = "sample:"
# Drawn a little larger than needed: a square result asks for more than the shorter side.
_LEAST_SAMPLE = 512


def read_picture(name: str, settings: Settings) -> Tensor:
    """(1, 3, H, W) of a file, or of a sample drawn for the size that is asked for."""
    if name.startswith(SAMPLE):
        return sample(name.removeprefix(SAMPLE), max(settings.size, _LEAST_SAMPLE))
    return load_image(name, max_pixels=settings.max_pixels)


def read_start(name: str | None, settings: Settings) -> Tensor | None:
    """The picture that --init names; None if it names none."""
    if name is None:
        return None
    if not name.startswith(SAMPLE) and not os.path.exists(name):
        raise SettingsError(
            f"init '{name}' is neither one of {', '.join(STARTS)} nor a picture that exists. "
            "Check the spelling."
        )
    return read_picture(name, settings)


@dataclass(frozen=True)
class Outputs:
    """The files that a run writes."""

    picture: Path
    report: Path | None
    plot: Path | None

    def check(self, inputs: Iterable[str]) -> None:
        """ImageError if one cannot be written, or would replace another file of the run."""
        check_writable(self.picture)
        if self.report:
            check_report(self.report)
        if self.plot:
            check_writable(self.plot)
        taken = {Path(name).resolve() for name in inputs}
        for path in (self.picture, self.report, self.plot):
            if path is None:
                continue
            if path.resolve() in taken:
                raise ImageError(f"'{path}' would replace another file of this run. Rename one.")
            taken.add(path.resolve())
