"""The node that loads the network, and the network of those who wire none."""

from functools import lru_cache

from ..nst_core.errors import WeightsError
from ..nst_core.files.weights import NAMES, builtin, known_weights, load_vgg16
from ..nst_core.gatys.vgg import VGG16
from ..nst_core.settings import default_of, help_of
from . import _host as host
from ._host import io
from ._inputs import VGG, setting

_HOW_TO_TRAINED = (
    "Weights trained on photographs give better pictures. In Load VGG-16 choose keras, or put a "
    "file into models/vgg and choose that."
)
# A download makes files appear. Fingerprint after it: the one before, because nothing changed that
# a second run of the same prompt would see.
_same_as: dict[str, str] = {}


class LoadVGG16(io.ComfyNode):
    """VGG-16 by the name of its weights or by file."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        """What the host shows."""
        return host.schema(
            node_id="NST_LoadVGG16",
            display_name="Load VGG-16",
            description="The network that looks at the pictures. Files belong into models/vgg. "
            "Names are looked for there and in the caches of torch hub and Keras, and downloaded "
            "if they are nowhere; builtin needs neither a file nor the network.",
            search_aliases=["neural style transfer", "nst", "vgg", "vgg16", "vgg-16", "weights"],
            inputs=[
                io.Combo.Input(
                    "weights",
                    options=[*NAMES, *host.weights_files()],
                    default=default_of("weights"),
                    tooltip=help_of("weights"),
                ),
                setting("pooling"),
                setting("preprocessing", advanced=True),
            ],
            outputs=[VGG.Output("vgg", tooltip="The network, for L-BFGS Optimize.")],
        )

    @classmethod
    def validate_inputs(cls, weights: str | None) -> bool | str:
        """Says what to do about a file that is gone; the host would only say "not in list"."""
        return _missing(weights) or True

    @classmethod
    def fingerprint_inputs(cls, weights: str, **_: str) -> str:
        """Changes when a file that would be loaded changes."""
        return fingerprint(weights)

    @classmethod
    def execute(
        cls, weights: str, pooling: str, preprocessing: str = default_of("preprocessing")
    ) -> io.NodeOutput:
        """The network, on the CPU."""
        return io.NodeOutput(load(weights, pooling, preprocessing))


def _missing(weights: str | None) -> str | None:
    """What is wrong with the name, if anything; None is a name that comes from another node."""
    if weights is None or weights in NAMES or host.weights_path(weights):
        return None
    folders = " or ".join(str(folder) for folder in host.weights_folders())
    return (
        f"There are no weights '{weights}'. Put the file into {folders}, or choose one of "
        f"{', '.join(NAMES)}."
    )


def fingerprint(weights: str) -> str:
    """Path, date and size of every file that these weights may come from."""
    named = [entry for entry in known_weights(host.weights_folders()) if entry.found]
    paths = [entry.found for entry in named if weights in ("auto", entry.name)]
    if weights not in NAMES:
        paths = [host.weights_path(weights)]
    facts = [(str(path), path.stat().st_mtime_ns, path.stat().st_size) for path in paths if path]
    now = f"{weights} {facts}"
    return _same_as.get(now, now)


def load(weights: str, pooling: str, preprocessing: str) -> VGG16:
    """The network, with a note on the node that says which weights it has."""
    vgg, note = _loaded(weights, pooling, preprocessing)
    host.show(note)
    return vgg


def _loaded(weights: str, pooling: str, preprocessing: str) -> tuple[VGG16, str]:
    if missing := _missing(weights):
        raise WeightsError(missing)
    notes: list[str] = []
    before = fingerprint(weights)
    vgg = load_vgg16(
        weights if weights in NAMES else host.weights_path(weights),
        pooling=pooling,
        preprocessing=None if preprocessing == "auto" else preprocessing,
        folders=host.weights_folders(),
        on_message=notes.append,
        on_progress=host.watch_download(),
    )
    if (after := fingerprint(weights)) != before:
        _same_as[after] = before
    if weights == "auto":  # why it took which is a paragraph: too long for a node
        host.log.info("\n".join(notes))
        notes = [_HOW_TO_TRAINED] if vgg.source == builtin.SOURCE else []
    return vgg, "\n".join([f"Weights: {vgg.source}.", *notes])


def default_vgg() -> VGG16:
    """The network of the defaults, kept until the files it may come from change."""
    weights, pooling = default_of("weights"), default_of("pooling")
    vgg, note = _kept(weights, pooling, default_of("preprocessing"), fingerprint(weights))
    host.show(note)
    return vgg


@lru_cache(maxsize=1)
def _kept(weights: str, pooling: str, preprocessing: str, _fingerprint: str) -> tuple[VGG16, str]:
    return _loaded(weights, pooling, preprocessing)
