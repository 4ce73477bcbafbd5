"""The nodes in a real host, by prompts as programs send them."""

import asyncio
import io
import json
import subprocess
import sys
import time
from itertools import pairwise

import pytest
import torch
from PIL import Image
from real_host import PACK, prompt_of
from standin import Host, description_of, loaded_pack

import nst_core


def test_the_real_loader_lists_every_node_as_the_stand_in_describes_it(comfy, tmp_path):
    real = {name: node for name, node in comfy.call("/object_info").items() if "NST_" in name}
    host = Host(tmp_path)
    with loaded_pack(host) as pack:
        asyncio.run(pack.comfy_entrypoint())
        nodes = sys.modules[f"{pack.__name__}.nodes.extension"].NODES
        made = {node.define_schema().node_id: description_of(node) for node in nodes}
    assert set(real) == set(made)
    for name, node in made.items():
        assert {key: real[name][key] for key in node} == node


def test_the_host_has_nothing_to_complain_of_about_the_pack(comfy):
    lines = [line for line in comfy.log().splitlines() if "nst-gram" in line]
    assert not [line for line in lines if "FAILED" in line or "Error" in line]


# The same as `prompt_of()` with pictures from files.
ENGINE = """
import sys, torch
from nst_core import LossSettings, RunSettings, load_vgg16, losses_of, stylize
content, style, result = sys.argv[1:]
content, style = (torch.load(path).movedim(-1, 1) for path in (content, style))
losses = losses_of(content, [style], LossSettings(style_weight=100.0))
settings = RunSettings(size=64, steps=4, scales=1)
image = stylize(losses, vgg=load_vgg16("builtin"), settings=settings).image
torch.save(image.movedim(1, -1), result)
"""


def bits_of(comfy, prompt, path, node="run"):
    """The result, or another node's picture, with all its bits."""
    keep = {"class_type": "Probe_Keep", "inputs": {"image": [node, 0], "path": str(path)}}
    comfy.run({**prompt, "keep": keep})
    return torch.load(path)


def test_the_graph_gives_the_picture_of_the_engine_bit_for_bit(comfy, tmp_path):
    prompt = prompt_of(precision="auto")
    prompt["content"] = {
        "class_type": "NST_SampleImage",
        "inputs": {"name": "harbor", "size": 128},
    }
    result = bits_of(comfy, prompt, tmp_path / "result.pt")
    # Of the pictures that the host drew: another NumPy or Pillow draws a little differently.
    paths = [tmp_path / f"{name}.pt" for name in ("content", "style", "engine")]
    for path in paths[:2]:
        bits_of(comfy, prompt, path, node=path.stem)
    # In a process of its own: the number of threads decides the order of sums, and these tests
    # have set theirs.
    subprocess.run([sys.executable, "-c", ENGINE, *paths], check=True, cwd=PACK)
    assert torch.equal(result, torch.load(paths[2]))


def test_a_network_that_the_host_moved_in_inference_mode_still_works(comfy, tmp_path):
    before = bits_of(comfy, prompt_of(steps=1), tmp_path / "before.pt")
    prompt = prompt_of(steps=1)
    prompt["evict"] = {"class_type": "Probe_Evict", "inputs": {"vgg": ["vgg", 0]}}
    prompt["run"]["inputs"]["vgg"] = ["evict", 0]
    assert torch.equal(bits_of(comfy, prompt, tmp_path / "after.pt"), before)


def test_a_second_run_comes_from_the_cache_and_a_changed_one_does_not(comfy):
    comfy.run(prompt_of(steps=2))
    again = comfy.run(prompt_of(steps=2))
    assert set(prompt_of()) <= again.cached
    other = comfy.run(prompt_of(steps=3))
    assert "run" not in other.cached
    assert {"vgg", "losses"} <= other.cached


def test_a_changed_weights_file_is_noticed(comfy):
    path = comfy.base / "models/vgg/mine.safetensors"
    vgg = nst_core.load_vgg16("builtin")
    from nst_core.files.weights.vgg_file import VGGFile, save_convolutions

    def save(factor):
        tensors = {k.split(".", 1)[1]: v * factor for k, v in vgg.state_dict().items()}
        metadata = {"source": f"mine {factor}", "preprocessing": "caffe"}
        save_convolutions(VGGFile(path, "nst", tensors, {}), path, metadata)

    def run():
        prompt = prompt_of(steps=1)
        prompt["vgg"]["inputs"]["weights"] = path.name
        return comfy.run(prompt)

    save(1)
    first = run()
    save(2)
    second = run()
    assert "mine 1" in first.outputs["report"]["text"][0]
    assert "mine 2" in second.outputs["report"]["text"][0]


@pytest.mark.parametrize("kind", ["alpha", "half", "batch"])
def test_every_kind_of_picture_that_hosts_have_is_repainted(comfy, kind):
    prompt = prompt_of(steps=1)
    prompt["content"]["inputs"]["kind"] = kind
    prompt["content_loss"]["inputs"]["mask"] = ["content", 1]  # a dummy, as of opaque files
    images = comfy.run(prompt).outputs["result"]["images"]
    assert len(images) == (2 if kind == "batch" else 1)


