"""Numbers that are not finite, at any layer and evaluation: never in a picture, never forever."""

import math
import os
from types import SimpleNamespace

import pytest
import torch
from small import picture

from nst_core import Runtime, Settings, losses_of, stylize
from nst_core.errors import NotFinite
from nst_core.run import scale_objective
from nst_core.run.checkpoint import load_checkpoint
from nst_core.run.saver import Saver

CONTENT, STYLE = picture(24, 20), picture(20, 24, seed=1)
SETTINGS = Settings(size=24, steps=8, scales=1, style_layers="low", content_layers="relu2_1")
LOSSES = losses_of(CONTENT, [STYLE], SETTINGS)
RUNTIME = Runtime(torch.device("cpu"), torch.bfloat16, finish=True)
SCALES = Settings(
    size=48, steps=12, scales=2, style_layers="relu1_1,relu2_1", content_layers="relu2_1"
)


def painted(vgg, settings=SETTINGS, losses=LOSSES, **more):
    more.setdefault("runtime", RUNTIME)
    return stylize(losses, vgg=vgg, settings=settings, **more)


@pytest.fixture
def poison(monkeypatch):
    """`poison(at, value, layer)`: from the `at`-th evaluation on, or at it alone, a value appears.

    It is put into the features of a layer, into the "gradient", or is the "loss".
    """

    def set_(at, value, layer, *, once):
        count = [0]
        plain = scale_objective.evaluator_of

        def poisoned(losses, *, vgg, **rest):
            now = [False]

            def hook(module, inputs, features):
                if now[0]:
                    features = features.clone()
                    features[0, 0, 0, 0] = value
                return features

            if layer in vgg.convolutions:
                vgg.convolutions[layer].register_forward_hook(hook)
            inner = plain(losses, vgg=vgg, **rest).evaluate

            def evaluate(image):
                count[0] += 1
                now[0] = count[0] == at or (count[0] > at and not once)
                evaluation = inner(image)
                if now[0] and layer == "gradient":
                    evaluation.gradient[0, 0, 0, 0] = value
                if now[0] and layer == "loss":
                    object.__setattr__(evaluation, "loss", value)
                now[0] = False
                return evaluation

            return SimpleNamespace(evaluate=evaluate)

        monkeypatch.setattr(scale_objective, "evaluator_of", poisoned)
        return count

    return set_


def is_picture(image):
    return bool(image.isfinite().all()) and 0 <= float(image.min()) <= float(image.max()) <= 1


PLACES = ["conv1_2", "gradient", "loss"]
# Evaluations from which on numbers are wrong; the ninth is the first of the float32 finish.
FROM = range(2, 12) if "NST_EVERY" in os.environ else (2, 5, 9)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf], ids=str)
@pytest.mark.parametrize("layer", PLACES)
def test_one_evaluation_without_finite_numbers_is_passed_over_and_told(
    vgg, poison, caplog, tmp_path, layer, value
):
    poison(4, value, layer, once=True)
    path = tmp_path / "run.checkpoint"
    result = painted(vgg, saver=Saver(path, every=0.0))
    assert is_picture(result.image)
    assert result.records[-1].loss < result.records[0].loss
    losses = [record.loss for record in result.records]
    # Behind a ReLU, minus infinity is zero.
    if not (value == -math.inf and layer.startswith("conv")):
        assert [index for index, loss in enumerate(losses) if not math.isfinite(loss)] == [3]
        (line,) = (line for line in caplog.messages if "not finite" in line)
        assert line.startswith("Evaluation 4 gave numbers that are not finite.")
    assert result.records[-1].step == SETTINGS.steps  # all the same
    load_checkpoint(path)  # whose numbers are finite


@pytest.mark.parametrize("layer", PLACES)
@pytest.mark.parametrize("at", FROM)
def test_numbers_that_stay_wrong_end_the_run_soon_at_the_best_picture(
    vgg, poison, caplog, layer, at
):
    whole = painted(vgg)
    count = poison(at, math.nan, layer, once=False)
    result = painted(vgg)
    assert count[0] < 2 * 12 + at + 2  # two line searches, the second along the plain gradient
    assert is_picture(result.image)
    # The same picture as that of a run that ended before.
    finite = [record for record in result.records if math.isfinite(record.loss)]
    assert [one.loss for one in finite] == [one.loss for one in whole.records[: at - 1]]
    if at == 9:
        assert result.stops == ("the loss is no finite number in float32",)
        assert "The last steps, which are done in float32, are left out." in caplog.text


def test_a_scale_without_a_loss_leaves_the_picture_of_the_scale_before_at_the_asked_size(
    vgg, poison, caplog
):
    losses = losses_of(CONTENT, [STYLE], SCALES)
    before = len([one for one in painted(vgg, SCALES, losses).records if one.scale == 1])
    poison(before + 1, math.nan, "gradient", once=False)
    result = painted(vgg, SCALES, losses)
    assert is_picture(result.image)
    assert result.image.shape == (1, 3, 48, 40)
    assert len(result.scales) == len(result.stops) == 1
    assert len(result.records) == before
    assert "The run ends with the picture of the scale before, enlarged." in caplog.text


@pytest.mark.parametrize("layer", PLACES)
def test_a_start_without_finite_numbers_is_refused(vgg, poison, layer):
    poison(1, math.inf, layer, once=False)
    with pytest.raises(NotFinite, match="starting picture is nan"):
        painted(vgg)
