"""The video nodes: the engine's frames, stoppable after any of them, for every kind of input."""

import sys
from types import SimpleNamespace

import pytest
import torch
from standin import InterruptProcessingException, image

SIZE, COUNT = 32, 3


@pytest.fixture
def moving(run):
    """Frames of a video and its flow."""
    return run("NST_SampleVideo", name="harbor", size=SIZE, count=COUNT, fps=12.0)


@pytest.fixture
def frames(moving):
    return moving[0]


@pytest.fixture
def styles(run, style):
    return run("NST_StyleLoss", image=style)


@pytest.fixture
def stylized(run, vgg, moving, styles):
    """`stylized(...)`: Stylize Video at a size and for as long as a test may take."""

    def stylize(**inputs):
        given = {"vgg": vgg, "frames": moving[0], "losses": styles, "optical_flow": moving[1]}
        quick = {"size": SIZE, "steps": 2, "frame_steps": 1, "scales": 1, "frame_tolerance": 0.0}
        return run("NST_StylizeVideo", **{**given, **quick, **inputs})

    return stylize


@pytest.fixture
def module(engine):
    """`module("video.frames")`: one of the engine that the pack has imported."""
    return lambda name: sys.modules[f"{engine.__name__}.{name}"]


def folders(host):
    return sorted(host.output.glob("nst_unfinished_video_*"))


@pytest.fixture(autouse=True)
def no_rest(host):
    yield
    for folder in folders(host):
        for path in folder.iterdir():
            path.unlink()
        folder.rmdir()


def canceled(host, stylized, share, **inputs):
    """Stylize, Cancel pressed after this share of the work."""
    host.checks, host.cancel_after = 0, None
    whole = stylized(**inputs)
    host.checks, host.cancel_after = 0, int(host.checks * share)
    with pytest.raises(InterruptProcessingException):
        stylized(**inputs)
    host.checks, host.cancel_after = 0, None
    return whole


def test_there_are_as_many_frames_as_came_and_each_differs(stylized, frames):
    result, mask = stylized()
    assert result.shape == frames.shape
    assert result.dtype == torch.float32
    assert all(not torch.equal(result[i], result[i + 1]) for i in range(COUNT - 1))
    assert mask.shape == result.shape[:3]
    assert mask.max() == 0


def test_the_frames_are_those_of_the_engine(stylized, moving, engine, module, vgg, style, tmp_path):
    frames, flow = moving
    Frame, folder = module("video.flows").Frame, module("video.folder").FramesFolder(tmp_path)
    given = [Frame(i, frame[None].movedim(-1, 1)) for i, frame in enumerate(frames)]

    def painter():
        return module("video.frames").Painter(
            losses_at=lambda frame: [
                engine.ContentLoss(image=frame.image),
                engine.StyleLoss(images=(style.movedim(-1, 1),)),
            ],
            vgg=vgg,
            settings=engine.RunSettings(size=SIZE, steps=2, scales=1),
            runtime=engine.Runtime.choose("cpu"),
            video=module("settings.video").VideoSettings(frame_steps=1, frame_tolerance=0.0),
            flow=flow.for_frames(COUNT),
        )

    source = SimpleNamespace(frames=lambda first: given[first:])
    passes = module("video.passes").Passes
    passes(source=source, folder=folder, painter_of=painter, passes=1).run()
    for index, result in enumerate(stylized()[0]):
        assert torch.equal(result, folder.load(0, index).image[0].movedim(0, -1))


def test_the_frames_may_also_come_by_a_content_loss(run, stylized, frames, styles):
    chain = run("NST_ContentLoss", image=frames, losses=styles)
    by_hand, _ = stylized(losses=chain)
    assert torch.allclose(by_hand, stylized()[0], atol=1e-4)
    stronger = run("NST_ContentLoss", image=frames, content_weight=50.0, losses=styles)
    assert not torch.allclose(stylized(losses=stronger)[0], by_hand, atol=1e-2)


def test_a_content_of_one_picture_is_refused_with_what_to_wire(run, stylized, frames, engine):
    chain = run("NST_ContentLoss", image=frames[:1])
    with pytest.raises(engine.NSTError, match="Connect the frames to the Content Loss too"):
        stylized(losses=chain)


def test_contents_of_another_shape_are_refused(run, stylized, engine):
    chain = run("NST_ContentLoss", image=image(40, 32, batch=COUNT))
    with pytest.raises(engine.NSTError, match="another shape than the video"):
        stylized(losses=chain)


