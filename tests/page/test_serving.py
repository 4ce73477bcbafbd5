"""The page in a process of its own, as programs and strangers meet it."""

import json
import random
import re
import runpy
import shutil
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import httpx
import pytest
from page_server import MAX_SIZE, MAX_UPLOAD, MAX_WAITING, SMALL, folder_of, running
from PIL import Image

from nst_core.files.read_image import read_metadata

README = Path(__file__).parents[2] / "README.md"
pytestmark = [
    pytest.mark.slow,
    # gradio_client leaves connections to the garbage collector.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]
client = pytest.importorskip("gradio_client", reason="the page's tests need gradio")


@pytest.fixture
def connect(server, tmp_path):
    """`connect()`: another visitor, a program."""
    opened = []

    def visitor():
        opened.append(
            client.Client(
                server.url, verbose=False, analytics_enabled=False, download_files=tmp_path
            )
        )
        return opened[-1]

    yield visitor
    with ThreadPoolExecutor(8) as threads:  # each waits a second for its heartbeat
        list(threads.map(client.Client.close, opened))


@pytest.fixture
def nst_page(capsys):
    """`nst_page("--share")`: the exit code of `nst page` and what it says, before it serves."""
    from nst_core.cli import main

    def run(*words):
        with pytest.raises(SystemExit) as caught:
            main(["page", *words])
        return caught.value.code, " ".join(capsys.readouterr().err.split())

    return run


@pytest.fixture
def picture(tmp_path):
    """`picture("teal")`: a file of one color."""

    def write(color, size=(64, 48), name=None):
        path = tmp_path / (name or f"{color}.png")
        Image.new("RGB", size, color).save(path)
        return client.handle_file(path)

    return write


def test_a_program_gets_a_picture_with_its_settings_inside(connect, picture):
    result = connect().predict(
        content=picture("teal"),
        style=picture("orange"),
        preset="default",
        style_strength=1.5,
        size=48,
        steps=10,
        seed=3,
        api_name="/stylize",
    )
    with Image.open(result) as image:
        assert image.size == (48, 36)
    stored = read_metadata(result)
    assert json.loads(stored["nst"])["settings"]["seed"] == 3
    assert json.loads(stored["nst"])["content"] == "teal.png"
    assert json.loads(stored["workflow"])["nodes"]
    assert json.loads(stored["prompt"])


def test_settings_may_be_left_out(connect, picture):
    result = connect().predict(
        picture("teal"), picture("orange"), size=32, steps=10, api_name="/stylize"
    )
    assert json.loads(read_metadata(result)["nst"])["preset"] == "default"


def test_textures_and_reconstructions_have_routes_of_their_own(connect, picture):
    visitor = connect()
    tile = visitor.predict(
        style=picture("teal"), size=32, aspect=2, seamless=True, steps=10, api_name="/texture"
    )
    with Image.open(tile) as image:
        assert image.size == (32, 16)
    rebuilt = visitor.predict(
        content=picture("teal"),
        content_layers="relu2_1",
        size=32,
        steps=10,
        api_name="/reconstruct",
    )
    stored = json.loads(read_metadata(rebuilt)["nst"])
    assert stored["content"] == "teal.png"
    assert stored["settings"]["content_layers"] == "relu2_1"
    assert stored["settings"]["init"] == "noise"


def test_the_program_in_the_readme_runs(server, picture, tmp_path, monkeypatch):
    program = re.search(r"```python\n(from gradio_client.*?)```", README.read_text(), re.DOTALL)
    for name, color in (("photo.jpg", "teal"), ("painting.jpg", "orange")):
        picture(color, name=name)
    script = tmp_path / "program.py"
    script.write_text(
        program[1]
        .replace("http://127.0.0.1:7860", server.url)
        .replace("size=512", "size=48")
        .replace("steps=300", "steps=10")
    )
    monkeypatch.chdir(tmp_path)
    assert read_metadata(runpy.run_path(str(script))["picture"])["nst"]


def bad(tmp_path, kind):
    path = tmp_path / "bad.png"
    if kind == "text":
        path.write_text("not a picture")
    elif kind == "bomb":
        Image.new("1", (20_000, 20_000)).save(path)
    elif kind == "tiny":
        Image.new("RGB", (2, 2)).save(path)
    return client.handle_file(path)


@pytest.mark.parametrize(
    ("kind", "words"), [("text", "not a picture"), ("bomb", "400,000,000 pixels"), ("tiny", "2x2")]
)
def test_a_bad_file_is_answered_in_a_sentence_and_the_server_goes_on(
    kind, words, connect, picture, tmp_path, server
):
    visitor = connect()
    with pytest.raises(client.exceptions.AppError, match=words) as caught:
        visitor.predict(
            bad(tmp_path, kind), picture("teal"), size=32, steps=10, api_name="/stylize"
        )
    assert "Traceback" not in str(caught.value)
    assert str(server.folder) not in str(caught.value)
    assert visitor.predict(
        picture("teal"), picture("orange"), size=32, steps=10, api_name="/stylize"
    )


def test_a_size_beyond_the_page_is_refused(connect, picture):
    with pytest.raises(client.exceptions.AppError, match=str(MAX_SIZE)):
        connect().predict(
            picture("teal"), picture("orange"), size=4096, steps=10, api_name="/stylize"
        )


@pytest.mark.parametrize(
    "path", ["/etc/passwd", "pyproject.toml", "nst_core/settings/all.py", "log"]
)
def test_files_of_the_machine_are_not_served(path, server):
    full = path if path.startswith("/") else str(Path(__file__).parents[2] / path)
    full = str(server.folder / path) if path == "log" else full
    for prefix in ("gradio_api/file=", "file="):
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(f"{server.url}/{prefix}{full}").close()
        assert caught.value.code in (403, 404)
        caught.value.close()


def test_files_of_the_machine_are_not_read_for_a_program(connect, server, tmp_path):
    secret = server.folder / "secret.png"
    Image.new("RGB", (64, 64), "red").save(secret)
    file = {"path": str(secret), "meta": {"_type": "gradio.FileData"}}
    request = urllib.request.Request(
        f"{server.url}/gradio_api/call/stylize",
        data=json.dumps({"data": [file, file, "default", 1, 32, 10, 0]}).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request) as answer:
        event = json.load(answer)["event_id"]
    with urllib.request.urlopen(f"{server.url}/gradio_api/call/stylize/{event}") as answer:
        text = answer.read().decode()
    assert "event: error" in text
    assert ".png" not in text


def answer_to(url, body=None, headers=()):
    """The code of the server's answer."""
    request = urllib.request.Request(url, data=body, headers=dict(headers))
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        error.close()
        return error.code


def test_files_of_another_visitor_cannot_be_found(connect, picture, server):
    connect().predict(picture("teal"), picture("orange"), size=32, steps=10, api_name="/stylize")
    folder = next(path for path in server.folder.iterdir() if path.name.startswith("nst-page-"))
    result = next(folder.rglob("style-transfer.png"))
    upload = next(folder.rglob("teal.png"))
    base = f"{server.url}/gradio_api/file="
    assert answer_to(f"{base}{result}") == 200  # to whom its name was told
    for path in (
        *(folder, result.parent, upload.parent, folder / "style-transfer.png"),
        *(folder / "teal.png", f"{folder}/*/teal.png", f"{upload.parent}/../{result.name}"),
    ):
        assert answer_to(f"{base}{path}") in (403, 404)
    # Nobody guesses 128 bits of a name.
    assert min(len(result.parent.name), len(upload.parent.name)) >= 20


def test_checkpoints_are_not_served(server):
    kept = folder_of(server) / "checkpoints" / "a"
    kept.mkdir()
    (kept / "run.checkpoint").touch()
    try:
        path = f"{server.url}/gradio_api/file={kept / 'run.checkpoint'}"
        assert answer_to(path) in (403, 404)
    finally:
        shutil.rmtree(kept)


@pytest.mark.parametrize(
    "route",
    [
        *("file=http://example.com/", "file=HTTPS://example.com/", "proxy=http://example.com/"),
        *("deep_link?session_hash=x", "process_recording", "component_server", "vibe-code"),
    ],
)
def test_routes_that_the_page_has_no_use_for_are_closed(route, server):
    assert answer_to(f"{server.url}/gradio_api/{route}") == 404


def test_a_request_larger_than_a_file_may_be_is_refused_before_it_is_read(server):
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    size = MAX_UPLOAD * 10**6
    for path in ("upload", "queue/join", "call/stylize"):
        url = f"{server.url}/gradio_api/{path}"
        assert answer_to(url, b"x", headers={**headers, "Content-Length": str(2 * size)}) == 413


def test_an_address_in_place_of_a_file_is_not_fetched(connect, picture):
    address = {"path": "http://example.com/a.png", "meta": {"_type": "gradio.FileData"}}
    with pytest.raises(client.exceptions.AppError, match="addresses are not fetched"):
        connect().predict(address, picture("teal"), size=32, steps=10, api_name="/stylize")


def test_a_program_that_leaves_in_the_middle_makes_room(connect, picture):
    leaver = connect()
    files = picture("teal"), picture("orange")
    run = leaver.submit(*files, size=256, steps=400, api_name="/stylize")
    while not run.status().code.name == "PROCESSING":
        pass
    leaver.close()
    following = connect().submit(*files, size=32, steps=10, api_name="/stylize")
    assert following.result(timeout=60)  # 400 steps take minutes


def test_eight_visitors_at_once_each_get_their_own_and_the_memory_comes_back(
    connect, picture, server
):
    colors = ["red", "green", "blue", "cyan", "magenta", "yellow", "black", "white"]
    files = {color: picture(color) for color in colors}
    style, visitors = picture("gray"), {color: connect() for color in colors}

    def all_at_once():
        jobs = {
            color: visitor.submit(
                files[color], style, style_strength=0, size=96, steps=10, api_name="/stylize"
            )
            for color, visitor in visitors.items()
        }
        return {color: job.result() for color, job in jobs.items()}

    all_at_once()  # libraries load, and allocators take what they keep
    before = server.memory()
    results = all_at_once()
    for color, result in results.items():
        with Image.open(result) as image:
            expected = Image.new("RGB", (1, 1), color).getpixel((0, 0))
            assert image.convert("RGB").getpixel((48, 36)) == expected
        assert json.loads(read_metadata(result)["nst"])["content"] == f"{color}.png"
    assert server.memory() - before < 100e6


def test_runs_of_programs_leave_no_more_files_however_many_they_are(connect, picture, server):
    visitor, files = connect(), (picture("teal"), picture("orange"))

    def run(times):
        for _ in range(times):
            visitor.predict(*files, size=32, steps=10, api_name="/stylize")
        return sorted(path.parent.name for path in folder_of(server).rglob("*") if path.is_file())

    after = run(MAX_WAITING)
    memory = server.memory()
    assert len(run(5)) == len(after)
    assert server.memory() - memory < 50e6


@pytest.mark.parametrize("words", [("--share",), ("--host", "0.0.0.0"), ("--host", "example.com")])
def test_a_page_that_others_reach_wants_a_password(words, nst_page):
    code, said = nst_page(*words)
    assert code == 2
    assert "--auth NAME:PASSWORD" in said
    assert "--no-auth" in said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--auth", "me"), "a name, a colon and a password"),
        (("--auth", ":secret"), "a name, a colon and a password"),
        (("--auth", "me:"), "a name, a colon and a password"),
        (("--auth", "me:secret", "--no-auth"), "exclude each other"),
    ],
)
def test_a_login_that_is_none_is_told(words, said, nst_page):
    code, answer = nst_page(*words)
    assert code == 2
    assert said in answer


