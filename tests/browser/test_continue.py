"""A run that was cut off, in the real page."""

import signal

import pytest
from chromium import context_of, set_number, visited, wait_for_status
from page_server import SMALL, running

pytestmark = pytest.mark.slow


def start(page, size=64, steps=60):
    set_number(page, "size", size)
    set_number(page, "steps", steps)
    page.click("#run")


def stopped(page):
    """Cut off after its first evaluations."""
    start(page, steps=400, size=256)
    wait_for_status(page, "loss")
    page.click("#stop")
    wait_for_status(page, "Continue goes on with this run")
    page.wait_for_selector("#continue")


def evaluations(page):
    words = page.locator("#status").inner_text().lower().split()
    return int(words[words.index("evaluations") + 1])


def test_continue_is_there_for_who_stopped_a_run_and_goes_on_with_it(visit):
    page, other = visit(), visit()
    assert page.locator("#continue").count() == 0
    stopped(page)
    assert other.locator("#continue").count() == 0
    assert page.locator("#continue").inner_text() == "Continue"  # Gradio may forget it
    before = evaluations(page)
    page.reload()
    page.wait_for_selector("#continue")
    page.click("#continue")
    page.wait_for_selector("#continue", state="detached")
    wait_for_status(page, "loss")
    page.click("#stop")
    page.wait_for_selector("#continue")
    wait_for_status(page, "Continue goes on with this run")
    assert evaluations(page) > before
    start(page, size=32, steps=10)
    wait_for_status(page, "Done")
    assert page.locator("#continue").count() == 0
    page.click("#stop")
    page.wait_for_selector("text=Nothing is running")


def test_a_run_goes_on_when_the_page_was_ended_and_started_again(browser, tmp_path):
    options = (*SMALL, "--checkpoints", str(tmp_path / "kept"))
    with running(tmp_path, *options, OMP_NUM_THREADS="1") as server:
        page = visited(context_of(browser), server.url)
        start(page, size=256, steps=400)
        wait_for_status(page, "loss")
        server.process.send_signal(signal.SIGTERM)
        server.process.wait(60)
    with running(tmp_path, *options, OMP_NUM_THREADS="1") as server:
        page.goto(server.url)
        page.wait_for_selector("#content_samples img")
        wait_for_status(page, "Your run was cut off")
        page.click("#continue")
        wait_for_status(page, "loss")
        page.click("#stop")
        wait_for_status(page, "best picture so far")
        page.context.close()
