"""Videos in a real host: by its own video nodes, canceled and gone on with, by prompt and page."""

import json
import time

import pytest
import torch
from real_host import PACK, prompt_of

COUNT = 5


def video_prompt(**stylize):
    """A small video of the moving sample."""
    prompt = prompt_of()
    run = prompt["run"]["inputs"]
    for name in ("content", "content_loss", "report"):
        del prompt[name]
    del prompt["losses"]["inputs"]["losses"]
    sample = {"name": "harbor", "size": 64, "count": COUNT, "fps": 12.0}
    prompt["video"] = {"class_type": "NST_SampleVideo", "inputs": sample}
    wires = {"frames": ["video", 0], "optical_flow": ["video", 1]}
    quick = {"frame_steps": 2, "temporal_weight": 300.0}
    prompt["run"] = {"class_type": "NST_StylizeVideo", "inputs": run | wires | quick | stylize}
    return prompt


def folders(comfy):
    return sorted((comfy.base / "output").glob("nst_unfinished_video_*"))


def interrupt_after(comfy, count):
    """Cancel once so many frames are done; the folder that they are in."""
    until = time.monotonic() + 300
    while not any(len(list(path.glob("pass1-*.png"))) >= count for path in folders(comfy)):
        assert time.monotonic() < until, comfy.log()[-2000:]
        time.sleep(0.02)
    comfy.call("/interrupt", {})
    return folders(comfy)[0]


def bits_of(comfy, prompt, path):
    keep = {"class_type": "Probe_Keep", "inputs": {"image": ["run", 0], "path": str(path)}}
    comfy.run({**prompt, "keep": keep})
    return torch.load(path)


def test_a_canceled_video_goes_on_to_the_same_frames(comfy, tmp_path):
    prompt = video_prompt(seed=1)
    prompt_id = comfy.submit(prompt)
    folder = interrupt_after(comfy, 2)
    assert comfy.wait(prompt_id).end == "execution_interrupted"
    assert f"They are in {folder}" in comfy.log()
    done = {path: path.stat().st_mtime_ns for path in folder.glob("pass1-*.png")}
    assert 2 <= len(done) < COUNT
    gone_on = bits_of(comfy, prompt, tmp_path / "gone_on.pt")
    assert f"goes on after {len(done)} frames" in comfy.log()
    assert gone_on.shape == (COUNT, 48, 64, 3)
    assert folders(comfy) == []
    # An interval makes it another prompt, or the host would take it from its cache.
    whole = bits_of(comfy, video_prompt(seed=1, preview_interval=2.0), tmp_path / "whole.pt")
    assert torch.equal(gone_on, whole)


def test_it_stands_between_the_hosts_own_video_nodes(comfy):
    prompt = video_prompt(steps=1, frame_steps=1)
    made = {"images": ["video", 0], "fps": 12.0}
    prompt["clip"] = {"class_type": "CreateVideo", "inputs": made}
    prompt["parts"] = {"class_type": "GetVideoComponents", "inputs": {"video": ["clip", 0]}}
    prompt["run"]["inputs"]["frames"] = ["parts", 0]
    joined = {"images": ["run", 0], "fps": ["parts", 2]}
    prompt["result"] = {"class_type": "CreateVideo", "inputs": joined}
    saved = {"video": ["result", 0], "filename_prefix": "v", "format": "auto", "codec": "auto"}
    prompt["saved"] = {"class_type": "SaveVideo", "inputs": saved}
    (item,) = comfy.run(prompt).outputs["saved"]["images"]
    assert comfy.file(item)[4:8] == b"ftyp"


def test_without_a_wire_the_flow_is_found(comfy):
    prompt = video_prompt(steps=1, frame_steps=1)
    del prompt["run"]["inputs"]["optical_flow"]
    assert len(comfy.run(prompt).outputs["result"]["images"]) == COUNT


def test_bad_video_input_is_a_sentence_on_the_node(comfy):
    prompt = video_prompt()
    prompt["run"]["inputs"]["start"] = ["many", 0]
    prompt["many"] = {"class_type": "Probe_Picture", "inputs": {"kind": "batch", "side": 64}}
    said = comfy.fail(prompt)
    assert f"There are 2 start pictures and {COUNT} frames" in said
    assert "inference" not in said


def test_flow_that_is_not_in_the_input_folder_is_refused_before_anything_runs(comfy):
    prompt = video_prompt()
    load = {"class_type": "NST_LoadOpticalFlow", "inputs": {"folder": "../output"}}
    prompt["load"] = load
    prompt["run"]["inputs"]["optical_flow"] = ["load", 0]
    with pytest.raises(ValueError, match="not in list"):
        comfy.submit(prompt)


def test_cancel_on_the_page_says_where_the_frames_are_and_run_goes_on(page, comfy):
    graph = json.loads((PACK / "example_workflows/9_video.json").read_text())
    values = {node["type"]: node.get("widgets_values") for node in graph["nodes"]}
    values["NST_StylizeVideo"][1:3] = [64, 8]  # size and steps
    values["NST_SampleVideo"][1:3] = [64, COUNT]
    page.load(graph)
    prompt_id = page.press_run()
    folder = interrupt_after(comfy, 2)
    assert page.wait(prompt_id).end == "execution_interrupted"
    assert "Run it again to go on: " in page.text()
    assert f"They are in {folder}." in page.text()
    page.previews.clear()
    assert page.wait(page.press_run()).end == "execution_success"
    assert page.previews
    assert "It goes on after" in page.text()
    assert page.errors == []
    assert folders(comfy) == []
