"""One file over HTTP: resumed where it stopped, verified, and complete or not there at all."""

import contextlib
import errno
import os
import queue
import re
import threading
from collections.abc import Callable
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from ...errors import WeightsError
from .partial import own_part, size_of
from .sources import Source, file_digest

ByteProgress = Callable[[int, int], None]

PATIENCE = 30.0  # seconds for the first bytes, and for each read after them
ATTEMPTS = 10
_CHUNK = 1 << 18
_OF_DISKS = (errno.ENOSPC, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM, errno.ENOENT)
_ELSEWHERE = "Make room there, or set NST_CACHE to another folder."
_FAILURES = (OSError, HTTPException, ValueError)  # ValueError: an address that is no URL


def download(
    source: Source,
    folder: Path,
    *,
    on_progress: ByteProgress | None = None,
    patience: float = PATIENCE,
) -> Path:
    """The published file, in `folder`, with its hash checked.

    A broken download stays as `*.part` and is resumed by the next call. While another process
    writes that part, ours has a name of its own, and is not kept if it breaks.

    Raises:
        WeightsError: no network, a server that refuses, or a file with another hash.
    """
    url = _address(source, folder)
    target = folder / source.file_name
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with own_part(folder / f"{source.file_name}.part") as part:
            resumed = size_of(part) > 0
            _receive(url, source, part, on_progress, patience)
            if resumed and not _is_whole(part, source):
                os.truncate(part, 0)  # its beginning was of something else
                _receive(url, source, part, on_progress, patience)
            _verify(url, source, part)
            os.replace(part, target)
    except _FAILURES as error:
        hint = _ELSEWHERE if getattr(error, "errno", 0) in _OF_DISKS else by_hand(source, folder)
        raise WeightsError(f"Downloading {url} failed: {_reason(error)}. {hint}") from error
    return target


def by_hand(source: Source, folder: Path) -> str:
    """What to do without the network."""
    return (
        f"Put {source.file_name} into {folder} yourself, or set NST_MIRROR to a server that has "
        "it, or use weights 'builtin', which need no file."
    )


def _address(source: Source, folder: Path) -> str:
    if source.url is None:
        raise WeightsError(
            f"Weights '{source.name}' are not downloaded by name. Put {source.file_name} into "
            f"{folder} yourself, or pass its path."
        )
    mirror = os.environ.get("NST_MIRROR")
    if not mirror:
        return source.url
    if not mirror.startswith(("http://", "https://")):
        raise WeightsError(
            f"NST_MIRROR is '{mirror}', which is no web address. Set it to one that begins with "
            f"http:// or https:// and under which {source.file_name} lies."
        )
    return f"{mirror.rstrip('/')}/{source.file_name}"


def _receive(
    url: str, source: Source, part: Path, on_progress: ByteProgress | None, patience: float
) -> None:
    """Fill `part`, connecting again as long as every connection brings it further.

    What a server says of lengths may be wrong: the hash decides.
    """
    furthest = have = size_of(part)
    cut = True
    for _ in range(ATTEMPTS):
        try:
            response, first = _open(url, have, patience)
        except HTTPError as error:
            # 416: nothing is left after what we have. Either it is all there, or it is not ours.
            if error.code != 416 or not have:
                raise
            if _is_whole(part, source):
                return
            os.truncate(part, 0)
            furthest = have = 0
            continue
        with response:
            offset, total = _extent(response, have)
            broken = _append(response, first, part, offset, total or source.size, on_progress)
        have = part.stat().st_size
        cut = broken or have < (total or 0)
        if not broken and have >= (total or source.size):
            return
        if have <= furthest:
            break
        furthest = have
    if cut and not _is_whole(part, source):
        raise ConnectionError(f"the connection broke after {have} bytes; try again to resume")


def _open(url: str, start: int, patience: float) -> tuple[HTTPResponse, bytes]:
    """The answer and its first bytes, within `patience` seconds in all.

    In a thread of its own, because looking up a host name may hang and knows no timeout.
    """
    headers = {"User-Agent": "nst"} | ({"Range": f"bytes={start}-"} if start else {})
    answers: queue.SimpleQueue[tuple[HTTPResponse, bytes] | Exception] = queue.SimpleQueue()
    abandoned = threading.Event()

    def ask() -> None:
        try:
            with contextlib.ExitStack() as stack:
                response = urlopen(Request(url, headers=headers), timeout=patience)
                stack.enter_context(response)
                first = response.read1(_CHUNK)
                if not abandoned.is_set():
                    stack.pop_all()  # the response now belongs to whoever takes the answer
                    answers.put((response, first))
        except _FAILURES as error:
            if isinstance(error, HTTPError):
                error.close()
            answers.put(error)

    threading.Thread(target=ask, daemon=True, name="nst-download").start()
    try:
        answer = answers.get(timeout=patience)
    except queue.Empty:
        abandoned.set()
        raise TimeoutError(f"no answer within {patience:g} seconds") from None
    if isinstance(answer, Exception):
        raise answer
    return answer


def _extent(response: HTTPResponse, have: int) -> tuple[int, int | None]:
    """Where the answer's first byte belongs in the file, and the file's size if it is told."""
    if response.status == 206:
        told = re.match(r"bytes (\d+)-\d+/(\d+|\*)", response.headers.get("Content-Range", ""))
        if told is None or int(told[1]) > have:
            raise ConnectionError("the server answered with another range than it was asked for")
        return int(told[1]), None if told[2] == "*" else int(told[2])
    length = response.headers.get("Content-Length")
    return 0, int(length) if length else None


def _append(
    response: HTTPResponse,
    first: bytes,
    part: Path,
    offset: int,
    total: int,
    on_progress: ByteProgress | None,
) -> bool:
    """Write the answer from `offset` on; True if the connection broke on the way."""
    with part.open("r+b" if part.exists() else "wb") as file:
        file.truncate(offset)
        file.seek(offset)
        chunk = first
        while chunk:
            file.write(chunk)
            if on_progress:
                on_progress(file.tell(), total)
            try:
                chunk = response.read1(_CHUNK)
            except (ConnectionError, TimeoutError, HTTPException):
                return True
    return False


def _verify(url: str, source: Source, part: Path) -> None:
    digest = file_digest(part, source.algorithm)
    if not digest.startswith(source.digest):
        os.truncate(part, 0)
        raise WeightsError(
            f"What {url} sent is not {source.file_name}: its {source.algorithm} is {digest}, not "
            f"{source.digest}. It was deleted; a proxy or sign-in page may have answered instead. "
            f"Try again, or: {by_hand(source, part.parent)}"
        )


def _is_whole(part: Path, source: Source) -> bool:
    return file_digest(part, source.algorithm).startswith(source.digest)


def _reason(error: BaseException) -> str:
    reason = getattr(error, "reason", None)  # URLError wraps the socket's own error
    if isinstance(error, HTTPError):
        return f"the server answered {error.code} ({error.reason})"
    return str(reason or error) or type(error).__name__
