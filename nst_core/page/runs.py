"""What visitors ask for, from their inputs to their files."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import gradio as gr

from ..errors import NSTError, SettingsError
from .controls import settings_of
from .device import Device, Jobs
from .job import Job, Request
from .limits import Limits
from .network import Network
from .pictures import Samples
from .result import Files, write


class Runs:
    """The runs of all visitors.

    Args:
        network, samples, limits: of the page.
        folder: where files for visitors go; Gradio serves it and clears it.
    """

    def __init__(self, network: Network, samples: Samples, limits: Limits, folder: Path) -> None:
        self.samples, self.limits = samples, limits
        self.jobs = Jobs(limits)
        self._device = Device(network.pooled, limits)
        self._network, self._folder = network, folder

    def request(
        self,
        paths: Sequence[str | None],
        shares: Sequence[float],
        preset: str,
        strength: float,
        given: Mapping[str, Any],
    ) -> Request:
        """What is asked for, checked as far as it can be without decoding pictures.

        Args:
            paths: of the content, then of the styles; None where there is none.
            shares: of each style.
            preset, strength, given: as `settings_of` takes them.

        Raises:
            SettingsError: a picture is missing, or a setting is not possible or not allowed.
        """
        settings = settings_of(preset, strength, given)
        self.limits.check(settings)
        content, *styles = paths
        if content is None:
            raise SettingsError("There is no content picture. Upload one, or click on a sample.")
        if not any(styles):
            raise SettingsError("There is no style picture. Upload one, or click on a sample.")
        used = [(path, share) for path, share in zip(styles, shares, strict=True) if path and share]
        if not used:
            raise SettingsError("All shares of the styles are 0. Raise one under 'More styles'.")
        files = (content, *(path for path, _ in used))
        return Request(
            paths=files,
            names=tuple(self.samples.name_of(path) for path in files),
            shares=tuple(float(share) for _, share in used),
            settings=settings,
            preset=preset,
            strength=strength,
        )

    def submit(self, job: Job, request: Request) -> None:
        """Run the request when its turn comes."""
        self._device.submit(job, request)

    def files_of(self, job: Job, request: Request) -> Files | None:
        """The files of a run that is over; None if it was stopped before there was a picture.

        Raises:
            NSTError: what was wrong with the request.
        """
        result, content = job.future.result(), job.content
        if result is None or content is None:
            return None
        return write(result, request, self._network.vgg, content, self._folder)

    def close(self) -> None:
        """Let the device's thread go."""
        self._device.close()


@contextmanager
def spoken() -> Iterator[None]:
    """Tells the visitor about mistakes; Gradio keeps quiet about all other exceptions."""
    try:
        yield
    except NSTError as error:
        raise gr.Error(str(error), title="This does not work yet", print_exception=False) from error
