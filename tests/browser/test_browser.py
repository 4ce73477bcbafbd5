"""What a visitor does, in the real page."""

import json
import re

import pytest
from chromium import open_panel, paint, set_number, wait_for_color, wait_for_status
from PIL import Image

from nst_core.control.pyramid import resize
from nst_core.files.read_image import load_image, read_metadata
from nst_core.files.samples import sample

pytestmark = pytest.mark.slow


def start(page, size=32, steps=10):
    set_number(page, "size", size)
    set_number(page, "steps", steps)
    page.click("#run")


def wait_for_slider(page):
    page.wait_for_function("document.querySelectorAll('#slider img').length === 2")


def status(page):
    return page.locator("#status").inner_text()


def download(page, button):
    with page.expect_download() as caught:
        page.click(button)
    return caught.value.path()


def upload(page, name, path):
    """Into a picture that is empty, as a visitor empties it."""
    page.locator(f"#{name} button[aria-label='Remove Image']").click()
    page.locator(f"#{name} input[type=file]").first.set_input_files(path)


def color_picture(path, color, size=(64, 48)):
    Image.new("RGB", size, color).save(path)
    return path


def toast(page, words):
    page.locator(".toast-body", has_text=words).first.wait_for()


def test_one_click_makes_a_picture_to_compare_and_download(visit):
    page = visit()
    start(page, size=48)
    wait_for_status(page, "Done")
    wait_for_slider(page)
    stored = json.loads(read_metadata(download(page, "#download"))["nst"])
    assert stored["content"] == "sample:harbor"
    assert stored["styles"] == ["sample:brushstrokes"]
    assert stored["settings"]["size"] == 48
    workflow = json.loads(download(page, "#workflow").read_text())
    assert {"NST_LBFGSOptimize", "NST_SampleImage"} <= {n["type"] for n in workflow["nodes"]}


def test_the_picture_the_figures_and_the_curve_grow(visit):
    page = visit()
    start(page, size=256, steps=400)
    wait_for_status(page, "loss")
    words = status(page).lower()
    assert all(name in words for name in ("step", "loss", "scale", "evaluations/s", "time left"))
    page.wait_for_selector("#curve img")
    seen = page.locator("#live img").get_attribute("src")
    figures = status(page)
    page.wait_for_function(
        "seen => { const i = document.querySelector('#live img'); return i && i.src !== seen }",
        arg=seen,
    )
    page.wait_for_function(
        "seen => document.querySelector('#status').innerText !== seen", arg=figures
    )
    page.click("#stop")
    wait_for_status(page, "best picture so far")
    wait_for_slider(page)
    assert read_metadata(download(page, "#download"))["nst"]


def test_stop_before_run_says_that_nothing_runs(visit):
    page = visit()
    page.click("#stop")
    toast(page, "Nothing is running")


def test_run_pressed_twice_makes_one_picture(visit):
    page = visit()
    start(page, size=128, steps=400)
    wait_for_status(page, "loss")
    page.click("#run")
    toast(page, "being made already")
    page.click("#stop")
    wait_for_status(page, "best picture so far")


def test_an_upload_is_painted_and_comes_back_from_its_png(visit, tmp_path):
    page = visit()
    upload(page, "content", color_picture(tmp_path / "teal.png", "teal"))
    page.wait_for_selector("#content img[src*='teal']")
    page.locator("#style_samples button").nth(2).click()
    page.wait_for_selector("#style img[src*='waves']")
    start(page, size=48, steps=20)
    wait_for_status(page, "Done")
    result = tmp_path / "made here.png"
    result.write_bytes(download(page, "#download").read_bytes())
    assert json.loads(read_metadata(result)["nst"])["content"] == "teal.png"

    other = visit()
    other.locator("#restore button").first.click()
    other.locator("#dropped input[type=file]").set_input_files(result)
    other.wait_for_function(
        "document.querySelector('#restored').innerText.includes('settings are restored')"
    )
    assert "teal.png" in other.locator("#restored").inner_text()
    assert other.locator("#size input[type=number]").input_value() == "48"
    assert other.locator("#steps input[type=number]").input_value() == "20"
    other.wait_for_selector("#style img[src*='waves']")


