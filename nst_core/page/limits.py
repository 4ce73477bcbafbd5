"""What one visitor may ask for, so that he cannot take the machine from the others."""

from dataclasses import dataclass

from ..errors import SettingsError
from ..settings import MAX_SIZE, Settings, option


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Of a page that serves others."""

    max_size: int = option(
        1024, "Longest side that may be asked for, in pixels.", minimum=16, maximum=MAX_SIZE
    )
    max_steps: int = option(
        1000, "Most L-BFGS steps that may be asked for.", minimum=1, maximum=100_000
    )
    max_minutes: float = option(
        15.0,
        "Minutes a run may take; then it ends with the best picture so far.",
        minimum=0.01,
        maximum=1e6,
    )
    max_waiting: int = option(
        30, "Visitors whose runs may wait or work at once.", minimum=1, maximum=10_000
    )
    max_upload: int = option(30, "Megabytes of one file.", minimum=1, maximum=10_000)
    # Telephones take 50 megapixels; decoded as float32 they are 600 MB, of one visitor at a time.
    max_pixels: int = option(
        50_000_000, "Pixels of the largest picture that is read.", minimum=1, maximum=2**31 - 1
    )

    def check(self, settings: Settings) -> None:
        """Raise SettingsError if the settings ask for more than this page gives."""
        for name, value, most in (
            ("Size", settings.size, self.max_size),
            ("Effort", settings.steps, self.max_steps),
        ):
            if value > most:
                raise SettingsError(
                    f"{name} {value:,} is more than this page gives ({most:,}). Choose less, or "
                    "run nst-gram on a machine of your own."
                )
