"""What a processor can show of recordings; the rest is in `test_cuda.py`."""

import logging
from contextlib import contextmanager

import pytest
import torch

from nst_core import recording
from nst_core.recording import Recording, can_record, directly, doer


@pytest.mark.parametrize(
    ("cuda", "allocator", "records"),
    [
        ("13.0", "native", True),
        ("13.0", "cudaMallocAsync", False),  # not tried yet
        ("13.0", "pluggable", False),
        (None, "native", False),  # AMD's cards
    ],
)
def test_nvidias_cards_record_with_pytorchs_own_allocator_only(cuda, allocator, records):
    assert can_record(cuda, allocator) is records


@pytest.mark.parametrize("device", ["cpu", "mps"])
def test_only_cards_record(device):
    assert doer(torch.device(device), record=True) is directly


def test_a_card_that_shall_not_record_does_not():
    assert doer(torch.device("cuda:1"), record=False) is directly


def test_the_log_says_that_nothing_is_recorded_and_what_finds_out(monkeypatch, caplog):
    monkeypatch.setattr(torch.version, "cuda", "13.0")
    monkeypatch.setattr(torch.cuda, "get_allocator_backend", lambda: "cudaMallocAsync")
    with caplog.at_level(logging.INFO):
        assert doer(torch.device("cuda"), record=True) is directly
    assert "by cudaMallocAsync: evaluations are not recorded, and slower" in caplog.text
    assert "benchmarks/card.py" in caplog.text


class Cards:
    """Stands in for `torch.cuda`, and writes down what was asked while which card was current.

    It records nothing: whether a graph does the work is seen on a card only.
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
    monkeypatch.setattr(recording, "_free_streams", {1: []})
    return cards


def doubled(given):
    return (2 * given,)


def test_a_recording_is_made_and_replayed_while_the_card_of_its_tensors_is_the_current_one(cards):
    record, given = Recording(), torch.ones(3)
    for _ in range(3):
        record(doubled, given)
    asked = ("current stream", "begin", "end", "replay", "replay")
    assert cards.asked == [(what, given.device) for what in asked]
    assert cards.current is None


def recorded(count):
    recordings = [Recording() for _ in range(count)]
    for record in recordings:
        record(doubled, torch.ones(3))
        record(doubled, torch.ones(3))
    return recordings


def test_recordings_share_no_stream_while_they_live_and_leave_it_to_later_ones(cards):
    free = recording._free_streams[1]
    first = recorded(3)
    assert not free
    del first[:]
    three = set(free)
    assert len(three) == 3
    second = recorded(2)
    assert len(free) == 1
    del second[:]
    assert len(free) == 3
    assert set(free) == three
