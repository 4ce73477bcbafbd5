"""The body of an upload, in the process, as a request to the page brings it."""

import asyncio
import tempfile
from functools import cache
from pathlib import Path

from nst_core.page.folder import remove
from nst_core.page.routes import Routes

MEGABYTES = 1


@cache
def served():
    """The route of uploads as the page serves it, and the folder in which files come to lie."""
    import gradio as gr
    from starlette.middleware import Middleware

    folder = Path(tempfile.mkdtemp(prefix="nst-uploads-")).resolve()
    with gr.Blocks() as page:
        gr.File()
    page.max_file_size = MEGABYTES * 10**6
    routes = Middleware(Routes, megabytes=MEGABYTES, uploaded=lambda: None)
    app = gr.routes.App.create_app(page, app_kwargs={"middleware": [routes]})
    app.uploaded_file_dir = str(folder)
    return app, folder


def answers(path):
    """The status of each answer to a file with the type of the content, a line feed, and a body.

    All files that were written are in the folder, and none is larger than is taken.
    """
    app, folder = served()
    kind, _, body = path.read_bytes().partition(b"\n")
    statuses = [asyncio.run(_answer(app, kind, parts)) for parts in (_cut(body), [body])]
    for file in folder.rglob("*"):
        assert file.resolve().is_relative_to(folder), file
        assert not file.is_symlink()
        assert file.is_dir() or file.stat().st_size <= MEGABYTES * 10**6, file
    for child in folder.iterdir():
        remove(child)
    return statuses


def _cut(body):
    """As a slow line brings it."""
    each = max(1, len(body) // 7)
    return [body[at : at + each] for at in range(0, len(body), each)] or [b""]


async def _answer(app, kind, parts):
    waiting, sent = list(parts), []

    async def receive():
        if not waiting:
            return {"type": "http.disconnect"}
        part = waiting.pop(0)
        return {"type": "http.request", "body": part, "more_body": bool(waiting)}

    async def send(message):
        sent.append(message)

    path = "/gradio_api/upload"
    scope = {
        **{"type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST"},
        **{"path": path, "raw_path": path.encode(), "query_string": b"", "root_path": ""},
        **{"scheme": "http", "server": ("127.0.0.1", 80), "client": ("127.0.0.1", 1)},
        "headers": [(b"host", b"127.0.0.1"), (b"content-type", kind)],
    }
    await app(scope, receive, send)
    return sent[0]["status"]
