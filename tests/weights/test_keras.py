"""Keras's files, as Keras 1 to 3 write them."""

import io
import zipfile

import h5py
import numpy as np
import pytest
import torch
from vgg_files import CONVOLUTIONS, VGG16_WIDTHS, layers, vgg16_layers

from nst_core.errors import WeightsError
from nst_core.files.weights import check_weights, keras, load_vgg16
from nst_core.files.weights.containers import read_tensors
from nst_core.files.weights.hdf5_heaps import check_heaps
from nst_core.files.weights.vgg_file import read_vgg16

PLAIN = vgg16_layers([f"conv{block}_{index}" for block, index in CONVOLUTIONS])
NAMES = [f"block{block}_conv{index}" for block, index in CONVOLUTIONS]
COUNTED = ["conv2d", *(f"conv2d_{number}" for number in range(1, 13))]
TENSORFLOW, THEANO = (2, 3, 1, 0), (0, 1, 2, 3)


def put(file, name, tensor, axes=TENSORFLOW):
    """A dataset of full shape that takes no room in the file."""
    shape = tensor.shape if tensor.ndim == 1 else tuple(tensor.shape[axis] for axis in axes)
    file.create_dataset(name, shape, "float32", fillvalue=float(tensor.flatten()[0]))


def write(file, form, axes=TENSORFLOW, tensors=PLAIN):
    """The 13 convolutions; `form(number)` gives the names of kernel and bias."""
    pairs = list(tensors.items())
    for number in range(len(pairs) // 2):
        (_, kernel), (_, bias) = pairs[2 * number : 2 * number + 2]
        for name, tensor in zip(form(number), (kernel, bias), strict=True):
            put(file, name, tensor, axes)


def of_keras_1(number):
    return [f"{NAMES[number]}/{NAMES[number]}_{kind}_1:0" for kind in "Wb"]


def of_keras_3(number):
    return [f"layers/{COUNTED[number]}/vars/{variable}" for variable in (0, 1)]


def write_keras_3(target, names=False, inside="", **options):
    """`model.save_weights`; Keras 3.0 to 3.5 tell no names. `inside` another model, with Adam."""
    with h5py.File(target, "w") as file:
        write(file, lambda n: [inside + name for name in of_keras_3(n)], **options)
        if names:
            for counted, name in zip(COUNTED, NAMES, strict=True):
                file[f"{inside}layers/{counted}/vars"].attrs["name"] = name
        if inside:
            write(file, lambda n: [f"optimizer/vars/{4 * n + i}" for i in (1, 3)])


def write_keras_archive(path, compression=zipfile.ZIP_STORED, **options):
    """`model.save("x.keras")`."""
    weights = io.BytesIO()
    write_keras_3(weights, **options)
    with zipfile.ZipFile(path, "w", compression) as archive:
        archive.writestr("metadata.json", '{"keras_version": "3.3.3"}')
        archive.writestr("config.json", '{"class_name": "Functional"}')
        archive.writestr("model.weights.h5", weights.getvalue())


FILES = {
    "3.0.weights.h5": write_keras_3,
    "3.10.weights.h5": lambda path: write_keras_3(path, names=True),
    "3.0.keras": write_keras_archive,
    "3.10.keras": lambda path: write_keras_archive(path, names=True),
    "deflated.keras": lambda path: write_keras_archive(path, zipfile.ZIP_DEFLATED),
    "wrapped.keras": lambda path: write_keras_archive(path, inside="layers/functional/"),
}


@pytest.mark.parametrize("name", FILES)
def test_keras_3_is_read_with_and_without_names_of_layers(name, tmp_path):
    FILES[name](tmp_path / name)
    found = read_vgg16(tmp_path / name)
    assert found.layout == "keras"
    assert found.notes == ()
    for key, tensor in found.tensors.items():
        assert torch.equal(tensor, PLAIN[key]), key
    assert load_vgg16(tmp_path / name).preprocessing.name == "caffe"


def write_theano(path, axes, backend=None, form=of_keras_1):
    """The first convolution has a value of its own at each place; the others take no room."""
    first = np.arange(64 * 27, dtype="float32").reshape(64, 3, 3, 3)
    with h5py.File(path, "w") as file:
        write(file, form, axes)
        name = form(0)[0]
        del file[name]
        file[name] = first.transpose(axes)
        if backend:
            file.attrs["backend"] = backend.encode()
    return torch.from_numpy(first)


@pytest.mark.parametrize(
    ("axes", "backend", "rotated", "said"),
    [
        (THEANO, None, True, "Theano is assumed"),
        (THEANO, "theano", True, "are Theano's"),
        (THEANO, "tensorflow", False, None),
        (TENSORFLOW, "theano", True, "are Theano's"),
        (TENSORFLOW, "tensorflow", False, None),
        (TENSORFLOW, None, False, None),
    ],
)
def test_theanos_kernels_are_rotated_as_keras_rotates_them(axes, backend, rotated, said, tmp_path):
    path = tmp_path / "vgg16_weights_th_dim_ordering_th_kernels_notop.h5"
    first = write_theano(path, axes, backend)
    found = read_vgg16(path)
    assert torch.equal(found.tensors["conv1_1.weight"], first.flip(2, 3) if rotated else first)
    assert [said in note for note in found.notes] == ([True] if said else [])
    messages = []
    load_vgg16(path, on_message=messages.append)
    assert len(messages) == len(found.notes) == len(check_weights(path).messages)


def test_the_first_keras_file_of_vgg16_is_read(tmp_path):
    """Of 2015: layers are counted, with the paddings and poolings between them."""
    places = [1, 3, 6, 8, 11, 13, 15, 18, 20, 22, 25, 27, 29]
    path = tmp_path / "vgg16_weights.h5"
    write_theano(path, THEANO, form=lambda n: [f"layer_{places[n]}/param_{i}" for i in (0, 1)])
    found = read_vgg16(path).tensors
    assert all(torch.equal(found[key], PLAIN[key]) for key in PLAIN if key != "conv1_1.weight")


VGG19 = layers([f"conv_{n}" for n in range(16)], (64,) * 2 + (128,) * 2 + (256,) * 4 + (512,) * 8)


NAMES_OF_VGG19 = [
    f"block{block}_conv{index}"
    for block, layers_in_block in enumerate((2, 2, 4, 4, 4), start=1)
    for index in range(1, layers_in_block + 1)
]


def write_vgg19(path, form):
    with h5py.File(path, "w") as file:
        write(file, form, tensors=VGG19)


def write_normalized(path, leaves):
    write_keras_3(path)
    with h5py.File(path, "a") as file:
        for number, width in enumerate(VGG16_WIDTHS):
            for leaf in leaves:
                put(file, f"layers/normal_{number}/{leaf}", torch.ones(width))


REFUSED = {
    "VGG-19": (
        lambda path: write_vgg19(
            path, lambda n: [f"{NAMES_OF_VGG19[n]}/{kind}_1:0" for kind in "Wb"]
        ),
        "is VGG-19",
    ),
    "VGG-19 of Keras 3.0": (
        lambda path: write_vgg19(path, lambda n: [f"layers/conv2d_{n}/vars/{i}" for i in (0, 1)]),
        "is VGG-19",
    ),
    "batch normalization": (
        lambda path: write_normalized(path, ("gamma:0", "beta:0", "moving_mean:0")),
        "VGG-16 with batch normalization",
    ),
    "another normalization": (
        lambda path: write_normalized(path, ("vars/0", "vars/1")),
        "VGG-16 with normalization",
    ),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_relatives_in_keras_files_are_refused_by_what_they_are(kind, tmp_path):
    write_file, complaint = REFUSED[kind]
    write_file(tmp_path / "net.h5")
    with pytest.raises(WeightsError, match=complaint):
        read_vgg16(tmp_path / "net.h5")


def test_an_archive_that_unpacks_to_more_than_a_network_is_refused(tmp_path, monkeypatch):
    write_keras_archive(tmp_path / "bomb.keras", zipfile.ZIP_DEFLATED)
    monkeypatch.setattr(keras, "LARGEST", 1000)
    with pytest.raises(WeightsError, match=r"bomb\.keras would unpack to .* GB"):
        read_vgg16(tmp_path / "bomb.keras")


def test_a_dataset_larger_than_a_network_is_refused_before_it_is_read(tmp_path):
    with h5py.File(tmp_path / "bomb.h5", "w") as file:
        file.create_dataset("block1_conv1/kernel:0", (3, 3, 10**6, 10**6), "float32")
    assert (tmp_path / "bomb.h5").stat().st_size < 10_000
    with pytest.raises(WeightsError, match=r"would unpack to 36,000\.0 GB"):
        read_vgg16(tmp_path / "bomb.h5")


def test_values_from_other_files_are_refused(tmp_path):
    (tmp_path / "secret").write_bytes(bytes(64 * 4))
    write_keras_3(tmp_path / "vgg.h5")
    with h5py.File(tmp_path / "vgg.h5", "a") as file:
        del file["layers/conv2d/vars/1"]
        external = [(str(tmp_path / "secret"), 0, 64 * 4)]
        file.create_dataset("layers/conv2d/vars/1", (64,), "float32", external=external)
    with pytest.raises(WeightsError, match="takes values out of other files"):
        read_vgg16(tmp_path / "vgg.h5")


def test_half_an_archive_is_damaged(tmp_path):
    path = tmp_path / "vgg.keras"
    write_keras_archive(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(WeightsError, match="damaged"):
        read_vgg16(path)


def test_an_archive_whose_weights_are_damaged_says_so(tmp_path):
    with zipfile.ZipFile(tmp_path / "vgg.keras", "w") as archive:
        archive.writestr("model.weights.h5", b"\x89HDF\r\n\x1a\n" + bytes(60))
    with pytest.raises(WeightsError, match="damaged Keras file"):
        read_vgg16(tmp_path / "vgg.keras")


def test_what_is_no_string_and_no_number_is_not_read(tmp_path):
    path = tmp_path / "vgg.h5"
    lists = h5py.vlen_dtype("i4")
    with h5py.File(path, "w") as file:
        value = np.empty((), lists)
        value[()] = np.array([1, 2], "i4")
        file.attrs.create("backend", value, dtype=lists)
        kernel = file.create_dataset("a/kernel:0", (3, 3, 1, 64), lists)
        kernel[0, 0, 0, 0] = [1, 2]
        kernel.parent.attrs.create("name", value, dtype=lists)
    with pytest.raises(WeightsError, match="damaged"):
        read_tensors(path)
    with h5py.File(path, "a") as file:
        del file["a/kernel:0"]
    assert read_tensors(path).metadata == {}


def heap_of(path):
    """A file with a string of any length, and where its free space says how far it goes."""
    with h5py.File(path, "w") as file:
        file.create_group("layer").attrs["name"] = "block1_conv1"
        file["layer/kernel"] = [1.0, 2.0]
    data = path.read_bytes()
    place = data.index(b"GCOL") + 16
    while int.from_bytes(data[place : place + 2], "little"):
        place += 16 + -(-int.from_bytes(data[place + 8 : place + 16], "little") // 8) * 8
    return place + 8


def test_a_heap_without_an_end_is_refused_and_a_sound_one_is_not(tmp_path):
    path = tmp_path / "weights.h5"
    place = heap_of(path)
    check_heaps(path)
    data = bytearray(path.read_bytes())
    data[place : place + 8] = bytes(8)
    path.write_bytes(data)
    with pytest.raises(WeightsError, match="does not end"):
        read_tensors(path)
