"""What a caller chooses: which model to open (`ModelSpec`) and what to ask of it (`PredictOptions`)."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from enum import StrEnum
from pathlib import Path
from typing import Final, TypedDict, Unpack


class RuntimeName(StrEnum):
    """Runtimes of the network."""

    onnx = "onnx"
    int8 = "int8"
    torch = "torch"


class Device(StrEnum):
    """Devices of the network."""

    auto = "auto"
    cpu = "cpu"
    cuda = "cuda"


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """A model and how to run it. Pickled, it opens the same model in another process."""

    model: str | Path | None = None
    """A bundled model ("small" or None, "base"), a folder, or an id on the Hugging Face Hub (`owner/name`)."""
    runtime: str = "onnx"
    """What runs the network: "onnx", "int8" (onnx in 8-bit integers, on the CPU) or "torch"."""
    device: str = "auto"
    """Where it runs: "cpu", "cuda", or "auto" for a CUDA device if the runtime can use one."""
    threads: int | None = None
    """Threads of the network; None uses every processor."""
    vocabulary: str | Path | None = None
    """File of the only tags to give; None gives the model's own tags."""


DEFAULT_SPEC: Final = ModelSpec()
"""The small model with ONNX Runtime, on whatever device there is."""


class PredictKeywords(TypedDict, total=False):
    """The fields of `PredictOptions` as keyword arguments."""

    max_topics: int
    max_tags: int
    min_score: float | None
    explain: bool


@dataclass(frozen=True, slots=True)
class PredictOptions:
    """Limits of an answer."""

    max_topics: int = 3
    """Most topics of an article; the best one is always given."""
    max_tags: int = 10
    """Most tags of an article; 0 skips the work of finding them."""
    min_score: float | None = None
    """Least score of a tag, and of a topic beside the best; None leaves it to the model's own thresholds."""
    explain: bool = False
    """Whether each tag says what its score is made of (`Tag.why`)."""

    def updated(self, **changes: Unpack[PredictKeywords]) -> PredictOptions:
        """Return these options with some of them changed; raises TypeError that names an unknown one."""
        known = [field.name for field in fields(self)]
        if unknown := [name for name in changes if name not in known]:
            raise TypeError(f"unknown option {', '.join(unknown)}; the options are {', '.join(known)}")
        return replace(self, **changes) if changes else self


DEFAULT_OPTIONS: Final = PredictOptions()
"""At most three topics and ten tags, by the model's own thresholds."""
