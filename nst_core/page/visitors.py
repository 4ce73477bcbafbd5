"""Who a visitor is: a browser by its cookie, so that it finds its run when it comes back."""

import re
import secrets
from typing import Any

# Kept for a day. A browser sends it with whatever it asks of this page, and scripts cannot read it.
_NAME, _KEPT = "nst-visitor", 86_400
_TOKEN = re.compile(rf"(?:^|;\s*){_NAME}=([A-Za-z0-9_-]{{22}})(?:;|$)")


def token_in(cookies: str) -> str | None:
    """The visitor's name in a header of cookies, if there is one."""
    found = _TOKEN.search(cookies)
    return found[1] if found else None


def new_cookie() -> str:
    """What gives a browser a name that nobody can guess."""
    token = secrets.token_urlsafe(16)
    return f"{_NAME}={token}; Path=/; Max-Age={_KEPT}; HttpOnly; SameSite=Lax"


def key_of(visitor: Any) -> str:
    """The key of a visitor's run: the browser's, or the session's where there are no cookies.

    Args:
        visitor: Gradio's request.
    """
    return token_in(visitor.headers.get("cookie", "")) or str(visitor.session_hash)
