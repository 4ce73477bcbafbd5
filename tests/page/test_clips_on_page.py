"""A clip from its upload to its video, stopped or not."""

import asyncio
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Event
from uuid import uuid4

import gradio as gr
import pytest
import torch
from clips import make_video, packets, seconds
from PIL import Image

from nst_core.errors import ImageError, PackageError, SettingsError
from nst_core.files.clip import _at_most, clip_of
from nst_core.files.samples import sample
from nst_core.files.video_in import frames_of
from nst_core.page.app import build, tabs_of
from nst_core.page.clip_job import ClipJob
from nst_core.page.clip_watching import ChoosingClip, PlanningClip
from nst_core.page.clip_work import clip_named
from nst_core.page.job import Picture
from nst_core.page.kinds import STYLIZE, VIDEO
from nst_core.page.planning import Planning
from nst_core.page.runs import Runs
from nst_core.run.recipes import Region
from nst_core.run.runtime import Runtime
from nst_core.video.flows import dis_flow
from nst_core.video.run import VideoRun
from nst_core.video.writing import write_video

av = pytest.importorskip("av")
pytest.importorskip("cv2")
TICKS = (0, 40, 80, 200)
MOST = 6


@pytest.fixture(scope="session")
def limits(limits):
    return replace(limits, max_frames=MOST)


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    """Four frames of the harbor, with sound."""
    path = tmp_path_factory.mktemp("clip") / "boats.mp4"
    return make_video(path, size=(36, 48), ticks=TICKS, sound=True)


@pytest.fixture
def ask_video(runs, samples, clip):
    """`ask_video(path, steps=5, ...)`: a small request, in ink."""

    def request(path=None, **given):
        return runs.request(
            VIDEO,
            content=str(path or clip),
            styles=[str(samples.files["ink"])],
            given={"size": 32, "steps": 5, **given},
        )

    return request


@pytest.fixture
def made(runs):
    """`made(request)`: the job of a run that is over."""

    def run(request):
        job = runs.begin(uuid4().hex, request)
        job.result()
        return job

    return run


def stopped(runs, begin, after, happens=ClipJob.stop):
    """The job of a run that is ended when so many frames are done, once it is over."""
    gate, over = Event(), Event()
    runs.device.measure(lambda: gate.wait(60))
    job = begin()
    on_frame = job.on_frame

    def stopping(number, index, evaluations):
        if job.done + 1 == after:
            happens(job)
        on_frame(number, index, evaluations)

    job.on_frame = stopping
    job.future.add_done_callback(lambda _: over.set())  # after those of the page
    gate.set()
    assert over.wait(60)
    return job


def time_is_up(job):
    job._deadline = 0.0


def frames_in(path):
    return torch.cat([frame.image for frame in frames_of(path)])


def test_the_page_makes_the_same_video_as_the_engine(made, ask_video, network, clip, tmp_path):
    request = ask_video(temporal_weight=50.0)
    settings, video = request.settings, request.video
    assert video.temporal_weight == 50
    run = VideoRun(
        clip=clip_of(clip, max_pixels=10**6),
        regions=[Region(styles=(sample("ink", 512),))],
        settings=settings,
        video=video,
        vgg=network.vgg,
        runtime=Runtime.choose(settings.device, settings.precision),
        flow=dis_flow(),
        path=tmp_path / "frames",
    )
    with ThreadPoolExecutor(1) as thread:  # a new thread too: torch counts its own for each
        write_video(run, tmp_path / "ours.mp4", thread.submit(run.run).result())
    theirs = made(request).finished.video
    assert frames_in(theirs).equal(frames_in(tmp_path / "ours.mp4"))
    assert frames_in(theirs).shape == (len(TICKS), 3, 24, 32)


def test_times_and_sound_are_those_of_the_clip(made, ask_video, clip):
    video = made(ask_video(steps=1)).finished.video
    assert seconds(video) == pytest.approx(seconds(clip), abs=1e-3)
    assert [data for _, data in packets(video)] == [data for _, data in packets(clip)]


def test_an_animation_becomes_a_video(made, ask_video, tmp_path):
    colors = ("teal", "navy", "olive")
    first, *others = [Image.new("RGB", (48, 36), color) for color in colors]
    first.save(tmp_path / "a.gif", save_all=True, append_images=others, duration=[100, 200, 100])
    video = made(ask_video(tmp_path / "a.gif", steps=1)).finished.video
    assert seconds(video) == pytest.approx([0, 0.1, 0.3], abs=1e-3)


def test_a_video_whose_sound_does_not_fit_is_silent_and_says_so(made, ask_video, tmp_path):
    path = tmp_path / "loud.avi"
    with av.open(str(path), "w") as target:
        video = target.add_stream("mpeg4", rate=25)
        video.height, video.width, video.pix_fmt = 36, 48, "yuv420p"
        audio = target.add_stream("pcm_mulaw", rate=8000, layout="mono")
        for _ in range(3):
            target.mux(video.encode(av.VideoFrame(48, 36, "yuv420p")))
        block = av.AudioFrame(format="s16", layout="mono", samples=800)
        block.sample_rate, block.pts = 8000, 0
        target.mux([*audio.encode(block), *audio.encode(None), *video.encode(None)])
    assert clip_of(path, max_pixels=10**6).info.sound
    ended = made(ask_video(path, steps=1)).finished
    assert "silent" in ended.note
    assert not ended.sound
    assert not clip_of(ended.video, max_pixels=10**6).info.sound
    assert len(frames_in(ended.video)) == 3