def test_a_corrupt_upload_is_told_and_taken_away_and_the_page_goes_on(visit, tmp_path):
    page, path = visit(), tmp_path / "broken.png"
    path.write_text("not a picture")
    upload(page, "content", path)
    toast(page, "not a picture")
    page.wait_for_selector("#content img", state="detached")
    page.click("#run")
    toast(page, "no content picture")
    page.locator("#content_samples button").first.click()
    page.wait_for_selector("#content img")
    start(page)
    wait_for_status(page, "Done")


def test_swap_changes_places(visit):
    page = visit()
    page.click("#swap")
    page.wait_for_selector("#content img[src*='brushstrokes']")
    page.wait_for_selector("#style img[src*='harbor']")


def test_a_preset_is_explained_and_sets_its_settings(visit):
    page = visit()
    page.locator("#preset input").click()
    page.get_by_role("option", name="gatys-vgg16").click()
    page.wait_for_function(
        "document.querySelector('#explanation').innerText.includes('seed project')"
    )
    assert page.locator("#size input[type=number]").input_value() == "224"


def test_the_weights_in_use_are_named(visit):
    words = visit().locator("#weights").inner_text()
    assert "builtin" in words
    assert "nst weights get keras" in words


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_nothing_sticks_out_at_any_width_in_any_light(theme, visit):
    page = visit(width=390, theme=theme)
    start(page)
    wait_for_status(page, "Done")
    open_panel(page, "regions")
    page.wait_for_selector("#map canvas")
    for width in (390, 1440):
        page.set_viewport_size({"width": width, "height": 900})
        for name in ("Stylize", "Texture", "Reconstruct"):
            page.get_by_role("tab", name=name).click()
            page.wait_for_selector(f"#{name.lower()}_tab .nst-controls")
            assert page.evaluate("document.documentElement.scrollWidth") <= width
    text = page.evaluate("getComputedStyle(document.querySelector('#title h1')).color")
    bright = sum(int(part) for part in text.strip("rgba()").split(",")[:3]) > 3 * 128
    assert bright is (theme == "dark")


BLACK, RED, BLUE, BARE = [0, 0, 0, 255], [255, 0, 0, 255], [0, 0, 255, 255], [0, 0, 0, 0]


def test_what_is_painted_keep_is_kept_and_comes_back_from_the_png(visit, tmp_path):
    page = visit()
    open_panel(page, "regions")
    page.wait_for_selector("#map .nst-stage:not([hidden])")
    paint(page, "map", "black", (0.98, 0.02), (0.98, 0.98))
    paint(page, "map", "red", (0.02, 0.5))
    wait_for_color(page, "map", 0.02, 0.5, RED)
    page.locator("#map [data-do=undo]").click()
    wait_for_color(page, "map", 0.95, 0.5, BLACK)
    page.wait_for_function("document.querySelector('#plan').innerText.includes('of memory')")
    start(page, size=64, steps=20)
    wait_for_status(page, "Done")
    assert "What you painted is stored" in page.locator("#note").inner_text()
    result = tmp_path / "made here.png"
    result.write_bytes(download(page, "#download").read_bytes())
    content = resize(sample("harbor", 512), 48, 64)
    change = (load_image(result, max_pixels=10**6) - content).abs()
    assert change[..., 60:].max() <= 1 / 255
    assert change[..., :50].mean() > 4 / 255

    other = visit()
    other.get_by_role("tab", name="Texture").click()
    open_panel(other, "texture_restore")
    other.locator("#texture_dropped input[type=file]").set_input_files(result)
    other.wait_for_selector("#map .nst-stage:not([hidden])")
    other.wait_for_function("document.querySelector('#restored').innerText.includes('restored')")
    wait_for_color(other, "map", 0.95, 0.5, BLACK)
    wait_for_color(other, "map", 0.02, 0.5, BARE)
    other.locator("#content_samples button").nth(1).click()
    other.wait_for_selector("#map img[src*='portrait']")
    wait_for_color(other, "map", 0.95, 0.5, BARE)  # it was painted over another picture


