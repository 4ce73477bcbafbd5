"""What is told within an evaluation, and how it is stopped there."""

from dataclasses import replace

import pytest
import torch
from small import picture

from nst_core import Runtime, Settings, losses_of, stylize

CPU = Runtime(torch.device("cpu"))
SETTINGS = Settings(size=64, steps=2, scales=2, style_layers="low", content_layers="relu2_1")


def told(vgg, settings, **more):
    """Everything that a run tells, in its order: evaluations by their number."""
    losses = losses_of(picture(64, 64), [picture(64, 64, seed=1)] * 2, settings)
    events, evaluations = [], more.pop("evaluations", [])

    def on_progress(progress):
        events.append(progress.latest.evaluation)
        evaluations.append(progress)

    given = {"settings": settings, "runtime": CPU, "on_progress": on_progress, **more}
    stylize(losses, vgg=vgg, on_within=events.append, **given)
    return events


def parts_of(events, after=0):
    """(what, tile, tiles) between an evaluation and the next, each once."""
    begin = events.index(after) + 1 if after else 0
    end = events.index(after + 1)
    each = [(one.doing, one.tile, one.tiles) for one in events[begin:end]]
    return list(dict.fromkeys(each))


def test_every_tile_of_every_pass_is_told_in_turn(vgg):
    events = told(vgg, replace(SETTINGS, scales=1, tile=32))
    sums, gradient = ([(what, tile, 4) for tile in range(1, 5)] for what in ("sums", "gradient"))
    assert parts_of(events, 1) == sums + gradient
    # Two style pictures and a content, each in four tiles, and then the first evaluation.
    assert parts_of(events) == [("targets", tile, 12) for tile in range(1, 13)] + sums + gradient


def test_without_tiles_there_is_the_gradient_alone(vgg):
    events = told(vgg, replace(SETTINGS, scales=1))
    assert parts_of(events, 1) == [("gradient", 1, 1)]
    assert [one.words for one in events if not isinstance(one, int)][-1] == "gradient"


@pytest.mark.parametrize("tile", [0, 32])
def test_the_fraction_never_falls_and_an_evaluation_ends_where_its_report_is(vgg, tile):
    evaluations = []
    events = told(vgg, replace(SETTINGS, tile=tile), evaluations=evaluations)
    reached = 0.0
    for event in events:
        if isinstance(event, int):
            assert evaluations[event - 1].fraction >= reached - 1e-9
            reached = evaluations[event - 1].fraction
        elif event.doing != "targets":
            assert event.fraction >= reached - 1e-9
    assert {event.scale for event in events if not isinstance(event, int)} == {1, 2}


@pytest.mark.parametrize("tile", [0, 32])
@pytest.mark.parametrize("doing", ["targets", "gradient"])
def test_a_run_can_be_stopped_after_the_first_layer_of_a_forward_pass(doing, tile, vgg):
    class Stop(Exception):
        pass

    ticks = []

    def stop(within):
        ticks.append(within)
        if within.doing == doing:
            raise Stop

    losses = losses_of(picture(64, 64), [picture(64, 64, seed=1)], SETTINGS)
    settings = replace(SETTINGS, tile=tile)
    with pytest.raises(Stop):
        stylize(losses, vgg=vgg, settings=settings, runtime=CPU, on_within=stop)
    assert [one.doing for one in ticks].count(doing) == 1
