import pytest
import torch
from small import picture, seeded_vgg
from torch.testing import assert_close

from nst_core.control.guidance import check_large_enough
from nst_core.control.tiles import reach_of
from nst_core.errors import ImageTooSmall, LayerError
from nst_core.files.weights.preprocessings import CAFFE_RGB, TORCHVISION
from nst_core.gatys.preprocessing import CAFFE
from nst_core.gatys.vgg import LAYERS, canonical_layer


def test_the_network_is_torchvisions_configuration_d(vgg):
    from torchvision.models import vgg16

    reference = vgg16(weights=None).features.eval()
    convolutions = [m for m in reference if isinstance(m, torch.nn.Conv2d)]
    for ours, theirs in zip(vgg.convolutions.values(), convolutions, strict=True):
        theirs.load_state_dict(ours.state_dict())
    image = picture(48, 64)
    features = CAFFE(image)
    names = iter(LAYERS)
    for module in reference:
        features = module(features)
        if isinstance(module, torch.nn.ReLU):
            name = next(names)
            assert_close(vgg(image, [name])[name], features, rtol=1e-4, atol=1e-3)


def test_average_pooling_is_another_network_than_max_pooling(vgg):
    image = picture(32, 32)
    average = seeded_vgg(pooling="average")
    shallow, deep = ("relu1_2", "relu2_1")
    assert_close(vgg(image, [shallow])[shallow], average(image, [shallow])[shallow])
    assert not torch.allclose(vgg(image, [deep])[deep], average(image, [deep])[deep])


@pytest.mark.parametrize("name", LAYERS)
def test_a_feature_sees_its_receptive_field_and_not_a_pixel_more(vgg64, name):
    layer, reach = LAYERS[name], reach_of(name)
    field = layer.stride + 2 * reach
    side = 3 * field // layer.stride // 2 * layer.stride + layer.stride
    position = side // layer.stride // 2
    image = picture(side, side, dtype=torch.float64).requires_grad_()
    average = seeded_vgg(torch.float64, pooling="average")  # max pooling hides pixels that lost
    feature = average(image, [name])[name][0, :, position, position].sum()
    seen = torch.autograd.grad(feature, image)[0][0].abs().sum(0).amax(0).nonzero().flatten()
    assert seen[0] == max(0, position * layer.stride - reach)
    assert seen[-1] == min(side, (position + 1) * layer.stride + reach) - 1


def test_receptive_fields_are_those_in_the_literature():
    names = ("relu1_1", "relu4_2", "relu5_1")
    fields = {name: LAYERS[name].stride + 2 * reach_of(name) for name in names}
    assert fields == {"relu1_1": 3, "relu4_2": 76, "relu5_1": 132}


def test_three_dialects_name_one_layer():
    assert {canonical_layer(n) for n in ("relu4_2", "conv4_2", "block4_conv2", " Relu4_2 ")} == {
        "relu4_2"
    }


@pytest.mark.parametrize("name", ["relu4_9", "relu1_3", "conv6_1", "pool4", "", "22"])
def test_an_unknown_layer_is_refused_with_names_that_exist(name):
    with pytest.raises(LayerError, match=r"relu\d_\d"):
        canonical_layer(name)


def test_nothing_deeper_than_the_deepest_layer_is_computed(vgg):
    assert set(vgg(picture(1, 1), ["relu1_2"])) == {"relu1_2"}  # a 2x2 pooling of 1x1 would fail


def test_a_picture_without_a_feature_at_a_layer_is_refused():
    check_large_enough(16, 16, ["relu5_1"], "The style")
    with pytest.raises(ImageTooSmall, match="The style is 15x16 px, but relu5_1 needs"):
        check_large_enough(16, 15, ["relu5_1"], "The style")


@pytest.mark.parametrize("kind", [CAFFE, TORCHVISION, CAFFE_RGB], ids=lambda k: k.name)
def test_the_mean_color_becomes_zero(kind):
    mean = torch.tensor(kind.mean).view(1, 3, 1, 1).expand(1, 3, 4, 4)
    assert kind(mean).abs().max() == 0


def test_caffe_preprocessing_is_kerass_preprocess_input():
    red = torch.tensor([1.0, 0.0, 0.0]).view(1, 3, 1, 1)
    assert_close(CAFFE(red).flatten(), torch.tensor([-103.939, -116.779, 255 - 123.68]))


def test_torchvision_preprocessing_is_torchvisions_own():
    from torchvision.models import VGG16_Weights

    image = picture(224, 224)
    transform = VGG16_Weights.IMAGENET1K_V1.transforms(crop_size=224, resize_size=224)
    assert_close(TORCHVISION(image), transform(image), rtol=1e-4, atol=1e-5)
    features = VGG16_Weights.IMAGENET1K_FEATURES.transforms(crop_size=224, resize_size=224)
    assert_close(CAFFE_RGB(image), features(image), rtol=1e-4, atol=1e-3)