def test_a_batch_of_another_length_is_refused(run, stylized, engine, styles):
    with pytest.raises(engine.NSTError, match="batches of 2 and 3"):
        stylized(losses=run("NST_LaplacianLoss", image=image(batch=2), losses=styles))
    with pytest.raises(engine.NSTError, match="2 start pictures and 3 frames"):
        stylized(start=image(batch=2))
    with pytest.raises(engine.NSTError, match="flow is of 3 frames, and the video has 4"):
        stylized(frames=image(24, 32, batch=4))


def test_a_video_of_one_frame_is_a_still(run, stylized, small, frames, styles):
    chain = run("NST_ContentLoss", image=frames[:1], losses=styles)
    still, *_ = small(chain, size=SIZE, steps=2, scales=1)
    video, _ = stylized(frames=frames[:1], optical_flow=None)
    assert torch.allclose(video, still, atol=1e-4)


def test_without_flow_it_is_found_with_opencv(stylized, moving):
    pytest.importorskip("cv2")
    found, _ = stylized(optical_flow=None)
    assert found.shape == moving[0].shape


def test_without_opencv_a_sentence_says_how_to_get_it(stylized, engine, monkeypatch, module):
    monkeypatch.setattr(module("optional"), "find_spec", lambda name: None)
    with pytest.raises(engine.NSTError, match="pip install opencv-python-headless"):
        stylized(optical_flow=None)
    stylized(steps=0, frame_steps=1)  # given flow needs none


def test_what_is_black_in_a_mask_keeps_its_pixels_in_every_frame(stylized, frames):
    half = torch.zeros(1, 24, 32)
    half[..., 16:] = 1
    result, _ = stylized(mask=half)
    assert torch.allclose(result[:, :, :16], frames[:, :, :16], atol=1e-4)
    assert not torch.allclose(result[:, :, 16:], frames[:, :, 16:], atol=0.05)


def test_a_mask_may_be_another_for_each_frame_and_empty_for_some(stylized, frames):
    masks = torch.ones(COUNT, 24, 32)
    masks[1] = 0
    result, _ = stylized(mask=masks)
    assert torch.allclose(result[1], frames[1], atol=1e-4)
    assert not torch.allclose(result[2], frames[2], atol=0.05)


def test_a_full_mask_is_no_mask(stylized):
    masked, _ = stylized(mask=torch.ones(1, 8, 8))
    assert torch.allclose(masked, stylized()[0], atol=1e-3)


def test_frames_start_from_what_was_stylized_before(stylized, frames):
    before = 1 - frames
    every, _ = stylized(start=before)
    first, _ = stylized(start=before[:1])
    for start, result in zip(before, every, strict=True):
        assert (result - start).abs().mean() < (result - (1 - start)).abs().mean()
    assert torch.equal(first[0], every[0])
    assert not torch.equal(first[2], every[2])


def test_the_alpha_of_frames_comes_out_as_a_mask(stylized, frames):
    alpha = torch.ones(*frames.shape[:3], 1)
    alpha[1, :12] = 0
    _, mask = stylized(frames=torch.cat([frames, alpha], dim=-1), steps=0)
    assert torch.equal(mask, 1 - alpha[..., 0])


@pytest.mark.parametrize("share", [0.7, 0.95])
def test_canceled_it_says_where_the_frames_are_and_goes_on_to_the_same_ones(host, stylized, share):
    whole, _ = canceled(host, stylized, share)
    (folder,) = folders(host)
    finished = len(list(folder.glob("pass1-*.png")))
    assert 0 < finished < COUNT
    assert host.notes[-1].startswith(
        f"Run it again to go on: {finished} of {COUNT} frames are done. They are in {folder}."
    )
    host.notes.clear()
    again, _ = stylized()
    told = "\n".join(host.notes)
    assert f"goes on after {finished} frame" in told
    assert torch.equal(again, whole)
    assert not folders(host)


def test_passes_go_on_too(host, stylized):
    whole, _ = canceled(host, stylized, 0.8, passes=2)
    assert "of 3 frames of pass 2 of 2" in host.notes[-1]
    assert torch.equal(stylized(passes=2)[0], whole)


