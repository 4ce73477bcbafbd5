"""Jobs that are canceled, and clients of the websocket that behave badly."""

import random

from clients import Client
from load import Load, cleared, deleted, interrupted, unread, vanished
from real_host import prompt_of


def test_after_any_cancel_the_next_job_gives_the_picture_of_a_host_that_is_fresh(comfy):
    with Client(comfy.url) as watcher:
        load = Load(comfy, random.Random(0), watcher.id)
        load.fresh = load.run_known()
        for jobs in (interrupted, deleted, vanished, cleared):
            jobs(load)
        assert watcher.seen["progress"], "who asked for them sees them"
    assert load.ends["execution_interrupted"] + load.ends["removed from the queue"] > load.jobs / 2
    assert load.wrong == []
    assert max(load.waits)[0] < 2


def test_a_client_that_never_reads_fills_no_memory_and_hinders_no_cancel(comfy):
    with Client(comfy.url, reads=False) as client:
        comfy.run({"flood": {"class_type": "Probe_Flood", "inputs": {"megabytes": 8}}}, client.id)
        prompt = prompt_of(steps=60, tolerance=0.0, preview_interval=0.001)
        count = {"class_type": "Probe_Unread", "inputs": {"after": ["run", 1]}}
        ended = comfy.run({**prompt, "count": count}, client.id)
        assert int(ended.outputs["count"]["text"][0]) < 50, "a message or three an evaluation"
        load = Load(comfy, random.Random(0), client.id)
        load.fresh = load.run_known()
        unread(load)
        assert load.wrong == []
        assert max(load.waits)[0] < 2
    with Client(comfy.url) as other:
        comfy.run(prompt_of(steps=3, seed=7), other.id)
        assert other.seen["executing"], "as soon as it is gone, others are told again"
