"""What is seen of a run: the picture, the figures and the curve, as HTML without files.

Pictures travel inside the page (data URLs), so that previews leave no file on the server.
"""

import base64
import io
import time
from collections.abc import Sequence
from html import escape

from torch import Tensor

from ..control.pyramid import fit, resize
from ..files.pixels import to_pil
from ..files.write_image import with_alpha
from ..run.plan import Plan, duration
from ..run.plot import plot_losses
from ..run.progress import Progress, Record, Result
from ..run.within import Within
from ..settings.writing import SHOWN_SIDE

# As small as the plot stays readable: on a telephone it is shown at two thirds of this.
CURVE_SIZE = (560, 300)
_QUALITY = 85

# In the browser: a page that shows a run and hears no more of it loads itself again, once it
# reaches the server. Counted and not timed: while a telephone sleeps, no time passes.
FOLLOWED = """() => {
  let last = "", silent = 0;
  setInterval(async () => {
    const told = [...document.querySelectorAll(".nst-status")].map((one) => one.dataset.told || "");
    const now = told.join("");
    silent = now && now === last ? silent + 1 : 0;
    last = now;
    if (silent < 4) return;
    const answer = await fetch(`${window.gradio_config.root}/gradio_api/app_id`).catch(() => {});
    if (answer?.ok) window.location.reload();
  }, 5000);
}"""
# Seconds after which it is told again what has not changed: well within four times that interval.
TOLD_AGAIN = 5.0

CONTINUE_LABEL = "Continue"
# Below how a run was cut off, where it can be gone on with.
CONTINUE = (
    '<p class="nst-small">Continue goes on with this run, to the picture it would have made: with '
    "its pictures and settings, whatever is chosen now. Run begins a new one in its place.</p>"
)
WELCOME = (
    '<div class="nst-empty"><b>Press Run</b>'
    "<span>The picture grows here, from coarse to fine.</span></div>"
)


def picture_html(image: Tensor, words: str, alpha: Tensor | None = None) -> str:
    """The picture so far, what is transparent over white."""
    image = with_alpha(_seen(image), alpha, keep=False)
    return f'<img class="nst-picture" alt="{escape(words)}" src="{_url(image, "JPEG")}">'


def result_html(image: Tensor, *, seamless: bool) -> str:
    """A result that there is nothing to compare with; a seamless one also four times."""
    picture = picture_html(image, "The result")
    if not seamless:
        return picture
    height, width = image.shape[-2:]
    url = _url(_seen(image), "JPEG")
    look = f"aspect-ratio: {width} / {height}; background-image: url({url})"
    return (
        f'{picture}<figure class="nst-tiles"><div style="{look}" role="img" '
        'aria-label="The result, four times side by side"></div>'
        "<figcaption>Four copies, side by side</figcaption></figure>"
    )


def _seen(image: Tensor) -> Tensor:
    """No larger than a screen: a picture inside the page travels whole to every browser."""
    height, width = image.shape[-2:]
    small = fit(height, width, SHOWN_SIDE)
    return resize(image, *small) if max(height, width) > SHOWN_SIDE else image


def plan_html(planned: Plan, timed: bool, minutes: float) -> str:
    """What a run will take.

    Args:
        planned: the plan.
        timed: whether its time is known.
        minutes: that this page gives to a run.
    """
    memory = memory_words(planned.memory)
    if not timed:
        return f"Takes about {memory}."
    words = time_words(planned.seconds, memory)
    if planned.seconds > 60 * minutes:
        words += over_time_words(minutes, "the best picture so far")
    return words


def memory_words(size: int) -> str:
    """So many bytes."""
    return f"{size / 1e9:.1f} GB of memory" if size >= 1e9 else f"{size / 1e6:.0f} MB of memory"


def time_words(seconds: float, memory: str) -> str:
    """How long a run will take, and with how much memory."""
    return f"Takes up to about {duration(seconds)} and {memory}."


