"""Small videos, made by PyAV of a moving sample, and what is in a video."""

from fractions import Fraction

import numpy as np
import pytest

from nst_core.files.samples.scenes import moving_sample
from nst_core.files.video_in import frames_of, video_info

TICKS = (0, 40, 80, 200, 240, 320)
SIZE = (96, 128)
LIMIT = 10**7


def pictures(size=SIZE, ticks=TICKS):
    """Frames of the harbor at uneven times, in milliseconds."""
    scene = moving_sample("harbor")
    return [scene.frame(tick / 1000, size[1]) for tick in ticks]


def make_video(
    path,
    *,
    size=SIZE,
    ticks=TICKS,
    sound=False,
    turned=0,
    codec="libx264",
    pix_fmt="yuv444p",
    full=False,
    matrix=1,
):
    """A video whose frames lie at uneven times."""
    import av

    with av.open(str(path), "w") as container:
        video = container.add_stream(codec, rate=25, options={"crf": "4"})
        video.height, video.width = size
        video.pix_fmt = pix_fmt
        video.codec_context.time_base = Fraction(1, 1000)
        video.codec_context.colorspace = matrix
        video.codec_context.color_range = 2 if full else 1
        if turned and not hasattr(video, "set_display_rotation"):
            pytest.skip("this PyAV reads turned videos and writes none")
        if turned:
            video.set_display_rotation(turned)
        audio = container.add_stream("aac", rate=44100) if sound else None
        for image, tick in zip(pictures(size, ticks), ticks, strict=True):
            levels = (image[0].permute(1, 2, 0).numpy() * 65535 + 0.5).astype("uint16")
            frame = av.VideoFrame.from_ndarray(levels, format="rgb48le")
            frame = frame.reformat(
                format=pix_fmt,
                dst_colorspace=matrix,
                src_color_range=2,
                dst_color_range=2 if full else 1,
            )
            frame.pts, frame.time_base = tick, Fraction(1, 1000)
            container.mux(video.encode(frame))
        if audio:
            add_sound(container, audio)
        container.mux(video.encode(None))
    return path


def add_sound(container, audio):
    """A third of a second of a tone."""
    import av

    for block in range(15):
        wave = (np.sin(np.arange(1024) * 0.05 + block) * 8000).astype("int16")[None]
        heard = av.AudioFrame.from_ndarray(wave, format="s16", layout="mono")
        heard.sample_rate, heard.pts = 44100, block * 1024
        container.mux(audio.encode(heard))
    container.mux(audio.encode(None))


def seconds(path):
    """When each frame is shown."""
    info = video_info(path, max_pixels=LIMIT)
    return [float(frame.ticks * info.time_base) for frame in frames_of(path)]


def packets(path):
    """[(when, bytes), …] of the sound."""
    import av

    with av.open(str(path)) as container:
        found = [packet for packet in container.demux(audio=0) if packet.dts is not None]
        return [(float(p.dts * p.time_base), bytes(p)) for p in found]
