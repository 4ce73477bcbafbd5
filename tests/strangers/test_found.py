"""Files that once harmed, found by fuzzing or by thinking: each is read or refused."""

from pathlib import Path

import pytest
from readers import READERS

FOUND = sorted(path for path in Path(__file__).parent.glob("found/*/*") if path.is_file())


@pytest.mark.parametrize("path", FOUND, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_what_was_found_harms_no_more(path, child, tmp_path):
    copy = tmp_path / path.name
    copy.write_bytes(path.read_bytes())
    assert path.stat().st_size < 2048
    assert path.parent.name in READERS
    assert child.read(path.parent.name, copy).harmless
