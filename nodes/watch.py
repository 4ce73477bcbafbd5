"""Progress, previews, the time it will take and Cancel of the node that runs."""

import time
from collections.abc import Callable
from typing import Any

from ..nst_core.files.pixels import to_pil
from ..nst_core.run.plan import duration
from ..nst_core.run.progress import Progress
from ..nst_core.run.within import Within
from . import _host as host

# The bar counts in parts of the work, because an evaluation at a coarse scale is a small one.
PARTS = 1000
PREVIEW_SIDE = 512
# Seconds after an evaluation before the bar moves within the next.
WITHIN = 2.0
# Previews may take this share of the time: of large pictures, or to a slow page, they are fewer.
PREVIEW_SHARE = 0.05
# Evaluations after which the pace is known well enough to say how long the rest will take.
PACED = 8
# The same of frames.
FRAMES_PACED = 4


class Watch:
    """Progress, previews, the time it will take and Cancel of a batch of runs.

    The host's own preview setting is for latents, whose previews cost a decoder, and is off unless
    a user turns it on. Ours cost next to nothing and are half the fun: only `interval` rules them.

    Args:
        runs: pictures in the batch.
        interval: seconds between previews; 0 is none.
    """

    def __init__(self, runs: int, interval: float) -> None:
        self.bar = host.progress_bar(runs * PARTS)
        self.runs, self.total = runs, runs * PARTS
        self.interval = interval
        self.next_preview = 0.0
        self.next_within = time.monotonic() + WITHIN
        self.evaluations = 0
        self.seconds_before = 0.0  # of the first picture, by a run that was stopped

    def of_run(self, index: int) -> Callable[[Progress], None]:
        """The engine's callback for one run; raises when the user cancels."""

        def on_progress(progress: Progress) -> None:
            # Newer hosts drop updates that follow each other quickly, and with them the check.
            host.stop_if_asked()
            self.next_within = time.monotonic() + WITHIN
            self._update(index + progress.fraction, progress)
            self.evaluations += 1
            if self.evaluations == 1 and len(progress.records) > 1:
                self.seconds_before = progress.records[-2].seconds
            if self.evaluations == PACED:
                host.show(f"It takes about {duration(self._seconds(progress))}.")

        return on_progress

    def within_run(self, index: int) -> Callable[[Within], None]:
        """The engine's callback within an evaluation, for those that take long."""

        def on_within(within: Within) -> None:
            now = time.monotonic()
            if now >= self.next_within:
                self.next_within = now + WITHIN
                self._update(index + within.fraction)

        return on_within

    def _update(self, done: float, progress: Progress | None = None) -> None:
        """Show how many pictures are done, and what the one in work looks like."""
        if host.page_is_behind():
            return
        began = time.monotonic()
        preview = self._preview(progress, began) if progress else None
        self.bar.update_absolute(int(done * PARTS), self.total, preview)
        if preview:
            took = time.monotonic() - began
            self.next_preview = began + max(self.interval, took / PREVIEW_SHARE)

    def _seconds(self, progress: Progress) -> float:
        """Of the whole batch, at the pace so far."""
        whole = self.runs * (progress.latest.seconds + progress.seconds_left)
        return whole - self.seconds_before

    def _preview(self, progress: Progress, now: float) -> tuple[str, Any, int] | None:
        if not self.interval or now < self.next_preview:
            return None
        picture = to_pil(progress.preview(PREVIEW_SIDE))
        # The host would enlarge a smaller one, which costs more than all the rest of a preview.
        return "JPEG", picture, min(PREVIEW_SIDE, max(picture.size))


class VideoWatch(Watch):
    """The same of a video.

    Args:
        frames: of the video.
        passes: over all of them.
        interval: seconds between previews; 0 is none.
    """

    def __init__(self, frames: int, passes: int, interval: float) -> None:
        super().__init__(frames * passes, interval)
        self.frames, self.passes, self.done = frames, passes, 0
        self.found = 0  # frames that an earlier run had made
        self.times: list[float] = []  # when each of the others was finished

    def on_progress(self, progress: Progress) -> None:
        """The engine's callback within a frame; raises when the user cancels."""
        host.stop_if_asked()
        self._update(self.done + progress.fraction, progress)

    def on_frame(self, number: int, index: int, evaluations: int) -> None:
        """The engine's callback after a frame, or for one that was there."""
        self.done += 1
        self._update(self.done)
        if not evaluations:
            self.found += 1
            return
        if not self.times and self.found:
            host.show(f"It goes on after {self.found} frames that were done before.")
        self.times.append(time.monotonic())
        # The first frame takes longer than all others.
        if len(self.times) == FRAMES_PACED:
            took = (self.times[-1] - self.times[0]) / (FRAMES_PACED - 1)
            host.show(f"It takes about {duration(took * (self.runs - self.done))} more.")

    @property
    def where(self) -> str:
        """How far it is, for people."""
        whole, rest = divmod(self.done, self.frames)
        of_pass = f" of pass {whole + 1} of {self.passes}" if self.passes > 1 else ""
        return f"{rest} of {self.frames} frames{of_pass}"
