"""Sound files with bytes that were flipped, cut off, doubled or swapped: read or refused.

NST_STRANGERS=20 is about a thousand files for each reader.
"""

import random
from zlib import crc32

import pytest
from readers import READERS
from watched import LARGE


def mutated(data: bytes, dice: random.Random) -> bytes:
    """A few changes, as a bad disk or a bad mind makes them."""
    changed = bytearray(data)
    for _ in range(dice.choice((1, 1, 2, 8))):
        if not changed:
            break
        at = dice.randrange(len(changed))
        size = dice.choice((1, 2, 4, 16))
        kind = dice.randrange(6)
        if kind == 0:
            changed[at] ^= 1 << dice.randrange(8)
        elif kind == 1:
            changed[at : at + size] = dice.randbytes(len(changed[at : at + size]))
        elif kind == 2:
            del changed[at : None if dice.random() < 0.3 else at + size]
        elif kind == 3:
            changed[at:at] = changed[at : at + size]
        elif kind == 4:
            other = dice.randrange(len(changed))
            changed[at], changed[other] = changed[other], changed[at]
        else:  # a size that is as large as can be
            changed[at : at + size] = dice.choice((b"\xff", b"\x7f", b"\0")) * size
    return bytes(changed)


@pytest.mark.parametrize("reader", READERS)
def test_a_damaged_file_is_read_or_refused_and_harms_nothing(reader, sound, child, tmp_path):
    dice, path, harmful = random.Random(crc32(reader.encode())), tmp_path / "file", {}
    files = list(sound[reader].items())
    for number in range(max(12, len(files)) if LARGE == 1 else 50 * LARGE):
        name, data = files[number % len(files)]
        path.write_bytes(mutated(data, dice))
        reading = child.read(reader, path)
        if not reading.harmless:
            harmful[f"{number} {name}"] = reading, path.read_bytes()[:2000]
    assert not harmful
