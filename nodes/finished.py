"""The pictures of a batch that are finished, and what becomes of them if the rest is not."""

from typing import Any

from torch import Tensor

from ..nst_core.files.write_image import with_alpha
from ..nst_core.run.progress import Record, Result
from . import _host as host
from .report import Report


class Finished:
    """Pictures and reports as they come. Each picture lies once in memory, where the host wants it.

    Args:
        count: pictures that there will be.
    """

    def __init__(self, count: int) -> None:
        self._count = count
        self._images: Tensor | None = None
        self._masks: Tensor | None = None
        self._records: list[tuple[Record, ...]] = []
        self._details: list[dict[str, Any]] = []

    def add(self, result: Result, alpha: Tensor | None, details: dict[str, Any]) -> None:
        """The next one, of the same size as those before, and its alpha."""
        image = host.to_host(result.image)[0]  # (H, W, 3)
        if self._images is None or self._masks is None:
            self._images = image.new_empty(self._count, *image.shape)
            self._masks = image.new_zeros(self._count, *image.shape[:2])
        self._images[len(self._records)] = image
        if alpha is not None:
            opaque = with_alpha(result.image, alpha, keep=True)[3:]  # (1, H, W)
            self._masks[len(self._records)] = host.to_host((1 - opaque)[None])[0, ..., 0]
        self._records.append(result.records)
        self._details.append(details)

    @property
    def images(self) -> Tensor:
        """(B, H, W, 3)."""
        assert self._images is not None  # a batch has a picture
        return self._images[: len(self._records)]

    @property
    def masks(self) -> Tensor:
        """(B, H, W), how transparent each is: 1 is fully, as in the host's masks."""
        assert self._masks is not None
        return self._masks[: len(self._records)]

    @property
    def report(self) -> Report:
        """Of all."""
        return Report(tuple(self._records), tuple(self._details))

    def save(self) -> None:
        """Write them to the host's output folder, because a node that fails has no output."""
        count = len(self._records)
        if not count:
            return
        before = f"It ended after {count} of {self._count} pictures."
        try:
            where = host.save_pictures(self.images)
        except OSError as error:
            host.show(f"{before} They could not be written: {error}")
        else:
            host.show(f"{before} Saved: {where}")
