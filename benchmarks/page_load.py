"""What the page bears: many jobs, slow and silent connections, floods, uploads of every kind.

    python benchmarks/page_load.py [--quick] [--only NAME ...]

Starts `nst page` with small limits and untrained weights in a process of its own. Meanwhile another
process asks for the page five times a second, each time anew. A table says how long
the slowest answer took, and what the page held before and after each scenario. Compare it with the
first row, of a page that nobody uses: a busy machine is slow for that alone. Linux only.
"""

import argparse
import asyncio
import io
import json
import multiprocessing
import random
import re
import sys
import tempfile
import time
import urllib.request
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from PIL import Image, ImageColor

sys.path.append(str(Path(__file__).parents[1] / "tests/page"))

# Found by the line before.
from page_server import Server, folder_of, running

OPTIONS = (
    *("--weights", "untrained", "--max-size", "256", "--max-steps", "400", "--max-waiting", "16"),
    *("--max-megapixels", "4", "--max-upload", "2", "--max-checkpoints", "20"),
)
COLORS = ("red", "lime", "blue", "cyan", "magenta", "yellow", "black", "white")
API = "/gradio_api"


@dataclass(frozen=True)
class Held:
    """What the page holds."""

    megabytes: float
    threads: int
    handles: int
    files: int

    @classmethod
    def now(cls, server: Server) -> "Held":
        """As the system has it."""
        process = Path(f"/proc/{server.process.pid}")
        return cls(
            server.memory() / 1e6,
            len(list((process / "task").iterdir())),
            len(list((process / "fd").iterdir())),
            sum(path.is_file() for path in folder_of(server).rglob("*")),
        )


def probe(url: str, over: Any, slowest: Any) -> None:
    """Ask for the page again and again; keeps the longest time, infinite without an answer."""
    while not over.wait(0.2):
        began = time.monotonic()
        try:
            urllib.request.urlopen(url, timeout=30).read()
            took = time.monotonic() - began
        except OSError:
            took = float("inf")
        slowest.value = max(slowest.value, took)