def test_variables_of_gradio_count_as_flags_do(nst_page, monkeypatch):
    monkeypatch.setenv("GRADIO_SERVER_NAME", "0.0.0.0")
    assert nst_page()[0] == 2
    monkeypatch.setenv("GRADIO_SERVER_NAME", "127.0.0.1")
    monkeypatch.setenv("GRADIO_SHARE", "True")
    assert nst_page()[0] == 2


def test_a_folder_that_cannot_be_written_is_told(nst_page, monkeypatch, tmp_path):
    (tmp_path / "file").touch()
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "file" / "pictures"))
    code, said = nst_page()
    assert code == 2
    assert "Set GRADIO_TEMP_DIR to a folder that can be written" in said


def test_nobody_gets_in_without_the_password(tmp_path, picture):
    with running(tmp_path, *SMALL, OMP_NUM_THREADS="1", NST_PAGE_AUTH="me:secret") as server:
        for path in ("config", "gradio_api/info", "gradio_api/queue/data?session_hash=x"):
            assert answer_to(f"{server.url}/{path}") == 401
        words = {"Content-Type": "application/json"}
        for path in ("gradio_api/call/stylize", "gradio_api/queue/join"):
            assert answer_to(f"{server.url}/{path}", b'{"data": []}', words) == 401
        assert "secret" not in (Path(f"/proc/{server.process.pid}/cmdline").read_text())
        with pytest.raises(Exception, match=r"(?i)log ?in|credentials"):
            client.Client(server.url, verbose=False, auth=("me", "wrong"))
        visitor = client.Client(
            server.url, verbose=False, auth=("me", "secret"), download_files=tmp_path
        )
        files = picture("teal"), picture("orange")
        assert visitor.predict(*files, size=32, steps=10, api_name="/stylize")
        visitor.close()


