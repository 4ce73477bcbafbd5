"""What the server takes and answers, below Gradio."""

import asyncio
import http.client
import socket
from urllib.parse import urlsplit

import pytest
from page_server import MAX_UPLOAD, folder_of

from nst_core.page.routes import OPEN

pytestmark = pytest.mark.slow
# All that may be open of whatever the installed Gradio has: the page's own, uploads, the queue.
OURS = {
    *("GET /", "HEAD /", "GET /config", "GET /config/", "GET /logout", "POST /login"),
    *("POST /login/", "GET /static/{path:path}", "GET /assets/{path:path}", "GET /robots.txt"),
    *("GET /svelte/{path:path}", "GET /favicon.ico", "GET /theme.css", "GET /manifest.json"),
    *("GET /gradio_api/theme.css", "GET /gradio_api/info", "GET /gradio_api/info/"),
    *("GET /gradio_api/openapi.json", "GET /gradio_api/app_id", "GET /gradio_api/app_id/"),
    *("GET /gradio_api/login_check", "GET /gradio_api/login_check/", "GET /gradio_api/user"),
    *("GET /gradio_api/user/", "GET /gradio_api/startup-events", "GET /gradio_api/queue/data"),
    *("GET /gradio_api/upload_progress", "GET /gradio_api/heartbeat/{session_hash}"),
    *("GET /gradio_api/file={path_or_url:path}", "HEAD /gradio_api/file={path_or_url:path}"),
    *("POST /gradio_api/upload", "POST /gradio_api/queue/join", "POST /gradio_api/cancel"),
    *("POST /gradio_api/reset", "POST /gradio_api/reset/"),
    *("POST /gradio_api/call/{api_name}", "POST /gradio_api/call/{api_name}/"),
    *("POST /gradio_api/call/v2/{api_name}", "POST /gradio_api/call/v2/{api_name}/"),
    "GET /gradio_api/call/{api_name}/{event_id}",
    "GET /gradio_api/call/v2/{api_name}/{event_id}",
}


def routes_in(routes):
    for route in routes:
        yield from routes_in(getattr(getattr(route, "original_router", None), "routes", []))
        for method in getattr(route, "methods", None) or ():
            yield method, route.path


def test_no_other_route_of_the_installed_gradio_is_open():
    import gradio as gr
    from gradio.routes import App

    async def build():
        with gr.Blocks(analytics_enabled=False) as page:
            pass
        return App.create_app(page)

    # Where no loop runs, Gradio makes some of its own and leaves them open.
    every = set(routes_in(asyncio.run(build()).routes))
    assert len(every) > 60
    names = {
        (method, path): path.replace("{path_or_url:path}", "/a").replace("{path:path}", "a")
        for method, path in every
    }
    opened = {
        f"{method} {path}"
        for (method, path), example in names.items()
        if method in OPEN and OPEN[method].fullmatch(example)
    }
    # `HEAD` of a page that has only `GET` is answered by Gradio, without anything.
    assert opened <= OURS | {"HEAD /openapi.json", "HEAD /gradio_api/openapi.json"}


def talk(server, head, chunks=(), *, chunked=False):
    """The status line of the answer to a request; "" where the connection ended without one."""
    parts = urlsplit(server.url)
    with socket.create_connection((parts.hostname, parts.port), timeout=60) as line:
        try:
            line.sendall(f"{head}\r\nHost: {parts.netloc}\r\n\r\n".encode())
            for chunk in chunks:
                line.sendall(b"%x\r\n%b\r\n" % (len(chunk), chunk) if chunked else chunk)
            if chunked:
                line.sendall(b"0\r\n\r\n")
        except OSError:  # it has answered already, and reads no further
            pass
        try:
            return line.makefile("rb").readline().decode().strip()
        except OSError:
            return ""


def status(server, method, path):
    parts = urlsplit(server.url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=60)
    try:
        connection.request(method, path)
        return connection.getresponse().status
    finally:
        connection.close()


UPLOAD = "POST /gradio_api/upload HTTP/1.1\r\nContent-Type: multipart/form-data; boundary=x"
FILE = b'--x\r\nContent-Disposition: form-data; name="files"; filename="a.bin"\r\n\r\n'
MEGABYTE = bytes(10**6)


def size_of(folder):
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def test_a_request_in_chunks_is_measured_as_it_arrives_whatever_it_says(server):
    before, memory = size_of(folder_of(server)), server.memory()
    for length in ("", "\r\nContent-Length: 100"):
        head = f"{UPLOAD}{length}\r\nTransfer-Encoding: chunked"
        answer = talk(server, head, [FILE, *[MEGABYTE] * 60], chunked=True)
        # It may be lost with the connection, which is closed while more comes.
        assert answer == "" or " 413 " in answer or " 400 " in answer
    assert size_of(folder_of(server)) - before < 2 * (MAX_UPLOAD + 2) * 10**6
    assert server.memory() - memory < 50e6


