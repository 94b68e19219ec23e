"""Settings of `wusum eval`."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class EvalConfig:
    """Settings of `wusum eval`."""

    data: Path
    """Folder of the corpora."""
    topics: Path
    """The label map."""
    topic_labels: dict[str, list[str]] = field(default_factory=dict)
    """For each corpus the labels that are told apart, whose sets of topics must not overlap."""
    tag_corpora: list[str] = field(default_factory=lambda: ["almayadeen"])
    """Corpora whose tags are measured."""
    pages: str = ""
    """Corpus of raw pages with the truth about their parts, on which the parser is measured; empty for none."""
    robustness: dict[str, str] = field(default_factory=dict)
    """For each corpus on which disturbed articles are measured: topics or tags."""
    robustness_articles: int = 200
    """Articles of each of them."""
    split: str = "test"
    runtime: str = "onnx"
    """What runs the network: onnx, int8 or torch."""
    transfer_labels: dict[str, list[str]] = field(default_factory=dict)
    """Like topic_labels, for corpora that only the transfer suite measures on, which leaves out one after another."""
    transfer_splits: dict[str, str] = field(default_factory=dict)
    """The split it measures on where that is another: a corpus left out may be measured on all it has."""
    drift_date: str = ""
    """The drift suite trains on articles dated before this, and measures tags on those before and since."""
    finetune: Path = Path("configs/finetune.yaml")
    """Config of the training that transfer and drift repeat."""
    calibrate: Path = Path("configs/calibrate.yaml")
    """Config of the calibration that drift repeats."""
    retrained: Path = Path("runs/retrained")
    """Folder that gets a folder for each such training; what was finished there before is not trained again."""
    training: list[str] = field(default_factory=list)
    """Settings of that training to be changed, as flags: --budget, 6000."""
    cache: Path = Path("runs/eval")
    """Folder of answers; those of the same model on the same data are not made again."""
    baselines: bool = True
    """Whether the baselines answer, too."""
    hub_models: dict[str, dict[str, list[str]]] = field(default_factory=dict)
    """More baselines of topics: a classifier's Hub id (or id@revision, or folder), and the topics of its own labels."""
    quick: bool = False
    """Measure on samples, against baselines that learn from samples: a first look, no result."""
    quick_articles: int = 60
    """Articles of a corpus in a quick run."""
    quick_training: int = 1500
    """Training articles of a baseline in a quick run."""
    labelled: str = ""
    """A JSON Lines file of one's own: text or title and text, and topics, tags or both."""
    seed: int = 13
