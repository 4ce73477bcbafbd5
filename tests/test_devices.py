"""What a device lacks is found out once, told in one line, and done in the plain way.

PyTorch's functions are made to fail here as they do on such devices.
"""

from types import SimpleNamespace

import pytest
import torch
from small import picture
from torch.testing import assert_close

from nst_core import Runtime, Settings, losses_of, stylize
from nst_core.gatys.lbfgs import History
from nst_core.kernels.convolution import Convolution
from nst_core.kernels.cudnn import CudnnConvolution
from nst_core.run import devices, history, runtime

CPU, CARD = torch.device("cpu"), torch.device("cuda:1")
SETTINGS = Settings(size=32, steps=4, scales=1, style_layers="relu1_1,relu2_1")
LOSSES = losses_of(picture(32, 40, seed=1), [picture(32, 32, seed=2)], SETTINGS)
PROBES = (
    devices.has_bfloat16,
    devices._has_cudnn,
    devices.has_graphs,
    devices.fft_device,
    devices.history_dtype,
    devices.has_kernels,
)


@pytest.fixture(autouse=True)
def forgotten():
    """What was found out about devices before and in a test."""
    for probe in PROBES:
        probe.cache_clear()
    yield
    for probe in PROBES:
        probe.cache_clear()


def failing(*_, **__):
    raise RuntimeError("not implemented for this device\nand a stack")


@pytest.fixture
def painted(vgg):
    def paint():
        return stylize(LOSSES, vgg=vgg, settings=SETTINGS, runtime=Runtime(CPU)).image

    return paint


def test_a_processor_can_do_everything_without_a_word(caplog):
    assert devices.fft_device(CPU) == CPU
    assert devices.history_dtype(CPU) == torch.float64
    assert devices.has_kernels(CPU)
    assert not caplog.records


def test_probes_leave_the_global_random_numbers_alone():
    before = torch.get_rng_state()
    devices.fft_device(CPU), devices.history_dtype(CPU), devices.has_kernels(CPU)
    assert torch.equal(torch.get_rng_state(), before)


def test_without_float64_small_systems_are_solved_in_float32(painted, monkeypatch, caplog):
    expected, solve = painted(), torch.linalg.solve_triangular

    def solved(matrix, *rest, **options):
        if matrix.dtype == torch.float64:
            raise TypeError("Cannot convert to float64")
        return solve(matrix, *rest, **options)

    devices.history_dtype.cache_clear()
    monkeypatch.setattr(torch.linalg, "solve_triangular", solved)
    assert_close(painted(), expected, atol=1e-3, rtol=0)
    painted()
    (line,) = caplog.messages
    assert line == (
        "L-BFGS in torch.float64 fails on cpu (Cannot convert to float64). L-BFGS solves its small "
        "systems in float32."
    )


def test_where_the_quick_history_fails_the_plain_recursion_finds_the_same_picture(
    painted, monkeypatch, caplog
):
    expected = painted()
    devices.history_dtype.cache_clear()
    monkeypatch.setattr(torch.linalg, "solve_triangular", failing)
    assert_close(painted(), expected, atol=1e-3, rtol=0)
    assert "plain recursion" in caplog.messages[-1]
    kept = history.history_of(
        LOSSES, SimpleNamespace(height=8, width=8), torch.ones(1, 3, 8, 8),
        settings=SETTINGS, graphs=False,
    )  # fmt: skip
    assert type(kept) is History


def test_without_fourier_transforms_the_processor_computes_them(monkeypatch, caplog):
    monkeypatch.setattr(torch.fft, "rfft2", failing)
    assert devices.fft_device(torch.device("cpu", 0)) == CPU
    (line,) = caplog.messages
    assert "(not implemented for this device). Fourier transforms are computed on the" in line


def test_where_gradients_by_hand_fail_pytorchs_own_give_the_same_picture(
    painted, monkeypatch, caplog
):
    expected = painted()
    devices.has_kernels.cache_clear()
    monkeypatch.setattr("nst_core.run.devices.max_pool", failing)
    assert_close(painted(), expected, atol=1e-3, rtol=0)
    assert "Gradients are PyTorch's own" in caplog.messages[-1]


def test_a_full_memory_is_not_taken_for_a_device_that_cannot(monkeypatch):
    def full(*_, **__):
        raise torch.cuda.OutOfMemoryError("CUDA out of memory.")

    monkeypatch.setattr(torch.fft, "rfft2", full)
    with pytest.raises(torch.cuda.OutOfMemoryError):
        devices.fft_device(CPU)


@pytest.fixture
def card(monkeypatch):
    """Says that it is NVIDIA's, and is none: a translator of CUDA for other cards does that."""
    monkeypatch.setattr(torch.version, "cuda", "12.8")
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: (8, 9))
    monkeypatch.setattr(torch.cuda, "get_allocator_backend", lambda: "native")
    for function in ("ones", "zeros", "empty_like"):
        monkeypatch.setattr(torch, function, failing)
    return CARD


def test_a_card_whose_cudnn_bfloat16_and_graphs_fail_takes_the_plain_ways(card, caplog):
    chosen = Runtime.on(card, "auto")
    assert chosen == Runtime(card)
    assert chosen.exact() == chosen
    assert Runtime.on(card, "float32").convolution is Convolution
    assert [line.split(" fails on cuda:1")[0] for line in caplog.messages] == [
        "A convolution in bfloat16",
        "cuDNN in torch.float32",
        "A CUDA graph",
    ]


def test_cudnn_that_the_process_has_turned_off_is_not_called(card, monkeypatch, caplog):
    monkeypatch.setattr(devices, "_can", lambda *_: True)
    assert Runtime.on(card, "float32").convolution is CudnnConvolution
    monkeypatch.setattr(torch.backends.cudnn, "enabled", False)
    assert Runtime.on(card, "float32").convolution is Convolution
    assert runtime._quickest(card, torch.float32) is Convolution
    assert caplog.messages == [
        "cuDNN is turned off in this process. Convolutions are PyTorch's own."
    ]


@pytest.mark.parametrize(
    ("name", "says"), [("gfx90a:sramecc+:xnack-", True), ("gfx1030", False), ("gfx1100", True)]
)
def test_amds_cards_have_bfloat16_from_cdna_and_rdna_3_on(monkeypatch, name, says):
    monkeypatch.setattr(torch.version, "cuda", None)
    facts = SimpleNamespace(gcnArchName=name)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda device: facts)
    monkeypatch.setattr(devices, "_can", lambda *_: True)
    assert devices.has_bfloat16(CARD) is says
