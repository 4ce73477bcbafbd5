"""What a processor can show of recordings; the rest is in `test_cuda.py`."""

import logging
import weakref
from contextlib import contextmanager

import pytest
import torch

from nst_core import recording
from nst_core.recording import Recording, can_record, directly, doer, same_bits, trial

CPU = torch.device("cpu")


@pytest.mark.parametrize(
    ("cuda", "allocator", "records"),
    [
        ("13.0", "native", True),
        ("13.0", "cudaMallocAsync", None),
        ("13.0", "pluggable", False),
        (None, "native", False),  # AMD's cards
        (None, "cudaMallocAsync", False),
    ],
)
def test_nvidias_cards_record_and_with_cudamallocasync_after_a_trial(cuda, allocator, records):
    assert can_record(cuda, allocator) is records


@pytest.mark.parametrize("device", ["cpu", "mps"])
def test_only_cards_record(device):
    assert doer(torch.device(device), record=True) is directly


def test_a_card_that_shall_not_record_does_not():
    assert doer(torch.device("cuda:1"), record=False) is directly


def late():
    """Does each piece of work one call late."""
    done = []

    def do(work, *given):
        done.append(work(*given))
        return done[max(0, len(done) - 2)]

    return do


def overwriting():
    """Gives the same tensors at every call."""
    kept = []

    def do(work, *given):
        results = work(*given)
        kept[:] = kept or results
        for old, new in zip(kept, results, strict=True):
            old.copy_(new)
        return tuple(kept)

    return do


def failing(work, *given):
    raise RuntimeError("operation not permitted when stream is capturing")


@pytest.mark.parametrize("do", [late(), overwriting()], ids=["late", "overwriting"])
def test_a_trial_finds_results_that_are_late_or_overwritten(do):
    assert not same_bits(do, CPU)


def test_a_trial_finds_nothing_wrong_with_the_work_itself():
    assert same_bits(directly, CPU)


@pytest.mark.parametrize(
    ("do", "said"),
    [
        (directly, "had the same bits: evaluations are recorded"),
        (late(), "had other bits: evaluations are not recorded"),
        (failing, "failed (operation not permitted when stream is capturing): evaluations are not"),
    ],
    ids=["the same", "others", "an error"],
)
def test_the_log_says_how_a_trial_went(do, said, caplog):
    with caplog.at_level(logging.INFO):
        works = trial(do, CPU)
    assert works is (do is directly)
    assert said in caplog.text


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
        return Stream(self, 1)

    def get_allocator_backend(self):
        return "native"


class Stream:
    def __init__(self, cards, device_index):
        self.device_index = device_index
        cards.note("stream")

    def wait_stream(self, other):
        pass


class Graph:
    def __init__(self, cards):
        self.cards, self.reset = cards, lambda: None
        cards.note("graph")

    def capture_begin(self, capture_error_mode):
        self.cards.note("begin")

    def capture_end(self):
        self.cards.note("end")

    def replay(self):
        self.cards.note("replay")


@pytest.fixture
def cards(monkeypatch):
    cards = Cards()
    for name in ("device", "stream", "current_stream", "get_allocator_backend"):
        monkeypatch.setattr(torch.cuda, name, getattr(cards, name))
    monkeypatch.setattr(torch.cuda, "Stream", lambda device: Stream(cards, device))
    monkeypatch.setattr(torch.cuda, "CUDAGraph", lambda: Graph(cards))
    monkeypatch.setattr(recording, "_free_streams", {1: []})
    return cards


def doubled(given):
    return (2 * given,)


def test_a_recording_is_made_and_replayed_while_the_card_of_its_tensors_is_the_current_one(cards):
    record, given = Recording(), torch.ones(3)
    for _ in range(3):
        record(doubled, given)
    assert [what for what, _ in cards.asked if what != "stream"] == [
        *("graph", "begin", "end"),
        *("replay", "replay"),
    ]
    assert {current for _, current in cards.asked} == {given.device}
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
    first.clear()
    three = set(free)
    assert len(three) == 3
    second = recorded(2)
    assert len(free) == 1
    second.clear()
    assert len(free) == 3
    assert set(free) == three


class Stop(Exception):
    """The user's wish."""


def test_after_a_cancel_while_recording_nothing_allocated_there_is_left_and_the_next_call_records(
    cards,
):
    def stopped(given):
        allocated = 2 * given
        weakref.finalize(allocated, cards.note, "freed")
        raise Stop

    record = Recording()
    record(doubled, torch.ones(3))
    with pytest.raises(Stop) as kept:  # with its traceback, and the names in there
        record(stopped, torch.ones(3))
    record(doubled, torch.ones(3))
    begun = ["graph", "begin"]
    asked = [what for what, _ in cards.asked if what != "stream"]
    assert asked == [*begun, "freed", "end", *begun, "end", "replay"]
    assert kept.value.__traceback__
