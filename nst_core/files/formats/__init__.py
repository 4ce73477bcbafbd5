"""Each format's oddities; `open_picture` tells which format a file is."""
