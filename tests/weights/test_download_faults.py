"""Servers that cut, repeat and lie, several processes: the file is right, or not there."""

import hashlib
import os
import shutil
import socket
import subprocess
import sys
import threading
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

import nst_core
from nst_core.errors import WeightsError
from nst_core.files.weights.download import download
from nst_core.files.weights.sources import SOURCES

PAYLOAD = bytes(range(256)) * 64  # 16 KiB
SIZE = len(PAYLOAD)
SOURCE = replace(
    SOURCES["keras"],
    file_name="weights.bin",
    digest=hashlib.md5(PAYLOAD).hexdigest(),
    size=SIZE,
)
PAGE = b"<html>Please sign in</html>"


class Handler(BaseHTTPRequestHandler):
    """Answers as `server.answer(start, number)` says: status, headers, body, or bytes as they are.

    `number` counts the requests from 0; `start` is the range that was asked for.
    """

    def do_GET(self):
        start = int(self.headers.get("Range", "bytes=0-")[len("bytes=") : -1])
        self.server.asked.append(start)
        status, headers, body = self.server.answer(start, len(self.server.asked) - 1)
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


@pytest.fixture
def server(monkeypatch):
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.asked, server.answer = [], whole
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    monkeypatch.setenv("NST_MIRROR", f"http://127.0.0.1:{server.server_port}")
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def length(size):
    return {"Content-Length": str(size)}


def span(first, last=SIZE - 1):
    return {"Content-Range": f"bytes {first}-{last}/{SIZE}", **length(last + 1 - first)}


def whole(start, number):
    """An honest answer."""
    if start >= SIZE:
        return 416, length(0), b""
    if start:
        return 206, span(start), PAYLOAD[start:]
    return 200, length(SIZE), PAYLOAD


def cut_at(place, answer=whole):
    """The first answer breaks off there."""

    def answered(start, number):
        status, headers, body = answer(start, number)
        return status, headers, body if number else body[:place]

    return answered


def without_length(start, number):
    status, headers, body = whole(start, number)
    return status, {k: v for k, v in headers.items() if k != "Content-Length"}, body


def too_long(start, number):
    status, headers, body = whole(start, number)
    return status, {**headers, "Content-Length": str(len(body) + 100)}, body


def whole_for_a_range(start, number):
    return 200, length(SIZE), PAYLOAD


def overlapping(start, number):
    begin = max(0, start - 1000)
    return (206, span(begin), PAYLOAD[begin:]) if start else whole(start, number)


