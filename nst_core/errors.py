"""The mistakes a user can fix. Every message says what is wrong, where, and what to do.

Interfaces (command line, nodes, page) show the message of an `NSTError` and nothing else; any other
exception is a bug of ours and keeps its traceback.
"""


class NSTError(Exception):
    """A mistake in what was asked for, not in the program."""


class SettingsError(NSTError):
    """A setting outside its limits, or settings that contradict each other."""


class LayerError(SettingsError):
    """A layer name that VGG-16 does not have."""


class ImageError(NSTError):
    """A picture that cannot be read, written or used."""


class ImageTooSmall(ImageError):
    """A picture with no feature left at a layer that was asked for."""


class PackageError(NSTError):
    """An optional package that is missing or cannot be imported."""


class WeightsError(NSTError):
    """Network weights that are missing, damaged, unsafe, or of another network."""


class CheckpointError(NSTError):
    """A checkpoint that cannot be written or read, or belongs to another run."""


class NotFinite(NSTError):
    """The loss is not a finite number at the very start, so there is nothing to minimize."""


class OutOfMemory(NSTError):
    """The device's memory does not hold the run; the message says what size or tile would fit."""


class ProcessLost(NSTError):
    """Another of the processes that share a picture has ended or does not answer any more."""
