"""Folders in place of pictures: which results they make."""

import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from ..settings.samples import SAMPLE


def is_folder(name: str | None) -> bool:
    """Whether that is a folder of pictures and no picture."""
    return name is not None and not name.startswith(SAMPLE) and os.path.isdir(name)


def labels_of(pictures: Sequence[str]) -> list[str]:
    """What each picture of a folder is called in the name of its result: its name without ending.

    Those that would be the same, also where case does not count, keep their endings.

    >>> labels_of(["in/a.jpg", "in/b.jpg", "in/b.png"])
    ['a', 'b.jpg', 'b.png']
    """
    paths = [Path(name.removeprefix(SAMPLE)) for name in pictures]
    counts = Counter(path.stem.casefold() for path in paths)
    labels = [path.stem if counts[path.stem.casefold()] == 1 else path.name for path in paths]
    distinct = len({label.casefold() for label in labels}) == len(labels)
    return labels if distinct else [path.name for path in paths]