def test_another_run_takes_nothing_of_one_that_was_canceled(host, stylized, run, style, frames):
    canceled(host, stylized, 0.7)
    other_flow = run("NST_SampleVideo", size=SIZE, count=COUNT, fps=13.0)[1]

    def goes_on(changes):
        """Whether some frames are there already: told when it is canceled at once."""
        host.notes.clear()
        host.checks, host.cancel_after = 0, 60
        with pytest.raises(InterruptProcessingException):
            stylized(**changes)
        return any("Run it again" in note for note in host.notes)

    assert goes_on({})
    for changed in (
        {"steps": 3},
        {"temporal_weight": 1.0},
        {"frames": frames.flip(0)},
        {"losses": run("NST_StyleLoss", image=style, style_weight=3.0)},
        {"optical_flow": other_flow},
        {"mask": torch.eye(24)[None]},
        {"start": frames[:1]},
    ):
        assert not goes_on(changed), changed
    assert len(folders(host)) == 1


def test_canceled_in_the_first_frame_it_leaves_nothing(host, stylized):
    canceled(host, stylized, 0.1)
    assert folders(host) == []


def test_the_bar_counts_frames_and_previews_show_the_one_at_work(host, stylized):
    stylized(preview_interval=1e-9)
    values = [value for value, _, _ in host.updates]
    assert values == sorted(values)
    assert values[-1] == host.updates[-1][1]
    shown = [preview for _, _, preview in host.updates if preview]
    assert {picture.size for _, picture, _ in shown} == {(32, 24)}


def test_frames_and_memory_are_told_before_anything_is_computed(host, stylized):
    host.cancel_after = 0
    with pytest.raises(InterruptProcessingException):
        stylized()
    assert "3 frames. 32x24 px: about" in host.notes[-1]


def test_the_time_that_is_left_is_told_when_the_pace_is_known(run, host, vgg, styles):
    frames, flow = run("NST_SampleVideo", size=16, count=8, fps=12.0)
    quick = {"size": 32, "steps": 1, "frame_steps": 1, "scales": 1, "frame_tolerance": 0.0}
    inputs = {"vgg": vgg, "frames": frames, "losses": styles, "optical_flow": flow}
    run("NST_StylizeVideo", **inputs, **quick)
    assert sum("It takes about" in note.split("\n")[0] for note in host.notes) == 1


def test_the_frames_of_a_video_are_not_copied_before_their_turn(stylized, frames, engine):
    clip = sys.modules[engine.__name__.removesuffix("nst_core") + "nodes.clip"]
    made = clip.clip_of(
        frames,
        (),
        masks=(masks := torch.ones(COUNT, 8, 8)),
        feather=0.02,
        starts=(),
        settings=engine.RunSettings(size=SIZE),
    )
    assert made.areas[2].data_ptr() == masks[2].data_ptr()
    for frame, picture, losses in zip(frames, made.pictures, made.losses, strict=True):
        assert picture.data_ptr() == frame.data_ptr() == losses[0].image.data_ptr()


@pytest.mark.parametrize("name", ["harbor", "portrait", "meadow"])
def test_a_sample_video_is_the_engines_and_its_flow_carries_frames_along(run, engine, module, name):
    frames, flow = run("NST_SampleVideo", name=name, size=64, count=3, fps=8.0)
    scene = module("files.samples.scenes").moving_sample(name)
    assert torch.equal(frames[2], scene.frame(2 / 8, 64)[0].movedim(0, -1))
    Frame, warped = module("video.flows").Frame, module("control.flow").warped
    pictures = [frame[None].movedim(-1, 1) for frame in frames]
    back = flow.for_frames(3)(Frame(2, pictures[2]), Frame(1, pictures[1]))
    carried = (warped(pictures[1], back) - pictures[2]).abs().mean()
    assert carried < 0.5 * (pictures[1] - pictures[2]).abs().mean()