def over_time_words(minutes: float, what: str) -> str:
    """What becomes of a run that takes longer than it may."""
    return f" After {minutes:g} minutes this page ends it with {what}. Continue goes on then."


def warning_html(words: str) -> str:
    """Why a run cannot begin yet."""
    return escape(words)


def curve_html(records: Sequence[Record]) -> str:
    """The loss so far."""
    width, height = CURVE_SIZE
    url = _url(plot_losses(records, width=width, height=height), "PNG")
    curve = f'<img class="nst-curve" alt="The loss by evaluation" src="{url}">'
    return f'<div class="nst-plot">{curve}</div>'


def waiting_html(before: int) -> str:
    """Before it is the visitor's turn: how many runs come first."""
    if not before:
        return starting_html()
    words = "run comes" if before == 1 else "runs come"
    return status_html(f"Waiting: {before} {words} first", 0, [], goes_on=True)


def starting_html(within: Within | None = None) -> str:
    """From the turn to the first evaluation."""
    facts = [("now", within.words)] if within else []
    return status_html("Starting", within.fraction if within else 0, facts, goes_on=True)


def progress_html(progress: Progress, within: Within | None = None) -> str:
    """How far a run is; within an evaluation too, where that takes long."""
    latest = progress.latest
    pace = latest.evaluation / max(latest.seconds, 1e-9)
    slow = within is not None and pace < 1 / TOLD_AGAIN
    return status_html(
        "Painting",
        max(progress.fraction, within.fraction) if within and slow else progress.fraction,
        [
            *([("now", within.words)] if within and slow else []),
            ("step", f"{latest.step}/{progress.steps}"),
            ("loss", f"{latest.loss:.4g}"),
            ("scale", progress.stage.removeprefix("scale ")),
            ("evaluations/s", f"{pace:.3g}"),
            ("time left", clock(progress.seconds_left)),
        ],
        goes_on=True,
    )


def finished_html(result: Result, why: str | None) -> str:
    """How a run ended."""
    height, width = result.image.shape[-2:]
    title = f"Ended by {why}: the best picture so far" if why else "Done"
    return status_html(
        title,
        1,
        [
            ("size", f"{width}x{height}"),
            ("loss", f"{result.records[-1].loss:.4g}"),
            ("evaluations", f"{len(result.records)}"),
            ("time", clock(result.seconds)),
        ],
    )


def nothing_html() -> str:
    """A run that was stopped before there was anything to keep."""
    return status_html("Stopped before there was a picture", 0, [])


def cut_off_html() -> str:
    """A run of which only its checkpoint is left, because the page was started again."""
    return status_html("Your run was cut off", 0, [])


def failed_html(words: str) -> str:
    """A run that ended with an error."""
    return f'{status_html("The run failed", 0, [])}<p class="nst-small">{escape(words)}</p>'


def clock(seconds: float) -> str:
    """0:05, 12:34 or 1:02:03."""
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def status_html(
    title: str, fraction: float, facts: Sequence[tuple[str, str]], *, goes_on: bool = False
) -> str:
    """A heading, how much is done, and figures by what they are."""
    items = "".join(f"<div><dt>{name}</dt><dd>{value}</dd></div>" for name, value in facts)
    # What FOLLOWED looks for: it is another each time as long as the line to the server holds.
    told = f' data-told="{time.monotonic_ns()}"' if goes_on else ""
    return (
        f'<div class="nst-status" role="status"{told}><b>{escape(title)}</b>'
        f'<progress max="1" value="{fraction:.4f}" aria-label="share of the work done"></progress>'
        f"<dl>{items}</dl></div>"
    )


def _url(image: Tensor, kind: str) -> str:
    stream = io.BytesIO()
    to_pil(image).save(stream, kind, quality=_QUALITY)
    return f"data:image/{kind.lower()};base64,{base64.b64encode(stream.getvalue()).decode()}"
