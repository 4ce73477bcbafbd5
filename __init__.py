"""Nodes for ComfyUI. The engine they wrap is the package `nst_core` beside this file."""

from .nodes.extension import comfy_entrypoint

WEB_DIRECTORY = "./web"

__all__ = ["WEB_DIRECTORY", "comfy_entrypoint"]
