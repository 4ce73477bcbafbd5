"""Paint candidates for the README's first picture into out/: make_candidates.py WEIGHTS."""

import subprocess
import sys
from pathlib import Path

CANDIDATES = ("harbor brushstrokes", "landscape stained_glass", "portrait mosaic")


def main() -> None:
    """At the size that README shows."""
    Path("out").mkdir(exist_ok=True)
    for content, style in map(str.split, CANDIDATES):
        words = f"stylize sample:{content} sample:{style} -o out/first-{content}-{style}.png"
        run = f"--size 768 --steps 300 --weights {sys.argv[1]}"
        command = [sys.executable, "-m", "nst_core", *f"{words} {run}".split()]
        subprocess.run(command, check=True)


if __name__ == "__main__":
    main()
