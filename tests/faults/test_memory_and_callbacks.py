"""A run that is broken off anywhere: by a full memory at any allocation, by any call of a callback.

The suite tries some places; NST_EVERY=1 tries them all.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import torch
from small import picture
from torch.utils._python_dispatch import TorchDispatchMode

from nst_core import Runtime, Settings, losses_of, stylize
from nst_core.errors import OutOfMemory
from nst_core.kernels import mapped_memory
from nst_core.kernels.history import FastHistory
from nst_core.run.checkpoint import load_checkpoint
from nst_core.run.saver import Saver

# Every so many allocations or calls the run is broken off once.
EVERY = int(os.environ.get("NST_EVERY", "0"))
SETTINGS = Settings(
    size=24, steps=6, scales=1, history=2, style_layers="relu1_1,relu2_1", content_layers="relu2_1"
)
LOSSES = losses_of(picture(24, 20), [picture(20, 24, seed=1)], SETTINGS)
RUNTIMES = {
    "float32": Runtime(torch.device("cpu")),
    "float32 finish": Runtime(torch.device("cpu"), torch.bfloat16, finish=True),
}
FULL = {
    "CUDA": torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"),
    "CPU": RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried"),
    "Python": MemoryError(),
}


class Allocations(TorchDispatchMode):
    """Counts what makes a tensor, and lets the `at`-th fail."""

    def __init__(self, at: int = 0, error: BaseException | None = None) -> None:
        super().__init__()
        self.count, self.at, self.error = 0, at, error

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        made = func._schema.returns
        if any(one.alias_info is None and "Tensor" in str(one.type) for one in made):
            self.count += 1
            if self.count == self.at and self.error:
                # Not itself: an error that was raised before remembers all frames of then.
                raise type(self.error)(*self.error.args)
        return func(*args, **(kwargs or {}))


@pytest.fixture(scope="module", params=RUNTIMES)
def painted(request, vgg):
    """`painted(**more)`: the same small run each time."""

    def run(**more):
        return stylize(LOSSES, vgg=vgg, settings=SETTINGS, runtime=RUNTIMES[request.param], **more)

    run()  # what a device can do is found out once
    return run


def state() -> tuple[Any, ...]:
    """What a run must leave as it was."""
    return (
        torch.get_num_threads(),
        torch.is_grad_enabled(),
        torch.is_inference_mode_enabled(),
        torch.get_default_dtype(),
        torch.are_deterministic_algorithms_enabled(),
        torch.backends.mkldnn.enabled,
        torch.backends.cudnn.enabled,
        torch.backends.cudnn.benchmark,
        torch.get_float32_matmul_precision(),
        torch.get_rng_state().sum().item(),
        mapped_memory._mapped_from.get(),
    )


@contextmanager
def nothing_changed() -> Iterator[None]:
    before = state()
    yield
    assert state() == before


def places(count: int, some: int) -> list[int]:
    """Where to break off, of so many places: 1, …, count."""
    return list(range(1, count + 1, EVERY or max(1, count // some)))


def goes_on_to(whole: torch.Tensor, path: Any, painted: Callable[..., Any]) -> bool:
    """Whether a checkpoint was left; if so, going on from it ends with the same bytes."""
    if not path.exists():
        return False
    assert torch.equal(painted(resume=load_checkpoint(path)).image, whole)
    return True


def test_a_full_memory_at_any_allocation_is_a_sentence_and_spoils_nothing(painted, tmp_path):
    whole = painted().image
    with Allocations() as counted:
        painted()
    errors = list(FULL.values())
    broken, left = 0, 0
    for number, at in enumerate(places(counted.count, 4)):
        path, seen = tmp_path / f"{at}.checkpoint", []
        full = Allocations(at, errors[number % len(errors)])
        with nothing_changed(), pytest.raises(OutOfMemory, match="Use a smaller size") as caught:
            with full:
                painted(saver=Saver(path, every=1e9), on_progress=seen.append)
        assert caught.value.__context__ is None  # whose traceback would keep the pictures
        broken += bool(seen)
        left += goes_on_to(whole, path, painted)
    # Within an update of the history there is nothing to go on from.
    assert left >= 0.8 * broken > 0
    assert torch.equal(painted().image, whole)


class Stop(Exception):
    """Raised by a callback."""


@pytest.mark.parametrize("name", ["on_progress", "on_tile"])
def test_a_callback_that_raises_at_any_call_ends_the_run_with_its_exception(
    painted, tmp_path, name
):
    whole, calls = painted().image, []
    painted(**{name: lambda *_: calls.append(1)})
    for at in places(len(calls), 2):
        raised, seen, path = Stop(), [], tmp_path / f"{at}.checkpoint"

        def call(*_, raised=raised, seen=seen, at=at):
            seen.append(1)
            if len(seen) == at:
                raise raised

        with nothing_changed(), pytest.raises(Stop) as caught:
            painted(**{name: call}, saver=Saver(path, every=1e9))
        assert caught.value is raised
        assert len(seen) == at  # and it is not called again
        goes_on_to(whole, path, painted)
    assert torch.equal(painted().image, whole)


def test_a_history_that_was_left_half_changed_gets_into_no_checkpoint(vgg, tmp_path, monkeypatch):
    path, plain = tmp_path / "run.checkpoint", FastHistory._remember

    def broken_off(self, *given):
        if len(self):
            self._steps.zero_()
            raise KeyboardInterrupt
        return plain(self, *given)

    monkeypatch.setattr(FastHistory, "_remember", broken_off)
    with pytest.raises(KeyboardInterrupt):
        stylize(LOSSES, vgg=vgg, settings=SETTINGS, saver=Saver(path, every=1e9))
    assert load_checkpoint(path).records[-1].evaluation == 1  # that of the start
