"""What pyproject.toml asks for, what of it was tried, and what is installed here.

    python scripts/dependencies.py

prints it as a table. `scripts/supported` notes in requirements/tested.json what it tried.
"""

import json
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib  # pytest brings it

ROOT = Path(__file__).resolve().parent.parent
TESTED = ROOT / "requirements" / "tested.json"
# Extras for those who work on the project.
OURS = ("training", "dev")


@dataclass(frozen=True)
class Dependency:
    """One requirement.

    Attributes:
        name: the distribution's.
        range: the versions, ">=6.27,<6.32".
        extra: what it comes with; "" is always, "build" is setuptools.
        elsewhere: it is not for this system.
    """

    name: str
    range: str
    extra: str
    elsewhere: bool = False


def dependencies(file: Path = ROOT / "pyproject.toml") -> list[Dependency]:
    """All of pyproject.toml, but for the project itself."""
    project = tomllib.loads(file.read_text())
    groups = {
        "build": project["build-system"]["requires"],
        "": project["project"]["dependencies"],
        **project["project"]["optional-dependencies"],
    }
    return [
        found
        for extra, lines in groups.items()
        for found in _parsed(lines, extra)
        if found.name != project["project"]["name"]
    ]


def for_users(extra: str) -> bool:
    """Whether it is there when somebody uses the program, not works on it."""
    return extra not in (*OURS, "build")


def installed(name: str) -> str:
    """The version, or a dash."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "-"


def as_table(rows: Sequence[Sequence[str]]) -> str:
    """Columns as wide as their longest word; the first row is the head."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]
    return "\n".join([lines[0], "  ".join("-" * width for width in widths), *lines[1:]])


def main() -> None:
    """Prints the table."""
    tested = json.loads(TESTED.read_text())
    rows = [("dependency", "comes with", "range", "oldest tested", "newest tested", "here")]
    for found in dependencies():
        if for_users(found.extra):
            oldest, newest = (tested[way].get(found.name, "-") for way in ("oldest", "newest"))
            with_ = found.extra or "always"
            here = installed(found.name)
            rows.append((found.name, with_, found.range, oldest, newest, here))
    print(as_table(rows))


def _parsed(lines: Iterable[str], extra: str) -> Iterator[Dependency]:
    for line in lines:
        requirement, _, marker = line.partition(";")
        name = re.match(r"[\w.-]+", requirement).group()
        elsewhere = marker.strip() == f"sys_platform != '{sys.platform}'"
        range_ = re.sub(r"\[.*\]|\s", "", requirement[len(name) :])
        yield Dependency(name, range_, extra, elsewhere)


if __name__ == "__main__":
    main()
