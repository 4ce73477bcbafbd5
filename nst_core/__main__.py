"""`python -m nst_core` is the same as `nst`."""

from .cli import main

main()
