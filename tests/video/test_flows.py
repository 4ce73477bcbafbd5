"""Where flow comes from: RAFT, files, tensors."""

import pytest
import torch
from small import picture

from nst_core.control.flow import consistent, warped
from nst_core.errors import ImageError, SettingsError, WeightsError
from nst_core.files.flow_file import FAR_OUT, write_flow
from nst_core.files.samples.scenes import moving_sample
from nst_core.settings.video import VideoSettings
from nst_core.video.flows import Frame, flow_named
from nst_core.video.given_flow import flow_of_files, flow_of_tensors

torchvision = pytest.importorskip("torchvision")
SIZE, STEP, COUNT = 64, 1 / 12, 5
SCENE = moving_sample("harbor")
FRAMES = [Frame(i, SCENE.frame(i * STEP, SIZE)) for i in range(COUNT)]


def exact(first, second, size=SIZE):
    return SCENE.flow(first * STEP, second * STEP, size)[0].float()


@pytest.fixture(scope="module")
def raft_file(tmp_path_factory):
    """A file in torchvision's layout, with weights that were never trained."""
    torch.manual_seed(0)
    network = torchvision.models.optical_flow.raft_small(weights=None)
    path = tmp_path_factory.mktemp("raft") / "raft_small_C_T_V2-01064c6d.pth"
    torch.save(network.state_dict(), path)
    return path


