"""Passes over a video on disk: ended anywhere, they go on to the same frames."""

from collections.abc import Iterator

import pytest
import torch

from nst_core import Settings, losses_of
from nst_core.errors import CheckpointError
from nst_core.files.samples import sample
from nst_core.files.samples.scenes import moving_sample
from nst_core.files.weights import load_vgg16
from nst_core.settings.video import VideoSettings
from nst_core.video.flows import Frame
from nst_core.video.folder import FramesFolder
from nst_core.video.frames import Painter
from nst_core.video.passes import Passes

SIZE, STEP, COUNT = 32, 1 / 12, 5
VGG = load_vgg16("untrained")
SETTINGS = Settings(size=SIZE, steps=4, scales=1, precision="float32", tolerance=0)
STYLE = sample("mosaic", SIZE)
SCENE = moving_sample("harbor")


class Scene:
    """The moving harbor, with another picture after a cut."""

    def frames(self, first: int) -> Iterator[Frame]:
        for index in range(first, COUNT):
            image = SCENE.frame(index * STEP, SIZE)
            yield Frame(index, 1 - image if index == 3 else image)


def flow(first, second):
    if 3 in (first.index, second.index):  # nothing of it is seen in another frame
        return torch.full((1, 2, *first.image.shape[-2:]), 1e6)
    return SCENE.flow(first.index * STEP, second.index * STEP, SIZE)[0].float()


def passes(folder, video, on_frame=lambda *told: None, on_progress=lambda progress: None):
    def painter_of():
        return Painter(
            losses_at=lambda frame: losses_of(frame.image, [STYLE], SETTINGS),
            vgg=VGG,
            settings=SETTINGS,
            video=video,
            flow=flow,
            on_progress=on_progress,
        )

    return Passes(
        source=Scene(),
        folder=FramesFolder(folder),
        painter_of=painter_of,
        passes=video.passes,
        on_frame=on_frame,
    )


def frames_in(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.glob("pass*.png"))}


@pytest.mark.parametrize("count", [1, 3])
def test_a_run_that_is_stopped_after_any_frame_goes_on_to_the_same_frames(tmp_path, count):
    video = VideoSettings(earlier="1,2", passes=count, frame_steps=2)
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    for folder in (whole, parts):
        folder.mkdir()
    assert passes(whole, video).run() == COUNT

    def stop(number, index, evaluations):
        if evaluations:  # after each frame that was made
            raise KeyboardInterrupt

    for _ in range(COUNT * count):
        with pytest.raises(KeyboardInterrupt):
            passes(parts, video, on_frame=stop).run()
    assert passes(parts, video).run() == COUNT
    assert frames_in(parts) == frames_in(whole)
    assert len(frames_in(whole)) == COUNT * count


def test_a_run_that_is_stopped_within_a_frame_leaves_no_half_one(tmp_path):
    calls = []

    def stop(progress):
        calls.append(progress)
        if len(calls) == 8:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        passes(tmp_path, VideoSettings(frame_steps=2), on_progress=stop).run()
    left = {path.name for path in tmp_path.iterdir()}
    assert left <= {f"pass1-{number:06}.png" for number in range(1, COUNT)}


def test_after_a_cut_nothing_is_taken_from_before_it(tmp_path):
    passes(tmp_path, VideoSettings(earlier="1,2", frame_steps=2)).run()
    found = [FramesFolder(tmp_path).began_anew(0, index) for index in range(COUNT)]
    assert found == [True, False, False, True, True]


def test_frames_of_another_run_are_refused_and_stay(tmp_path):
    folder = FramesFolder(tmp_path / "frames")
    folder.begin({"style": "a", "size": 32})
    folder.begin({"style": "a", "size": 32})
    with pytest.raises(CheckpointError, match="another style"):
        folder.begin({"style": "b", "size": 32})
    (tmp_path / "frames" / "run.json").write_text("{")
    with pytest.raises(CheckpointError, match="damaged"):
        folder.begin({"style": "a", "size": 32})
