"""What only a graphics card can show. Skipped where there is none."""

import gc
from dataclasses import replace

import pytest
import torch
from small import objective_of, picture, seeded_vgg

from nst_core import RunSettings, Runtime, stylize
from nst_core.control.losses import ContentLoss, Keep, StyleLoss, TotalVariationLoss
from nst_core.control.preconditioner import Spectral
from nst_core.kernels.convolution import Convolution
from nst_core.kernels.cuda_graph import CudaGraph
from nst_core.kernels.cudnn import CudnnConvolution, RoundedCudnnConvolution
from nst_core.kernels.history import FastHistory
from nst_core.kernels.rows import Rows, RowsOnHost
from nst_core.run.memory import give_back_memory
from nst_core.run.staging import moved

pytestmark = pytest.mark.skipif(
    not torch.cuda.is_available() or torch.version.cuda is None, reason="no NVIDIA card"
)
HEIGHT, WIDTH = 96, 128
SECOND = pytest.param(
    "cuda:1", marks=pytest.mark.skipif(torch.cuda.device_count() < 2, reason="one card")
)
# The first is the current one.
on_every_card = pytest.mark.parametrize("card", ["cuda:0", SECOND])


def losses(statistics="gram", **kwargs):
    return [
        ContentLoss(image=picture(HEIGHT, WIDTH, seed=1), weight=1.0),
        StyleLoss(images=(picture(80, 90, seed=2),), weight=10.0, statistics=statistics, **kwargs),
        TotalVariationLoss(weight=0.1),
    ]


def settings(steps=12, **kwargs):
    return RunSettings(size=WIDTH, steps=steps, tolerance=0.0, **kwargs)


@pytest.fixture(scope="module")
def cuda():
    return Runtime.choose("cuda", "auto")


def objective(runtime, vgg, *, graphs, **kwargs):
    placed = [moved(loss, runtime.device) for loss in losses()]
    network = runtime.place(vgg)
    return objective_of(
        placed, vgg=network, height=HEIGHT, width=WIDTH, graphs=graphs, **kwargs
    ).evaluate


def test_float32_on_the_card_is_float32_on_the_processor(vgg):
    image = picture(HEIGHT, WIDTH, seed=3)
    expected = objective(Runtime.choose("cpu", "float32"), vgg, graphs=False)(image)
    found = objective(Runtime.choose("cuda", "float32"), vgg, graphs=True)(image.cuda())
    assert found.loss == pytest.approx(expected.loss, rel=1e-5)
    error = (found.gradient.cpu() - expected.gradient).norm() / expected.gradient.norm()
    assert error < 1e-3


@on_every_card
@pytest.mark.parametrize("precision", ["auto", "float32"])
def test_a_captured_evaluation_has_the_bits_of_one_that_is_not(precision, card, vgg):
    runtime = Runtime.choose(card, precision)
    plain, captured = (objective(runtime, vgg, graphs=graphs) for graphs in (False, True))
    for seed in range(4):  # the first is not captured yet, the second is what is captured
        image = picture(HEIGHT, WIDTH, seed=seed).to(card)
        expected, found = plain(image), captured(image)
        assert found.loss == expected.loss
        assert torch.equal(found.gradient, expected.gradient)


def test_the_result_of_an_evaluation_is_not_changed_by_the_next(vgg, cuda):
    evaluate = objective(cuda, vgg, graphs=True)
    images = [picture(HEIGHT, WIDTH, seed=seed).cuda() for seed in range(4)]
    kept = [evaluate(image).gradient for image in images]
    copies = [gradient.clone() for gradient in kept]
    evaluate(images[0])
    assert all(torch.equal(*pair) for pair in zip(kept, copies, strict=True))


@pytest.mark.parametrize(
    "chosen",
    [
        {},
        {"precision": "bfloat16"},
        {"precision": "float32"},
        {"views": 2},
        {"views": 2, "seamless": True},
    ],
    ids=str,
)
def test_a_run_gives_the_same_pixels_again(chosen, vgg):
    first, second = (
        stylize(losses(), vgg=vgg, settings=settings(device="cuda", **chosen)) for _ in range(2)
    )
    assert torch.equal(first.image, second.image)


