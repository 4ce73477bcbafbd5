"""Networks that look like VGG-16: each is refused by what it is."""

import pytest
import torch
from vgg_files import CONVOLUTIONS, TORCHVISION_INDICES, VGG16_WIDTHS, layers, vgg16_layers

from nst_core.errors import WeightsError
from nst_core.files.weights import check_weights, load_vgg16

VGG11 = (64, 128, 256, 256, 512, 512, 512, 512)
VGG13 = (64, 64, 128, 128, 256, 256, 512, 512, 512, 512)
VGG19 = (64,) * 2 + (128,) * 2 + (256,) * 4 + (512,) * 8
# As torchvision's `features` print themselves.
INDICES = {
    "11": (0, 3, 6, 8, 11, 13, 16, 18),
    "13": (0, 2, 5, 7, 10, 12, 15, 17, 20, 22),
    "16 bn": (0, 3, 7, 10, 14, 17, 20, 24, 27, 30, 34, 37, 40),
    "19": (0, 2, 5, 7, 10, 12, 14, 16, 19, 21, 23, 25, 28, 30, 32, 34),
}
BLOCKS_OF_VGG19 = [(b, i) for b, n in enumerate((2, 2, 4, 4, 4), start=1) for i in range(1, n + 1)]


def indexed(kind, widths, prefix="features."):
    return layers([f"{prefix}{index}" for index in INDICES[kind]], widths)


def normalized(prefix, numbers, kinds):
    return {
        f"{prefix}{number}.{kind}": torch.ones(width)
        for number, width in zip(numbers, VGG16_WIDTHS, strict=True)
        for kind in kinds
    }


BATCH_NORM = ("weight", "bias", "running_mean", "running_var")
BARE = vgg16_layers([str(index) for index in TORCHVISION_INDICES])
RELATIVES = {
    "VGG-11": (indexed("11", VGG11), "is VGG-11"),
    "VGG-13": (indexed("13", VGG13), "is VGG-13"),
    "VGG-13, bare indices": (indexed("13", VGG13, ""), "is VGG-13"),
    "VGG-19": (indexed("19", VGG19), "is VGG-19"),
    "VGG-19, bare indices": (indexed("19", VGG19, ""), "is VGG-19"),
    "VGG-19, Caffe's names": (
        layers([f"conv{block}_{index}" for block, index in BLOCKS_OF_VGG19], VGG19),
        "is VGG-19",
    ),
    "VGG-19 until relu4_1": (indexed("19", VGG19[:9]), "is a part of VGG-19"),
    "VGG-19 with AdaIN's first layer": (
        {"0.weight": torch.ones(3, 3, 1, 1), "0.bias": torch.ones(3)}
        | layers([str(2 + 3 * n) for n in range(16)], VGG19),
        "is VGG-19",
    ),
    "VGG-16 with a first layer of 1x1": (
        {"0.weight": torch.ones(3, 3, 1, 1), "0.bias": torch.ones(3)}
        | vgg16_layers([str(2 + 3 * n) for n in range(13)]),
        r"VGG-16 with other convolutions among its own \(0.weight is 1x1\)",
    ),
    "VGG-16 with batch normalization": (
        indexed("16 bn", VGG16_WIDTHS)
        | normalized("features.", [index + 1 for index in INDICES["16 bn"]], BATCH_NORM),
        "is VGG-16 with batch normalization",
    ),
    "VGG-16 with batch normalization beside": (
        vgg16_layers([f"convs.{n}" for n in range(13)])
        | normalized("norms.", range(13), BATCH_NORM),
        "is VGG-16 with batch normalization",
    ),
    "VGG-16 with group normalization": (
        indexed("16 bn", VGG16_WIDTHS)
        | normalized("features.", [index + 1 for index in INDICES["16 bn"]], ("weight", "bias")),
        "is VGG-16 with normalization",
    ),
    "the start of VGG-16 with batch normalization": (
        layers([f"features.{index}" for index in INDICES["16 bn"][:7]], VGG16_WIDTHS)
        | {"features.1.running_mean": torch.ones(64)},
        "is a network with batch normalization",
    ),
    "transposed": (
        {key: value.transpose(0, 1) if value.ndim == 4 else value for key, value in BARE.items()},
        r"is VGG-16 with transposed kernels \(in, out",
    ),
    "a fourth convolution in block 5": (
        BARE | layers(["30"], (512,)) | {"30.weight": torch.ones(1).expand(512, 512, 3, 3)},
        "has no VGG-16 in it",
    ),
    "a U-Net": (
        layers([f"down.{n}" for n in range(8)], (64, 64, 128, 128, 256, 256, 512, 512)),
        "has no VGG-16 in it",
    ),
}


@pytest.mark.parametrize("kind", RELATIVES)
def test_a_relative_is_refused_by_what_it_is(kind, tmp_path):
    tensors, complaint = RELATIVES[kind]
    torch.save(tensors, tmp_path / "net.pth")
    for use in (load_vgg16, check_weights):
        with pytest.raises(WeightsError, match=complaint):
            use(tmp_path / "net.pth")


def test_batch_normalization_of_another_part_is_no_obstacle(tmp_path):
    generator = {"netG.0.weight": torch.ones(8, 3, 3, 3), "netG.1.running_mean": torch.ones(8)}
    caffe = vgg16_layers([f"vgg.conv{block}_{index}" for block, index in CONVOLUTIONS])
    torch.save(generator | caffe, tmp_path / "gan.pth")
    assert check_weights(tmp_path / "gan.pth").ok