class Load:
    """The scenarios; each says how many requests it made, and what else is worth saying.

    Args:
        url: of the page.
        quick: a tenth of everything.
    """

    def __init__(self, url: str, quick: bool) -> None:
        self.url, self.quick = url, quick
        # Each visitor has connections of its own, as it has in life.
        self.client: Callable[[], httpx.AsyncClient] = lambda: httpx.AsyncClient(
            base_url=url, timeout=120, limits=httpx.Limits(max_keepalive_connections=0)
        )
        host, port = re.fullmatch(r"http://(.+):(\d+)", url).groups()
        self.address = host, int(port)
        self.random = random.Random(1)

    async def idle(self) -> tuple[int, str]:
        """Nobody uses the page."""
        await asyncio.sleep(2 if self.quick else 5)
        return 0, "the baseline"

    async def jobs(self) -> tuple[int, str]:
        """Runs of programs, half of which leave at a random moment."""
        count, turns, ends = (12 if self.quick else 200), asyncio.Semaphore(4), []

        async def job(number: int) -> None:
            async with turns:
                leaves = self.random.uniform(0, 2) if number % 2 else None
                picture = await self.made(COLORS[number % len(COLORS)], steps=10, leaves=leaves)
                ends.append(picture is not None)

        await asyncio.gather(*map(job, range(count)))
        return count, f"{sum(ends)} pictures, {count - sum(ends)} left"

    async def visitors(self) -> tuple[int, str]:
        """Sixteen at once; a style strength of 0 must give each its own color back."""
        names = [COLORS[number % len(COLORS)] for number in range(16)]
        made = await asyncio.gather(*(self.made(name, steps=10) for name in names))
        own = sum(
            picture is not None and picture.getpixel((20, 20)) == ImageColor.getrgb(name)
            for name, picture in zip(names, made, strict=True)
        )
        refused = sum(picture is None for picture in made)
        return 16, f"{own} have their own picture, {16 - own - refused} another's, {refused} none"

    async def silent(self) -> tuple[int, str]:
        """Connections that say nothing, or half a head, or a body byte by byte."""
        count, seconds = (30, 3) if self.quick else (300, 60)
        body = b"POST /gradio_api/queue/join HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n"
        begun = [b"", b"GET / HTTP/1.1\r\nHost: x\r\n", body]
        lines = [await asyncio.open_connection(*self.address) for _ in range(count)]
        until, open_ = time.monotonic() + seconds, count
        for number, (_, writer) in enumerate(lines):
            writer.write(begun[number % 3])
        while time.monotonic() < until:
            for number, (_, writer) in enumerate(lines):
                if number % 3 and not writer.is_closing():
                    writer.write(b"a" if number % 3 == 2 else b"a: b\r\n")
            await asyncio.sleep(1)
        ends = [asyncio.wait_for(reader.read(), 0.05) for reader, _ in lines]
        for end in await asyncio.gather(*ends, return_exceptions=True):
            open_ -= not isinstance(end, asyncio.TimeoutError)
        for _, writer in lines:
            writer.close()
        return count, f"{open_} still open after {seconds} s"

    async def slow_readers(self) -> tuple[int, str]:
        """Downloads and live pictures that are read by a kilobyte a second."""
        count, seconds = (4, 3) if self.quick else (16, 75)
        # Compressible to nothing, or it would fit into the buffers of the system.
        noise = self.random.randbytes(1_900_000)
        path = await self.uploaded(noise, "noise.bin")
        asked = f"GET {API}/file={path} HTTP/1.1\r\nHost: x\r\n\r\n".encode()
        lines = [await asyncio.open_connection(*self.address, limit=1024) for _ in range(count)]
        for _, writer in lines:
            writer.write(asked)
        watching = [asyncio.create_task(self.watched_slowly(seconds)) for _ in range(4)]
        for _ in range(seconds):
            await asyncio.gather(
                *(reader.read(1024) for reader, _ in lines), return_exceptions=True
            )
            await asyncio.sleep(1)
        told = sorted(set(await asyncio.gather(*watching)))
        for _, writer in lines:
            writer.close()
        return count + 4, "; ".join(told)

    async def flood(self) -> tuple[int, str]:
        """Small requests, fifty at a time."""
        count, turns, codes = (500 if self.quick else 10_000), asyncio.Semaphore(50), {}
        paths = ["/gradio_api/app_id", "/robots.txt", "/nothing", "/gradio_api/queue/data"]
        async with httpx.AsyncClient(base_url=self.url, timeout=60) as client:

            async def ask(number: int) -> None:
                async with turns:
                    if number % 5 == 4:
                        answer = await client.post(f"{API}/queue/join", content=b"{}")
                    else:
                        answer = await client.get(paths[number % 5])
                    codes[answer.status_code] = codes.get(answer.status_code, 0) + 1

            await asyncio.gather(*map(ask, range(count)))
        return count, ", ".join(f"{number} x {code}" for code, number in sorted(codes.items()))

    async def uploads(self) -> tuple[int, str]:
        """A hundred files at once."""
        count = 20 if self.quick else 100
        files = [self.uploaded(bytes(10**6), f"{number}.bin") for number in range(count)]
        taken = await asyncio.gather(*files, return_exceptions=True)
        refused = [end for end in taken if not isinstance(end, str)]
        return count, f"{count - len(refused)} taken, {len(refused)} told to try again"

    async def huge(self) -> tuple[int, str]:
        """A file a hundred times as large as may be, in every encoding."""
        pieces = 20 if self.quick else 200
        head = (
            f"POST {API}/upload HTTP/1.1\r\nHost: x\r\n"
            "Content-Type: multipart/form-data; boundary=x\r\n"
        )
        part = b'--x\r\nContent-Disposition: form-data; name="files"; filename="a"\r\n\r\n'
        chunked, coded = "Transfer-Encoding: chunked\r\n", "Content-Encoding: gzip\r\n"
        ends = {}
        for name, lines in {
            "length": f"Content-Length: {pieces * 10**6}\r\n",
            "chunked": chunked,
            "lying length": "Content-Length: 100000\r\n",
            "length beside chunks": f"Content-Length: 100\r\n{chunked}",
            "gzip": coded + chunked,
        }.items():
            reader, writer = await asyncio.open_connection(*self.address)
            writer.write(f"{head}{lines}\r\n".encode())
            try:
                for piece in [part, *[bytes(10**6)] * pieces]:
                    writer.write(
                        b"%x\r\n%b\r\n" % (len(piece), piece) if chunked in lines else piece
                    )
                    await asyncio.wait_for(writer.drain(), 20)
                    if reader.at_eof() or writer.is_closing():
                        break
            except (OSError, asyncio.TimeoutError):
                pass
            try:
                line = await asyncio.wait_for(reader.readline(), 20)
                ends[name] = line.decode().split(" ")[1] if line else "closed"
            except (OSError, asyncio.TimeoutError, IndexError):
                ends[name] = "closed"
            writer.close()
        return len(ends), ", ".join(f"{name}: {end}" for name, end in ends.items())

    async def uploaded(self, data: bytes, name: str) -> str:
        """The path of a file on the server."""
        async with self.client() as client:
            answer = await client.post(f"{API}/upload", files={"files": (name, data)})
            answer.raise_for_status()
            return str(answer.json()[0])

    async def file(self, color: str) -> dict[str, Any]:
        """A picture of one color as Gradio wants it."""
        stream = io.BytesIO()
        Image.new("RGB", (64, 48), color).save(stream, "PNG")
        path = await self.uploaded(stream.getvalue(), f"{color}.png")
        return {"path": path, "meta": {"_type": "gradio.FileData"}}

    async def made(
        self, color: str, *, steps: int, leaves: float | None = None
    ) -> Image.Image | None:
        """The picture of a program; None if it left, after so many seconds, or was refused."""
        data = [await self.file(color), await self.file("gray"), "default", 0, 48, steps, 0]
        async with self.client() as client:
            answer = await client.post(f"{API}/call/stylize", json={"data": data})
            event = answer.json()["event_id"]
            try:
                stream = client.get(f"{API}/call/stylize/{event}")
                said = (await asyncio.wait_for(stream, leaves)).text
            except asyncio.TimeoutError:
                return None
            if "event: complete" not in said:
                return None
            [file] = json.loads(said.split("data: ")[-1])
            picture = await client.get(f"{API}/file={file['path']}")
        return Image.open(io.BytesIO(picture.content)).convert("RGB")

    async def refused(self) -> None:
        """A program that asks for what it cannot get."""
        async with self.client() as client:
            data = [None, None, "default", 0, 48, 10, 0]
            answer = await client.post(f"{API}/call/stylize", json={"data": data})
            await client.get(f"{API}/call/stylize/{answer.json()['event_id']}")

    async def watched_slowly(self, seconds: float) -> str:
        """A visitor of the page whose line is slow, as a browser speaks to it; how it went."""
        async with self.client() as client:
            await client.get("/")
            page = (await client.get("/config")).json()
            session = f"slow-{self.random.random()}"
            values = {one["id"]: one["props"].get("value") for one in page["components"]}
            named = {one["props"].get("elem_id"): one["id"] for one in page["components"]}
            values[named["size"]], values[named["steps"]] = 128, 400
            begin = next(d for d in page["dependencies"] if [named["run"], "click"] in d["targets"])
            watch = next(
                d
                for d in page["dependencies"]
                if d["trigger_after"] == begin["id"] and d["inputs"] == []
            )
            for call in (begin, watch):
                data = [values[one] for one in call["inputs"]]
                body = {"data": data, "fn_index": call["id"], "session_hash": session}
                answer = await client.post(f"{API}/queue/join", json=body)
                if answer.status_code != 200:
                    return f"answered {answer.status_code}"
                stream = client.stream("GET", f"{API}/queue/data?session_hash={session}")
                async with stream as lines:
                    if call is begin:
                        await lines.aread()
                        continue
                    until, taken = time.monotonic() + seconds, 0
                    try:
                        async for piece in lines.aiter_raw(1024):
                            taken += len(piece)
                            await asyncio.sleep(1)
                            if time.monotonic() > until:
                                break
                    except httpx.HTTPError:
                        return "live pictures cut off"
        return "live pictures go on"


