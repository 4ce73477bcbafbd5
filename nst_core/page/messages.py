"""Mistakes as messages that a visitor sees."""

from collections.abc import Iterator
from contextlib import contextmanager
from html import escape

import gradio as gr

from ..errors import NSTError

# The most of a message that is shown.
_WORDS = 1000


@contextmanager
def spoken() -> Iterator[None]:
    """Tells the visitor about mistakes; Gradio keeps quiet about all other exceptions."""
    try:
        yield
    except NSTError as error:
        words = shown(error)
        raise gr.Error(words, title="This does not work yet", print_exception=False) from error


def shown(error: NSTError) -> str:
    """A mistake in a message of Gradio, which is HTML; names in it may come from anybody.

    So they may also be long, or hold half a character, which no answer of a server can.
    """
    return escape(str(error)[:_WORDS].encode(errors="replace").decode(), quote=False)
