"""Colors by name, without PyTorch: doors ask for them before there is anything to compute."""

from PIL import ImageColor


def is_color(name: str) -> bool:
    """Whether `name` says a color: red, #f00, #ff0000, hsl(0, 100%, 50%) …."""
    try:
        ImageColor.getrgb(name)
    except ValueError:
        return False
    return True
