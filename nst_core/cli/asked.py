"""What a command was asked for, checked as far as that needs no picture.

Nothing here imports PyTorch, which takes seconds: a mistake is said at once.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..errors import SettingsError
from ..settings import Settings
from ..settings.layers import CONTENT_LAYERS, STYLE_LAYERS, layer_weights
from ..settings.loss import shares_in
from .files import Outputs, check_picture, check_start
from .options import settings_of
from .words import Words


@dataclass(frozen=True, kw_only=True)
class Asked:
    """The words of a command.

    Attributes:
        content: the picture to repaint; None is texture synthesis.
        words: the styles, and what is painted like which.
        outputs: the files to write.
        settings: the preset's, with the flags that were given.
        start: the picture that --init names; None if it names none.
    """

    content: str | None
    words: Words
    outputs: Outputs
    settings: Settings
    start: str | None

    def check(self) -> None:
        """ImageError or SettingsError for what can be refused without looking into a picture."""
        self.outputs.check(self.inputs, self.settings.bits, self.settings.size)
        self.check_words()
        for name in self.pictures:
            check_picture(name)

    @property
    def pictures(self) -> list[str]:
        """Every file or sample that is named."""
        return [name for name in (self.content, *self.words.files, self.start) if name]

    @property
    def inputs(self) -> list[str]:
        """Everything that is read."""
        return [*self.pictures, self.settings.weights]

    def check_words(self) -> None:
        """ImageError or SettingsError for what is wrong whichever pictures are named."""
        if self.start is not None:
            check_start(self.start)
        self.words.check()
        self._check_losses()

    def _check_losses(self) -> None:
        styles = len(self.words.styles)
        if self.content:
            layer_weights(self.settings.content_layers, CONTENT_LAYERS, averaged=True)
        if not styles:
            return
        layer_weights(self.settings.style_layers, STYLE_LAYERS, averaged=True)
        shares = shares_in(self.settings.style_shares)
        if shares and len(shares) != styles:
            raise SettingsError(
                f"There are {styles} style pictures but {len(shares)} shares. "
                "Give one share for each."
            )


def asked(
    content: str | None, words: Words, outputs: Outputs, preset: str, flags: Mapping[str, Any]
) -> Asked:
    """What was asked for, checked.

    Raises:
        SettingsError, ImageError: an unknown preset, a value outside its limits, a missing file ….
    """
    settings, start = settings_of(preset, flags)
    made = Asked(content=content, words=words, outputs=outputs, settings=settings, start=start)
    made.check()
    return made