@on_every_card
def test_a_captured_run_has_the_pixels_of_one_that_is_not(card, vgg):
    runtime = Runtime.choose(card)
    assert runtime.graphs
    keep = Keep(image=picture(HEIGHT, WIDTH, seed=1), mask=torch.eye(HEIGHT)[:, :90])
    results = [
        stylize(
            [*losses(), keep],
            vgg=vgg,
            settings=settings(),
            runtime=replace(runtime, graphs=graphs),
        )
        for graphs in (True, False)
    ]
    assert torch.equal(results[0].image, results[1].image)


def test_a_search_lowers_the_loss_as_on_the_processor(vgg):
    card, processor = (
        stylize(losses(), vgg=vgg, settings=settings(device=device, steps=40)).records[-1].loss
        for device in ("cuda", "cpu")
    )
    assert card == pytest.approx(processor, rel=0.02)


def test_tiles_change_nothing_but_rounding(vgg):
    runtime, image = Runtime.choose("cuda", "float32"), picture(HEIGHT, WIDTH, seed=3).cuda()
    whole = objective(runtime, vgg, graphs=True)(image)
    tiled = objective(runtime, vgg, graphs=True, tile=32)(image)
    assert tiled.loss == pytest.approx(whole.loss, rel=1e-5)
    # Where two values are nearly equal, rounding decides which is the largest.
    error = (tiled.gradient - whole.gradient).norm() / whole.gradient.norm()
    assert error < 1e-2


@pytest.mark.parametrize("statistics", ["gram+mean-std", "gaussian", "sliced-wasserstein"])
def test_every_statistic_works_captured_or_not(statistics, vgg):
    result = stylize(losses(statistics), vgg=vgg, settings=settings(device="cuda"))
    assert result.records[-1].loss < result.records[0].loss


