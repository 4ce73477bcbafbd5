"""`nst page`: the engine in a browser."""

import ipaddress
from pathlib import Path
from typing import Annotated, Any

import typer

from ..errors import SettingsError
from ..optional import check_installed
from ..settings import ServingSettings, default_of, help_of, limits_of
from .console import polite, say

_USUAL = ServingSettings()
_WEIGHTS: str = default_of("weights")


def _limit(name: str) -> Any:
    least, most = limits_of(name)
    return typer.Option(
        min=least,
        max=most,
        metavar="NUMBER",
        help=help_of(name),
        rich_help_panel="What a visitor may ask for",
    )


_Host = Annotated[
    str,
    typer.Option(
        metavar="ADDRESS",
        envvar="GRADIO_SERVER_NAME",
        help="Where to listen; 0.0.0.0 lets others in.",
    ),
]
_Port = Annotated[
    int | None,
    typer.Option(
        min=1,
        max=65535,
        metavar="NUMBER",
        envvar="GRADIO_SERVER_PORT",
        help="Default: free, from 7860 up.",
    ),
]
_RootPath = Annotated[
    str,
    typer.Option(
        metavar="PATH",
        envvar="GRADIO_ROOT_PATH",
        help="Path under which a proxy such as nginx serves the page: /paint.",
    ),
]
_Share = Annotated[
    bool,
    typer.Option(
        "--share",
        envvar="GRADIO_SHARE",
        help="Also get a public link, through Gradio's servers.",
    ),
]
_Auth = Annotated[
    str,
    typer.Option(
        metavar="NAME:PASSWORD",
        envvar="NST_PAGE_AUTH",
        help="What visitors must give. In the variable, other users of this machine do not "
        "see it among the processes.",
    ),
]
_NoAuth = Annotated[
    bool, typer.Option("--no-auth", help="Let everybody in, with --share or --host too.")
]
_Checkpoints = Annotated[
    Path | None,
    typer.Option(
        metavar="FOLDER",
        envvar="NST_PAGE_CHECKPOINTS",
        help="Where runs that were cut off are kept, with their pictures, for a page that is "
        "started again with the same folder, one page at a time. Default: gone with the page.",
    ),
]
_Weights = Annotated[str, typer.Option(metavar="TEXT", help=help_of("weights"))]


@polite()
def page_command(
    host: _Host = "127.0.0.1",
    port: _Port = None,
    root_path: _RootPath = "",
    share: _Share = False,
    auth: _Auth = "",
    no_auth: _NoAuth = False,
    checkpoints: _Checkpoints = None,
    weights: _Weights = _WEIGHTS,
    max_size: Annotated[int, _limit("max_size")] = _USUAL.max_size,
    max_steps: Annotated[int, _limit("max_steps")] = _USUAL.max_steps,
    max_frames: Annotated[int, _limit("max_frames")] = _USUAL.max_frames,
    max_minutes: Annotated[float, _limit("max_minutes")] = _USUAL.max_minutes,
    max_waiting: Annotated[int, _limit("max_waiting")] = _USUAL.max_waiting,
    max_upload: Annotated[int, _limit("max_upload")] = _USUAL.max_upload,
    max_megapixels: Annotated[int, _limit("max_megapixels")] = _USUAL.max_megapixels,
    max_checkpoints: Annotated[int, _limit("max_checkpoints")] = _USUAL.max_checkpoints,
) -> None:
    """Serve one page where pictures are dropped, watched while they grow, and downloaded."""
    check_installed("gradio", "'nst-gram[page]'")
    login = _login(auth, no_auth, share or not _is_local(host))
    from ..page.serve import serve  # Gradio takes seconds to import

    limits = ServingSettings(
        max_size=max_size,
        max_steps=max_steps,
        max_frames=max_frames,
        max_minutes=max_minutes,
        max_waiting=max_waiting,
        max_upload=max_upload,
        max_megapixels=max_megapixels,
        max_checkpoints=max_checkpoints,
    )
    serve(
        weights=weights,
        limits=limits,
        host=host,
        port=port,
        root_path=root_path,
        share=share,
        auth=login,
        checkpoints=checkpoints,
        on_message=say,
    )


def _login(auth: str, no_auth: bool, public: bool) -> tuple[str, str] | None:
    """Name and password; None lets everybody in.

    Raises:
        SettingsError: there is none although others can reach the page, or it is no pair.
    """
    if auth:
        if no_auth:
            raise SettingsError("--auth and --no-auth exclude each other. Give one.")
        # Without blanks around them, as Gradio reads the name that is typed.
        name, colon, password = auth.partition(":")
        if not (name.strip() and colon and password):
            raise SettingsError("The login is a name, a colon and a password: --auth me:secret.")
        return name.strip(), password
    if public and not no_auth:
        raise SettingsError(
            "Others can reach this page. Give visitors a password: --auth NAME:PASSWORD, or the "
            "variable NST_PAGE_AUTH. Or let everybody in: --no-auth."
        )
    return None


def _is_local(host: str) -> bool:
    """Whether only this machine reaches the address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:  # a name, which may be anybody's
        return False