async def measured(
    name: str, scenario: Callable[[], Awaitable[tuple[int, str]]], server: Server
) -> None:
    """Print a row of the table."""
    over, slowest = multiprocessing.Event(), multiprocessing.Value("d", 0.0)
    prober = multiprocessing.Process(target=probe, args=(server.url, over, slowest))
    before = Held.now(server)
    prober.start()
    count, words = await scenario()
    over.set()
    prober.join()
    after = Held.now(server)
    for _ in range(20):  # what was cut off is given back within some seconds
        if after.handles <= before.handles and after.threads <= before.threads:
            break
        await asyncio.sleep(1)
        after = Held.now(server)
    held = [
        f"{was:.0f} -> {became:.0f}"
        for was, became in (
            (before.megabytes, after.megabytes),
            (before.threads, after.threads),
            (before.handles, after.handles),
            (before.files, after.files),
        )
    ]
    print(f"| {name} | {count} | {slowest.value:.2f} | {' | '.join(held)} | {words} |", flush=True)


async def run(server: Server, quick: bool, only: list[str]) -> None:
    """Every scenario in turn, after the page has warmed up."""
    load = Load(server.url, quick)
    scenarios = ("idle", "jobs", "visitors", "silent", "slow_readers", "flood", "uploads", "huge")
    for _ in range(2):
        await load.visitors()
    await load.uploads()
    for _ in range(130):  # Gradio keeps half a megabyte of each that called, up to a number
        await load.refused()
    print("| scenario | requests | slowest answer, s | MB | threads | handles | files | |")
    print("|-|-|-|-|-|-|-|-|", flush=True)
    for name in only or scenarios:
        await measured(name.replace("_", " "), getattr(load, name), server)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of everything")
    parser.add_argument("--only", nargs="*", metavar="NAME", help="of the scenarios")
    arguments = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        running(Path(folder), *OPTIONS, OMP_NUM_THREADS="1") as server,
    ):
        asyncio.run(run(server, arguments.quick, arguments.only or []))
        print(f"\nTracebacks in the page's log: {server.log().count('Traceback')}")


if __name__ == "__main__":
    main()
