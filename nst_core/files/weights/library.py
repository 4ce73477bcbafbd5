"""The named weights: which there are, which are on this machine, and fetching the others."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from safetensors import SafetensorError

from ...errors import PackageError, WeightsError
from ...optional import imported
from . import builtin, untrained
from .download import PATIENCE, ByteProgress, download
from .identity import Identity, identify
from .sources import SOURCES, Source, cache_folder, file_digest, find
from .vgg_file import VGGFile, read_vgg16, save_convolutions


@dataclass(frozen=True)
class WeightsEntry:
    """One line of `nst weights list`; `size` is the download's in bytes, 0 if there is none."""

    name: str
    description: str
    license: str
    found: Path | None
    size: int


def known_weights(folders: Sequence[Path] = ()) -> list[WeightsEntry]:
    """Every named source, with where it lies on this machine."""
    entries = [
        WeightsEntry(
            name=source.name,
            description=source.description,
            license=source.license,
            found=find(source, folders),
            size=source.size if source.url else 0,
        )
        for source in SOURCES.values()
    ]
    return [*entries, _own("builtin", builtin.SOURCE), _own("untrained", untrained.SOURCE)]


def _own(name: str, source: str) -> WeightsEntry:
    described = source.removeprefix(f"{name} (").removesuffix(")")
    return WeightsEntry(name, described, "MIT, as this program", None, 0)


def get_weights(
    name: str,
    *,
    folders: Sequence[Path] = (),
    on_progress: ByteProgress | None = None,
    patience: float = PATIENCE,
) -> Path:
    """The file of a named source, downloaded if this machine has none.

    Only the convolutions of a download are kept, as safetensors in our cache folder.

    Args:
        name: "keras", "torchvision" or "torchvision-features".
        folders: where to look before the usual caches.
        on_progress: receives (bytes so far, bytes in all).
        patience: seconds to wait for the server's first bytes, and for each read after them.

    Raises:
        WeightsError: an unknown name, no network, or a file that is not what was published.
    """
    if name not in SOURCES:
        raise WeightsError(f"There are no weights '{name}' to get. Use {', '.join(SOURCES)}.")
    source = SOURCES[name]
    if path := find(source, folders):
        return path
    if source.file_name.endswith(".h5"):
        try:
            imported("h5py", "h5py")  # before the download, not after
        except PackageError as error:
            raise WeightsError(f"Weights '{name}' are a Keras file, and {error}") from error
    published = download(source, cache_folder(), on_progress=on_progress, patience=patience)
    small = published.with_name(source.stored_name)
    try:
        _convert(source, published, small)
    except WeightsError:
        if not small.exists():
            raise  # else another process has converted the file, and deleted it
    published.unlink(missing_ok=True)
    return small


def read_named(source: Source, path: Path) -> tuple[VGGFile, Identity]:
    """The weights in a file found by its name, once it has proved to be that source."""
    vgg_file = read_vgg16(path)
    identity = identify(vgg_file)
    if identity.name != source.name:
        raise WeightsError(
            f"{path} has the name of weights '{source.name}' but not their content. Delete it and "
            f"get them again, or pass its path to use it as it is."
        )
    return vgg_file, identity


def _convert(source: Source, published: Path, small: Path) -> None:
    metadata = {
        "source": source.name,
        "preprocessing": source.preprocessing,
        "original": source.file_name,
        "original_hash": f"{source.algorithm}:{file_digest(published, source.algorithm)}",
    }
    try:
        save_convolutions(read_vgg16(published), small, metadata)
    except (OSError, SafetensorError) as error:
        raise WeightsError(
            f"{small} cannot be written: {error}. Make room there, or set NST_CACHE to another "
            "folder."
        ) from error
