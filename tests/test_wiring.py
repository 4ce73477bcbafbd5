"""Every setting reaches what it is said to set: nothing is accepted and then forgotten."""

import hashlib
import sys
from collections.abc import Callable
from dataclasses import dataclass, field, fields, replace
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from small import numbers_of, picture
from torch.testing import assert_close

from nst_core import (
    Keep,
    Region,
    Result,
    Runtime,
    Settings,
    load_image,
    load_vgg16,
    losses_of,
    save_image,
    stylize,
)
from nst_core.cli.regions import read_with_alpha
from nst_core.control.pyramid import Scale, resize
from nst_core.errors import NSTError
from nst_core.kernels.pooling import max_pool
from nst_core.run.recipes import losses_of_regions
from nst_core.run.staging import bounds_of

CPU = Runtime(torch.device("cpu"))
CONTENT, STYLE, OTHER = (
    picture(32, 48, seed=1),
    picture(40, 48, seed=2),
    0.3 * picture(48, 40, seed=3),
)
on_linux = pytest.mark.skipif(sys.platform != "linux", reason="glibc and /proc are Linux's")
BASE = Settings(
    size=48,
    steps=3,
    scales=1,
    content_layers="relu2_1",
    style_layers="relu1_1,relu2_1,relu3_1",
    device="cpu",
    precision="float32",
)


def run(settings: Settings, vgg, content=CONTENT, styles=(STYLE,)) -> Result:
    return stylize(losses_of(content, styles, settings), vgg=vgg, settings=settings)


def found(settings, vgg, tmp_path):
    """The usual job."""
    return run(settings, vgg).image


def two_styles(settings, vgg, tmp_path):
    return run(settings, vgg, styles=(STYLE, OTHER)).image


def half_painted(settings, vgg, tmp_path):
    """Only the left half shows the style."""
    mask = torch.zeros(32, 48)
    mask[:, :24] = 1
    losses = losses_of_regions(CONTENT, [Region(styles=(STYLE,), mask=mask)], settings)
    return stylize(losses, vgg=vgg, settings=settings).image


def texture(settings, vgg, tmp_path):
    """Of a style without content."""
    losses = losses_of_regions(None, [Region(styles=(STYLE,))], settings)
    return stylize(losses, vgg=vgg, settings=settings).image


def tile(settings, vgg, tmp_path):
    return run(settings, vgg).tile


def evaluations(settings, vgg, tmp_path):
    return len(run(settings, vgg).records)


def sizes(settings, vgg, tmp_path):
    return run(settings, vgg).scales


def read(settings, vgg, tmp_path):
    """A picture of 32 x 48 pixels, from a file."""
    save_image(CONTENT, tmp_path / "content.png")
    return load_image(tmp_path / "content.png", max_pixels=settings.max_pixels)


def written(settings, vgg, tmp_path):
    """The bytes of a file."""
    save_image(CONTENT, tmp_path / "out.png", bits=settings.bits)
    return (tmp_path / "out.png").read_bytes()


def cut_out(settings, vgg, tmp_path):
    """A content whose right half is transparent, as the command line reads it."""
    save_image(CONTENT, tmp_path / "content.png", alpha=1 - kept_half().mask)
    content, alpha = read_with_alpha(str(tmp_path / "content.png"), settings)
    losses = losses_of(content, [STYLE], settings, alpha=alpha)
    return stylize(losses, vgg=vgg, settings=settings).image


def by_another_network(settings, vgg, tmp_path):
    """As the command line loads it; `weights` names a file, which does not tell its input."""
    path = settings.weights
    if path == "file":
        path = tmp_path / "vgg.safetensors"
        save_file(vgg.convolutions.state_dict(), path)
    asked = settings.preprocessing
    network = load_vgg16(
        path, pooling=settings.pooling, preprocessing=None if asked == "auto" else asked
    )
    return run(settings, network).image


@dataclass(frozen=True)
class Sets:
    """What a setting changes.

    Attributes:
        values: no two of them give the same.
        of: settings, network and a folder -> what is compared.
        refused: values that are an error there.
        beside: other settings than `BASE`'s.
    """

    values: tuple[Any, ...]
    of: Callable[..., Any] = found
    refused: tuple[Any, ...] = ()
    beside: dict[str, Any] = field(default_factory=dict)


