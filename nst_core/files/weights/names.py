"""The 13 convolutions of VGG-16: their names here and in other programs, and their shapes."""

import re

from ...gatys.vgg import LAYERS

# {"conv1_1.weight": (64, 3, 3, 3), "conv1_1.bias": (64,), ...}
SHAPES: dict[str, tuple[int, ...]] = {}
# torchvision counts modules: a convolution and its ReLU are two, the pooling after a block one.
BY_INDEX: dict[int, str] = {}
for _count, _layer in enumerate(LAYERS.values()):
    _name = f"conv{_layer.block}_{_layer.index}"
    SHAPES[f"{_name}.weight"] = (_layer.channels, _layer.in_channels, 3, 3)
    SHAPES[f"{_name}.bias"] = (_layer.channels,)
    BY_INDEX[2 * _count + _layer.block - 1] = _name
CONVOLUTIONS = tuple(BY_INDEX.values())

# "features.0", "conv1_1" and "block1_conv1", with any prefix.
_INDEXED = re.compile(r"(?:^|\.)features\.(\d{1,3})$")
_CAFFE = re.compile(r"(?:^|\.)conv([1-5]_[1-3])$")
_KERAS = re.compile(r"(?:^|\.)block([1-5])_conv([1-3])$")
_INDEX_AT_END = re.compile(r"(?:^|\.)(\d{1,3})$")
_OF_VGG19 = re.compile(r"(?:^|\.)(conv[345]_4|block[345]_conv4)$")

# Wrappers of torch.compile and of DataParallel, which add nothing.
_WRAPPERS = {"_orig_mod", "module"}
# A kernel's last word, and that of its bias.
_BIASES = {"weight": "bias", "weights": "biases", "kernel": "bias", "W": "b"}
_KERNEL = re.compile(rf"^(.+?)[._]({'|'.join(_BIASES)})$")


def plain(key: str) -> str:
    """A key with dots, whatever it has between its words, and without wrappers."""
    return ".".join(word for word in re.split(r"[./\\]", key) if word not in _WRAPPERS)


def layer_of(key: str) -> str | None:
    """The layer whose kernel a plain key is; None for biases and all others."""
    match = _KERNEL.match(key)
    return match[1] if match else None


def bias_key(key: str) -> str:
    """The key of the bias that belongs to a kernel's key."""
    match = re.search(rf"({'|'.join(_BIASES)})$", key)
    return key[: match.start()] + _BIASES[match[1]] if match else key


def our_name(layer: str) -> tuple[str, str] | None:
    """(layout, our name of the convolution) by the name of a layer; None for any other layer."""
    if match := _INDEXED.search(layer):
        name = BY_INDEX.get(int(match[1]))
        return ("torchvision", name) if name else None
    if match := _CAFFE.search(layer):
        name = f"conv{match[1]}"
        return ("caffe", name) if name in CONVOLUTIONS else None
    if match := _KERAS.search(layer):
        name = f"conv{match[1]}_{match[2]}"
        return ("keras", name) if name in CONVOLUTIONS else None
    return None


def is_of_vgg19(layer: str) -> bool:
    """Whether VGG-19 has a layer of that name and VGG-16 has none."""
    return _OF_VGG19.search(layer) is not None


def has_index_of(layer: str, name: str) -> bool:
    """Whether a layer's last word is the number that torchvision gives to our `name`."""
    match = _INDEX_AT_END.search(layer)
    return match is not None and BY_INDEX.get(int(match[1])) == name


def key_in(layout: str, name: str) -> str:
    """What a layout calls our `conv1_1.weight`."""
    convolution, kind = name.split(".")
    if layout == "torchvision":
        index = next(index for index, known in BY_INDEX.items() if known == convolution)
        return f"features.{index}.{kind}"
    if layout == "keras":
        block, index_in_block = convolution.removeprefix("conv").split("_")
        return f"block{block}_conv{index_in_block} {'kernel' if kind == 'weight' else 'bias'}"
    return name


def natural_order(name: str) -> list[list[tuple[bool, int, str]]]:
    """A sorting key by which conv2d < conv2d_1 < conv2d_2 < conv2d_12."""
    return [
        [
            # By length first: as integers, numbers of thousands of digits are refused by Python.
            (not part.isdecimal(), len(part.lstrip("0")) if part.isdecimal() else 0, part)
            for part in re.split(r"(\d+)", word)
        ]
        for word in name.split(".")
    ]
