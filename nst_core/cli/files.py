"""Pictures that are read and files that are written, checked before the engine is imported."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ..errors import ImageError, SettingsError
from ..files.paths import check_readable, check_report, check_writable
from ..settings import STARTS
from ..settings.samples import SAMPLE, sample_named


def check_picture(name: str) -> None:
    """ImageError or SettingsError if there is no such file or sample."""
    if name.startswith(SAMPLE):
        sample_named(name.removeprefix(SAMPLE))
    else:
        check_readable(Path(name))


def check_start(name: str) -> None:
    """The same of the picture that --init names, which may be a misspelled word too."""
    if not name.startswith(SAMPLE) and not os.path.exists(name):
        raise SettingsError(
            f"init '{name}' is neither one of {', '.join(STARTS)} nor a picture that exists. "
            "Check the spelling."
        )
    check_picture(name)


@dataclass(frozen=True)
class Outputs:
    """The files that a run writes; only a plan may name no picture."""

    picture: Path | None
    report: Path | None
    plot: Path | None

    def check(self, inputs: Iterable[str]) -> None:
        """ImageError if one cannot be written, or would replace another file of the run."""
        if self.picture:
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