COLORS = ("style", "luminance", "cholesky", "pca", "symmetric", "histogram")
SETTINGS = {
    "transparency": Sets((True, False), of=cut_out),
    "bits": Sets((8, 16), of=written, refused=(12,)),
    "max_pixels": Sets((32 * 48,), of=read, refused=(32 * 48 - 1,)),
    "weights": Sets(
        ("builtin", "untrained", "file"), of=by_another_network, refused=("no such file",)
    ),
    "preprocessing": Sets(
        ("caffe", "torchvision", "caffe-rgb"), of=by_another_network, beside={"weights": "file"}
    ),
    "pooling": Sets(("max", "average"), of=by_another_network, beside={"weights": "file"}),
    "content_weight": Sets((0.0, 1.0, 2.0)),
    "style_weight": Sets((0.0, 100.0, 200.0)),
    "tv_weight": Sets((0.0, 10.0)),
    "content_layers": Sets(("relu2_1", "relu1_2", "relu1_2,relu2_1", "relu1_2=3,relu2_1")),
    "style_layers": Sets(("low", "relu1_1", "relu1_1=2,relu2_1")),
    "normalization": Sets(("relative", "gatys", "mean")),
    "statistics": Sets(
        ("gram", "gram+mean-std", "gram+histogram", "gaussian", "sliced-wasserstein")
    ),
    "style_scale": Sets((1.0, 0.5, 2.0)),
    "style_shares": Sets(("", "3,1", "1,3"), of=two_styles, refused=("1", "1,2,3", "much")),
    "laplacian_weight": Sets((0.0, 100.0)),
    "feather": Sets((0.0, 0.2), of=half_painted),
    "colors": Sets(COLORS),
    "color_when": Sets(("after", "before"), beside={"colors": "cholesky"}),
    "color_source": Sets(("content", "style"), beside={"colors": "histogram"}),
    "color_strength": Sets((0.0, 0.5, 1.0), beside={"colors": "luminance"}),
    "size": Sets((32, 48)),
    "shape": Sets(("keep", "square")),
    "init": Sets(("content", "gray", "noise", "style")),
    "steps": Sets((0, 2, 3)),
    "max_evaluations": Sets((0, 2, 3), of=evaluations, beside={"steps": 5}),
    "scales": Sets((1, 2), beside={"steps": 8}),
    "scale_factor": Sets((2.0, 1.41), of=sizes, beside={"scales": 2}),
    "views": Sets((1, 2), beside={"style_layers": "low"}),
    "seamless": Sets((False, True)),  # the size is on its grid in any case
    "aspect": Sets((0.0, 1.5), of=texture, beside={"init": "style"}),
    "seed": Sets((0, 1), beside={"init": "noise"}),
    "tolerance": Sets((0.0, 1.0), of=evaluations, beside={"steps": 24, "style_layers": "relu1_1"}),
    "bounded": Sets((True, False), beside={"style_weight": 1e4}),
    "history": Sets((1, 2, 10), beside={"steps": 5}),
    "preconditioner": Sets(("spectral", "none")),
    "precision": Sets(("auto", "float32", "bfloat16"), beside={"steps": 10, "size": 64}),
    "device": Sets(("cpu",), refused=("tpu9", "cuda:99")),
    "tile": Sets((16, 32), of=tile),
    "memory": Sets(("auto",), refused=("much", "1MB")),
    "cards": Sets((1,), refused=(2,)),  # tests/test_cards.py and tests/test_cuda.py have several
}


def told(name, value, vgg, tmp_path):
    """What comes of a setting, as something that can be compared."""
    entry = SETTINGS[name]
    settings = replace(BASE, **entry.beside, **{name: value})
    outcome = entry.of(settings, vgg, tmp_path)
    if isinstance(outcome, torch.Tensor):
        return outcome.shape, hashlib.sha256(outcome.numpy().tobytes()).hexdigest()
    return outcome


def test_every_setting_has_its_line_above():
    assert set(SETTINGS) == {item.name for item in fields(Settings)}


@pytest.mark.parametrize("name", [item.name for item in fields(Settings)])
def test_every_setting_changes_the_result_or_is_refused(name, vgg, tmp_path):
    entry = SETTINGS[name]
    outcomes = {told(name, value, vgg, tmp_path) for value in entry.values}
    assert len(outcomes) == len(entry.values)
    assert len(entry.values) + len(entry.refused) > 1
    for value in entry.refused:
        with pytest.raises(NSTError):
            told(name, value, vgg, tmp_path)


def test_what_is_compared_above_is_no_noise(vgg, tmp_path):
    assert told("views", 2, vgg, tmp_path) == told("views", 2, vgg, tmp_path)


# What a change of the picture alone does not show.


def test_larger_scales_take_their_detail_from_the_content(vgg):
    settings = replace(BASE, scales=3, steps=0)
    assert_close(run(settings, vgg).image, CONTENT)


def test_a_search_that_did_not_begin_with_the_content_takes_no_detail_from_it(vgg):
    settings = replace(BASE, scales=2, steps=0)
    gray = run(replace(settings, init="gray"), vgg).image
    assert_close(gray, torch.full_like(CONTENT, 0.5))
    start = picture(32, 48, seed=9)
    blurred = resize(resize(start, 16, 24), 32, 48)
    losses = losses_of(CONTENT, [STYLE], settings)
    image = stylize(losses, vgg=vgg, settings=settings, start=resize(start, 16, 24)).image
    assert_close(image, blurred)


