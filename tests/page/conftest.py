"""The page's parts with the builtin network, and the page itself served on loopback."""

import importlib.util
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

HERE = Path(__file__).parent
# Gradio is an extra: without it, these tests are left out with a message.
if importlib.util.find_spec("gradio") is None:
    collect_ignore_glob = ["test_*.py"]


@pytest.fixture(scope="session")
def network():
    from nst_core.page.network import Network

    return Network("builtin")


@pytest.fixture(scope="session")
def limits():
    from nst_core.settings import ServingSettings

    return ServingSettings(max_size=128, max_steps=40, max_waiting=9, max_megapixels=2)


@pytest.fixture(scope="session")
def folder() -> Iterator[Path]:
    from nst_core.page.serve import own_folder

    with own_folder() as folder:
        yield folder


@pytest.fixture(scope="session")
def samples(folder):
    from nst_core.page.pictures import Samples

    return Samples(folder)


@pytest.fixture
def runs(network, samples, limits, folder):
    from nst_core.page.runs import Runs

    runs = Runs(network, samples, limits, folder)
    yield runs
    runs.close()


@pytest.fixture
def made(runs):
    """`made(request)`: the job and the files of a run that is over."""

    def run(request):
        job = runs.begin(uuid4().hex, request)
        job.future.result()
        return job, job.finished.files

    return run


@pytest.fixture
def ask(runs, samples):
    """`ask(size=48, ...)`: a small request, harbor in brushstrokes."""
    from nst_core.page.kinds import STYLIZE

    def request(
        styles=("brushstrokes",),
        shares=None,
        preset="default",
        strength=1.0,
        kind=STYLIZE,
        map_=None,
        parts=(),
        **given,
    ):
        return runs.request(
            kind,
            content=str(samples.files["harbor"]),
            styles=[name and str(samples.files[name]) for name in styles],
            shares=shares,
            preset=preset if preset in kind.presets else None,
            strength=strength,
            given={"size": 48, "steps": 3, **given},
            map_=map_,
            parts=parts,
        )

    return request


@pytest.fixture
def ask_for(runs):
    """`ask_for(content, style, size=48, ...)`: paths to be painted, one in the style of another."""
    from nst_core.page.kinds import STYLIZE

    def request(content, *styles, strength=1.0, **given):
        given = {"size": 48, "steps": 1, **given}
        return runs.request(STYLIZE, content=content, styles=styles, strength=strength, given=given)

    return request