def test_a_batch_of_styles_is_one_style(comfy):
    prompt = prompt_of(steps=1)
    prompt["style"] = {"class_type": "Probe_Picture", "inputs": {"kind": "batch", "side": 64}}
    assert len(comfy.run(prompt).outputs["result"]["images"]) == 1


@pytest.mark.parametrize("value", [0.0, 1.0], ids=["empty", "full"])
def test_an_empty_mask_and_a_full_one_of_another_size_are_no_mask(comfy, tmp_path, value):
    plain = bits_of(comfy, prompt_of(steps=1), tmp_path / "plain.pt")
    prompt = prompt_of(steps=1)
    size = {"value": value, "width": 100, "height": 7}
    prompt["mask"] = {"class_type": "SolidMask", "inputs": size}
    prompt["losses"]["inputs"]["mask"] = ["mask", 0]
    masked = bits_of(comfy, prompt, tmp_path / "masked.pt")
    torch.testing.assert_close(masked, plain, atol=1e-3, rtol=0)


BAD = {
    "typo": ("content_loss", {"content_layers": "relu4_22"}, "Did you mean relu4_2"),
    "nan": ("content", {"kind": "nan"}, "not numbers"),
    "pixel": ("content", {"kind": "pixel"}, "Use a larger picture"),
    "small": ("style", {"size": 16}, "Use a larger picture"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_a_sentence_on_the_node(comfy, case):
    node, inputs, sentence = BAD[case]
    prompt = prompt_of()
    prompt[node]["inputs"] |= inputs
    said = comfy.fail(prompt)
    assert sentence in said
    assert "inference" not in said


def test_a_weights_file_that_is_gone_or_broken_is_a_sentence_on_the_node(comfy):
    prompt = prompt_of()
    prompt["vgg"]["inputs"]["weights"] = "gone.pth"
    with pytest.raises(ValueError, match="Put the file into"):
        comfy.submit(prompt)
    (comfy.base / "models/vgg/broken.pth").write_bytes(b"not weights")
    prompt["vgg"]["inputs"]["weights"] = "broken.pth"
    assert "broken.pth" in comfy.fail(prompt)


def test_nothing_wired_is_refused_before_anything_runs(comfy):
    prompt = prompt_of()
    del prompt["run"]["inputs"]["losses"]
    with pytest.raises(ValueError, match="losses"):
        comfy.submit(prompt)


def test_cancel_is_heard_at_once_and_leaves_no_memory_behind(comfy):
    comfy.run(prompt_of(size=256, steps=1))  # what is loaded once stays
    before, waits = comfy.memory(), []
    for index in range(4):
        prompt_id = comfy.submit(prompt_of(size=256, steps=500, tolerance=0.0, seed=index + 1))
        time.sleep(3 + 0.37 * index)
        asked = time.time()
        comfy.call("/interrupt", {})
        ended = comfy.wait(prompt_id)
        assert ended.end == "execution_interrupted"
        # By the host's own clock: it collects garbage every ten seconds and answers nobody then.
        waits.append(round(ended.at - asked, 3))
    sys.stdout.write(f"\ncancel: {waits}, memory {before:.0f} -> {comfy.memory():.0f} MB\n")
    assert max(waits) < 0.5
    assert comfy.memory() < before + 50


def test_the_host_costs_little_time_and_finishing_leaves_no_memory_behind(comfy):
    comfy.run(prompt_of(size=256, steps=1))
    before = comfy.memory()

    def run(interval, seed):
        """Seconds around the engine, of the engine, and of its quickest evaluation."""
        settings = {"size": 256, "steps": 25, "tolerance": 0.0, "seed": seed}
        ended = comfy.run(prompt_of(preview_interval=interval, **settings))
        report = json.loads(ended.outputs["report"]["text"][0])
        times = [record["seconds"] for record in report["records"]]
        quickest = min(later - earlier for earlier, later in pairwise(times))
        return ended.seconds - report["seconds"], report["seconds"], quickest

    # In turn, so that other work on this machine slows both; a seed makes a prompt a new one.
    # A preview at every evaluation is the worst case.
    rounds = [(run(0.001, seed), run(0.0, seed)) for seed in (1, 2, 3)]
    around, engine, _ = min(watched for watched, _ in rounds)
    watched, alone = (min(times) for times in zip(*((a[2], b[2]) for a, b in rounds), strict=True))
    # By default there is a preview every half second, or at every evaluation if those take longer.
    share = around / engine + (watched - alone) / max(0.5, watched)
    sys.stdout.write(
        f"\n{around:.2f} s around {engine:.1f} s; evaluation {watched:.3f} s with a preview, "
        f"{alone:.3f} s without: overhead {share:.1%}; "
        f"memory {before:.0f} -> {comfy.memory():.0f} MB\n"
    )
    assert share < 0.05
    assert comfy.memory() < before + 50


def test_results_can_be_looked_at(comfy):
    item = comfy.run(prompt_of(steps=1)).outputs["result"]["images"][0]
    assert Image.open(io.BytesIO(comfy.file(item))).size == (64, 64)
