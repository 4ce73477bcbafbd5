"""Pictures side by side."""

from PIL import Image

GAP = 8


def side_by_side(pictures: list[Image.Image], height: int) -> Image.Image:
    """All in a row, at one height."""
    resized = [
        p.resize((round(p.width * height / p.height), height), Image.Resampling.LANCZOS)
        for p in pictures
    ]
    width = sum(p.width for p in resized) + GAP * (len(resized) - 1)
    row, left = Image.new("RGB", (width, height), "white"), 0
    for picture in resized:
        row.paste(picture, (left, 0))
        left += picture.width + GAP
    return row