@pytest.mark.parametrize("happens", [ClipJob.stop, time_is_up])
def test_a_run_that_is_ended_gives_the_frames_so_far_and_goes_on(happens, runs, ask_video, made):
    request = ask_video()
    whole = made(request).finished.video.read_bytes()
    job = stopped(runs, lambda: runs.begin("me", request), 2, happens)
    short = runs.finished_of("me").video
    assert len(frames_in(short)) == 2
    assert packets(short)[-1][0] <= 0.08  # two frames of 40 ms, and so is the sound
    assert job.why in runs.finished_of("me").status
    again = runs.resume("me", VIDEO)
    again.result()
    assert len(again._times) == 2  # the others were there
    assert again.finished.video.read_bytes() == whole
    assert runs.unfinished_of("me") is None


def test_a_later_pass_that_is_ended_gives_every_frame(runs, ask_video):
    request = ask_video(passes=2, steps=2)
    stopped(runs, lambda: runs.begin("me", request), len(TICKS) + 1)
    assert len(frames_in(runs.finished_of("me").video)) == len(TICKS)


def test_a_run_goes_on_after_the_page_was_started_again(
    network, samples, limits, folder, tmp_path, ask_video, made
):
    whole = made(ask_video()).finished.video.read_bytes()
    kept = tmp_path / "kept"
    first = Runs(network, samples, limits, folder, kept)
    stopped(first, lambda: first.begin("me", ask_video()), 2)
    first.close()
    second = Runs(network, samples, limits, folder, kept)
    assert second.kind_left("me") is VIDEO
    job = second.resume("me", VIDEO)
    job.result()
    second.close()
    assert job.finished.video.read_bytes() == whole
    assert list(kept.iterdir()) == []


def test_frames_that_were_changed_are_not_gone_on_with(runs, ask_video):
    job = stopped(runs, lambda: runs.begin("me", ask_video()), 2)
    (job.frames_folder / "run.json").write_text('{"video": "another"}')
    again = runs.resume("me", VIDEO)
    assert "Run begins anew" in str(again.future.exception())
    assert str(job.frames_folder) not in str(again.future.exception())
    assert runs.unfinished_of("me") is None


def test_nobody_sees_the_video_of_another(runs, ask_video):
    stopped(runs, lambda: runs.begin("me", ask_video()), 2)
    assert runs.finished_of("you") is None
    assert runs.unfinished_of("you") is None
    for key, kind in (("you", VIDEO), ("me", STYLIZE)):
        with pytest.raises(SettingsError, match="nothing to go on with"):
            runs.resume(key, kind)
    assert len(runs.finished_of("me").video.parent.name) >= 20  # a name that nobody can guess


def test_frames_are_gone_when_their_run_is_or_its_visitor(runs, ask_video):
    program = runs.begin("me/program", ask_video(steps=1))
    program.result()
    assert len(frames_in(runs.picture_of(program))) == len(TICKS)
    assert list(runs.frames.iterdir()) == []
    folders = [
        stopped(runs, lambda: runs.begin("me", ask_video()), 2).frames_folder,
        stopped(
            runs, lambda: runs.begin("me", ask_video()), 2, lambda _: runs.end("me")
        ).frames_folder,
    ]
    assert not any(folder.parent.exists() for folder in folders)


def test_where_nothing_is_kept_a_stopped_run_gives_its_frames_all_the_same(
    network, samples, limits, folder, ask_video
):
    runs = Runs(network, samples, replace(limits, max_checkpoints=0), folder)
    stopped(runs, lambda: runs.begin("me", ask_video()), 3)
    assert len(frames_in(runs.finished_of("me").video)) == 3
    assert runs.unfinished_of("me") is None
    assert list(runs.frames.iterdir()) == []
    runs.close()


def long_gif(path):
    first, *others = [Image.new("RGB", (48, 36), (7 * i, 0, 0)) for i in range(MOST + 1)]
    first.save(path, save_all=True, append_images=others, duration=40)
    return path


def long_video(path):
    return make_video(path, size=(36, 48), ticks=range(0, 40 * (MOST + 1), 40))


@pytest.mark.parametrize(("make", "name"), [(long_gif, "a.gif"), (long_video, "a.mkv")])
def test_a_clip_that_is_too_long_is_refused_in_a_sentence(make, name, ask_video, tmp_path):
    words = f"^'{name}' has {MOST + 1} frames, and up to {MOST} are taken"
    with pytest.raises(ImageError, match=words):
        ask_video(make(tmp_path / name))


