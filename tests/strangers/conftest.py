"""Sound files of every kind, made once; and another process to read what is not sound."""

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as profile
from seeds import seeds
from watched import LARGE, Child

# Few cases and always the same; NST_STRANGERS=20 is twenty times as many, and others each time.
profile.register_profile(
    "strangers",
    max_examples=15 * LARGE,
    derandomize=LARGE == 1,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="session")
def sound(tmp_path_factory):
    """{reader: {name: bytes}}."""
    return seeds(tmp_path_factory.mktemp("seeds"))


@pytest.fixture(scope="session")
def child(sound, tmp_path_factory):
    """The process, which has read sound files: what is imported late is nobody's time."""
    child, path = Child(), tmp_path_factory.mktemp("first") / "file"
    for reader, files in sound.items():
        for data in files.values():
            path.write_bytes(data)
            child.read(reader, path)
    yield child
    child.close()
