"""Speaking to people: messages on stderr, results on stdout, mistakes in one sentence."""

import logging
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn
from rich.text import Text

from ..errors import NSTError, OutOfMemory

INTERRUPTED = 130  # 128 + SIGINT, as shells count
SOME_FAILED = 1  # as many programs: some of what was asked for could not be made

stdout = Console()
stderr = Console(stderr=True)


def speak_if_first() -> None:
    """Of several processes of one command, only the first says more than what goes wrong."""
    stdout.quiet = stderr.quiet = os.environ.get("RANK", "0") != "0"


def say(message: str, *, label: str = "", style: str = "") -> None:
    """One line on stderr, after an optional label in color. File names are never markup."""
    # Soft wrapping leaves the line whole: a log or another program may be reading it.
    stderr.print(Text.assemble((label, style), message), soft_wrap=True)


def answer(text: object) -> None:
    """One line on stdout, exactly as it is: programs read it."""
    # Not `typer.echo`: where the encoding is ASCII it goes past `streams` and writes UTF-8.
    if sys.stdout is not None and not stdout.quiet:
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()


def refusal(message: str) -> typer.Exit:
    """Says what is wrong, and returns what to raise to end the command."""
    label = f"Error in process {os.environ['RANK']}: " if stderr.quiet else "Error: "
    stderr.quiet = False
    say(message, label=label, style="bold red")
    return typer.Exit(2)


@contextmanager
def polite(stopped: str = "Stopped.") -> Iterator[None]:
    """Turns mistakes, full memory and Ctrl-C (said as `stopped`) into a sentence and exit code."""
    try:
        with full_memory_named():
            yield
    except NSTError as error:
        raise refusal(str(error)) from error
    except KeyboardInterrupt as error:
        say(stopped)
        raise typer.Exit(INTERRUPTED) from error


@contextmanager
def terminated_like_ctrl_c() -> Iterator[None]:
    """While this lasts, SIGTERM ends the command as Ctrl-C does, with what is there so far."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def full_memory_named() -> Iterator[None]:
    """Turns what the device or the system raises when memory is full into an OutOfMemory."""
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        from ..run.memory import is_out_of_memory  # only now: it brings PyTorch

        if not is_out_of_memory(error):
            raise
        raise OutOfMemory("The memory is full. Use a smaller --size or --memory.") from error


@contextmanager
def warnings_of_engine() -> Iterator[None]:
    """Shows what the engine logs, a plain line each."""
    logger, handler = logging.getLogger("nst_core"), _Lines(logging.WARNING)
    logger.addHandler(handler)
    propagate, logger.propagate = logger.propagate, False
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.propagate = propagate


class _Lines(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        say(record.getMessage(), label=f"{record.levelname.capitalize()}: ", style="yellow")


@contextmanager
def download_bar() -> Iterator[Callable[[int, int], None]]:
    """A callback for (bytes so far, bytes in all) that draws a bar in a terminal."""
    columns = (TextColumn("Downloading"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    bar = Progress(*columns, console=stderr, transient=True, disable=not stderr.is_terminal)
    task = bar.add_task("")

    def draw(done: int, total: int) -> None:
        bar.start()  # only now: most runs download nothing
        bar.update(task, completed=done, total=total)

    try:
        yield draw
    finally:
        if bar.live.is_started:  # rich before 14.3 ends in an empty line even so
            bar.stop()
