"""How the weights called `builtin` are made: from nothing, on pictures drawn by code.

Not installed with the package. `python -m training --help` shows the three steps: `train` makes a
checkpoint and the weights file, `export` the file of any checkpoint, `evaluate` its figures.
"""
