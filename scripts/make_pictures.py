"""Make the pictures of README, help pages and example workflows: ./scripts/pictures --help."""

import argparse
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import make_examples
import make_gallery
import make_help
import make_screenshots
from job import GIVEN, Job
from networks import found, names_in, ours, save

from nst_core.errors import NSTError

ROOT = Path(__file__).parents[1]
PARTS = {
    "gallery": make_gallery,
    "help": make_help,
    "examples": make_examples,
    "screenshots": make_screenshots,
}
NETWORKS = {path: names for part in PARTS.values() for path, names in part.NETWORKS.items()}


def parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(prog="./scripts/pictures", description=__doc__)
    parser.add_argument("--weights", required=True, help="the network: its name or its file")
    parser.add_argument(
        "--replace", action="store_true", help="also pictures that another network has made"
    )
    parser.add_argument(
        "--draft", type=Path, metavar="FOLDER", help="try it: tiny pictures, into a folder"
    )
    parser.add_argument(
        "what",
        nargs="*",
        help=f"of {', '.join(PARTS)}, or a part of a file name; without, all there are",
    )
    return parser.parse_args(arguments)


def lacking(group: str) -> str | None:
    """What a group needs that is not here."""
    if group in ("examples", "screenshots") and not make_screenshots.CHROMIUM:
        return "Chromium"
    if group == "examples" and "COMFYUI_PATH" not in os.environ:
        return "COMFYUI_PATH, the folder of ComfyUI"
    return None


def chosen(what: Sequence[str]) -> dict[str, list[str]]:
    """The pictures of each group that were asked for and can be made."""
    wanted = {}
    for group, part in PARTS.items():
        paths = [
            path
            for path in part.NETWORKS
            if not what or any(word == group or word in path for word in what)
        ]
        if paths and (missing := lacking(group)):
            sys.stdout.write(f"Left out: {group}, for want of {missing}\n")
        elif paths:
            wanted[group] = paths
    if not wanted:
        raise SystemExit("There is nothing to make: see ./scripts/pictures --help")
    return wanted


def makers(path: str, given: str) -> tuple[str, ...]:
    """Names of the networks that make a picture, with the name of the one given."""
    return tuple(dict.fromkeys(given if name == GIVEN else name for name in NETWORKS[path]))


def refuse_others(paths: Sequence[str], job: Job) -> None:
    """SystemExit if a picture that is there already was made with anything else."""
    others = []
    for path in paths:
        names = makers(path, job.weights)
        told = names_in(job.folder / path) if (job.folder / path).exists() else names
        if told != names:
            by = "unmarked" if told is None else " and ".join(told) or "drawn by code"
            others.append(f"  {path}: {by}, not {' and '.join(names) or 'drawn by code'}")
    if others:
        raise SystemExit(
            "\n".join(["Made by another network, and so kept without --replace:", *others])
        )


def main(arguments: Sequence[str] | None = None) -> None:
    """Make what was asked for, if it would replace no other network's pictures."""
    asked = parsed(arguments)
    wanted = chosen(asked.what)
    with tempfile.TemporaryDirectory() as cache:
        try:
            given = found(asked.weights, Path(cache))
        except NSTError as error:
            raise SystemExit(str(error)) from error
        job = Job(given.name, asked.draft or ROOT, draft=asked.draft is not None)
        if not asked.replace:
            refuse_others([path for paths in wanted.values() for path in paths], job)
        networks = {network.name: network for network in (*ours(), given)}
        for group, paths in wanted.items():
            for path, picture in PARTS[group].make(job, paths):
                made_by = [networks[name] for name in makers(path, job.weights)]
                save(picture, job.folder / path, made_by)
                sys.stdout.write(f"{path}\n")


if __name__ == "__main__":
    main()
