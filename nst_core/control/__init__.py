"""What painters ask for: masks, regions, colors, scales, tiles, other statistics of a style."""
