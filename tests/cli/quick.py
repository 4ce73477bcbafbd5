"""Flags of a quick run."""

# Small, short, not deep into the network, and with weights that are quickly made.
QUICK = (
    "--weights untrained --size 32 --steps 2 --scales 1 --style-layers low --content-layers relu2_1"
).split()
