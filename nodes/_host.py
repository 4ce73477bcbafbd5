"""The only file that imports the host: its types, its devices, its page, its folders."""

import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import comfy.model_management
import comfy.utils
import folder_paths
import torch
from server import PromptServer
from torch import Tensor
from torch.nn import Module

try:
    from comfy_api.latest import ComfyExtension, io
    from comfy_execution.utils import get_executing_context
except ImportError as error:
    raise ImportError(
        f"Neural style transfer needs ComfyUI 0.8.0 or newer. Update ComfyUI. ({error})"
    ) from None

from ..nst_core.files.atomic import written_whole
from ..nst_core.files.pixels import to_pil
from ..nst_core.gatys.vgg import VGG16
from ..nst_core.run.memory import free_memory, give_back_memory
from ..nst_core.run.runtime import Runtime

__all__ = ["ComfyExtension", "io"]

log = logging.getLogger("nst_gram")

CATEGORY = "neural style transfer"
FOLDER = "vgg"
EXTENSIONS = {".safetensors", ".pth", ".pt", ".bin", ".ckpt", ".keras", ".h5", ".hdf5"}
# Files of pictures whose batch ended before its time.
UNFINISHED = "nst_unfinished"
# Messages that may wait for the page before it gets no more of them.
WAITING = 10


def schema(**fields: Any) -> io.Schema:
    """A node's schema in our category, without the one field that hosts before 0.9 lack."""
    if "search_aliases" not in io.Schema.__dataclass_fields__:
        fields.pop("search_aliases", None)
    return io.Schema(category=CATEGORY, **fields)


def register_weights_folder() -> None:
    """`models/vgg`, beside whatever `extra_model_paths.yaml` says."""
    path = Path(folder_paths.models_dir) / FOLDER
    folder_paths.add_model_folder_path(FOLDER, str(path))
    folder_paths.folder_names_and_paths[FOLDER][1].update(EXTENSIONS)


def weights_folders() -> list[Path]:
    """Where the host keeps VGG weights."""
    return [Path(path) for path in folder_paths.get_folder_paths(FOLDER)]


def weights_files() -> list[str]:
    """Weights files in those folders, relative to them."""
    return list(folder_paths.get_filename_list(FOLDER))


def checkpoint_folder() -> Path:
    """Where stopped runs are kept: it outlives the host, and is served to nobody."""
    return Path(folder_paths.get_system_user_directory("nst_checkpoints"))


def weights_path(name: str) -> Path | None:
    """Where such a file is; None if there is none.

    A workflow that was saved on Windows names subfolders with backslashes, which Windows alone
    takes for the other ones.
    """
    names = (name, name.replace("\\", "/"))
    found = (folder_paths.get_full_path(FOLDER, spelled) for spelled in names)
    return next((Path(path) for path in found if path), None)


@dataclass(frozen=True)
class HostRuntime(Runtime):
    """A runtime whose forward pass asks for Cancel at every convolution; backward has `on_tile`.

    An evaluation takes a second on a slow machine; that is too long to wait for.
    """

    def place(self, vgg: VGG16) -> VGG16:
        """A copy of the network that can be stopped."""
        copy = super().place(vgg)
        for convolution in copy.convolutions.values():
            convolution.register_forward_hook(_stop_in_network)
        return copy


def _stop_in_network(_module: Module, _inputs: object, _features: Tensor) -> None:
    stop_if_asked()


def runtime_for(precision: str, needed: Callable[[Runtime], int]) -> Runtime:
    """The host's device, once other models made room for the bytes that are `needed` there."""
    device = comfy.model_management.get_torch_device()
    runtime = HostRuntime.on(device, precision)
    comfy.model_management.free_memory(needed(runtime), device)
    free = int(comfy.model_management.get_free_memory(device))
    # The host knows the machine's memory, and not the limit of a container.
    limit = free_memory(device) if device.type == "cpu" else None
    return replace(runtime, memory=free if limit is None else min(free, limit))


def give_memory_back() -> None:
    """Return what allocators keep for later. The host's own function does not know the CPU's."""
    comfy.model_management.soft_empty_cache()
    give_back_memory()


def to_host(image: Tensor) -> Tensor:
    """(B, 3, H, W) -> (B, H, W, 3), where and in the dtype the host passes pictures around."""
    management = comfy.model_management
    # Hosts before 0.30 have no `intermediate_dtype`: there, pictures are always float32.
    dtype = getattr(management, "intermediate_dtype", lambda: torch.float32)()
    return image.movedim(1, -1).contiguous().to(management.intermediate_device(), dtype)


def save_pictures(images: Tensor) -> str:
    """Write (B, H, W, 3) as PNG into the host's output folder, and say which files they are.

    Raises:
        OSError: they cannot be written.
    """
    output = folder_paths.get_output_directory()
    folder, name, first, *_ = folder_paths.get_save_image_path(UNFINISHED, output)
    paths = [Path(folder) / f"{name}_{first + i:05}_.png" for i in range(len(images))]
    for path, image in zip(paths, images, strict=True):
        # Quick, because whoever pressed Cancel waits for it.
        with written_whole(path) as part:
            to_pil(image.movedim(-1, 0)[None].float()).save(part, "PNG", compress_level=1)
    return str(paths[0]) if len(paths) == 1 else f"{paths[0]} to {paths[-1].name}"


def input_folder() -> Path:
    """Where the user's files are that workflows may name."""
    return Path(folder_paths.get_input_directory())


def video_folder(name: str) -> Path:
    """Where the frames of a video lie until it is finished: in the host's output folder."""
    output = Path(folder_paths.get_output_directory())
    with suppress(OSError):  # who writes into it says why it cannot
        output.mkdir(parents=True, exist_ok=True)  # a fresh host has none
    return output / f"{UNFINISHED}_video_{name}"


def stop_if_asked() -> None:
    """Raise the host's own exception if the user pressed Cancel."""
    comfy.model_management.throw_exception_if_processing_interrupted()


# Notes of the node that runs now: the page puts a text in the place of the one before.
_notes: dict[tuple[str, str], list[str]] = {}


def show(text: str) -> None:
    """Write a note onto the node that is running, and into the log.

    The page shows three lines of them: the latest is the first.
    """
    log.info(text)
    context, server = get_executing_context(), getattr(PromptServer, "instance", None)
    if not context or not server:
        return
    run = (context.prompt_id, context.node_id)
    if run not in _notes:
        _notes.clear()
    notes = _notes.setdefault(run, [])
    if text not in notes:
        notes.insert(0, text)
        # To who asked for the run, as its progress: in another's graph that id is another node.
        server.send_progress_text("\n".join(notes), context.node_id, server.client_id)


def page_is_behind() -> bool:
    """Whether messages wait for a client that reads slowly, or not at all.

    The host keeps all of them until they are read, and previews as pixels: a client that sleeps
    would fill the memory.
    """
    server = getattr(PromptServer, "instance", None)
    return server is not None and server.messages.qsize() > WAITING


def progress_bar(total: int) -> Any:
    """The running node's bar; it takes previews too, and raises when the user cancels."""
    return comfy.utils.ProgressBar(total)


def watch_download() -> Callable[[int, int], None]:
    """The engine's callback for a download; raises when the user cancels."""
    bar = progress_bar(1)

    def on_progress(done: int, total: int) -> None:
        stop_if_asked()
        bar.update_absolute(done, total)

    return on_progress
