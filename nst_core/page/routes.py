"""What is refused before Gradio sees it."""

import asyncio
import logging
import math
import re
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse

from .logins import Logins
from .visitors import new_cookie, token_in

log = logging.getLogger(__name__)

# All that the page and programs ask for, by method. Gradio has more, and each of its versions adds
# some: routes to other addresses, to recordings, to the state of a visitor.
_API, _NAME = "/gradio_api", r"[^/]+"
_READ = (
    *("/", "/config/?", "/logout", "/theme.css", "/favicon.ico", "/robots.txt", "/manifest.json"),
    *("/static/.+", "/assets/.+", "/svelte/.+", f"{_API}/theme.css", f"{_API}/openapi.json"),
    *(f"{_API}/{name}/?" for name in ("info", "app_id", "login_check", "user")),
    *(f"{_API}/{name}" for name in ("startup-events", "upload_progress", "queue/data")),
    *(f"{_API}/heartbeat/{_NAME}", f"{_API}/call/(v2/)?{_NAME}/{_NAME}"),
    # A path, of Windows too, and no address: Gradio would fetch any page of the web for anybody.
    rf"{_API}/file=(/|[a-zA-Z]:[/\\]).+",
)
_WRITE = (
    *("/login/?", f"{_API}/call/(v2/)?{_NAME}/?"),
    *(f"{_API}/{name}/?" for name in ("upload", "queue/join", "cancel", "reset")),
)
OPEN = {
    method: re.compile("|".join(f"({pattern})" for pattern in patterns))
    for method, patterns in (("GET", _READ), ("HEAD", _READ), ("POST", _WRITE))
}
# Beside a file, a request has some words: its name, or the settings of a run.
_WORDS = 1_000_000
# A request may take so many seconds to arrive, and longer at so many bytes per second.
SLOW, RATE = 30.0, 10_000.0
# Uploads that are taken at once, and seconds that others wait for their turn.
UPLOADS, TURN = 16, 20.0
# What Gradio's reader raises of a body in which no file is where it looks for one.
_NO_UPLOAD = (AttributeError, LookupError, TypeError, ValueError)

_Message = MutableMapping[str, Any]
_Receive = Callable[[], Awaitable[_Message]]
_Send = Callable[[_Message], Awaitable[None]]
_App = Callable[[_Message, _Receive, _Send], Awaitable[None]]


class Routes:
    """A layer around the server (ASGI) that opens some routes and measures requests.

    Args:
        app: what is behind it.
        megabytes: of the largest file that may come in; one file comes with each request.
        uploaded: called after each upload, in a thread.
    """

    def __init__(self, app: _App, megabytes: int, uploaded: Callable[[], None]) -> None:
        self._app, self._most = app, megabytes * 10**6 + _WORDS
        self._uploaded, self._turns = uploaded, asyncio.Semaphore(UPLOADS)
        self._logins = Logins()

    async def __call__(self, scope: _Message, receive: _Receive, send: _Send) -> None:
        """Answer, or hand on."""
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        elif scope["type"] != "http":
            await self._app(scope, receive, send)
        elif refusal := self._refusal(scope):
            await refusal(scope, receive, send)
        elif _path_of(scope) == f"{_API}/upload":
            await self._upload(scope, self._counted(receive), send)
        else:
            await self._app(scope, self._counted(receive), self._watched(scope, send))

    def _refusal(self, scope: _Message) -> PlainTextResponse | None:
        path = _path_of(scope)
        if path.startswith("/login") and (wait := self._logins.wait(_address_of(scope))):
            words = f"Too many wrong passwords. Try again in {math.ceil(wait / 60)} minutes."
            return PlainTextResponse(words, 429, {"Retry-After": f"{wait:.0f}"})
        pattern = OPEN.get(scope["method"])
        if not pattern or not pattern.fullmatch(path) or ".." in re.split(r"[/\\]", path):
            return PlainTextResponse("There is nothing here.", 404)
        # At once where a request says that it is too large; what it says may be wrong.
        for name, value in scope["headers"]:
            if name == b"content-length" and value.isdigit() and int(value) > self._most:
                return PlainTextResponse(self._too_large, 413)
        return None

    def _counted(self, receive: _Receive) -> _Receive:
        """Counts what arrives: in chunks, it does not say before how much it is."""
        arrived, more, began = 0, True, time.monotonic()

        async def counted() -> _Message:
            nonlocal arrived, more
            if not more:  # what comes now is that the visitor has left, perhaps in an hour
                return await receive()
            left = began + SLOW + arrived / RATE - time.monotonic()
            try:
                message = await asyncio.wait_for(receive(), max(0.0, left))
            except asyncio.TimeoutError as error:
                words = "The request came too slowly."
                raise HTTPException(408, words, {"Connection": "close"}) from error
            more = bool(message.get("more_body", False))
            arrived += len(message.get("body", b""))
            if arrived > self._most:
                # Of exceptions in a middleware, FastAPI hands on this kind alone.
                raise HTTPException(413, self._too_large, {"Connection": "close"})
            return message

        return counted

    async def _upload(self, scope: _Message, receive: _Receive, send: _Send) -> None:
        """Uploads take turns, a few at a time; who has waited for long is told so."""
        try:
            await asyncio.wait_for(self._turns.acquire(), TURN)
        except asyncio.TimeoutError:
            words = "Many files are being uploaded. Try again in a minute."
            await PlainTextResponse(words, 503, {"Retry-After": "60"})(scope, receive, send)
            return
        try:
            await self._app(scope, receive, send)
        except _NO_UPLOAD as error:  # before anything is answered
            log.info("An upload could not be read: %r", error)
            await PlainTextResponse("This is no upload of a file.", 400)(scope, receive, send)
        finally:
            self._turns.release()
            await asyncio.to_thread(self._uploaded)

    def _watched(self, scope: _Message, send: _Send) -> _Send:
        """Counts wrong passwords, and gives a new visitor a name."""
        if not _path_of(scope).startswith("/login"):
            return _named(scope, send)

        async def watching(message: _Message) -> None:
            if message["type"] == "http.response.start" and message["status"] == 400:
                self._logins.failed(_address_of(scope))
            await send(message)

        return watching

    @property
    def _too_large(self) -> str:
        return f"Files of up to {self._most // 10**6} MB are taken."


def _named(scope: _Message, send: _Send) -> _Send:
    """Gives a browser that opens the page a name, by which it finds its run again."""
    cookies = b"; ".join(value for name, value in scope["headers"] if name == b"cookie")
    if _path_of(scope) != "/" or token_in(cookies.decode("latin-1")):
        return send

    async def naming(message: _Message) -> None:
        if message["type"] == "http.response.start":
            cookie = (b"set-cookie", new_cookie().encode())
            message = {**message, "headers": [*message.get("headers", ()), cookie]}
        await send(message)

    return naming


def _address_of(scope: _Message) -> str:
    """Of the visitor; what a proxy on this machine says of it, uvicorn has read."""
    return str((scope.get("client") or ("",))[0])


def _path_of(scope: _Message) -> str:
    """The path without the one under which a proxy serves the page, as Starlette reads it."""
    path, root = str(scope["path"]), str(scope.get("root_path", ""))
    return path[len(root) :] if root and path.startswith(f"{root}/") else path
