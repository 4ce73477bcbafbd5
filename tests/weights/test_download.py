import hashlib
import socket
import threading
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from nst_core.errors import WeightsError
from nst_core.files.weights.download import download
from nst_core.files.weights.sources import SOURCES

PAYLOAD = bytes(range(256)) * 4096  # 1 MiB
SOURCE = replace(
    SOURCES["keras"],
    file_name="weights.bin",
    digest=hashlib.md5(PAYLOAD).hexdigest(),
    size=len(PAYLOAD),
)


class Handler(BaseHTTPRequestHandler):
    """Serves `server.payload`; `server.cuts` holds after how many bytes to break each answer."""

    def do_GET(self):
        server = self.server
        start = int(self.headers.get("Range", "bytes=0-")[len("bytes=") : -1])
        server.starts.append(start)
        if server.status:
            self.send_error(server.status)
            return
        if not server.ranges:
            start = 0
        if start and start >= len(server.payload):
            self.send_error(416)
            return
        body = server.payload[start:]
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(body)))
        if start:
            size = len(server.payload)
            self.send_header("Content-Range", f"bytes {start}-{size - 1}/{size}")
        self.end_headers()
        self.wfile.write(body[: server.cuts.pop(0)] if server.cuts else body)

    def log_message(self, *args):
        pass


def address_of(listener):
    return f"http://127.0.0.1:{listener.getsockname()[1]}"


@pytest.fixture
def server(monkeypatch):
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.payload, server.cuts, server.starts = PAYLOAD, [], []
    server.status, server.ranges = None, True
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    monkeypatch.setenv("NST_MIRROR", f"{address_of(server.socket)}/mirror/")
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_download_is_complete_and_leaves_no_part(server, tmp_path):
    told = []
    path = download(SOURCE, tmp_path / "new", on_progress=lambda *done: told.append(done))
    assert path.read_bytes() == PAYLOAD
    assert [file.name for file in path.parent.iterdir()] == ["weights.bin"]
    assert told[-1] == (len(PAYLOAD), len(PAYLOAD))
    assert told == sorted(told)


def test_a_cut_connection_is_resumed_where_it_broke(server, tmp_path):
    server.cuts = [300_000, 200_000]
    assert download(SOURCE, tmp_path).read_bytes() == PAYLOAD
    assert server.starts == [0, 300_000, 500_000]


def test_a_part_of_an_earlier_run_is_resumed(server, tmp_path):
    (tmp_path / "weights.bin.part").write_bytes(PAYLOAD[:1000])
    assert download(SOURCE, tmp_path).read_bytes() == PAYLOAD
    assert server.starts == [1000]


def test_a_server_without_ranges_sends_it_all_again(server, tmp_path):
    server.ranges = False
    (tmp_path / "weights.bin.part").write_bytes(b"old" * 1000)
    assert download(SOURCE, tmp_path).read_bytes() == PAYLOAD


def test_a_server_that_always_breaks_at_the_same_place_is_given_up(server, tmp_path):
    server.ranges, server.cuts = False, [1000] * 100
    with pytest.raises(WeightsError, match="broke after 1000 bytes; try again to resume"):
        download(SOURCE, tmp_path)
    assert len(server.starts) == 2
    assert (tmp_path / "weights.bin.part").stat().st_size == 1000


def test_a_complete_part_needs_no_more_bytes(server, tmp_path):
    (tmp_path / "weights.bin.part").write_bytes(PAYLOAD)
    assert download(SOURCE, tmp_path).read_bytes() == PAYLOAD
    assert server.starts == [len(PAYLOAD)]  # answered with 416


def test_a_part_that_is_too_long_is_started_again(server, tmp_path):
    (tmp_path / "weights.bin.part").write_bytes(PAYLOAD + b"more")
    assert download(SOURCE, tmp_path).read_bytes() == PAYLOAD
    assert server.starts == [len(PAYLOAD) + 4, 0]


def test_another_content_is_refused_and_deleted(server, tmp_path):
    server.payload = b"<html>Please sign in</html>"
    with pytest.raises(WeightsError, match=r"is not weights\.bin: its md5 is"):
        download(SOURCE, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_refusal_says_the_code_and_what_to_do(server, tmp_path):
    server.status = 404
    with pytest.raises(WeightsError, match="answered 404") as caught:
        download(SOURCE, tmp_path)
    for hint in ("weights.bin", str(tmp_path), "NST_MIRROR", "'builtin'", "/mirror/weights.bin"):
        assert hint in str(caught.value)


def test_no_network_says_which_file_to_put_where(monkeypatch, tmp_path):
    with socket.socket() as taken:  # bound but not listening: connections are refused
        taken.bind(("127.0.0.1", 0))
        monkeypatch.setenv("NST_MIRROR", address_of(taken))
        with pytest.raises(WeightsError, match=r"Put weights\.bin into"):
            download(SOURCE, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_mirror_must_be_a_web_address(monkeypatch, tmp_path):
    monkeypatch.setenv("NST_MIRROR", "/srv/mirror")
    with pytest.raises(WeightsError, match="NST_MIRROR is '/srv/mirror', which is no web address"):
        download(SOURCE, tmp_path)


def test_a_source_without_address_says_where_to_put_the_file(tmp_path):
    with pytest.raises(WeightsError, match=r"Put vgg16-00b39a1b\.pth into"):
        download(SOURCES["neural-style-pt"], tmp_path)


def test_a_folder_that_cannot_be_made_is_told(server, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(WeightsError, match="failed"):
        download(SOURCE, tmp_path / "file" / "cache")


def test_cancelling_keeps_the_part(server, tmp_path):
    def cancel(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        download(SOURCE, tmp_path, on_progress=cancel)
    assert PAYLOAD.startswith((tmp_path / "weights.bin.part").read_bytes())
    assert download(SOURCE, tmp_path).read_bytes() == PAYLOAD
