"""Small prompts of every kind, for a host that shall run many of them."""

from typing import Any

from real_host import prompt_of

KINDS = ("plain", "regions", "resumable", "one box", "batch", "noise", "fails")
# More than any cancel lets it do.
ENDLESS = {"steps": 900, "tolerance": 0.0}


def job(kind: str, seed: int, **settings: Any) -> dict[str, Any]:
    """A prompt of that kind which the host has not seen yet.

    Its picture goes into a report only: a file for each preview would be the host's own doing.
    """
    prompt = prompt_of(preview_interval=0.05, **{"seed": seed, **settings})
    del prompt["result"]
    inputs = prompt["run"]["inputs"]
    if kind == "regions":
        _add_region(prompt)
    elif kind == "resumable":
        inputs["resumable"] = True
    elif kind == "batch":
        prompt["content"]["inputs"]["kind"] = "batch"
    elif kind == "noise":
        inputs["init"] = "noise"
    elif kind == "one box":
        box = {"content": ["content", 0], "style": ["style", 0], "vgg": ["vgg", 0]}
        # It has no seed; no two strengths are alike.
        box |= {"preset": "default", "style_strength": 1 + seed / 1e5, "size": 128}
        box |= {"steps": min(1000, max(10, inputs["steps"]))}
        prompt["run"] = {"class_type": "NST_NeuralStyleTransfer", "inputs": box}
        del prompt["content_loss"], prompt["losses"]
    elif kind == "fails":
        prompt["content"]["inputs"] |= {"kind": "nan", "side": 64 + seed % 64}
    return prompt


def _add_region(prompt: dict[str, Any]) -> None:
    """The left half in one style, the right half in another."""

    def mask(value: float, width: int) -> dict[str, Any]:
        size = {"value": value, "width": width, "height": 64}
        return {"class_type": "SolidMask", "inputs": size}

    joined = {"destination": ["black", 0], "source": ["white", 0], "x": 0, "y": 0}
    first = prompt["losses"]["inputs"]
    prompt |= {
        "black": mask(0.0, 64),
        "white": mask(1.0, 32),
        "left": {"class_type": "MaskComposite", "inputs": {**joined, "operation": "add"}},
        "right": {"class_type": "InvertMask", "inputs": {"mask": ["left", 0]}},
        "ink": {"class_type": "NST_SampleImage", "inputs": {"name": "ink", "size": 96}},
    }
    second = {"image": ["ink", 0], "mask": ["right", 0], "losses": ["losses", 0]}
    prompt["second"] = {"class_type": "NST_StyleLoss", "inputs": {**first, **second}}
    first["mask"] = ["left", 0]
    prompt["run"]["inputs"]["losses"] = ["second", 0]
