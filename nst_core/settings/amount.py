"""Amounts of memory as people write them."""

import re

from ..errors import SettingsError

_UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "ki": 2**10, "mi": 2**20, "gi": 2**30}


def bytes_in(amount: str) -> int | None:
    """Bytes of an amount such as 4GB, 1.5 GiB, 4000M or 4000000000; None for auto and for 0.

    >>> bytes_in("4GB"), bytes_in("1.5 GiB"), bytes_in("4000m"), bytes_in("auto")
    (4000000000, 1610612736, 4000000000, None)

    Raises:
        SettingsError: it is none.
    """
    if amount == "auto":
        return None
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([kmg]i?|)b?", amount.strip().lower())
    if found is None:
        raise SettingsError(f"memory '{amount}' is no amount. Use auto, or one such as 4GB.")
    return round(float(found[1]) * _UNITS[found[2]]) or None
