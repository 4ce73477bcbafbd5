"""The page: `python gradio_app.py`, with the options of `nst page`."""

import sys

from nst_core.cli import main

if __name__ == "__main__":
    main(["page", *sys.argv[1:]])
