"""Networks that connect and say nothing, look names up for ever, or stop in the middle."""

import socket
import threading
import time

import pytest

from nst_core.errors import WeightsError
from nst_core.files.weights import load, load_vgg16
from nst_core.files.weights.download import download
from nst_core.files.weights.sources import SOURCES

SOURCE = SOURCES["keras"]


@pytest.fixture
def listener(monkeypatch):
    """Connects, and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        monkeypatch.setenv("NST_MIRROR", f"http://127.0.0.1:{listener.getsockname()[1]}")
        yield listener
        wait_for_the_asking_thread()


def wait_for_the_asking_thread():
    for thread in threading.enumerate():
        if thread.name == "nst-download":
            thread.join(5)


def test_a_server_that_never_answers_is_left(listener, tmp_path):
    began = time.monotonic()
    with pytest.raises(WeightsError, match=r"timed out|no answer within 0\.2 seconds"):
        download(SOURCE, tmp_path, patience=0.2)
    assert time.monotonic() - began < 3


def test_a_name_lookup_that_hangs_is_left(monkeypatch, tmp_path):
    release = threading.Event()

    def hang(*args, **options):
        release.wait(30)
        raise socket.gaierror(socket.EAI_AGAIN, "no name server")

    monkeypatch.setenv("NST_MIRROR", "http://mirror.example")
    monkeypatch.setattr(socket, "getaddrinfo", hang)
    with pytest.raises(WeightsError, match=r"no answer within 0\.2 seconds"):
        download(SOURCE, tmp_path, patience=0.2)
    release.set()
    wait_for_the_asking_thread()


def test_a_server_that_stops_in_the_middle_keeps_the_part(listener, tmp_path):
    def send_half_an_answer():
        connection, _ = listener.accept()
        with connection:
            connection.recv(4096)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nhalf")
            connection.recv(1)  # returns when the client hangs up

    answering = threading.Thread(target=send_half_an_answer)
    answering.start()
    with pytest.raises(WeightsError):
        download(SOURCE, tmp_path, patience=0.2)
    answering.join()
    assert (tmp_path / f"{SOURCE.file_name}.part").read_bytes() == b"half"


def test_auto_takes_builtin_within_its_five_seconds(listener, monkeypatch, messages):
    assert load.AUTO_PATIENCE < 5
    monkeypatch.setattr(load, "AUTO_PATIENCE", 0.2)
    began = time.monotonic()
    assert load_vgg16(on_message=messages.append).source.startswith("builtin")
    assert time.monotonic() - began < 4
    assert "timed out" in messages[0] or "no answer" in messages[0]
