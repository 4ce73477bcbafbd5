"""What is refused before Gradio sees it."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from starlette.responses import PlainTextResponse

# Gradio's routes to other addresses, to recordings, and to the state of a visitor: this page has no
# use for them. With `file=` it would fetch any page of the web for anybody.
CLOSED = (
    *("/file=http:", "/file=https:", "/proxy=", "/process_recording", "/component_server"),
    *("/deep_link", "/stream/", "/vibe", "/dev/"),
)
# Beside a file, a request has some words: its name, or the settings of a run.
_WORDS = 1_000_000

_Message = MutableMapping[str, Any]
_App = Callable[
    [_Message, Callable[[], Awaitable[_Message]], Callable[[_Message], Awaitable[None]]],
    Awaitable[None],
]


class Routes:
    """A layer around the server (ASGI) that closes routes and measures requests.

    Args:
        app: what is behind it.
        megabytes: of the largest file that may come in; one file comes with each request.
    """

    def __init__(self, app: _App, megabytes: int) -> None:
        self._app, self._most = app, megabytes * 10**6 + _WORDS

    async def __call__(self, scope: _Message, receive: Any, send: Any) -> None:
        """Answer, or hand on."""
        refusal = self._refusal(scope) if scope["type"] == "http" else None
        await (refusal or self._app)(scope, receive, send)

    def _refusal(self, scope: _Message) -> PlainTextResponse | None:
        if any(route in scope["path"].lower() for route in CLOSED):
            return PlainTextResponse("There is nothing here.", 404)
        if scope["method"] != "POST":
            return None
        # The server reads no more than this says, so it can be believed.
        size = dict(scope["headers"]).get(b"content-length", b"")
        if not size.isdigit():
            return PlainTextResponse("Say the length of the request.", 411)
        if int(size) > self._most:
            return PlainTextResponse(f"Files of up to {self._most // 10**6} MB are taken.", 413)
        return None
