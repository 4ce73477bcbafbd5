"""The page under a path of another server, with a password, on a line that breaks."""

import json
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from chromium import open_panel, paint, set_number, wait_for_color, wait_for_status
from page_server import SMALL, running
from reverse_proxy import behind_proxy

from nst_core.files.read_image import read_metadata

pytestmark = pytest.mark.slow
RED = [255, 0, 0, 255]


@pytest.fixture(scope="module")
def proxied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Where it is, and what is in front of it. Its folder has a name that Gradio's routes have."""
    folder = tmp_path_factory.mktemp("proxied")
    variables = {
        "GRADIO_ROOT_PATH": "/paint",
        "GRADIO_TEMP_DIR": str(folder / "dev" / "stream"),
        "NST_PAGE_AUTH": "me:a secret: with a colon",
    }
    with (
        running(folder, *SMALL, OMP_NUM_THREADS="1", **variables) as server,
        behind_proxy(server.url, "/paint") as proxy,
    ):
        yield SimpleNamespace(server=server, proxy=proxy, folder=folder)


@pytest.fixture
def visit(browser: Any, proxied: Any) -> Iterator[Any]:
    """`visit()`: the page of a new browser that has logged in."""
    contexts = []

    def visitor() -> Any:
        context = browser.new_context(viewport={"width": 1280, "height": 900})
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(60_000)
        page.clock.install()
        page.goto(proxied.proxy.url)
        page.get_by_label("username").fill("me")
        page.get_by_label("password").fill("a secret: with a colon")
        page.get_by_role("button", name="Login").click()
        page.wait_for_selector("#content img")
        return page

    yield visitor
    for context in contexts:
        context.close()


def run(page, size=48, steps=10):
    set_number(page, "size", size)
    set_number(page, "steps", steps)
    page.click("#run")


def downloaded(page):
    with page.expect_download() as caught:
        page.click("#download")
    return caught.value.path()


def test_canvas_download_and_restore_work_under_a_path(visit, proxied, tmp_path):
    page = visit()
    open_panel(page, "regions")
    page.wait_for_selector("#map .nst-stage:not([hidden])")
    paint(page, "map", "red", (0.1, 0.5), (0.9, 0.5))
    run(page)
    wait_for_status(page, "Done")
    page.wait_for_function(
        "[...document.querySelectorAll('#slider img')].filter(i => i.naturalWidth).length === 2"
    )
    result = tmp_path / "made here.png"
    result.write_bytes(downloaded(page).read_bytes())
    assert json.loads(read_metadata(result)["nst"])["drawn"]["map"]
    assert list((proxied.folder / "dev" / "stream").glob("nst-page-*"))

    other = visit()
    open_panel(other, "restore")
    other.locator("#dropped input[type=file]").set_input_files(result)
    other.wait_for_selector("#map .nst-stage:not([hidden])")
    wait_for_color(other, "map", 0.5, 0.5, RED)


def test_a_line_that_breaks_leaves_the_run_and_the_page_finds_it(visit, proxied):
    page = visit()
    run(page, size=256, steps=400)
    page.wait_for_selector("#live img[alt='The picture so far']")
    page.evaluate("window.loadedOnce = true")
    proxied.proxy.lost.set()
    try:
        page.clock.run_for(30_000)
        assert page.evaluate("window.loadedOnce")  # it does not try while there is no server
    finally:
        proxied.proxy.lost.clear()
    page.clock.run_for(30_000)
    page.wait_for_function("!window.loadedOnce")
    page.wait_for_selector("#live img[alt='The picture so far']")
    page.click("#stop")
    wait_for_status(page, "best picture so far")
    assert read_metadata(downloaded(page))["nst"]
    page.reload()
    page.wait_for_selector("#status .nst-status")
    wait_for_status(page, "best picture so far")
    assert read_metadata(downloaded(page))["nst"]


def test_another_browser_finds_nothing_of_it(visit):
    page = visit()
    page.wait_for_function("document.querySelector('#plan').innerText.includes('of memory')")
    assert page.locator("#status").inner_text() == ""
    assert page.locator("#live img").count() == 0


def test_the_server_has_seen_no_error(proxied):
    assert "Traceback" not in proxied.server.log()
