"""Sound files of every kind, made once."""

import pytest
from seeds import seeds


@pytest.fixture(scope="session")
def sound(tmp_path_factory):
    """{reader: {name: bytes}}."""
    return seeds(tmp_path_factory.mktemp("seeds"))
