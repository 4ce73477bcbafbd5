"""From batch norm and checkpoints to the plain convolutions that ship."""

import pytest
import torch
from torch.testing import assert_close

from nst_core import load_vgg16
from nst_core.files.samples import sample
from nst_core.files.weights.untrained import BLOCK_SCALES
from nst_core.gatys.preprocessing import CAFFE
from nst_core.gatys.vgg import LAYERS, VGG16
from training.export import with_classic_scales
from training.learning import Pictures, Training, dealt
from training.network import TrainingVGG, taken_up
from training.objectives import gram_products, losses_of
from training.pace import pictures_in
from training.scenes import Classes, draw_batch
from training.schedule import CYCLES, Plan


@pytest.fixture(scope="module")
def trained():
    """A network whose batch norms have seen pictures."""
    torch.manual_seed(0)
    network = TrainingVGG().train()
    for name in ("harbor", "portrait"):
        network(sample(name, 64))
    for norm in network.norms.values():
        torch.nn.init.uniform_(norm.weight, 0.5, 1.5)
        torch.nn.init.uniform_(norm.bias, -0.3, 0.3)
    return network.eval()


def plain(weights):
    vgg = VGG16(CAFFE)
    vgg.convolutions.load_state_dict(weights)
    return vgg


def test_folding_batch_norm_into_the_convolutions_changes_no_feature(trained):
    image = sample("landscape", 64)
    with torch.no_grad():
        expected = trained(image)
        found = plain(trained.folded())(image, LAYERS)
    for name in LAYERS:
        assert_close(found[name], expected[name], rtol=1e-3, atol=1e-3)


def test_classic_scales_multiply_every_channel_by_one_positive_number(trained):
    image = sample("landscape", 64)
    with torch.no_grad():
        before = plain(trained.folded())(image, LAYERS)
        after = plain(with_classic_scales(trained.folded()))(image, LAYERS)
    for name, layer in LAYERS.items():
        factor = after[name].norm(dim=(2, 3)) / before[name].norm(dim=(2, 3)).clamp(min=1e-12)
        expected = before[name] * factor[..., None, None]
        assert_close(after[name], expected, rtol=1e-2, atol=1e-3 * BLOCK_SCALES[layer.block])
        # Half of a normal distribution: its mean square is half the variance.
        scale = (2 * after[name].square().mean()).sqrt()
        assert 0.2 < scale / BLOCK_SCALES[layer.block] < 5


def test_a_network_taken_up_has_the_features_of_the_plain_one_times_a_number_for_each_layer():
    vgg = load_vgg16("builtin")
    images = torch.cat([sample(name, 64)[..., :40, :40] for name in ("harbor", "portrait")])
    with torch.no_grad():
        expected = vgg(images, LAYERS)
        found = taken_up(vgg.weights(), images).eval()(images)
    for name in LAYERS:
        factor = found[name].norm() / expected[name].norm()
        assert_close(found[name], expected[name] * factor, rtol=1e-2, atol=1e-2)


def test_every_cycle_begins_and_ends_with_a_learning_rate_near_zero():
    plan = Plan(54_000)
    steps = plan.steps()
    rates = [step.rate for step in steps]
    low = [n for n in range(1, len(rates) - 1) if rates[n - 1] >= rates[n] < rates[n + 1]]
    assert len(low) == len(CYCLES) - 1
    assert low[-1] == plan.last_cycle()
    assert max(rates[n] for n in low) < 1e-3
    assert rates[-1] < 1e-3
    assert [step.done for step in steps] == sorted(step.done for step in steps)
    assert sum(step.batch for step in steps) == pytest.approx(54_000, rel=0.01)


@pytest.mark.parametrize("side", [2, 16], ids=["few positions", "many positions"])
def test_gram_products_are_those_of_the_gram_matrices(side):
    features = torch.randn(3, 20, side, side)
    grams = torch.einsum("bchw,bdhw->bcd", features, features).flatten(1)
    assert_close(gram_products(features), grams @ grams.mT, rtol=1e-4, atol=1e-2)


STAGES = ((1.0, 16, 8),)


def test_a_training_taken_up_again_is_the_same_as_one_never_stopped(tmp_path):
    plan = Plan(32, STAGES)

    def learned(start, steps, path):
        torch.manual_seed(0)
        run = Training(plan, 1e-3, 0, torch.device("cpu"), "")
        start = run.restore(path) if start else 0
        schedule = plan.steps()
        for step, batch in enumerate(Pictures(plan, 0, start, "cpu"), start):
            if step == start + steps:
                break
            run.learn(batch, schedule[step])
        run.save(path, start + steps)
        return run.network.state_dict()

    whole = learned(0, 4, tmp_path / "whole.pt")
    learned(0, 2, tmp_path / "halves.pt")
    halves = learned(2, 2, tmp_path / "halves.pt")
    for name, tensor in whole.items():
        assert torch.equal(tensor, halves[name]), name


def test_pictures_drawn_together_are_dealt_out_once_each_with_as_many_of_no_class():
    generator = torch.Generator().manual_seed(0)
    classes = Classes.drawn(30, 0, torch.device("cpu"))
    drawn = draw_batch(classes, 24, 16, generator, free=0.5)
    parts = [dealt(drawn, part, 3) for part in range(3)]
    assert {len(part.images) for part in parts} == {16}
    assert {int((part.ground_share == 0).sum()) for part in parts} == {8}
    # Every other four has lost its color; what has not is there as it was drawn.
    colored = torch.cat([part.images.unflatten(0, (-1, 4))[1::2].flatten(0, 1) for part in parts])
    found = {image.numpy().tobytes() for image in colored}
    assert len(found) == 24
    assert found <= {image.contiguous().numpy().tobytes() for image in drawn.images}


def test_more_time_is_more_pictures():
    plan = Plan(0, stages=((0.5, 16, 8), (0.5, 24, 8)))
    few, many = (pictures_in(minutes, "cpu", plan) for minutes in (0.05, 5.0))
    assert 0 < few < many


def test_pairs_are_found_more_easily_when_partners_are_alike():
    """A batch of equal partners has a smaller loss than the same pictures with partners mixed."""
    plan = Plan(32, STAGES)
    run = Training(plan, 1e-3, 0, torch.device("cpu"), "")
    batch = next(iter(Pictures(plan, 0, 0, "cpu")))
    same = batch.images[::2].repeat_interleave(2, dim=0)
    with torch.no_grad():
        alike, mixed = (
            losses_of(run.network(images), run.heads, batch)["pairs"]
            for images in (same, same.roll(1, dims=0))
        )
    assert alike < mixed
