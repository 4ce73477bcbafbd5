"""Going on from a checkpoint is the same as never having stopped."""

import json
import re
from dataclasses import replace

import pytest
import torch
from hypothesis import HealthCheck, given
from hypothesis import settings as settings_of_hypothesis
from hypothesis import strategies as st
from safetensors import safe_open
from small import picture, seeded_vgg

from nst_core import Region, Runtime, Settings, losses_of, losses_of_regions, stylize
from nst_core.errors import CheckpointError
from nst_core.files import checkpoint_file
from nst_core.files.checkpoint_file import previous_of
from nst_core.run.checkpoint import load_checkpoint, save_checkpoint
from nst_core.run.saver import Saver

CONTENT, STYLE, OTHER = picture(36, 48), picture(40, 40, seed=1), picture(36, 48, seed=2)
SETTINGS = Settings(size=48, steps=8, scales=2, scale_factor=1.4, history=2, device="cpu")
HALF = torch.zeros(36, 48)
HALF[:, :24] = 1
ROUNDED = Runtime(torch.device("cpu"), torch.bfloat16, finish=True)


class Stop(Exception):
    """Raised by a callback."""


def stopped(path, losses, *, after, **kwargs):
    """A run that was cut short after so many evaluations, and left a checkpoint."""

    def stop(progress):
        if progress.latest.evaluation >= after:
            raise Stop

    with pytest.raises(Stop):
        stylize(losses, on_progress=stop, saver=Saver(path, every=1e9), **kwargs)


def losses_with(settings):
    return losses_of(CONTENT, [STYLE], settings)


KINDS = {
    "scales": (losses_with(SETTINGS), SETTINGS, {}),
    "float32 finish": (losses_with(SETTINGS), SETTINGS, {"runtime": ROUNDED}),
    "tiles": (losses_with(SETTINGS), replace(SETTINGS, tile=32, steps=3, scales=1), {}),
    "noise": (losses_with(SETTINGS), replace(SETTINGS, init="noise", seed=3), {}),
    "texture": (losses_of(None, [STYLE], SETTINGS), replace(SETTINGS, init="noise"), {}),
    "regions": (
        losses_of_regions(CONTENT, [Region(styles=(STYLE,), mask=HALF)], SETTINGS),
        SETTINGS,
        {},
    ),
    "budget": (losses_with(SETTINGS), replace(SETTINGS, max_evaluations=11), {"runtime": ROUNDED}),
}


@pytest.fixture
def left(vgg, tmp_path):
    """A checkpoint of the plain run, after its first step."""
    path = tmp_path / "run.nst"
    stopped(path, losses_with(SETTINGS), after=2, vgg=vgg, settings=SETTINGS)
    return path


def resumed(path, vgg, losses=None, settings=SETTINGS, **more):
    losses = losses_with(SETTINGS) if losses is None else losses
    return stylize(losses, vgg=vgg, settings=settings, resume=load_checkpoint(path), **more)


@pytest.mark.parametrize("kind", KINDS)
def test_a_resumed_run_ends_with_the_same_bytes(vgg, kind, tmp_path):
    losses, settings, more = KINDS[kind]
    given = {"vgg": vgg, "settings": settings, **more}
    whole = stylize(losses, **given)
    path = tmp_path / "run.nst"
    for after in (2, len(whole.records) - 1):
        stopped(path, losses, after=after, **given)
        again = stylize(losses, resume=load_checkpoint(path), **given)
        assert torch.equal(again.image, whole.image)
        assert again.stops == whole.stops
        assert [r.loss for r in again.records] == [r.loss for r in whole.records]


def test_a_checkpoint_on_the_way_is_that_of_a_step(vgg, tmp_path):
    whole = stylize(losses_with(SETTINGS), vgg=vgg, settings=SETTINGS)
    path, found = tmp_path / "run.nst", []

    def look(progress):
        found.append(load_checkpoint(path).records[-1].evaluation)

    stylize(
        losses_with(SETTINGS),
        vgg=vgg,
        settings=SETTINGS,
        saver=Saver(path, every=0.0),
        on_progress=look,
    )
    # Writing may take a share of the time, so not every step has one.
    assert found[0] == 1
    assert found == sorted(found)
    assert torch.equal(resumed(path, vgg).image, whole.image)