def test_a_map_is_uploaded_and_what_is_none_is_told(visit, tmp_path):
    page = visit()
    open_panel(page, "regions")
    page.wait_for_selector("#map .nst-stage:not([hidden])")
    map_ = Image.new("RGB", (400, 300), "white")
    map_.paste("red", (0, 0, 200, 300))
    map_.save(tmp_path / "map.png")
    chooser = page.locator("#regions input[type=file]")
    chooser.set_input_files(tmp_path / "map.png")
    wait_for_color(page, "map", 0.25, 0.5, RED)
    wait_for_color(page, "map", 0.75, 0.5, BARE)
    (tmp_path / "text.png").write_text("not a picture")
    chooser.set_input_files(tmp_path / "text.png")
    toast(page, "not a picture")
    chooser.set_input_files(color_picture(tmp_path / "empty.png", "white"))
    toast(page, "paints nothing")
    wait_for_color(page, "map", 0.25, 0.5, RED)  # as before
    paint(page, "map", "blue", (0.75, 0.5))
    wait_for_color(page, "map", 0.75, 0.5, BLUE)
    page.click("#run")
    toast(page, "Style 2 has a region (blue), but no picture")


def test_a_seamless_texture_is_made_and_shown_four_times(visit):
    page = visit()
    page.get_by_role("tab", name="Texture").click()
    page.locator("#texture_style_samples button").nth(1).click()
    page.wait_for_selector("#texture_style img[src*='mosaic'], #texture_style img")
    set_number(page, "texture_size", 64)
    set_number(page, "texture_steps", 10)
    page.locator("#texture_seamless input").check()
    page.click("#texture_run")
    wait_for_status(page, "Done", "texture_status")
    page.wait_for_selector("#texture_live .nst-tiles")
    stored = json.loads(read_metadata(download(page, "#texture_download"))["nst"])
    assert stored["content"] is None
    assert stored["settings"]["seamless"] is True


def test_a_picture_is_rebuilt_from_a_layer_and_compared(visit):
    page = visit()
    page.get_by_role("tab", name="Reconstruct").click()
    set_number(page, "reconstruct_size", 48)
    set_number(page, "reconstruct_steps", 10)
    page.click("#reconstruct_run")
    wait_for_status(page, "Done", "reconstruct_status")
    page.wait_for_function("document.querySelectorAll('#reconstruct_slider img').length === 2")
    stored = json.loads(read_metadata(download(page, "#reconstruct_download"))["nst"])
    assert stored["styles"] == []


def test_two_visitors_at_once_wait_in_line_and_get_their_own(visit, tmp_path):
    first, second = visit(), visit()
    for page, color in ((first, "red"), (second, "blue")):
        upload(page, "content", color_picture(tmp_path / f"{color}.png", color))
        page.wait_for_selector(f"#content img[src*='{color}']")
    start(first, size=256, steps=400)
    wait_for_status(first, "loss")
    start(second)
    wait_for_status(second, "Waiting: 1 run comes first")
    first.click("#stop")
    wait_for_slider(first)
    wait_for_status(second, "Done")
    for page, color in ((first, "red"), (second, "blue")):
        stored = json.loads(read_metadata(download(page, "#download"))["nst"])
        assert stored["content"] == f"{color}.png"


def again(page, server):
    """Another window of the same browser."""
    other = page.context.new_page()
    other.set_default_timeout(60_000)
    other.goto(server.url)
    other.wait_for_selector("#content img")
    return other


def test_who_waits_can_stop_and_who_closed_the_page_finds_the_run_again(visit, server):
    leaver, waiting, last = visit(), visit(), visit()
    start(leaver, size=256, steps=400)
    leaver.wait_for_selector("#live img")
    start(waiting)
    wait_for_status(waiting, "Waiting: 1")
    start(last)
    wait_for_status(last, "Waiting: 2")
    waiting.click("#stop")
    wait_for_status(waiting, "Stopped before there was a picture")
    window = again(leaver, server)
    leaver.close()
    wait_for_status(window, "loss")
    window.click("#run")
    toast(window, "being made already")
    window.click("#stop")
    wait_for_status(window, "best picture so far")
    assert (
        json.loads(read_metadata(download(window, "#download"))["nst"])["settings"]["size"] == 256
    )
    wait_for_status(last, "Done")