def test_seamless_views_and_masks_work(vgg):
    mask = torch.zeros(HEIGHT, WIDTH)
    mask[:, : WIDTH // 2] = 1
    chosen = settings(device="cuda", seamless=True, views=2)
    result = stylize(losses(mask=mask), vgg=vgg, settings=chosen)
    assert result.records[-1].loss < result.records[0].loss


def test_several_threads_find_the_picture_of_one(vgg, monkeypatch):
    # Two of one card: how they exchange is the same.
    chosen = settings(steps=2, device="cuda", precision="float32")
    alone = stylize(losses(), vgg=vgg, settings=chosen)
    monkeypatch.setattr("nst_core.run.stylize.cards_of", lambda *_: [torch.device("cuda:0")] * 2)
    together = stylize(losses(), vgg=vgg, settings=chosen)
    assert together.records[-1].loss == pytest.approx(alone.records[-1].loss, rel=1e-4)
    assert (together.image - alone.image).abs().mean() < 1e-4


@pytest.mark.skipif(torch.cuda.device_count() < 2, reason="one card")
def test_two_cards_find_the_picture_of_one(vgg):
    one, two = (
        stylize(
            losses(),
            vgg=vgg,
            settings=settings(steps=2, device="cuda", precision="float32", cards=cards),
        )
        for cards in (1, 2)
    )
    assert (two.image - one.image).abs().mean() < 1e-4


def test_pairs_in_the_hosts_memory_give_the_same_direction(monkeypatch):
    monkeypatch.setattr("nst_core.kernels.rows._PART", 1000)
    generator = torch.Generator().manual_seed(1)
    image = torch.zeros(1, 3, 35, 43, device="cuda")
    histories = [
        FastHistory(3, image, Spectral(35, 43, image.device), rows=rows)
        for rows in (Rows, RowsOnHost)
    ]
    for _ in range(5):
        s, gradient = (torch.randn(image.shape, generator=generator).cuda() for _ in range(2))
        found = []
        for history in histories:
            history.update(s, s * (0.1 + s.abs()))
            found.append(history.direction(gradient, gradient > -1))
        assert (found[0] - found[1]).norm() < 1e-4 * found[0].norm()


class Stop(Exception):
    """The user's wish."""


def test_a_cancel_is_heard_and_leaves_nothing_behind(vgg):
    def run(calls):
        heard = []

        def on_tile():
            heard.append(1)
            if len(heard) == calls:
                raise Stop

        with pytest.raises(Stop):
            stylize(losses(), vgg=vgg, settings=settings(device="cuda"), on_tile=on_tile)

    run(15)  # libraries keep workspaces
    gc.collect()
    before = torch.cuda.memory_allocated()
    for calls in (1, 4, 9, 15):
        run(calls)
    gc.collect()
    assert torch.cuda.memory_allocated() <= before


def test_a_run_leaves_no_tensor_on_the_card_even_before_garbage_is_collected(vgg):
    stylize(losses(), vgg=vgg, settings=settings(device="cuda"))
    gc.collect()
    before = torch.cuda.memory_allocated()
    gc.disable()
    try:
        stylize(losses(), vgg=vgg, settings=settings(device="cuda"))
        assert torch.cuda.memory_allocated() - before < 1 << 20
    finally:
        gc.enable()


@torch.no_grad()
@pytest.mark.parametrize("kind", [CudnnConvolution, RoundedCudnnConvolution])
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32])
def test_cudnns_convolution_is_pytorchs(kind, dtype):
    torch.manual_seed(0)
    plain, own = Convolution(64, 128), kind(64, 128)
    own.load_state_dict(plain.state_dict())
    features = torch.randn(1, 64, 40, 56).relu_()
    gradient = torch.randn(1, 128, 40, 56)
    expected = plain(features), plain.backward(gradient, features.clone())
    own = own.to("cuda", dtype, memory_format=torch.channels_last)
    there = [
        tensor.to("cuda", dtype, memory_format=torch.channels_last)
        for tensor in (features, gradient)
    ]
    found = own(there[0]), own.backward(there[1], there[0].clone())
    exact = dtype == torch.float32 and kind is CudnnConvolution
    for one, other in zip(found, expected, strict=True):
        error = (one.float().cpu() - other).norm() / other.norm()
        assert error < (1e-6 if exact else 1e-2)
        assert one.is_contiguous(memory_format=torch.channels_last)


def test_settings_of_the_process_do_not_change_a_picture(vgg):
    found = []
    for allowed in (False, True):
        with torch.backends.cudnn.flags(allow_tf32=allowed, deterministic=False):
            chosen = settings(device="cuda", precision="float32")
            found.append(stylize(losses(), vgg=vgg, settings=chosen).image)
    assert torch.equal(*found)


def test_a_graph_needs_the_same_shapes():
    graph = CudaGraph()
    for _ in range(3):
        (doubled,) = graph(lambda given: (2 * given,), torch.ones(3, device="cuda"))
        assert doubled.tolist() == [2, 2, 2]
    with pytest.raises(RuntimeError):
        graph(lambda given: (2 * given,), torch.ones(4, device="cuda"))


def test_a_graph_goes_on_when_another_is_over():
    def product(given):
        return (given @ given.mT,)

    # Long sums, for which cuBLAS needs memory beside.
    given = torch.randn(64, 1 << 18, device="cuda")
    staying, leaving = CudaGraph(), CudaGraph()
    for _ in range(2):
        leaving(product, given)
        (expected,) = staying(product, given)
    del leaving
    give_back_memory()
    full = torch.full((1 << 26,), torch.nan, device="cuda")  # where the other's memory was
    assert torch.equal(staying(product, given)[0], expected)
    del full


def test_the_networks_weights_are_shared_and_not_moved():
    vgg = seeded_vgg()
    stylize(losses(), vgg=vgg, settings=settings(device="cuda"))
    assert all(weight.device.type == "cpu" for weight in vgg.weights().values())
