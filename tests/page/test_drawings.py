"""What is painted, and what becomes of it."""

import io
import json

import pytest
import torch
from PIL import Image

from nst_core.control.losses import Keep, StyleLoss
from nst_core.control.regions import masks_of_map
from nst_core.errors import ImageError, SettingsError
from nst_core.files.read_image import read_metadata
from nst_core.files.samples import sample
from nst_core.page.canvas import SIZE, pixels_of, png_in, png_of, url_of
from nst_core.page.device import losses_for
from nst_core.page.job import Job
from nst_core.page.kinds import TEXTURE
from nst_core.page.regions import COLORS, map_of_file, part_of_file, regions_of

PAIR = ("brushstrokes", "ink")


def half(where, side=32):
    """A (side, side) mask of the left or the right half, or the quarter in the middle."""
    mask = torch.zeros(side, side)
    columns = {"left": slice(0, side // 2), "right": slice(side // 2, side)}
    mask[:, columns.get(where, slice(3 * side // 8, 5 * side // 8))] = 1
    return mask


def painted(**colors):
    """The value of a canvas on which these halves have a color."""
    masks = {color: half(where) for color, where in colors.items()}
    return {"picture": "/beneath.png", "map": url_of(png_of(masks))}


def where(request):
    """(which styles, where) of each region."""
    names = [style.name.removeprefix("sample:") for style in request.styles]
    pictures = [(torch.full((1, 3, 8, 8), float(i)), None) for i in range(len(names))]
    return {
        tuple(names[int(style.mean())] for style in region.styles): region.mask
        for region in regions_of(request, pictures)
    }


def result_of(runs, request):
    job = Job(request)
    runs.device.submit(job)
    return job.future.result().image


def test_without_paint_all_styles_cover_the_whole_picture(ask):
    for bare in (None, "", {"picture": "/beneath.png", "map": ""}):
        assert where(ask(styles=PAIR, map_=bare)) == {PAIR: None}


def test_a_painted_style_stays_in_its_color_and_the_others_fill_the_rest(ask):
    found = where(ask(styles=PAIR, map_=painted(blue="left")))
    assert found[("ink",)].equal(half("left"))
    assert found[("brushstrokes",)].equal(half("right"))


def test_paint_over_all_of_the_picture_leaves_nothing_to_the_others(ask):
    found = where(ask(styles=(*PAIR, "waves"), map_=painted(red="left", blue="right")))
    assert set(found) == {("brushstrokes",), ("ink",)}


def test_what_has_no_style_or_is_painted_so_is_kept(ask, limits):
    alone = losses_for(ask(map_=painted(red="left"), feather=0.0), limits)
    kept = losses_for(ask(map_=painted(black="right"), feather=0.0), limits)
    for losses in (alone, kept):
        (keep,) = (loss for loss in losses if isinstance(loss, Keep))
        (style,) = (loss for loss in losses if isinstance(loss, StyleLoss))
        assert keep.mask.equal(half("right"))
        assert style.mask.equal(half("left"))


def test_a_kept_half_has_the_contents_pixels_and_the_other_has_not(runs, ask):
    image = result_of(runs, ask(map_=painted(black="right"), feather=0.0, scales=1))
    content = result_of(runs, ask(strength=0, steps=0, scales=1))
    change = (image - content).abs()
    assert change[..., 26:].max() < 1e-6
    assert change[..., :22].mean() > 4 / 255


def test_soft_edges_follow_their_setting(ask, limits):
    for feather, soft in ((0.0, False), (0.5, True)):
        losses = losses_for(ask(map_=painted(red="left"), feather=feather), limits)
        (style,) = (loss for loss in losses if isinstance(loss, StyleLoss))
        assert bool(((style.mask > 0) & (style.mask < 1)).any()) is soft


def test_only_the_painted_part_of_a_style_counts(ask, limits):
    request = ask(parts=[painted(red="middle")])
    (style,) = (loss for loss in losses_for(request, limits) if isinstance(loss, StyleLoss))
    assert style.image_masks[0].equal(half("middle"))
    assert style.mask is None
    texture = ask(kind=TEXTURE, init="noise", parts=[painted(red="middle")])
    (style,) = (loss for loss in losses_for(texture, limits) if isinstance(loss, StyleLoss))
    assert style.image_masks[0].equal(half("middle"))


def test_paint_of_a_style_that_is_not_there_is_told(ask):
    with pytest.raises(SettingsError, match=r"Style 2 has a region \(blue\), but no picture"):
        ask(map_=painted(blue="left"))
    with pytest.raises(SettingsError, match="or its share is 0"):
        ask(styles=PAIR, shares=[1.0, 0.0], map_=painted(blue="left"))


def test_a_picture_that_is_kept_as_a_whole_is_told(runs, ask):
    request = ask(map_={"map": url_of(png_of({"black": torch.ones(32, 32)}))})
    with pytest.raises(SettingsError, match="All of the picture is painted to stay"):
        result_of(runs, request)


def test_a_drawing_of_noise_waits_for_its_turn_and_is_refused_there(runs, ask):
    stream = io.BytesIO()
    pixels = torch.randint(256, (SIZE, SIZE, 3), dtype=torch.uint8)
    pixels[0, 0] = torch.tensor([255, 0, 0])
    Image.fromarray(pixels.numpy()).save(stream, "PNG")
    request = ask(styles=(*PAIR, "waves", "mosaic"), map_={"map": url_of(stream.getvalue())})
    with pytest.raises(SettingsError, match="has shades all over"):
        result_of(runs, request)


@pytest.mark.parametrize(
    "value",
    ["no base64!", "data:image/png;base64,aGVsbG8=", {"map": 7}, {"map": "data:text/html,hello"}],
)
def test_what_no_canvas_sends_is_told_in_a_sentence(value, ask):
    with pytest.raises(SettingsError, match="drawing cannot be read"):
        ask(map_=value)


def test_a_drawing_larger_than_a_canvas_is_refused_before_it_is_decoded():
    with pytest.raises(SettingsError, match="drawing cannot be read"):
        png_in(url_of(png_of({"red": torch.ones(SIZE, SIZE + 1)})))


def test_a_drawing_is_stored_in_the_picture_and_small(made, ask):
    request = ask(map_={"map": url_of(png_of({"red": half("left", 1024)}))}, steps=1)
    _, files = made(request)
    stored = json.loads(read_metadata(files.picture)["nst"])
    assert png_in(stored["drawn"]["map"]) == request.map
    assert len(stored["drawn"]["map"]) < 30_000


def test_a_map_of_a_file_is_what_the_command_line_sees_in_it(tmp_path, limits):
    size = (300, 200)
    map_ = Image.new("RGB", size, "red")
    map_.paste("blue", (150, 0, 300, 200))
    map_.paste("white", (0, 0, 300, 60))
    map_.save(tmp_path / "map.jpg", quality=90)  # whose edges are no flat colors
    drawing = pixels_of(map_of_file(str(tmp_path / "map.jpg"), limits))
    assert drawing.shape[-2:] == (200, 300)
    for color, mask in zip(("red", "blue"), masks_of_map(drawing, ["red", "blue"]), strict=True):
        exact = torch.zeros(200, 300)
        exact[60:, :150] = color == "red"
        exact[60:, 150:] = color == "blue"
        assert (mask - exact).abs().mean() < 0.01


def test_a_large_map_becomes_as_large_as_a_canvas(tmp_path, limits):
    Image.new("RGB", (1200, 300), "red").save(tmp_path / "map.png")
    assert pixels_of(map_of_file(str(tmp_path / "map.png"), limits)).shape[-2:] == (256, SIZE)


def test_black_and_white_is_a_mask_as_on_the_command_line(ask, tmp_path, limits):
    mask = Image.new("L", (32, 32), "white")
    mask.paste("black", (0, 0, 16, 32))
    mask.save(tmp_path / "mask.png")
    map_ = {"map": url_of(map_of_file(str(tmp_path / "mask.png"), limits))}
    assert where(ask(map_=map_))[("brushstrokes",)].equal(half("right"))


@pytest.mark.parametrize("read", [map_of_file, lambda path, limits: part_of_file(path, *limits)])
@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda path: path.write_text("hello"), "not a picture"),
        (lambda path: Image.new("RGB", (64, 64), "#804020").save(path), "paints nothing|is white"),
        (lambda path: Image.new("L", (2000, 2000)).save(path), "4,000,000 pixels"),
    ],
    ids=["text", "no color of a map", "too large"],
)
def test_a_file_that_is_no_map_is_told_without_the_servers_folders(
    make, words, read, tmp_path, limits
):
    path = tmp_path / "map.png"
    make(path)
    given = limits if read is map_of_file else ("red", limits)
    with pytest.raises(ImageError, match=words) as caught:
        read(str(path), given)
    assert "map.png" in str(caught.value)
    assert str(tmp_path) not in str(caught.value)


def test_a_mask_of_a_style_counts_where_it_is_white(tmp_path, limits):
    mask = Image.new("RGBA", (32, 32), (0, 0, 0, 255))
    mask.paste((255, 255, 255, 255), (12, 0, 20, 32))
    mask.save(tmp_path / "mask.png")
    for color in COLORS:
        drawing = pixels_of(part_of_file(str(tmp_path / "mask.png"), color, limits))
        assert masks_of_map(drawing, [color])[0].equal(half("middle"))


def test_regions_of_the_page_are_those_of_the_engine(runs, ask, network):
    from nst_core.run.recipes import Region, losses_of_regions
    from nst_core.run.stylize import stylize

    request = ask(styles=PAIR, map_=painted(blue="left"), steps=3)
    first, second = (sample(name, 512) for name in PAIR)
    regions = [
        Region(styles=(second,), mask=half("left")),
        Region(styles=(first,), mask=half("right")),
    ]
    losses = losses_of_regions(sample("harbor", 512), regions, request.settings)
    work = runs.device.measure(lambda: stylize(losses, vgg=network.vgg, settings=request.settings))
    assert result_of(runs, request).equal(work.result().image)
