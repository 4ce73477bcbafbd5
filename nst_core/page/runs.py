"""What visitors ask for, from their inputs to their files."""

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import gradio as gr

from ..errors import NSTError, SettingsError
from ..settings import ServingSettings, Settings
from .canvas import png_in
from .controls import check_slider, settings_of
from .device import Device
from .job import Job, Picture, Request
from .kinds import Kind
from .network import Network
from .pictures import Samples
from .regions import COLORS, check_painted
from .result import Files, write

# Seconds that the result of a run waits to be asked for. A page asks at once; a visitor who left
# in between never does.
_PATIENCE = 60.0


class Runs:
    """The runs of all visitors.

    Args:
        network, samples, limits: of the page.
        folder: where files for visitors go; Gradio serves it and clears it.
    """

    def __init__(
        self, network: Network, samples: Samples, limits: ServingSettings, folder: Path
    ) -> None:
        self.samples, self.limits = samples, limits
        self.device = Device(network.pooled, limits)
        self._network, self._folder = network, folder
        self._jobs: dict[str, Job] = {}
        self._lock = threading.Lock()

    def request(
        self,
        kind: Kind,
        *,
        content: str | None = None,
        styles: Sequence[str | None] = (),
        shares: Sequence[float] | None = None,
        preset: str | None = None,
        strength: float = 1.0,
        given: Mapping[str, Any],
        map_: Any = None,
        parts: Sequence[Any] = (),
    ) -> Request:
        """What is asked for, checked as far as it can be without decoding pictures.

        Args:
            kind: what shall be made.
            content, styles: paths; None where there is none.
            shares: of each style; None is equal shares.
            preset, strength, given: as `settings_of` takes them; None is the kind's usual preset.
            map_, parts: what is painted over the content and over each style, as `png_in` takes it.

        Raises:
            SettingsError: a picture is missing, or a setting is not possible or not allowed.
        """
        preset = preset or kind.presets[0]
        settings = settings_of(preset, strength, given)
        check_allowed(settings, self.limits)
        request = Request(
            content=self._content(content) if kind.content else None,
            styles=self._styles(styles, shares, parts) if kind.styles else (),
            map=png_in(map_),
            settings=settings,
            preset=preset,
            strength=strength,
        )
        check_painted(request)
        return request

    def _content(self, path: str | None) -> Picture:
        if path is None:
            raise SettingsError("There is no content picture. Upload one, or click on a sample.")
        return Picture(path=self._there(path), name=self.samples.name_of(path))

    def _styles(
        self, paths: Sequence[str | None], shares: Sequence[float] | None, parts: Sequence[Any]
    ) -> tuple[Picture, ...]:
        shares = [1.0] * len(paths) if shares is None else shares
        for share in shares:
            check_slider("style_share", share)
        if not any(paths):
            raise SettingsError("There is no style picture. Upload one, or click on a sample.")
        parts = parts or [None] * len(paths)
        styles = tuple(
            Picture(
                path=self._there(path),
                name=self.samples.name_of(path),
                share=float(share),
                color=color,
                part=png_in(part),
            )
            for path, share, color, part in zip(paths, shares, COLORS, parts, strict=False)
            if path and share
        )
        if not styles:
            raise SettingsError("All shares of the styles are 0. Raise one under 'More styles'.")
        return styles

    @staticmethod
    def _there(path: str) -> str:
        if not Path(path).is_file():
            raise SettingsError(f"'{Path(path).name}' is no longer here. Choose it again.")
        return path

    def begin(self, key: str, request: Request) -> Job:
        """Put a run in line.

        Args:
            key: the visitor's session; programs, which may have several runs, add "/" and a name.
            request: from `request`.

        Raises:
            SettingsError: the visitor has one already, or too many others wait.
        """
        with self._lock:
            self._forget_abandoned()
            if key in self._jobs:
                raise SettingsError("Your picture is being made already. Stop ends it.")
            if len(self.device) >= self.limits.max_waiting:
                raise SettingsError(
                    f"{len(self.device)} visitors are waiting already, and this page takes no "
                    "more. Try again in some minutes."
                )
            job = self._jobs[key] = Job(request)
            self.device.submit(job)
            return job

    def of(self, key: str) -> Job | None:
        """The visitor's run, if there is one."""
        return self._jobs.get(key)

    def end(self, key: str) -> None:
        """The run is over or its visitor has left: forget it, and stop it if it still works."""
        job = self._jobs.pop(key, None)
        if job:
            job.stop()
            self.device.tidy()

    def leave(self, session: str) -> None:
        """A visitor has left: end all its runs, those that a program asked for too."""
        for key in list(self._jobs):
            if key.split("/")[0] == session:
                self.end(key)

    def files_of(self, job: Job) -> Files | None:
        """The files of a run that is over; None if it was stopped before there was a picture.

        Raises:
            NSTError: what was wrong with the request.
        """
        result = job.result()
        if result is None:
            return None
        vgg, folder = self._network.vgg, self._folder
        return write(result, job.request, vgg, job.content, folder, alpha=job.alpha)

    def close(self) -> None:
        """Let the device's thread go."""
        self.device.close()

    def _forget_abandoned(self) -> None:
        latest = time.monotonic() - _PATIENCE
        for key, job in list(self._jobs.items()):
            if job.ended is not None and job.ended < latest:
                del self._jobs[key]


def check_allowed(settings: Settings, limits: ServingSettings) -> None:
    """Raise SettingsError if the settings ask for more than this page gives."""
    for name, value, most in (
        ("Size", settings.size, limits.max_size),
        ("Effort", settings.steps, limits.max_steps),
    ):
        if value > most:
            raise SettingsError(
                f"{name} {value:,} is more than this page gives ({most:,}). Choose less, or "
                "run nst-gram on a machine of your own."
            )


@contextmanager
def spoken() -> Iterator[None]:
    """Tells the visitor about mistakes; Gradio keeps quiet about all other exceptions."""
    try:
        yield
    except NSTError as error:
        raise gr.Error(str(error), title="This does not work yet", print_exception=False) from error
