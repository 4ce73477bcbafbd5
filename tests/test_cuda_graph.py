"""What a processor can show of CUDA graphs; the rest is in `test_cuda.py`."""

import logging
from contextlib import contextmanager

import pytest
import torch

from nst_core.kernels import cuda_graph
from nst_core.kernels.cuda_graph import CudaGraph, can_capture, eager, executor


@pytest.mark.parametrize(
    ("cuda", "allocator", "captures"),
    [
        ("13.0", "native", True),
        ("13.0", "cudaMallocAsync", False),  # not tried yet
        ("13.0", "pluggable", False),
        (None, "native", False),  # AMD's cards
    ],
)
def test_nvidias_cards_capture_with_pytorchs_own_allocator_only(cuda, allocator, captures):
    assert can_capture(cuda, allocator) is captures


@pytest.mark.parametrize("device", ["cpu", "mps"])
def test_only_cards_capture(device):
    assert executor(torch.device(device), graphs=True) is eager


def test_a_card_that_shall_not_capture_does_not():
    assert executor(torch.device("cuda:1"), graphs=False) is eager


def test_the_log_says_that_there_are_no_graphs_and_what_finds_out(monkeypatch, caplog):
    monkeypatch.setattr(torch.version, "cuda", "13.0")
    monkeypatch.setattr(torch.cuda, "get_allocator_backend", lambda: "cudaMallocAsync")
    with caplog.at_level(logging.INFO):
        assert executor(torch.device("cuda"), graphs=True) is eager
    assert "by cudaMallocAsync: there are no CUDA graphs, which is slower" in caplog.text
    assert "benchmarks/card.py" in caplog.text


class Cards:
    """Stands in for `torch.cuda`, and writes down what was asked while which card was current.

    It captures nothing: whether a graph does the work is seen on a card only.
    """

    def __init__(self):
        self.asked, self.current = [], None

    @contextmanager
    def device(self, device):
        before, self.current = self.current, device
        yield
        self.current = before

    @contextmanager
    def stream(self, stream):
        yield

    def note(self, what):
        self.asked.append((what, self.current))

    def current_stream(self):
        self.note("current stream")
        return Stream(1)


class Stream:
    def __init__(self, device_index):
        self.device_index = device_index

    def wait_stream(self, other):
        pass


class Graph:
    def __init__(self, cards):
        self.cards, self.reset = cards, lambda: None

    def capture_begin(self, capture_error_mode):
        self.cards.note("begin")

    def capture_end(self):
        self.cards.note("end")

    def replay(self):
        self.cards.note("replay")


@pytest.fixture
def cards(monkeypatch):
    cards = Cards()
    for name in ("device", "stream", "current_stream"):
        monkeypatch.setattr(torch.cuda, name, getattr(cards, name))
    monkeypatch.setattr(torch.cuda, "Stream", Stream)
    monkeypatch.setattr(torch.cuda, "CUDAGraph", lambda: Graph(cards))
    monkeypatch.setattr(cuda_graph, "_free_streams", {1: []})
    return cards


def doubled(given):
    return (2 * given,)


def test_a_graph_is_captured_and_replayed_while_the_card_of_its_tensors_is_the_current_one(cards):
    graph, given = CudaGraph(), torch.ones(3)
    for _ in range(3):
        graph(doubled, given)
    asked = ("current stream", "begin", "end", "replay", "replay")
    assert cards.asked == [(what, given.device) for what in asked]
    assert cards.current is None


def captured(count):
    graphs = [CudaGraph() for _ in range(count)]
    for graph in graphs:
        graph(doubled, torch.ones(3))
        graph(doubled, torch.ones(3))
    return graphs


def test_graphs_share_no_stream_while_they_live_and_leave_it_to_later_ones(cards):
    free = cuda_graph._free_streams[1]
    first = captured(3)
    assert not free
    del first[:]
    three = set(free)
    assert len(three) == 3
    second = captured(2)
    assert len(free) == 1
    del second[:]
    assert len(free) == 3
    assert set(free) == three
