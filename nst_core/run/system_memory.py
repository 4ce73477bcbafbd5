"""How much of the machine's memory can still be had, in a container too.

A container sees all of the machine's memory in `/proc/meminfo` and is killed at its own limit,
which is that of its control group or of a group around it
(https://docs.kernel.org/admin-guide/cgroup-v2.html and /cgroup-v1/memory.html). A process may also
have limits of its own, where it is refused more.
"""

import logging
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType

from ..errors import PackageError
from ..optional import imported

log = logging.getLogger(__name__)


def free_system_memory(root: Path = Path("/")) -> int | None:
    """Bytes; None where neither the system nor psutil says.

    Args:
        root: where `proc` and `sys` are.
    """
    meminfo = _text(root / "proc/meminfo")
    if meminfo is None:  # Windows and macOS
        return _psutils()
    lines = [line.split() for line in meminfo.splitlines()]
    known = [int(line[1]) * 1024 for line in lines if line and line[0] == "MemAvailable:"]
    known += _left_in_groups(root) + _left_in_limits(root)
    return max(0, min(known)) if known else None


@cache
def _psutil() -> ModuleType | None:
    try:
        return imported("psutil", "psutil")
    except PackageError as error:
        log.warning(
            "How much memory is free is not known here, so nothing is tiled on its own: %s", error
        )
        return None


def _psutils() -> int | None:
    module = _psutil()
    return None if module is None else int(module.virtual_memory().available)


@dataclass(frozen=True)
class _Files:
    """What a version of control groups calls its files.

    Attributes:
        mount: where they are.
        limits: bytes that a group may have, or "max". At `memory.high` it is slowed down to nearly
            nothing.
        used: bytes that it has, with the page cache.
        cache: entry of `memory.stat` for what of that is given back when it is needed.
    """

    mount: str
    limits: tuple[str, ...]
    used: str
    cache: str


_V1 = _Files(
    "sys/fs/cgroup/memory",
    ("memory.limit_in_bytes",),  # a huge number where there is none
    "memory.usage_in_bytes",
    "total_inactive_file",
)
_V2 = _Files("sys/fs/cgroup", ("memory.max", "memory.high"), "memory.current", "inactive_file")


def _left_in_groups(root: Path) -> list[int]:
    """Of this process's group, and of those around it."""
    left: list[int] = []
    for line in (_text(root / "proc/self/cgroup") or "").splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers and "memory" not in controllers.split(","):
            continue
        files = _V1 if controllers else _V2
        mount = root / files.mount
        group = mount / path.lstrip("/")
        # The path may be one that only the machine outside has. Then the mount is our group.
        around = [group, *group.parents]
        for folder in around[: around.index(mount) + 1]:
            left += _left(folder, files)
    return left


# What `ulimit -v` and `ulimit -d` limit, and what the process has of it.
_LIMITS = {"Max address space": "VmSize", "Max data size": "VmData"}


def _left_in_limits(root: Path) -> list[int]:
    """Of this process's own limits (RLIMIT_AS and RLIMIT_DATA, see getrlimit(2))."""
    held = held_by_process(root)
    left = []
    for line in (_text(root / "proc/self/limits") or "").splitlines():
        for name, used in _LIMITS.items():
            soft = line.removeprefix(name).split()[0] if line.startswith(name) else "unlimited"
            if soft != "unlimited" and used in held:
                left.append(int(soft) - held[used])
    return left


def held_by_process(root: Path = Path("/")) -> dict[str, int]:
    """Bytes that Linux says this process has: VmRSS, VmSize, VmData …; elsewhere nothing."""
    lines = (_text(root / "proc/self/status") or "").splitlines()
    rows = (line.split() for line in lines if line.startswith("Vm"))
    return {row[0].removesuffix(":"): int(row[1]) * 1024 for row in rows}


def _left(group: Path, files: _Files) -> list[int]:
    used = _number(group / files.used)
    if used is None:
        return []
    entries = dict(line.split() for line in (_text(group / "memory.stat") or "").splitlines())
    held = used - int(entries.get(files.cache, 0))
    limits = [_number(group / name) for name in files.limits]
    # The first version says here what groups around it leave, which a container may not see.
    limits += [int(entries[name]) for name in ("hierarchical_memory_limit",) if name in entries]
    return [limit - held for limit in limits if limit is not None]


def _number(file: Path) -> int | None:
    """None for "max", which is no limit, and for a file that is not there."""
    text = (_text(file) or "max").strip()
    return None if text == "max" else int(text)


def _text(file: Path) -> str | None:
    """None if there is no such file, or none that we may read."""
    try:
        return file.read_text()
    except OSError:
        return None
