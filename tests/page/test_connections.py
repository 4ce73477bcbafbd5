"""Who is slow, says nothing or tries passwords takes nothing from others."""

import asyncio
import socket
from contextlib import asynccontextmanager, suppress
from types import SimpleNamespace

import pytest

from nst_core.page import connections, logins, routes
from nst_core.page.logins import TRIES, WITHIN
from nst_core.page.routes import Routes

uvicorn = pytest.importorskip("uvicorn", reason="the page's tests need gradio")


@asynccontextmanager
async def guarded(app, max_waiting=10):
    """`connect()` to a server of this app."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off"))
        serving = asyncio.create_task(server.serve(sockets=[listening]))
        while not server.started:
            await asyncio.sleep(0)
        connections.guard(server, max_waiting)
        writers = []

        async def connect():
            reader, writer = await asyncio.open_connection(*listening.getsockname())
            writers.append(writer)
            return reader, writer

        try:
            yield connect
        finally:
            for writer in writers:
                writer.close()
            server.should_exit = True
            await serving


async def ok(send, body=b"ok"):
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": body})


async def answering(scope, receive, send):
    await ok(send)


async def closed(reader):
    """Until the other side has closed the connection; what it said before."""
    said = b""
    with suppress(ConnectionError):
        while more := await reader.read(65536):
            said += more
    return said


GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


def test_a_connection_that_asks_nothing_is_closed_and_one_that_waits_for_an_answer_is_not(
    monkeypatch,
):
    monkeypatch.setattr(connections, "HEAD", 0.2)

    async def run():
        answer = asyncio.Event()

        async def app(scope, receive, send):
            await answer.wait()
            await ok(send)

        async with guarded(app) as connect:
            waiting, asking = await connect()
            asking.write(GET)
            silent, _ = await connect()
            half, halves = await connect()
            halves.write(GET[:20])
            assert await closed(silent) == await closed(half) == b""
            answer.set()
            assert await waiting.readline() == b"HTTP/1.1 200 OK\r\n"
            asking.write(GET[:20])  # the next request of the same connection
            assert b"200 OK" not in await closed(waiting)

    asyncio.run(asyncio.wait_for(run(), 30))


def test_a_head_that_trickles_in_is_cut_off(monkeypatch):
    monkeypatch.setattr(connections, "HEAD", 0.2)

    async def run():
        async with guarded(answering) as connect:
            reader, writer = await connect()
            writer.write(GET[:-2])
            over = asyncio.create_task(closed(reader))
            while not over.done():
                writer.write(b"a: b\r\n")
                await asyncio.wait([over], timeout=0.05)
            assert over.result() == b""

    asyncio.run(asyncio.wait_for(run(), 30))


def test_who_does_not_read_is_cut_off_and_the_answer_ends(monkeypatch):
    monkeypatch.setattr(connections, "READING", 0.2)

    async def run():
        over = asyncio.Event()

        async def app(scope, receive, send):
            await send({"type": "http.response.start", "status": 200, "headers": []})
            for _ in range(100):
                piece = {"type": "http.response.body", "body": bytes(10**6), "more_body": True}
                await send(piece)
            over.set()

        async with guarded(app) as connect:
            _, writer = await connect()
            writer.write(GET)
            await over.wait()  # nothing was read

    asyncio.run(asyncio.wait_for(run(), 30))


def test_of_too_many_connections_that_ask_nothing_the_oldest_goes(monkeypatch):
    monkeypatch.setattr(connections, "_WAITING", 3)

    async def run():
        async with guarded(answering) as connect:
            silent = [await connect() for _ in range(4)]
            assert await closed(silent[0][0]) == b""
            reader, writer = silent[3]
            writer.write(GET)
            assert await reader.readline() == b"HTTP/1.1 200 OK\r\n"

    asyncio.run(asyncio.wait_for(run(), 30))


def test_more_connections_than_the_page_needs_are_told_so(monkeypatch):
    monkeypatch.setattr(connections, "_OTHERS", 3)
    monkeypatch.setattr(connections, "_FOR_EACH", 0)

    async def run():
        answer = asyncio.Event()

        async def app(scope, receive, send):
            await answer.wait()
            await ok(send)

        async with guarded(app) as connect:
            both = [await connect() for _ in range(2)]
            for _, writer in both:
                writer.write(GET)
            reader, writer = await connect()
            writer.write(GET)
            assert b" 503 " in await reader.readline()
            answer.set()

    asyncio.run(asyncio.wait_for(run(), 30))


def test_a_visitor_for_whom_messages_wait_gets_no_more_pictures():
    import gradio as gr
    from gradio.context import LocalContext

    from nst_core.page.watching import is_behind

    async def run():
        with gr.Blocks(analytics_enabled=False) as blocks:
            pass
        LocalContext.blocks.set(blocks)
        visitor, messages = SimpleNamespace(session_hash="me"), asyncio.Queue()
        assert not is_behind(visitor)
        blocks._queue.pending_messages_per_session["me"] = messages
        seen = []
        for number in range(5):
            seen.append(is_behind(visitor))
            messages.put_nowait(number)
        assert seen == [False] * 4 + [True]
        assert not is_behind(SimpleNamespace(session_hash="you"))

    asyncio.run(run())


def page(app, uploaded=lambda: None):
    return Routes(app, 1, uploaded)


async def asked(app, path, receive, address="1.2.3.4"):
    """The status of the answer to a POST, and its text."""
    sent = []

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": path, "headers": [], "client": (address, 1)}
    await app(scope, receive, send)
    return sent[0]["status"], b"".join(message.get("body", b"") for message in sent).decode()


async def whole():
    return {"type": "http.request", "body": b"a", "more_body": False}


def test_a_request_that_trickles_in_is_cut_off_and_one_that_was_whole_may_wait(monkeypatch):
    monkeypatch.setattr(routes, "SLOW", 0.1)

    async def app(scope, receive, send):
        while (await receive())["more_body"]:
            pass
        with suppress(asyncio.TimeoutError):  # whether the visitor has left
            await asyncio.wait_for(receive(), 0.3)
        await ok(send)

    async def trickle():
        await asyncio.sleep(0.02)
        return {"type": "http.request", "body": b"a", "more_body": True}

    pieces = [whole, asyncio.Event().wait]
    with pytest.raises(routes.HTTPException) as caught:
        asyncio.run(asked(page(app), "/gradio_api/queue/join", trickle))
    assert caught.value.status_code == 408
    answer = asked(page(app), "/gradio_api/queue/join", lambda: pieces.pop(0)())
    assert asyncio.run(answer)[0] == 200


def test_uploads_take_turns_and_who_waits_too_long_is_told(monkeypatch):
    monkeypatch.setattr(routes, "UPLOADS", 2)
    monkeypatch.setattr(routes, "TURN", 0.2)
    at_once, most, done = 0, 0, []

    async def run():
        ending = asyncio.Event()

        async def app(scope, receive, send):
            nonlocal at_once, most
            at_once += 1
            most = max(most, at_once)
            await ending.wait()
            at_once -= 1
            await ok(send)

        server = page(app, lambda: done.append(1))
        ask = lambda: asyncio.create_task(asked(server, "/gradio_api/upload", whole))  # noqa: E731
        first, late = [ask() for _ in range(2)], [ask() for _ in range(3)]
        for status, words in await asyncio.gather(*late):
            assert status == 503
            assert "Many files are being uploaded" in words
        ending.set()
        assert [status for status, _ in await asyncio.gather(*first, ask())] == [200] * 3

    asyncio.run(asyncio.wait_for(run(), 30))
    assert most == 2
    assert len(done) == 3  # files are counted after each


def test_passwords_can_be_tried_a_few_times_and_then_after_a_while(monkeypatch):
    now = 1000.0
    monkeypatch.setattr(logins, "time", SimpleNamespace(monotonic=lambda: now))

    async def wrong(scope, receive, send):
        await send({"type": "http.response.start", "status": 400, "headers": []})
        await send({"type": "http.response.body", "body": b"Incorrect credentials."})

    async def run():
        nonlocal now
        server = page(wrong)
        for _ in range(TRIES):
            assert (await asked(server, "/login", whole))[0] == 400
        status, words = await asked(server, "/login/", whole)
        assert status == 429
        assert "in 10 minutes" in words
        assert (await asked(server, "/login", whole, "5.6.7.8"))[0] == 400
        now += WITHIN + 1
        assert (await asked(server, "/login", whole))[0] == 400

    asyncio.run(run())


def test_addresses_that_tried_passwords_are_not_remembered_without_end(monkeypatch):
    monkeypatch.setattr(logins, "_ADDRESSES", 5)
    tried = logins.Logins()
    for number in range(20):
        tried.failed(str(number))
    assert len(tried._wrong) == 5
