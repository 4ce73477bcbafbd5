"""Pictures that are read and files that are written, checked before the engine is imported."""

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import ImageError, SettingsError
from ..files.paths import (
    CHECKPOINT_ENDING,
    check_bits,
    check_film,
    check_readable,
    check_report,
    check_sides,
    check_writable,
    same_file,
)
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
    """The files that a run writes.

    Attributes:
        picture: the result.
        report, plot, film: None is none.
        checkpoint: where the run can be gone on from; None is beside the picture, if it takes long.
        every: evaluations from one picture on the way to the next; 0 is none.
    """

    picture: Path
    report: Path | None = None
    plot: Path | None = None
    film: Path | None = None
    every: int = 0
    checkpoint: Path | None = None

    @property
    def of_helper(self) -> "Outputs":
        """Of a process that helps another one, which writes: where the checkpoint is."""
        return Outputs(self.picture, checkpoint=self.checkpoint)

    def step(self, evaluation: int) -> Path:
        """Of the picture on the way, beside the result: out-0020.png for out.png."""
        return self.picture.with_name(f"{self.picture.stem}-{evaluation:04}{self.picture.suffix}")

    def check(self, inputs: Sequence[str], bits: int, size: int) -> None:
        """ImageError if one cannot be written, or would replace another file of the run."""
        check_writable(self.picture)
        check_bits(self.picture, bits)
        check_sides(self.picture, size)
        if self.report:
            check_report(self.report)
        if self.plot:
            check_writable(self.plot)
        if self.film:
            check_film(self.film)
        if self.checkpoint:
            check_writable(self.checkpoint, endings=(CHECKPOINT_ENDING,))
        written = (self.picture, self.report, self.plot, self.film, self.checkpoint)
        named = [path for path in written if path]
        for number, path in enumerate(named):
            if _clash(path, inputs, named[:number]):
                raise ImageError(f"'{path}' would replace another file of this run. Rename one.")
        for path in self._steps([*inputs, *map(str, named)]):
            if _clash(path, inputs, named):
                raise ImageError(
                    f"--save-every {self.every} would replace '{path}', another file of this run. "
                    f"Rename that one, or choose another name than '{self.picture}'."
                )

    def _steps(self, others: Sequence[str]) -> Iterator[Path]:
        """Those pictures on the way that may be one of the others, by their numbers."""
        start, end = map(re.escape, (f"{self.picture.stem}-", self.picture.suffix))
        for name in (name for other in others for name in (other, os.path.realpath(other))):
            found = re.fullmatch(f"{start}([0-9]{{4,}}){end}", Path(name).name, re.IGNORECASE)
            if found and self.every and int(found[1]) % self.every == 0:
                yield self.step(int(found[1]))


def _clash(path: Path, inputs: Sequence[str], outputs: Sequence[Path]) -> bool:
    """Whether a file to be written is one of those that are read, or is written twice."""
    # Of two files that are not there yet nobody knows whether their disk tells case apart.
    key = os.path.realpath(path).casefold()
    twice = any(key == os.path.realpath(other).casefold() for other in outputs)
    return twice or any(same_file(path, name) for name in [*map(Path, inputs), *outputs])


def make_folder(folder: Path) -> None:
    """ImageError if there is no such folder and it cannot be made."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:
        raise ImageError(f"'{folder}' cannot be made: {error.args[-1]}. Choose another.") from error