def test_a_run_that_ends_in_time_writes_no_checkpoint_at_its_end(vgg, tmp_path):
    saver = Saver(tmp_path / "run.nst", first=1e9)
    stylize(losses_with(SETTINGS), vgg=vgg, settings=replace(SETTINGS, steps=1), saver=saver)
    assert not saver.saved
    assert not list(tmp_path.iterdir())


REFUSED = {
    "other pictures": ({"losses": losses_of(OTHER, [STYLE], SETTINGS)}, "other pictures"),
    "another start": ({"start": OTHER}, "other pictures"),
    "another weight": (
        {"losses": losses_of(CONTENT, [STYLE], replace(SETTINGS, style_weight=7))},
        "weights of losses",
    ),
    "other settings": ({"settings": replace(SETTINGS, steps=9)}, "made with steps 8"),
    "other arithmetic": ({"runtime": Runtime(torch.device("cpu"), torch.float64)}, "float64"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_a_checkpoint_of_another_run_is_refused_with_the_reason(vgg, left, kind):
    more, reason = REFUSED[kind]
    with pytest.raises(CheckpointError, match=reason):
        resumed(left, vgg, **more)


def test_a_checkpoint_of_another_network_is_refused(left):
    with pytest.raises(CheckpointError, match="other network weights"):
        resumed(left, seeded_vgg(pooling="average"))


def test_another_machine_is_told(vgg, left, caplog):
    found = load_checkpoint(left)
    machine = ["2.4.0", *found.run["machine"][1:]]
    save_checkpoint(replace(found, run={**found.run, "machine": machine}), left)
    resumed(left, vgg)
    assert "last digits" in caplog.text


def test_the_checkpoint_before_the_last_is_kept(left):
    old = left.read_bytes()
    save_checkpoint(replace(load_checkpoint(left), seconds=5.0), left)
    assert previous_of(left).read_bytes() == old


@given(st.data())
@settings_of_hypothesis(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_a_changed_file_is_refused(left, data):
    whole = left.read_bytes()
    place = data.draw(st.integers(0, len(whole) - 1))
    changed = bytearray(whole)
    changed[place] ^= data.draw(st.integers(1, 255))
    left.with_name("changed.nst").write_bytes(changed)
    with pytest.raises(CheckpointError):
        load_checkpoint(left.with_name("changed.nst"))


@pytest.mark.parametrize("share", [0.0, 0.001, 0.5, 0.999])
def test_a_file_cut_short_is_refused_and_the_one_before_is_named(left, share):
    save_checkpoint(load_checkpoint(left), left)
    whole = left.read_bytes()
    left.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(CheckpointError, match=re.escape(str(previous_of(left)))):
        load_checkpoint(left)
    load_checkpoint(previous_of(left))


def test_a_checkpoint_of_another_version_is_refused(left, monkeypatch):
    monkeypatch.setattr(checkpoint_file, "VERSION", 2)
    with pytest.raises(CheckpointError, match="another version"):
        load_checkpoint(left)


FORGED = {
    "scale": ("position", {"scale": 7}),
    "negative": ("position", {"scale": -1}),
    "text": ("position", {"scale": "1"}),
    "nothing": ("losses", []),
    "no number": ("length", "long"),
    "not finite": ("length", float("nan")),
    "no records": ("records", []),
    "other records": ("records", [{"scale": 1}]),
    "a list": ("run", [1]),
}


@pytest.mark.parametrize("kind", FORGED)
def test_a_forged_document_is_refused(left, kind):
    name, value = FORGED[kind]
    tensors, document = checkpoint_file.read_checkpoint_file(left)
    document[name] = {**document[name], **value} if isinstance(value, dict) else value
    checkpoint_file.write_checkpoint_file(left, tensors, document)
    with pytest.raises(CheckpointError):
        load_checkpoint(left)


@pytest.mark.parametrize("name", ["image", "history.steps", "history.order"])
def test_forged_tensors_are_refused(vgg, left, name):
    tensors, document = checkpoint_file.read_checkpoint_file(left)
    tensors[name] = torch.zeros(1, 3, 4, 4)
    checkpoint_file.write_checkpoint_file(left, tensors, document)
    with pytest.raises(CheckpointError):
        resumed(left, vgg)


def test_other_programs_read_the_file(left):
    with safe_open(left, "pt") as file:
        document = json.loads(file.metadata()["document"])
        assert torch.equal(file.get_tensor("image"), load_checkpoint(left).image)
    assert document["run"]["settings"]["size"] == SETTINGS.size