@pytest.fixture
def empty_caches(tmp_path, monkeypatch):
    for name in ("NST_CACHE", "KERAS_HOME", "TORCH_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name))
    return tmp_path


def test_raft_is_torchvisions(raft_file):
    found = flow_named("raft", str(raft_file))(
        Frame(0, picture(128, 136, 1)), Frame(1, picture(128, 136, 2))
    )
    network = torchvision.models.optical_flow.raft_small(weights=None)
    network.load_state_dict(torch.load(raft_file, weights_only=True))
    with torch.no_grad():
        images = [picture(128, 136, seed) * 2 - 1 for seed in (1, 2)]
        wanted = network.eval()(*images)[-1]
    assert torch.allclose(found, wanted, atol=1e-4)


@pytest.mark.parametrize("size", [(20, 33), (131, 150)])
def test_raft_takes_frames_of_any_size(raft_file, size):
    flow = flow_named("raft", str(raft_file))(Frame(0, picture(*size)), Frame(1, picture(*size, 3)))
    assert flow.shape == (1, 2, *size)
    assert flow.isfinite().all()


def test_raft_is_found_where_torch_keeps_it(raft_file, empty_caches):
    folder = empty_caches / "TORCH_HOME" / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    (folder / raft_file.name).write_bytes(raft_file.read_bytes())
    flow = flow_named("raft")(Frame(0, picture(64, 64)), Frame(1, picture(64, 64, 3)))
    assert flow.shape == (1, 2, 64, 64)


def test_without_weights_raft_says_which_file_goes_where(empty_caches):
    with pytest.raises(SettingsError, match=r"Put raft_large_C_T_SKHT_V2-ff5fadd5\.pth into") as no:
        flow_named("raft")
    assert str(empty_caches / "TORCH_HOME" / "hub" / "checkpoints") in str(no.value)
    with pytest.raises(SettingsError, match=r"no file 'there\.pth'"):
        flow_named("raft", "there.pth")


def test_other_weights_are_refused(tmp_path, raft_file):
    torch.save({"a": torch.zeros(3)}, tmp_path / "other.pth")
    with pytest.raises(WeightsError, match="not RAFT"):
        flow_named("raft", str(tmp_path / "other.pth"))
    half = torch.load(raft_file, weights_only=True)
    torch.save(dict(list(half.items())[:9]), tmp_path / "half.pth")
    with pytest.raises(WeightsError, match="no whole RAFT"):
        flow_named("raft", str(tmp_path / "half.pth"))


def written(folder, name, size=SIZE):
    """The flow between neighbors, in files."""
    for index in range(COUNT - 1):
        for first, second in ((index, index + 1), (index + 1, index)):
            write_flow(exact(first, second, size), folder / name(first + 1, second + 1))
    return folder


NAMES = {
    "ours": lambda first, second: f"{first:06}-{second:06}.flo",
    "artistic-videos": lambda first, second: (
        f"{'forward' if second > first else 'backward'}_{first}_{second}.flo"
    ),
}


@pytest.mark.parametrize("name", list(NAMES))
def test_flow_is_read_from_a_folder(tmp_path, name):
    flow = flow_of_files(written(tmp_path, NAMES[name]))
    assert torch.equal(flow(FRAMES[1], FRAMES[2]), exact(1, 2))
    assert torch.equal(flow(FRAMES[2], FRAMES[1]), exact(2, 1))


def test_flow_is_read_from_files_called_as_one_likes(tmp_path):
    written(tmp_path, lambda first, second: f"a{first:03}to{second}.flo")
    flow = flow_of_files(tmp_path / "a{first:3}to{second}.flo")
    assert torch.equal(flow(FRAMES[3], FRAMES[2]), exact(3, 2))


def test_flow_of_another_size_is_resized_with_its_vectors(tmp_path):
    flow = flow_of_files(written(tmp_path, NAMES["ours"], 2 * SIZE))(FRAMES[1], FRAMES[0])
    assert flow.shape[-2:] == FRAMES[0].image.shape[-2:]
    assert float((flow - exact(1, 0)).abs().median()) < 0.01


def test_flow_over_several_frames_is_put_together_from_neighbors(tmp_path):
    flow = flow_of_files(written(tmp_path, NAMES["ours"]))
    found, wanted = flow(FRAMES[4], FRAMES[1]), exact(4, 1)
    assert float((found - wanted).abs().median()) < 0.02
    mask = consistent(flow(FRAMES[1], FRAMES[4]), found)
    change = (warped(FRAMES[1].image, found) - FRAMES[4].image).square().mean(1)[0]
    assert float((change * mask).sum() / mask.sum()) < 2e-3


def test_a_file_of_a_farther_pair_comes_before_what_is_put_together(tmp_path):
    written(tmp_path, NAMES["ours"])
    write_flow(exact(2, 0) + 1, tmp_path / NAMES["ours"](3, 1))
    assert torch.equal(flow_of_files(tmp_path)(FRAMES[2], FRAMES[0]), exact(2, 0) + 1)


def test_a_preview_of_every_second_frame_takes_the_flow_between_these(tmp_path):
    write_flow(exact(0, 2), tmp_path / NAMES["ours"](1, 3))
    flow = flow_of_files(tmp_path / "{first:6}-{second:6}.flo", every=2)
    assert torch.equal(flow(FRAMES[0], FRAMES[1]), exact(0, 2))


def test_what_a_flow_does_not_know_is_not_trusted(tmp_path):
    flow = exact(1, 0)
    flow[:, :, 10:14, 20:24] = float("nan")
    write_flow(flow, tmp_path / NAMES["ours"](2, 1))
    write_flow(exact(0, 1), tmp_path / NAMES["ours"](1, 2))
    given = flow_of_files(tmp_path)
    mask = consistent(given(FRAMES[0], FRAMES[1]), given(FRAMES[1], FRAMES[0]))
    assert not mask[10:14, 20:24].any()
    assert mask[20:].any()


def test_a_missing_flow_names_the_file(tmp_path):
    with pytest.raises(ImageError, match=r"none of '000001-000002\.flo'"):
        flow_of_files(tmp_path)
    written(tmp_path, NAMES["ours"])
    (tmp_path / NAMES["ours"](3, 2)).unlink()
    with pytest.raises(ImageError, match=r"from frame 3 to 2 is missing: .*000003-000002\.flo"):
        flow_of_files(tmp_path)(FRAMES[4], FRAMES[1])
    for where in ("no/such/folder", "flow/{first}.flo"):
        with pytest.raises(SettingsError, match=r"no folder with optical flow"):
            flow_of_files(where)


def test_flow_of_another_shape_is_refused(tmp_path):
    write_flow(torch.zeros(1, 2, 40, 40), tmp_path / NAMES["ours"](1, 2))
    with pytest.raises(SettingsError, match=r"40x40 pixels, another shape than the frames"):
        flow_of_files(tmp_path)(FRAMES[0], FRAMES[1])


def tensors(size=SIZE):
    steps = range(COUNT - 1)
    forward = torch.cat([exact(i, i + 1, size) for i in steps])
    return forward, torch.cat([exact(i + 1, i, size) for i in steps])


def test_flow_is_taken_from_tensors():
    flow = flow_of_tensors(*tensors())
    assert torch.equal(flow(FRAMES[3], FRAMES[2]), exact(3, 2))
    assert torch.equal(flow(FRAMES[2], FRAMES[3]), exact(2, 3))
    assert float((flow(FRAMES[2], FRAMES[0]) - exact(2, 0)).abs().median()) < 0.02


def test_numbers_of_a_flow_that_are_none_point_out():
    forward, backward = tensors()
    backward[2, 0, 5, 6] = float("nan")
    flow = flow_of_tensors(forward, backward)(FRAMES[3], FRAMES[2])
    assert (flow[0, :, 5, 6] == FAR_OUT).all()


def test_flow_of_fewer_frames_than_the_video_is_refused():
    forward, backward = tensors()
    with pytest.raises(SettingsError, match="of 3 frames, and the video has more"):
        flow_of_tensors(forward[:2], backward[:2])(FRAMES[2], FRAMES[3])
    with pytest.raises(SettingsError, match="for both"):
        flow_of_tensors(forward, backward[:2])


def test_no_frame_to_the_same_is_no_motion():
    assert not flow_of_tensors(*tensors())(FRAMES[1], FRAMES[1]).any()


def test_the_settings_have_a_flow_by_default():
    pytest.importorskip("cv2")
    flow = flow_named(VideoSettings().flow)(FRAMES[1], FRAMES[0])
    assert float((flow - exact(1, 0)).abs().median()) < 0.2
