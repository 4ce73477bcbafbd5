import sys
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest
from safetensors import safe_open

from nst_core.errors import WeightsError
from nst_core.files.weights import builtin, get_weights, known_weights, load_vgg16
from nst_core.files.weights.sources import SOURCES, cache_folder, find
from nst_core.gatys.preprocessing import CAFFE

KERAS = SOURCES["keras"]


@pytest.fixture(autouse=True)
def builtin_at_once(monkeypatch, weights):
    monkeypatch.setattr(builtin, "builtin_weights", lambda: weights)


@pytest.fixture
def mirror(monkeypatch, files, published):
    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *args):
            pass

    handler = partial(Quiet, directory=str(files["keras"].parent))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        monkeypatch.setenv("NST_MIRROR", f"http://127.0.0.1:{server.server_port}")
        yield
        server.shutdown()
        thread.join()


def put(path, target):
    target.parent.mkdir(parents=True, exist_ok=True)
    target.symlink_to(path)


def test_a_name_that_is_neither_a_file_nor_known_lists_the_names():
    with pytest.raises(WeightsError, match=r"'kears' are neither a file nor one of auto, keras"):
        load_vgg16("kears")


def test_a_download_keeps_only_the_convolutions(mirror, home):
    path = get_weights("keras")
    assert path == home / ".cache" / "nst" / "keras.safetensors"
    assert list(path.parent.iterdir()) == [path]
    with safe_open(path, framework="pt") as file:
        metadata = file.metadata()
        assert len(list(file.keys())) == 26
    assert metadata["source"] == "keras"
    assert metadata["preprocessing"] == "caffe"
    assert metadata["original_hash"] == f"md5:{SOURCES['keras'].digest}"


def test_a_downloaded_network_loads_by_name_without_the_network(mirror, monkeypatch, messages):
    downloaded = load_vgg16("keras")
    monkeypatch.setenv("NST_MIRROR", "http://127.0.0.1:9")
    again = load_vgg16("keras", on_message=messages.append)
    assert again.preprocessing is CAFFE
    assert again.source == downloaded.source == f"keras ({KERAS.description})"
    assert messages == []


PLACES = {
    "the caller's folder": ("models/vgg", {}),
    "our cache": (".cache/nst", {}),
    "our cache by XDG": ("xdg/nst", {"XDG_CACHE_HOME": "xdg"}),
    "our cache by name": ("mine", {"NST_CACHE": "mine"}),
    "torch hub's": (".cache/torch/hub/checkpoints", {}),
    "torch hub's by TORCH_HOME": ("t/hub/checkpoints", {"TORCH_HOME": "t"}),
    "Keras's": (".keras/models", {}),
    "Keras's by KERAS_HOME": ("k/models", {"KERAS_HOME": "k"}),
}


@pytest.mark.parametrize("place", PLACES)
def test_files_are_found_where_users_have_them(place, home, monkeypatch):
    folder, variables = PLACES[place]
    for variable, value in variables.items():
        monkeypatch.setenv(variable, str(home / value))
    path = home / folder / KERAS.file_name
    path.parent.mkdir(parents=True)
    path.write_bytes(b"")
    assert find(KERAS, [home / "models" / "vgg"]) == path


def test_a_file_with_a_known_name_but_another_content_is_not_taken(files):
    put(files["keras"], cache_folder() / KERAS.file_name)  # its hash is not the published one
    with pytest.raises(WeightsError, match="has the name of weights 'keras' but not"):
        load_vgg16("keras")


def test_keras_without_h5py_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(WeightsError, match="pip install h5py"):
        get_weights("keras")


def test_an_unknown_name_cannot_be_got():
    with pytest.raises(WeightsError, match=r"no weights 'vgg' to get\. Use keras"):
        get_weights("vgg")


def test_auto_takes_the_trained_file_it_finds_and_says_which(files, published, messages):
    put(files["keras"], cache_folder() / KERAS.file_name)
    vgg = load_vgg16(on_message=messages.append)
    assert vgg.source.startswith("keras")
    assert messages == [f"Weights: {vgg.source}, from {cache_folder() / KERAS.file_name}."]


def test_auto_looks_in_the_callers_folders(files, published, home, messages):
    put(files["keras"], home / "models" / "vgg" / KERAS.file_name)
    vgg = load_vgg16(folders=[home / "models" / "vgg"], on_message=messages.append)
    assert vgg.source.startswith("keras")


def test_auto_skips_a_damaged_file_and_says_so(home, messages):
    damaged = home / "vgg" / SOURCES["torchvision"].file_name
    damaged.parent.mkdir()
    damaged.write_bytes(b"")
    vgg = load_vgg16(folders=[damaged.parent], on_message=messages.append)
    assert vgg.source.startswith("builtin")
    assert messages[0].startswith(f"Skipped: {damaged} is empty")


def test_auto_downloads_the_small_file_when_it_can(mirror, messages):
    assert load_vgg16(on_message=messages.append).source.startswith("keras")
    assert "downloaded to" in messages[0]


def test_auto_without_network_falls_back_and_says_why_and_what_to_do(messages):
    vgg = load_vgg16(on_message=messages.append)
    assert vgg.source.startswith("builtin")
    assert len(messages) == 1
    for part in ("builtin", "refused", KERAS.file_name, "nst weights get keras"):
        assert part in messages[0]


def test_auto_without_h5py_falls_back_and_says_so(monkeypatch, messages):
    monkeypatch.setitem(sys.modules, "h5py", None)
    assert load_vgg16(on_message=messages.append).source.startswith("builtin")
    assert "pip install h5py" in messages[0]


def test_auto_with_a_broken_h5py_goes_on_and_quotes_it(files, published, home, monkeypatch):
    put(files["keras"], cache_folder() / KERAS.file_name)
    (home / "h5py.py").write_text("raise ValueError('numpy.dtype size changed')")
    monkeypatch.delitem(sys.modules, "h5py", raising=False)
    monkeypatch.syspath_prepend(home)
    messages = []
    assert load_vgg16(on_message=messages.append).source.startswith("builtin")
    assert messages[0].startswith("Skipped:")  # the file that is there
    assert all("ValueError: numpy.dtype size changed" in message for message in messages)
    with pytest.raises(WeightsError, match="h5py is installed but cannot be imported"):
        load_vgg16("keras")


def test_the_list_says_where_each_lies_and_under_which_license(files):
    put(files["keras"], cache_folder() / KERAS.file_name)
    entries = {entry.name: entry for entry in known_weights()}
    assert list(entries) == [*SOURCES, "builtin", "untrained"]
    assert entries["keras"].found == cache_folder() / KERAS.file_name
    assert entries["torchvision"].found is None
    assert entries["neural-style-pt"].size == 0  # nothing to download
    assert all(entry.license and entry.description for entry in entries.values())
