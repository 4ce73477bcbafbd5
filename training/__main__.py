"""python -m training train | export | evaluate."""

import typer

from .evaluate import evaluate
from .export import export
from .train import train

app = typer.Typer(help=__doc__, no_args_is_help=True)
for command in (train, export, evaluate):
    app.command()(command)

if __name__ == "__main__":
    app()