@pytest.mark.parametrize("views", [1, 2])
def test_a_seamless_picture_may_be_cut_anywhere(views, vgg):
    # Places of the poolings of a copy of a quarter's size stay the same when it moves by 64.
    settings = replace(
        BASE, size=128, steps=0, seamless=True, views=views, tv_weight=1.0, style_layers="low"
    )
    image = picture(64, 128, seed=4)
    (one, other) = (
        run(settings, vgg, content=content, styles=(STYLE,)).records[0].parts
        for content in (image, image.roll(64, -1))
    )
    assert one == pytest.approx(other, rel=1e-5, abs=1e-6)


@pytest.mark.parametrize(("views", "size"), [(1, (48, 80)), (2, (64, 64))])
def test_the_sides_of_a_seamless_picture_are_multiples_of_16_and_of_64_with_two_views(
    views, size, vgg
):
    settings = replace(BASE, size=75, steps=0, seamless=True, views=views)
    assert run(settings, vgg).image.shape == (1, 3, *size)


def test_an_unbounded_search_ends_in_a_picture_all_the_same(vgg):
    settings = replace(BASE, steps=5, bounded=False, style_weight=1e4)
    image = run(settings, vgg, styles=((STYLE > 0.5).float(),)).image
    assert float(image.min()) == 0  # it was left
    assert float(image.max()) == 1


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("colors", ["luminance", "cholesky"])
def test_colors_are_kept_in_part_whenever_they_are_matched(when, colors, vgg):
    settings = replace(BASE, colors=colors, color_when=when)
    nothing, half, all_ = (
        run(replace(settings, color_strength=strength), vgg).image for strength in (0.0, 0.5, 1.0)
    )
    assert 0 < (half - nothing).abs().mean() < (all_ - nothing).abs().mean()


def kept_half():
    mask = torch.zeros(32, 48)
    mask[:, 24:] = 1
    return Keep(image=CONTENT, mask=mask)


def test_kept_pixels_are_bounds_even_without_the_bounds_of_a_picture():
    assert bounds_of([], Scale(32, 48, 1), bounded=False) is None
    for bounded in (True, False):
        low, high = bounds_of([kept_half()], Scale(32, 48, 1), bounded)
        assert torch.equal(low[..., 24:], CONTENT[..., 24:])
        assert torch.equal(high[..., 24:], CONTENT[..., 24:])
        assert low[..., :24].max() == 0
        assert high[..., :24].min() == 1


@pytest.mark.parametrize("bounded", [True, False])
def test_the_search_keeps_pixels_and_not_the_finish_alone(bounded, vgg):
    settings = replace(BASE, steps=5, bounded=bounded)
    losses = [*losses_of(CONTENT, [STYLE], settings), kept_half()]
    result = stylize(losses, vgg=vgg, settings=settings)
    again = stylize(losses, vgg=vgg, settings=replace(settings, steps=0), start=result.image)
    assert torch.equal(result.image[..., 24:], CONTENT[..., 24:])
    assert not torch.equal(result.image[..., :24], CONTENT[..., :24])
    # The loss that was told is that of the picture with its kept pixels.
    assert again.records[0].loss == pytest.approx(result.records[-1].loss, rel=1e-5)


@pytest.mark.parametrize("width", [16_383, 16_384, 16_385, 20_000])
def test_a_pooling_finds_its_maxima_in_rows_of_any_width(width):
    features = torch.rand(1, 2, 3, width, generator=torch.Generator().manual_seed(0))
    features = features.contiguous(memory_format=torch.channels_last)
    leaf = features.clone().requires_grad_()
    expected = torch.nn.functional.max_pool2d(leaf, 2)
    gradient = torch.arange(1.0, 1 + expected.numel()).view_as(expected)
    pooled = max_pool(features)
    assert torch.equal(pooled.features, expected)
    assert pooled.indices.min() >= 0  # or the backward pass writes where nothing is
    assert torch.equal(pooled.backward(gradient), torch.autograd.grad(expected, leaf, gradient)[0])


@on_linux
def test_what_an_evaluation_frees_stays_with_the_process_until_the_search_is_over():
    """In a process of its own: glibc keeps more of what is freed once it has been told to."""
    kept, larger, after = numbers_of("kept_memory.py")
    assert kept > 150e6  # of 200 MB
    assert larger < 50e6  # blocks that are not kept
    assert after < 150e6


@on_linux
@pytest.mark.parametrize(
    ("size", "precision"),
    [
        (32, "auto"),  # what libraries take, and little else
        (384, "auto"),
        (256, "float32"),
    ],
)
def test_a_run_takes_the_memory_that_was_estimated(size, precision):
    used, estimated = numbers_of("peak_memory.py", size, precision, 1)
    assert used <= estimated <= 1.25 * used + 20e6


@on_linux
def test_the_memory_of_large_style_pictures_is_estimated_too():
    used, estimated = numbers_of("peak_memory.py", 64, "float32", 8)
    assert used <= estimated <= 1.25 * used + 20e6
