"""The pack in a stand-in host, and small pictures."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
import torch
from standin import PROMPTS, Host, image, loaded_pack
from torch import Tensor


@pytest.fixture(scope="session")
def shared_host(tmp_path_factory: pytest.TempPathFactory) -> Host:
    models = tmp_path_factory.mktemp("models")
    (models / "vgg").mkdir()
    return Host(models)


@pytest.fixture(scope="session")
def pack(shared_host: Host) -> Iterator[ModuleType]:
    with loaded_pack(shared_host) as pack:
        asyncio.run(pack.comfy_entrypoint())
        yield pack


@pytest.fixture
def host(shared_host: Host, pack: ModuleType) -> Iterator[Host]:
    """The stand-in, with nothing asked of it yet."""
    fresh = Host(shared_host.models)
    kept = {"folders": shared_host.folders}
    vars(shared_host).update({**vars(fresh), **kept})
    yield shared_host
    for path in (shared_host.models / "vgg").iterdir():
        path.unlink()


@pytest.fixture(scope="session")
def modules(pack: ModuleType) -> SimpleNamespace:
    """The pack's modules: `nodes` of it, and the engine that it, not these tests, has imported."""
    import sys

    return SimpleNamespace(
        nodes={
            node.define_schema().node_id: node
            for node in sys.modules[f"{pack.__name__}.nodes.extension"].NODES
        },
        engine=sys.modules[f"{pack.__name__}.nst_core"],
        load=sys.modules[f"{pack.__name__}.nodes.load"],
        run=sys.modules[f"{pack.__name__}.nodes.run"],
        checkpoints=sys.modules[f"{pack.__name__}.nodes.checkpoints"],
        host=sys.modules[f"{pack.__name__}.nodes._host"],
    )


@pytest.fixture(scope="session")
def engine(modules: SimpleNamespace) -> ModuleType:
    return modules.engine


@pytest.fixture
def run(modules: SimpleNamespace, host: Host) -> Callable[..., Any]:
    """`run("NST_StyleLoss", image=..., ...)`: a node's outputs, as the host would get them.

    Inputs that are left out have the defaults of the node's widgets.
    """

    def execute(node_id: str, **inputs: Any) -> Any:
        node = modules.nodes[node_id]
        parts = node.define_schema().inputs
        host.prompt = next(PROMPTS)
        defaults = {p.id: p.facts["default"] for p in parts if "default" in p.facts}
        with torch.inference_mode():
            outputs = node.execute(**{**defaults, **inputs}).args
        return outputs[0] if len(outputs) == 1 else outputs

    return execute


@pytest.fixture(scope="session")
def vgg(modules: SimpleNamespace) -> Any:
    """The builtin network, made in inference mode as a host's node would make it."""
    with torch.inference_mode():
        return modules.nodes["NST_LoadVGG16"].execute(weights="builtin", pooling="max").args[0]


@pytest.fixture(autouse=True)
def no_download(monkeypatch: pytest.MonkeyPatch, empty_home: None) -> None:
    """A mirror that is no address is refused at once."""
    monkeypatch.setenv("NST_MIRROR", "none")


@pytest.fixture
def content() -> Tensor:
    return image(seed=1)


@pytest.fixture
def style() -> Tensor:
    return image(seed=2)


@pytest.fixture
def chain(run: Callable[..., Any], content: Tensor, style: Tensor) -> Any:
    """Content and style, as two loss nodes make them."""
    return run("NST_StyleLoss", image=style, losses=run("NST_ContentLoss", image=content))


@pytest.fixture
def small(run: Callable[..., Any], vgg: Any) -> Callable[..., Any]:
    """L-BFGS Optimize at a size and for as long as a test may take."""

    def optimize(losses: Any, **inputs: Any) -> Any:
        return run(
            "NST_LBFGSOptimize", vgg=vgg, losses=losses, **{"size": 32, "steps": 3, **inputs}
        )

    return optimize


@pytest.fixture
def vgg_folder(host: Host) -> Path:
    return host.models / "vgg"