RIGHT = {
    **{f"cut at {place}": cut_at(place) for place in (0, 1, SIZE // 2, SIZE - 1)},
    **{f"no length, cut at {place}": cut_at(place, without_length) for place in (1, SIZE - 1)},
    "no length": without_length,
    "a length that is too long": too_long,
    "a length that is too long, and no ranges": lambda *_: (200, length(SIZE + 9), PAYLOAD),
    "the whole file for a range": cut_at(5000, whole_for_a_range),
    "bytes that were sent before": cut_at(5000, overlapping),
    "a redirect": lambda start, number: (
        whole(start, number) if number else (302, {"Location": "/elsewhere", **length(0)}, b"")
    ),
}


@pytest.mark.parametrize("kind", RIGHT)
def test_whatever_a_server_says_the_file_is_right(server, tmp_path, kind):
    server.answer = RIGHT[kind]
    # Of a connection that brings nothing at all, the next call is the next attempt.
    for _ in range(2 if kind == "cut at 0" else 1):
        try:
            path = download(SOURCE, tmp_path)
        except WeightsError:
            assert kind == "cut at 0"
    assert path.read_bytes() == PAYLOAD
    assert [one.name for one in tmp_path.iterdir()] == ["weights.bin"]


WRONG = {
    "a page to sign in": (lambda *_: (200, length(len(PAGE)), PAGE), "is not weights.bin"),
    "such a page without a length": (lambda *_: (200, {}, PAGE), "is not weights.bin"),
    "wrong bytes": (lambda *_: (200, length(SIZE), bytes(SIZE)), "is not weights.bin"),
    "a length that is too short": (lambda *_: (200, length(9), PAYLOAD), "is not weights.bin"),
    "another range": (lambda *_: (206, span(7), PAYLOAD[7:]), "another range"),
    "too many requests": (lambda *_: (429, length(0), b""), "answered 429"),
    "an error of its own": (lambda *_: (500, length(0), b""), "answered 500"),
    "nothing there after all": (lambda *_: (416, length(0), b""), "answered 416"),
    "a redirect in a circle": (lambda *_: (302, {"Location": "/a", **length(0)}, b""), "302"),
    "a length that is no number": (lambda *_: (200, {"Content-Length": "x"}, b"a"), "failed"),
}


@pytest.mark.parametrize("kind", WRONG)
def test_what_is_not_the_file_is_told_and_never_kept(server, tmp_path, kind):
    server.answer, said = WRONG[kind]
    with pytest.raises(WeightsError, match=said):
        download(SOURCE, tmp_path)
    assert [one.name for one in tmp_path.iterdir()] in ([], ["weights.bin.part"])
    server.answer = whole
    assert download(SOURCE, tmp_path).read_bytes() == PAYLOAD


def test_a_part_of_something_else_costs_another_download_and_no_error(server, tmp_path):
    (tmp_path / "weights.bin.part").write_bytes(b"something else")
    assert download(SOURCE, tmp_path).read_bytes() == PAYLOAD
    assert server.asked == [14, 0]


def test_a_server_that_says_nothing_is_given_up(monkeypatch, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("NST_MIRROR", f"http://127.0.0.1:{silent.getsockname()[1]}")
        with pytest.raises(WeightsError, match=r"no answer within 0\.1 seconds|timed out"):
            download(SOURCE, tmp_path, patience=0.1)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_goes_away_is_told(server, tmp_path):
    folder = tmp_path / "cache"
    with pytest.raises(WeightsError, match="set NST_CACHE to another folder"):
        download(SOURCE, folder, on_progress=lambda *_: shutil.rmtree(folder, ignore_errors=True))
    assert not folder.exists()
    assert download(SOURCE, folder).read_bytes() == PAYLOAD


def test_a_folder_that_cannot_be_written_is_told_with_what_to_do(server):
    with pytest.raises(WeightsError, match="set NST_CACHE to another folder"):
        download(SOURCE, Path("/proc/nothing" if sys.platform == "linux" else "/dev/null/x"))


def test_a_full_disk_keeps_the_part_and_says_so(server, tmp_path):
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (5000, hard))
    try:
        with pytest.raises(WeightsError, match="Make room there"):
            download(SOURCE, tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert (tmp_path / "weights.bin.part").read_bytes() == PAYLOAD[:5000]
    assert download(SOURCE, tmp_path).read_bytes() == PAYLOAD
    assert server.asked[-1] == 5000


@pytest.mark.skipif(sys.platform == "win32", reason="locks of files")
def test_two_at_once_do_not_disturb_each_other(server, tmp_path):
    (tmp_path / "weights.bin.part").write_bytes(PAYLOAD[:3000])
    second = []

    def also(*_):
        if not second:
            second.append(None)
            second.append(download(SOURCE, tmp_path).read_bytes())

    assert download(SOURCE, tmp_path, on_progress=also).read_bytes() == PAYLOAD
    assert second[1] == PAYLOAD
    assert server.asked == [3000, 0]  # the second has a part of its own
    assert [one.name for one in tmp_path.iterdir()] == ["weights.bin"]


PROGRAM = """
import os, sys
from dataclasses import replace
from pathlib import Path
from nst_core.files.weights.download import download
from nst_core.files.weights.sources import SOURCES
digest, size, folder = sys.argv[1:]
source = replace(SOURCES["keras"], file_name="weights.bin", digest=digest, size=int(size))
download(source, Path(folder), on_progress=lambda *_: os.kill(os.getpid(), 9))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL")
def test_what_a_killed_process_left_is_gone_on_with(server, tmp_path):
    server.answer = cut_at(9000)
    words = [SOURCE.digest, str(SIZE), str(tmp_path)]
    path = {"PYTHONPATH": str(Path(nst_core.__file__).parents[1])}
    done = subprocess.run([sys.executable, "-c", PROGRAM, *words], env={**os.environ, **path})
    assert done.returncode == -9
    (left,) = tmp_path.iterdir()
    have = left.stat().st_size
    assert have
    assert download(SOURCE, tmp_path).read_bytes() == PAYLOAD
    assert server.asked[-1] == have
    assert [one.name for one in tmp_path.iterdir()] == ["weights.bin"]
