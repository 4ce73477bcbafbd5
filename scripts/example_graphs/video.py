"""The graph of a video."""

from .parts import Example, Node, network, note, sample, shown, style_loss

COUNT, FPS = 8, 8

VIDEO = Example(
    {
        "note": note(
            "## A video\n\nEach frame starts from the one before, carried along by the **optical "
            "flow**, and is held to it: nothing flickers. Cancel it, run it again, and it "
            "goes on after the last finished frame.\n\nFor a video of your own, put *Load Video* "
            "and *Get Video Components* in the place of the sample and leave **optical_flow** "
            "empty; it is then found with OpenCV. *Create Video* and *Save Video* make an MP4 "
            "with the sound of before.",
            height=300,
        ),
        "video": Node(
            "NST_SampleVideo",
            (310, 0),
            (270, 150),
            widgets={"name": "harbor", "size": 512, "count": COUNT, "fps": FPS},
        ),
        "style": sample((310, 220), "brushstrokes", "Style"),
        "shown_style": shown((310, 350), "Style", "style.image", (270, 270)),
        "vgg": network((630, 0)),
        "style_loss": style_loss((630, 270), losses=None),
        "stylize": Node(
            "NST_StylizeVideo",
            (970, 0),
            (330, 760),
            widgets={"size": 256, "steps": 40, "scales": 1, "frame_steps": 8},
            wires={
                "vgg": "vgg.vgg",
                "frames": "video.frames",
                "losses": "style_loss.losses",
                "optical_flow": "video.optical_flow",
            },
        ),
        "result": Node(
            "SaveAnimatedWEBP",
            (1350, 0),
            (480, 560),
            "Result",
            {"filename_prefix": "video", "fps": FPS, "lossless": False, "quality": 85},
            {"images": "stylize.frames"},
        ),
    },
    pictured=("shown_style", "result"),
    zoom=0.7,
)