def test_flow_is_scaled_with_the_frames(run, module):
    _, flow = run("NST_SampleVideo", name="meadow", size=64, count=2, fps=8.0)
    Frame = module("video.flows").Frame

    def shift(width):
        frames = [Frame(i, torch.zeros(1, 3, width * 2 // 3, width)) for i in range(2)]
        return float(flow.for_frames(2)(*frames)[0, 0].mean())

    assert shift(192) == pytest.approx(3 * shift(64), rel=0.05)


def test_a_moving_mask_stays_on_what_it_lies_on(run, module):
    frames, flow = run("NST_SampleVideo", name="meadow", size=64, count=4, fps=4.0)
    dark = (frames[0].mean(-1) < 0.4).float()
    masks = run("NST_MovingMask", frames=frames, mask=dark[None], optical_flow=flow)
    assert masks.shape == frames.shape[:3]
    assert torch.allclose(masks[0], dark, atol=1e-3)
    there = masks[3] > 0.5
    assert frames[3][there].mean() < 0.8 * frames[3][~there].mean()
    shifted = (masks[3] - dark).abs().mean()
    assert shifted > 0.02


def test_a_moving_mask_leaves_what_it_moves_away_from(run, module):
    frames, flow = run("NST_SampleVideo", name="harbor", size=96, count=9, fps=8.0)
    scene = module("files.samples.scenes").moving_sample("harbor")

    def boat(time):
        motion = scene.flow(time, time + 0.01, 96)[0][0, 0]
        return (motion > 0.9 * motion.max()).float()

    masks = run("NST_MovingMask", frames=frames, mask=boat(0.0)[None], optical_flow=flow)
    assert (masks[8] - boat(1.0)).abs().mean() < 0.25 * (masks[0] - boat(1.0)).abs().mean()


def test_a_moving_mask_is_one_over_the_first_frame(run, engine, frames, moving):
    with pytest.raises(engine.NSTError, match=r"There are 2 masks\. Connect one"):
        run("NST_MovingMask", frames=frames, mask=torch.ones(2, 8, 8), optical_flow=moving[1])
    black = run("NST_MovingMask", frames=frames, mask=torch.zeros(1, 64, 64))
    assert black.shape == frames.shape[:3]
    assert black.max() == 0


def test_canceled_a_moving_mask_stops(run, host, moving):
    host.cancel_after = 1
    with pytest.raises(InterruptProcessingException):
        run("NST_MovingMask", frames=moving[0], mask=torch.ones(1, 8, 8), optical_flow=moving[1])


@pytest.fixture
def flow_folder(moving, module, host):
    """Files of the flow of the video."""
    folder = host.models / "input/boats"
    folder.mkdir(parents=True, exist_ok=True)
    between, Frame = moving[1].between, module("video.flows").Frame
    frames = [Frame(i, torch.zeros(1, 3, 24, 32)) for i in range(COUNT)]
    for i in range(COUNT - 1):
        for a, b, name in ((i, i + 1, "forward"), (i + 1, i, "backward")):
            flow = between(frames[a], frames[b])
            path = folder / f"{name}_{a + 1}_{b + 1}.flo"
            module("files.flow_file").write_flow(flow, path)
    yield folder
    for path in folder.iterdir():
        path.unlink()


def test_flow_from_files_gives_the_frames_of_that_flow(run, stylized, flow_folder, modules):
    loaded = run("NST_LoadOpticalFlow", folder="boats")
    assert torch.equal(stylized(optical_flow=loaded)[0], stylized()[0])
    (part,) = modules.nodes["NST_LoadOpticalFlow"].define_schema().inputs
    assert part.options == ["boats"]


def test_flow_that_was_changed_is_noticed(run, flow_folder, modules):
    node = modules.nodes["NST_LoadOpticalFlow"]
    before, first = node.fingerprint_inputs("boats"), run("NST_LoadOpticalFlow", folder="boats")
    assert node.fingerprint_inputs("boats") == before
    (flow_folder / "forward_1_2.flo").write_bytes(b"other")
    assert node.fingerprint_inputs("boats") != before
    assert run("NST_LoadOpticalFlow", folder="boats").identity != first.identity


@pytest.mark.parametrize("folder", ["../vgg", "sea", "", "/", "boats/../../vgg"])
def test_flow_is_taken_from_the_input_folder_alone(run, flow_folder, engine, folder):
    with pytest.raises(engine.NSTError, match=r"no folder .* with optical flow. Put it into"):
        run("NST_LoadOpticalFlow", folder=folder)


def test_flow_of_a_video_that_is_longer_names_the_file_that_is_missing(
    run, stylized, flow_folder, engine
):
    loaded = run("NST_LoadOpticalFlow", folder="boats")
    (flow_folder / "forward_2_3.flo").unlink()
    with pytest.raises(engine.NSTError, match=r"from frame 2 to 3 is missing"):
        stylized(optical_flow=loaded)


def test_the_list_of_moving_samples_is_that_of_the_engine(module):
    scenes, names = module("files.samples.scenes"), module("settings.samples")
    assert set(names.MOVING) == set(scenes._SCENES)
