"""Many pictures from one command: which, from what, and which of them are there already.

Nothing here imports PyTorch, which takes seconds: a mistake is said at once.
"""

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..errors import ImageError, SettingsError
from ..files.listing import Listing, listing_of
from ..files.paths import WRITABLE, check_bits, check_sides
from ..settings import Settings
from .asked import Asked
from .console import say
from .files import Outputs, check_picture
from .folders import is_folder, labels_of
from .options import settings_of
from .output_flags import OutputFlags
from .words import Words


@dataclass(frozen=True, kw_only=True)
class Batch:
    """Results to make, in order.

    Attributes:
        asked: each of those that are still to be made.
        results: where all of them are, those that were there already too.
        words: the styles of all, or None if each has its own.
        settings: of all.
        remarks: what was left out in the folders, a line each.
    """

    asked: tuple[Asked, ...]
    results: tuple[Path, ...]
    words: Words | None
    settings: Settings
    remarks: tuple[str, ...]

    def begin(self, quiet: bool) -> bool:
        """Say what is left out; False if there is nothing to make."""
        there = len(self.results) - len(self.asked)
        if not quiet:
            for remark in self.remarks:
                say(remark)
        if there and not quiet:
            say(f"There already: {there} of {len(self.results)}. --overwrite makes them again.")
        return bool(self.asked)


def batch_of(
    content: str | None, words: Words, given: OutputFlags, preset: str, flags: Mapping[str, Any]
) -> Batch | None:
    """The results that folders ask for, checked; None if no folder is named.

    A folder in place of the content asks for a result for each content, one in place of the style
    for each style; two of them for each pair. Several styles that are files are blended.

    Raises:
        SettingsError, ImageError: as `asked`, and for folders that cannot be meant.
    """
    listings = _listings(content, words)
    if not listings:
        _check_single(words, given.output)
        return None
    given.check_many(next(iter(listings)))
    settings, start = settings_of(preset, flags)
    own = bool(words.styles) and words.styles[0] in listings
    blends = _one_by_one(words, listings) if own else [words]
    contents = _each(content, listings)
    pairs = [(one, blend) for one in contents for blend in blends]
    names = _names(contents, [blend.styles[0] for blend in blends] if own else [])
    results = tuple(given.output / f"{name}{given.ending}" for name in names)
    every = [
        Asked(content=one, words=blend, outputs=Outputs(result), settings=settings, start=start)
        for (one, blend), result in zip(pairs, results, strict=True)
    ]
    _check_folder(given.output, listings)
    _check_common(every, listings)
    return Batch(
        asked=tuple(
            one for one in every if given.overwrite or not os.path.isfile(one.outputs.picture)
        ),
        results=results,
        words=None if own else words,
        settings=settings,
        remarks=tuple(remark for listing in listings.values() for remark in listing.remarks),
    )


def _listings(content: str | None, words: Words) -> dict[str, Listing]:
    """{folder: what is in it} of those that are named."""
    folders = [name for name in words.styles if is_folder(name)]
    if folders and len(words.styles) > 1:
        raise SettingsError(
            f"'{folders[0]}' is a folder among {len(words.styles)} styles. Name it alone, and a "
            "picture is made for each style in it, or name files only, and they are blended."
        )
    if content is not None and is_folder(content):
        folders.insert(0, content)
    return {folder: listing_of(folder) for folder in folders}


def _names(contents: Sequence[str | None], styles: Sequence[str]) -> list[str]:
    """A name for each content, or for each style, or for each pair of both."""
    befores, afters = labels_of([one for one in contents if one]), labels_of(styles)
    if not befores or not afters:
        return befores or afters
    names = [f"{before}-{after}" for before in befores for after in afters]
    for name, times in Counter(name.casefold() for name in names).items():
        if times > 1:
            raise ImageError(f"Two pairs of pictures would both be called '{name}'. Rename one.")
    return names


def _each(content: str | None, listings: Mapping[str, Listing]) -> Sequence[str | None]:
    return listings[content].pictures if content is not None and content in listings else [content]


def _one_by_one(words: Words, listings: Mapping[str, Listing]) -> list[Words]:
    return [replace(words, styles=[name]) for name in listings[words.styles[0]].pictures]


def _check_single(words: Words, output: Path) -> None:
    """ImageError if many results seem to be meant where one is asked for: photos/*.jpg."""
    if len(words.styles) > 1 and (os.path.isdir(output) or not output.suffix):
        raise ImageError(
            f"'{output}' is no picture file. Of several pictures the first is the content, and the "
            "others are styles to blend, which makes one result. For many, name a folder of them."
        )


def _check_folder(output: Path, listings: Mapping[str, Listing]) -> None:
    """ImageError if the results cannot be meant to lie there."""
    if not os.path.isdir(output) and (os.path.lexists(output) or output.suffix.lower() in WRITABLE):
        raise ImageError(f"Many pictures do not fit into the file '{output}'. Name a folder.")
    for folder in listings:
        if os.path.isdir(output) and os.path.samefile(output, folder):
            raise ImageError(
                f"The results would lie among the pictures of '{folder}', and be taken for some of "
                "them the next time. Name another folder, which may be inside it."
            )


def _check_common(every: Sequence[Asked], listings: Mapping[str, Listing]) -> None:
    """ImageError or SettingsError for what is wrong with all results, or with a place."""
    every[0].check_words()
    check_bits(every[0].outputs.picture, every[0].settings.bits)
    check_sides(every[0].outputs.picture, every[0].settings.size)
    named = {name for one in every for name in one.pictures}
    found = {name for listing in listings.values() for name in listing.pictures}
    for name in sorted(named - found):
        check_picture(name)
    inputs = {Path(name).resolve() for name in named}
    for one in every:
        if one.outputs.picture.resolve() in inputs:
            raise ImageError(
                f"'{one.outputs.picture}' would replace another file of this run. Name another "
                "folder."
            )