def test_chunks_within_the_limit_are_taken(server):
    head = f"{UPLOAD}\r\nTransfer-Encoding: chunked"
    assert " 200 " in talk(server, head, [FILE, MEGABYTE, b"\r\n--x--\r\n"], chunked=True)


def test_words_in_chunks_are_measured_too(server):
    head = "POST /gradio_api/queue/join HTTP/1.1\r\nContent-Type: application/json"
    head += "\r\nTransfer-Encoding: chunked"
    assert " 413 " in talk(server, head, [b'"', *[MEGABYTE] * (MAX_UPLOAD + 2)], chunked=True)


@pytest.mark.parametrize(
    ("head", "body"),
    [
        (f"{UPLOAD}\r\nContent-Length: 3\r\nContent-Length: 4", [b"abcd"]),
        (f"{UPLOAD}\r\nContent-Length: -1", [b"abcd"]),
        (f"{UPLOAD}\r\nTransfer-Encoding: gzip, chunked", []),
        (
            "POST /gradio_api/queue/join HTTP/1.1\r\nContent-Type: application/json"
            "\r\nContent-Encoding: gzip\r\nContent-Length: 4",
            [b"\x1f\x8b\x08\x00"],
        ),
        (UPLOAD.replace("; boundary=x", "") + "\r\nContent-Length: 4", [b"abcd"]),
    ],
    ids=["two lengths", "no length", "another coding", "packed words", "no boundary"],
)
def test_a_request_that_contradicts_itself_is_refused(head, body, server):
    answer = talk(server, head, body)
    assert answer.split()[1][0] == "4" or " 501 " in answer
    assert status(server, "GET", "/") == 200


def test_an_upload_without_an_end_leaves_nobody_waiting(server):
    assert " 200 " in talk(server, f"{UPLOAD}\r\nContent-Length: {len(FILE)}", [FILE])
    assert status(server, "GET", "/") == 200


def test_an_upload_of_words_in_place_of_a_file_is_refused_without_a_traceback(server):
    body, before = FILE.replace(b'; filename="a.bin"', b"") + b"words\r\n--x--\r\n", server.log()
    for address in ("", "?upload_id=1"):
        head = UPLOAD.replace("upload ", f"upload{address} ")
        assert " 400 " in talk(server, f"{head}\r\nContent-Length: {len(body)}", [body])
    assert "Traceback" not in server.log().removeprefix(before)


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
@pytest.mark.parametrize(
    "path",
    [
        *("/gradio_api/proxy=http://example.com/", "/gradio_api/file=http://example.com/"),
        *("/gradio_api/file=HTTPS:%2f%2fexample.com/", "/gradio_api/file/etc/passwd"),
        *("/gradio_api/deep_link", "/gradio_api/process_recording", "/gradio_api/runs"),
        *("/gradio_api/component_server/", "/gradio_api/vibe-code", "/gradio_api/dev/reload"),
        *("/gradio_api/stream/a/b/1/playlist.m3u8", "/gradio_api/token", "/monitoring"),
        *("/gradio_api/run/stylize", "/gradio_api/api/stylize", "/api/predict", "/upload"),
        *("/queue/join", "/file=/etc/passwd", "/static/%2e%2e/%2e%2e/routes.py"),
        *("/assets/../../../routes.py", "//config", "/gradio_api/custom_component/a/client/b/c"),
        *("/gradio_api/run-history/buckets", "/pwa_icon"),
    ],
)
def test_what_the_page_does_not_use_is_not_there(method, path, server):
    # OPTIONS may be the question whether another site may ask, which Gradio answers.
    assert status(server, method, path) in ((404, 405, 400) if method == "OPTIONS" else (404,))


def test_other_methods_reach_nothing(server):
    for path in ("/", "/config", "/gradio_api/upload", "/gradio_api/call/stylize"):
        for method in ("PUT", "DELETE", "PATCH", "TRACE"):
            assert status(server, method, path) == 404


def test_no_websocket_is_opened(server):
    head = "GET /gradio_api/queue/join HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket"
    key = "\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="
    assert talk(server, head + key).split()[1][0] == "4"


def test_a_browser_gets_a_name_once_and_only_a_name_that_we_give(server):
    parts = urlsplit(server.url)

    def named(cookie):
        connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=60)
        connection.request("GET", "/", headers={"Cookie": cookie} if cookie else {})
        answer = connection.getresponse()
        connection.close()
        return answer.headers.get("set-cookie", "")

    cookie = named("")
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    token = cookie.split(";")[0]
    assert named(f"other=1; {token}") == ""
    assert named("") != cookie
    assert named("nst-visitor=me/../you") != ""