def test_a_clip_with_more_frames_than_it_says_is_refused_at_the_first_of_them(tmp_path):
    clip = clip_of(long_gif(tmp_path / "a.gif"), max_pixels=10**6, max_frames=MOST + 1)
    assert len(list(clip.frames(0))) == MOST + 1
    seen = []
    with pytest.raises(ImageError, match="up to 2 are taken"):
        seen.extend(frame.ticks for frame in _at_most(2, clip)(1))
    assert seen == [40]


def test_what_is_no_clip_is_refused_without_the_servers_folders(limits, tmp_path):
    (tmp_path / "a.mp4").write_text("words")
    Image.new("RGB", (48, 36)).save(tmp_path / "still.png")
    Image.new("RGB", (48, 36)).save(tmp_path / "still.jpg")
    for name in ("a.mp4", "still.png", "still.jpg", "gone.mp4"):
        with pytest.raises(ImageError) as caught:
            clip_named(Picture(path=str(tmp_path / name), name=name), limits)
        assert name in str(caught.value)
        assert str(tmp_path) not in str(caught.value)


@pytest.mark.parametrize(
    "given",
    [
        {"flow": "raft"},
        {"raft_weights": "/etc/passwd"},
        {"passes": 21},
        {"passes": None},
        {"temporal_weight": "much"},
        {"size": 4096},
        {"steps": 4096},
        {"device": "cuda"},
    ],
)
def test_what_is_not_possible_or_not_allowed_is_refused(given, ask_video):
    with pytest.raises(SettingsError):
        ask_video(**given)


@pytest.fixture(scope="module")
def loop():
    loop = asyncio.new_event_loop()
    yield loop
    loop.close()


@pytest.fixture
def parts(samples, limits, loop):
    async def tab():
        with gr.Blocks():
            return tabs_of(samples, limits, "")[2]

    return loop.run_until_complete(tab())


@pytest.fixture
def line(parts, network, runs, samples, clip, loop):
    """`line(size=64)`: what is said before a run, with the tab's own values but these."""
    planning = PlanningClip(Planning(network, runs), network, runs)

    def say(path=clip, **given):
        values = {one: getattr(one, "value", None) for one in parts.chosen}
        values |= {parts.settings[name]: value for name, value in given.items()}
        values[parts.content] = path and str(path)
        values[parts.styles[0]] = str(samples.files["ink"])
        return loop.run_until_complete(planning.line(parts, values))

    return say


def test_frames_time_and_memory_are_said_before_a_run(line, runs, monkeypatch, tmp_path):
    words = line(size=64, steps=10)
    assert words.startswith("4 frames of 64x48 px. Takes up to about")
    assert "of memory" in words
    assert "in 3 passes" in line(size=64, steps=10, passes=3)
    assert "There is no clip" in line(None)
    assert f"up to {MOST} are taken" in line(long_gif(tmp_path / "a.gif"))
    monkeypatch.setattr(runs, "limits", replace(runs.limits, max_minutes=0.01))
    assert "this page ends it with a video of the frames so far" in line()


def test_a_clip_that_is_chosen_is_shown_with_what_is_known_of_it(parts, runs, clip):
    words = ChoosingClip(parts, runs).look_at(str(clip))[parts.seen]
    assert "boats.mp4: 4 frames" in words
    assert "48x36 px, with sound" in words
    assert "data:image/jpeg" in words


def test_the_sample_is_drawn_once_and_is_taken(parts, runs, samples, limits):
    do = ChoosingClip(parts, runs)
    path = do.example()
    drawn = samples.clip().stat().st_mtime_ns
    assert do.example() == path
    assert samples.clip().stat().st_mtime_ns == drawn
    info = clip_of(path, max_pixels=10**6).info
    assert (info.width, info.height, float(info.frames / info.rate)) == (160, 120, 2)


def test_without_its_packages_the_tab_says_what_to_install(
    network, runs, loop, ask_video, monkeypatch
):
    for name in ("cv2", "cv2.dnn"):
        monkeypatch.setitem(sys.modules, name, None)

    async def config():
        return build(network, runs).get_config_file()

    page = str(loop.run_until_complete(config()))
    assert "cv2 is not installed. Install with: pip install 'nst-gram[video]'" in page
    assert "video_clip" not in page
    with pytest.raises(PackageError, match="pip install"):
        ask_video()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_a_program_gets_a_video_and_is_told_what_is_wrong(server, clip, samples, tmp_path):
    client = pytest.importorskip("gradio_client")
    visitor = client.Client(
        server.url, verbose=False, analytics_enabled=False, download_files=tmp_path
    )
    try:
        asked = {
            "clip": client.handle_file(clip),
            "style": client.handle_file(samples.files["ink"]),
            "size": 32,
            "steps": 10,
            "api_name": "/video",
        }
        video = visitor.predict(**asked)
        assert frames_in(video).shape == (len(TICKS), 3, 24, 32)
        with pytest.raises(Exception, match=r"has one frame\. Pictures have the other tabs"):
            visitor.predict(**{**asked, "clip": asked["style"]})
    finally:
        visitor.close()
