"""JSON of a stranger: refused if a small text would become far too much in memory."""

import json
from typing import Any

# Lists, objects and what is between commas, which take up to a hundred bytes each in Python.
MOST_VALUES = 5_000_000


def parsed(text: str | bytes) -> Any:
    """What `json.loads` makes of it.

    Raises:
        ValueError: it is no JSON, too deep, or of more than `MOST_VALUES`.
    """
    signs = (b",", b"[", b"{") if isinstance(text, bytes) else (",", "[", "{")
    if sum(map(text.count, signs)) > MOST_VALUES:  # type: ignore[arg-type]
        raise ValueError(f"it has more than {MOST_VALUES:,} values")
    try:
        return json.loads(text)
    except RecursionError as error:
        raise ValueError("it has lists in lists, too deep to be read") from error
