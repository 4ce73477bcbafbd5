"""What is left of a run when it is over: words, pictures in the page, files."""

import time
from dataclasses import dataclass, field

from ..errors import NSTError
from ..gatys.vgg import VGG16
from . import live
from .clip_job import ClipRequest, Filmed, Outcome
from .clip_work import FinishedClip, finished_clip
from .folder import Results
from .job import Job, Request
from .kinds import VIDEO, Kind, kind_of
from .result import Files, write


@dataclass(frozen=True, kw_only=True)
class Finished:
    """A run for those who watched it and for those who come back. It holds no tensors.

    Attributes:
        kind: of which tab it is.
        status, seen, curve: HTML; `seen` is the result where there is nothing to compare it with.
        files: to look at and to download.
        is_drawn: whether something was painted.
    """

    kind: Kind
    status: str
    seen: str
    curve: str
    files: Files
    is_drawn: bool

    @property
    def is_there(self) -> bool:
        """Whether its files are kept."""
        return self.files.picture.is_file()


Ended = Finished | FinishedClip


@dataclass(frozen=True, kw_only=True)
class Failed:
    """A run that ended with an error, for those who come back.

    Attributes:
        kind: of which tab it is.
        status: HTML.
        when: it ended, in seconds since the epoch.
    """

    kind: Kind
    status: str
    when: float = field(default_factory=time.time)


def failed(request: Request, error: BaseException) -> Failed:
    """Say what was wrong; of mistakes of ours, only that there was one."""
    words = str(error) if isinstance(error, NSTError) else "There was an error on the server."
    return Failed(kind=kind_in(request), status=live.failed_html(words))


def finished(job: Job, result: Outcome, vgg: VGG16, results: Results) -> Ended:
    """Write the files of a run that is over, and say how it went."""
    if isinstance(result, Filmed):
        return finished_clip(job, result, results)
    request = job.request
    with results.filled() as folder:
        files = write(result, request, vgg, job.content, folder, alpha=job.alpha)
    seamless = request.settings.seamless
    return Finished(
        kind=kind_in(request),
        status=live.finished_html(result, job.why),
        seen="" if files.before else live.result_html(result.image, seamless=seamless),
        curve=live.curve_html(result.records),
        files=files,
        is_drawn=request.is_drawn,
    )


def kind_in(request: Request) -> Kind:
    """What was asked for."""
    if isinstance(request, ClipRequest):
        return VIDEO
    return kind_of(request.content is not None, len(request.styles))