def test_temporary_files_are_gone_with_the_page(tmp_path):
    with running(tmp_path, *SMALL, OMP_NUM_THREADS="1"):
        assert [path.name for path in tmp_path.iterdir() if path.name.startswith("nst-page-")]
    assert [path.name for path in tmp_path.iterdir()] == ["log"]


def called(server, *data):
    """The address at which a call of `/stylize` is answered."""
    url = f"{server.url}/gradio_api/call/stylize"
    return f"{url}/{httpx.post(url, json={'data': data}, timeout=60).json()['event_id']}"


def test_runs_that_are_left_at_any_moment_leave_nothing_behind(server, tmp_path):
    """What benchmarks/page_load.py does with 200."""
    moment, files = random.Random(1), []
    for color in ("teal", "orange"):
        Image.new("RGB", (64, 48), color).save(tmp_path / "a.png")
        sent = {"files": (f"{color}.png", (tmp_path / "a.png").read_bytes())}
        [path] = httpx.post(f"{server.url}/gradio_api/upload", files=sent, timeout=60).json()
        files.append({"path": path, "meta": {"_type": "gradio.FileData"}})

    def job(number):
        waits = moment.uniform(0.01, 0.3) if number % 2 else 60
        address = called(server, *files, "default", 1, 32, 10, 0)
        with suppress(httpx.ReadTimeout):
            said = httpx.get(address, timeout=httpx.Timeout(60, read=waits)).text
            assert "event: complete" in said

    def held():
        process = Path(f"/proc/{server.process.pid}")
        kept = [path for path in folder_of(server).rglob("*") if path.is_file()]
        return len(list((process / "fd").iterdir())), len(kept)

    for number in range(MAX_WAITING + 8):  # as many results of programs as are kept
        job(number)
    (handles, kept), memory = held(), server.memory()
    for number in range(12):
        job(number)
    while held()[0] > handles:  # connections are given back a little later
        pass
    assert held()[1] <= kept * 1.05
    assert server.memory() - memory < 50e6


def test_what_is_remembered_of_programs_is_bounded(server):
    def refused(count):
        for _ in range(count):
            answer = httpx.get(called(server, None, None, "default", 1, 48, 20, 0), timeout=60)
            assert "event: error" in answer.text

    refused(8 * MAX_WAITING)
    memory = server.memory()
    refused(50)  # half a megabyte each
    assert server.memory() - memory < 10e6
