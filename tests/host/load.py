"""Jobs for a real host, and every way to cancel them at any moment."""

import hashlib
import io
import json
import random
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from clients import Client
from jobs import ENDLESS, KINDS, job
from PIL import Image
from real_host import Comfy, Ended, prompt_of


@dataclass
class Load:
    """The jobs so far, and what was seen of them."""

    comfy: Comfy
    moments: random.Random
    client: str
    jobs: int = 0
    again: int = 0
    ends: Counter[str] = field(default_factory=Counter)
    waits: list[tuple[float, str]] = field(default_factory=list)  # seconds, kind of job
    kinds: dict[str, str] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    fresh: str = ""

    def submit(self, kind: str = "", client: str = "", **settings: Any) -> str:
        """One more job, of the kind whose turn it is."""
        self.jobs += 1
        kind = kind or KINDS[self.jobs % len(KINDS)]
        prompt_id = self.comfy.submit(job(kind, self.jobs, **settings), client or self.client)
        self.kinds[prompt_id] = kind
        return prompt_id

    def end(self, prompt_id: str, wanted: str = "") -> Ended:
        """Count how it ended."""
        ended = self.comfy.wait(prompt_id)
        self.ends[ended.end] += 1
        if wanted and ended.end != wanted:
            self.wrong.append(f"job {self.jobs}: {ended.end} {ended.error}")
        return ended

    def run_known(self) -> str:
        """The picture of the fresh host once more. Not from the cache: the interval differs."""
        self.jobs += 1
        self.again += 1
        prompt = prompt_of(seed=4242, steps=6, preview_interval=1 + self.again / 10)
        ended = self.end(self.comfy.submit(prompt, self.client), "execution_success")
        (item,) = ended.outputs["result"]["images"]
        pixels = Image.open(io.BytesIO(self.comfy.file(item))).tobytes()
        records = json.loads(ended.outputs["report"]["text"][0])["records"]
        # The losses have all bits, the picture has eight of each number.
        losses = json.dumps([record["loss"] for record in records]).encode()
        # The host would keep the file until it ends.
        (self.comfy.base / "temp" / item["subfolder"] / item["filename"]).unlink()
        return hashlib.sha256(pixels + losses).hexdigest()

    def check_known(self) -> None:
        """It must not have changed."""
        if self.run_known() != self.fresh:
            self.wrong.append(f"job {self.jobs}: another picture than in a fresh host")

    def interrupt_any_moment(self, prompt_id: str) -> None:
        """Stop a job that runs, or is about to."""
        while prompt_id not in str(self.comfy.call("/queue")["queue_running"]):
            time.sleep(0.01)
        time.sleep(self.moments.uniform(0, 2.5))
        asked = time.time()
        self.comfy.call("/interrupt", {})
        ended = self.comfy.wait(prompt_id)
        self.ends[ended.end] += 1
        if ended.end == "execution_interrupted":
            kind = self.kinds[prompt_id]
            self.waits.append((ended.at - asked, kind))

    def pending(self) -> list[str]:
        """Ids of the jobs that wait."""
        return [item[1] for item in self.comfy.call("/queue")["queue_pending"]]

    def gone(self, *prompt_ids: str) -> None:
        """Count jobs that were taken from the queue, and must never have run."""
        self.ends["removed from the queue"] += len(prompt_ids)
        history = self.comfy.call("/history")
        if ran := [name for name in prompt_ids if name in self.pending() or name in history]:
            self.wrong.append(f"removed from the queue, and yet there: {ran}")


def two_jobs(load: Load) -> None:
    """Two that nobody cancels; those that fail do so by themselves."""
    for prompt_id in (load.submit(), load.submit()):
        load.end(prompt_id)


def interrupted(load: Load) -> None:
    """One is interrupted while the next one waits."""
    load.interrupt_any_moment(load.submit(**ENDLESS))
    load.check_known()


def deleted(load: Load) -> None:
    """One that waits is deleted, then the one that runs is interrupted."""
    running, waiting = load.submit("resumable", **ENDLESS), load.submit(**ENDLESS)
    load.comfy.call("/queue", {"delete": [waiting]})
    load.interrupt_any_moment(running)
    load.gone(waiting)
    load.check_known()


def cleared(load: Load) -> None:
    """The whole queue is cleared, then the one that runs is interrupted."""
    running = load.submit("noise", **ENDLESS)
    waiting = [load.submit(**ENDLESS) for _ in range(2)]
    while running in load.pending():
        time.sleep(0.01)
    load.comfy.call("/queue", {"clear": True})
    load.interrupt_any_moment(running)
    load.gone(*waiting)
    load.check_known()


def vanished(load: Load) -> None:
    """Whoever asked for it is gone in the middle."""
    with Client(load.comfy.url) as client:
        prompt_id = load.submit("plain", client.id, **ENDLESS)
        client.wait_for("progress")
    load.interrupt_any_moment(prompt_id)


def unread(load: Load) -> None:
    """Nobody takes what is sent, so that all messages wait."""
    with Client(load.comfy.url, reads=False) as client:
        flood = {"class_type": "Probe_Flood", "inputs": {"megabytes": 8}}
        load.comfy.run({"flood": flood}, client.id)
        load.interrupt_any_moment(load.submit("plain", client.id, **ENDLESS))
        load.check_known()


ROUNDS = (two_jobs, interrupted, deleted, vanished, cleared, unread, interrupted, two_jobs, cleared)