def test_two_windows_show_the_same_run_and_a_third_its_result_on_its_tab(visit, server):
    page = visit()
    page.get_by_role("tab", name="Texture").click()
    set_number(page, "texture_size", 256)  # it must last until the second window is there
    set_number(page, "texture_steps", 400)
    page.click("#texture_run")
    wait_for_status(page, "loss", "texture_status")
    second = again(page, server)
    second.wait_for_selector("#texture_status .nst-status")  # its tab was opened
    wait_for_status(second, "loss", "texture_status")
    second.locator("#texture_stop").click()
    for window in (page, second, again(page, server)):
        window.wait_for_selector("#texture_status .nst-status")
        wait_for_status(window, "best picture so far", "texture_status")
        assert read_metadata(download(window, "#texture_download"))["nst"]


def test_without_cookies_the_run_ends_with_the_page(visit):
    page = visit()
    page.context.clear_cookies()
    start(page, size=256, steps=400)
    wait_for_status(page, "loss")
    page.close()
    following = visit()
    start(following)
    wait_for_status(following, "Done")  # 400 steps take minutes


def test_a_photograph_of_the_camera_is_painted(visit):
    page = visit()
    page.locator("#content button[aria-label='Remove Image']").click()
    page.locator("#content button[aria-label='Capture from camera']").click()
    page.locator("#content button", has_text="Click to Access Webcam").click()
    # The stream's first picture may come later than its button.
    page.wait_for_function("document.querySelector('#content video')?.videoWidth > 0")
    page.locator("#content button[aria-label='capture photo']").click()
    page.wait_for_selector("#content img")
    start(page)
    wait_for_status(page, "Done")
    assert json.loads(read_metadata(download(page, "#download"))["nst"])["content"]


COPY = """async () => {
  const canvas = new OffscreenCanvas(64, 48), context = canvas.getContext("2d");
  context.fillStyle = "teal";
  context.fillRect(0, 0, 64, 48);
  const blob = await canvas.convertToBlob({type: "image/png"});
  await navigator.clipboard.write([new ClipboardItem({"image/png": blob})]);
}"""


def test_a_copied_picture_is_pasted(visit):
    page = visit()
    page.evaluate(COPY)
    page.locator("#content button[aria-label='Remove Image']").click()
    page.locator("#content button[aria-label='Paste from clipboard']").click()
    page.wait_for_selector("#content img")
    start(page)
    wait_for_status(page, "Done")


def test_a_second_style_with_its_share_is_used_and_restored(visit, tmp_path):
    page = visit()
    page.locator("#more_styles button").first.click()
    upload_input = page.locator("#style_2 input[type=file]").first
    upload_input.set_input_files(color_picture(tmp_path / "gold.png", "gold"))
    page.wait_for_selector("#style_2 img[src*='gold']")
    set_number(page, "share_2", 0.5)
    start(page)
    wait_for_status(page, "Done")
    stored = json.loads(read_metadata(download(page, "#download"))["nst"])
    assert stored["styles"] == ["sample:brushstrokes", "gold.png"]
    assert stored["shares"] == [1, 0.5]


def test_a_refused_run_leaves_the_result_where_it_is(visit):
    page = visit()
    start(page)
    wait_for_status(page, "Done")
    page.locator("#content button[aria-label='Remove Image']").click()
    page.click("#run")
    toast(page, "no content picture")
    assert page.locator("#slider img").count() == 2
    assert "Done" in status(page)


def test_the_server_has_seen_no_error(server, visit):
    visit()
    raised = re.findall(r"^[\w.]+(?:Error|Exception)\b.*", server.log(), re.MULTILINE)
    # The server is that of other tests too: what they ask for, Gradio refuses with a traceback.
    assert [line for line in raised if not line.startswith("gradio.exceptions.")] == []
