"""A search that is ended from outside, and what is kept of styles from one run to the next."""

from dataclasses import replace

import torch
from small import picture

from nst_core import Runtime, Settings, load_vgg16, losses_of, stylize
from nst_core.control.guidance import guidances_of
from nst_core.control.known import KnownStyles

CPU = Runtime(torch.device("cpu"))
VGG = load_vgg16("untrained")
CONTENT, STYLE = picture(32, 32, 1), picture(32, 32, 2)
SETTINGS = Settings(size=32, steps=6, scales=1, precision="float32", tolerance=0)


def run(enough=None, settings=SETTINGS, runtime=CPU, style=STYLE):
    losses = losses_of(CONTENT, [style], settings)
    return stylize(losses, vgg=VGG, settings=settings, runtime=runtime, enough=enough)


def test_what_is_never_enough_changes_no_bit():
    whole, asked = run(), run(lambda records: False)
    assert torch.equal(asked.image, whole.image)
    assert [one.loss for one in asked.records] == [one.loss for one in whole.records]
    assert asked.stops == whole.stops


def test_what_is_enough_at_once_is_the_picture_to_start_from():
    result = run(lambda records: True)
    assert torch.equal(result.image, CONTENT)
    assert result.stops == ("it is good enough",)
    assert len(result.records) == 1


def test_what_is_enough_after_some_steps_is_a_run_of_so_many_steps():
    ended = run(lambda records: records[-1].step == 3)
    assert torch.equal(ended.image, run(settings=replace(SETTINGS, steps=3)).image)


def test_it_is_told_the_best_picture_at_the_last_scale_alone():
    told = []

    def ask(records):
        told.append(records[-1])
        return False

    settings = replace(SETTINGS, size=48, scales=2)
    records = run(ask, settings).records
    assert {record.scale for record in told} == {2}
    losses = [record.loss for record in told]
    assert losses == sorted(losses, reverse=True)
    assert all(any(record is one for one in records) for record in told)


def test_known_styles_change_no_bit_and_are_found_once():
    known = KnownStyles()
    keeping = replace(CPU, known=known)
    plain = [run(style=style).image for style in (STYLE, CONTENT)]
    for _ in range(2):
        for style, image in zip((STYLE.clone(), CONTENT.clone()), plain, strict=True):
            assert torch.equal(run(runtime=keeping, style=style).image, image)
    assert len(known._found) == 2


def test_a_style_is_known_by_all_that_its_statistics_depend_on():
    known, found = KnownStyles(), []

    def ask(image, mask, how):
        guidances = guidances_of(mask, 32, 32, ["relu1_1"])
        return known.values(image, guidances, how, lambda: found.append(how) or {})

    half = torch.ones(32, 32)
    half[:16] = 0
    kinds = [(STYLE, None, ("a",)), (STYLE, half, ("a",)), (STYLE, None, ("b",))]
    kinds += [(CONTENT, None, ("a",)), (STYLE.double(), None, ("a",))]
    for image, mask, how in [*kinds, *kinds]:
        ask(image.clone(), mask, how)
    assert len(found) == len(kinds)
