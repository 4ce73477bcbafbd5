"""What is refused before Gradio sees it."""

import re
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse

from .visitors import new_cookie, token_in

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

_Message = MutableMapping[str, Any]
_Receive = Callable[[], Awaitable[_Message]]
_Send = Callable[[_Message], Awaitable[None]]
_App = Callable[[_Message, _Receive, _Send], Awaitable[None]]


class Routes:
    """A layer around the server (ASGI) that opens some routes and measures requests.

    Args:
        app: what is behind it.
        megabytes: of the largest file that may come in; one file comes with each request.
    """

    def __init__(self, app: _App, megabytes: int) -> None:
        self._app, self._most = app, megabytes * 10**6 + _WORDS

    async def __call__(self, scope: _Message, receive: _Receive, send: _Send) -> None:
        """Answer, or hand on."""
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        elif scope["type"] != "http":
            await self._app(scope, receive, send)
        elif refusal := self._refusal(scope):
            await refusal(scope, receive, send)
        else:
            await self._app(scope, self._counted(receive), _named(scope, send))

    def _refusal(self, scope: _Message) -> PlainTextResponse | None:
        path = _path_of(scope)
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
        arrived = 0

        async def counted() -> _Message:
            nonlocal arrived
            message = await receive()
            arrived += len(message.get("body", b""))
            if arrived > self._most:
                # Of exceptions in a middleware, FastAPI hands on this kind alone.
                raise HTTPException(413, self._too_large)
            return message

        return counted

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


def _path_of(scope: _Message) -> str:
    """The path without the one under which a proxy serves the page, as Starlette reads it."""
    path, root = str(scope["path"]), str(scope.get("root_path", ""))
    return path[len(root) :] if root and path.startswith(f"{root}/") else path
