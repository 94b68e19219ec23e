"""The settings of `wusum eval`."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class EvalConfig:
    """The settings of `wusum eval`."""

    data: Path
    """Folder of the corpora."""
    topics: Path
    """Label map: the topics, and the topics that each label of each corpus can mean."""
    topic_labels: dict[str, list[str]] = field(default_factory=dict)
    """Corpora on which topics are measured, each with the labels to distinguish; labels must not share topics."""
    tag_corpora: list[str] = field(default_factory=list)
    """Corpora on which tags are measured."""
    tag_rules: str = ""
    """File that names the corpora with tags by editors and the tags to drop, as in training."""
    annotated: str = ""
    """Corpus of articles whose topics and tags were annotated by reading; empty for none."""
    pages: str = ""
    """Corpus of raw pages with annotated parts, on which the parser is measured; empty for none."""
    robustness: dict[str, str] = field(default_factory=dict)
    """Corpora whose articles are disturbed, each with the answers to measure: topics or tags."""
    robustness_articles: int = 200
    """Articles of each corpus to disturb."""
    split: str = "test"
    """Split to measure on."""
    runtime: str = "onnx"
    """Runtime of the network: onnx, int8 or torch."""
    transfer_labels: dict[str, list[str]] = field(default_factory=dict)
    """Like topic_labels, for further corpora of the transfer suite, which trains without one corpus at a time."""
    transfer_splits: dict[str, str] = field(default_factory=dict)
    """Corpora of the transfer suite that are measured on another split than the others, with that split."""
    drift_corpus: str = ""
    """Corpus of the drift suite, with tags by editors and dates."""
    drift_date: str = ""
    """Date (YYYY-MM) of the drift suite, which trains on articles before it and measures tags before and since."""
    finetune: Path = Path("configs/finetune.yaml")
    """Config of the trainings of the transfer and drift suites."""
    calibrate: Path = Path("configs/calibrate.yaml")
    """Config of the calibration of the drift suite."""
    retrained: Path = Path("runs/retrained")
    """Folder of the models that these suites train; finished ones are not trained again."""
    training: list[str] = field(default_factory=list)
    """Changed settings of these trainings, as a list of flags and values: [--budget, 6000]."""
    cache: Path = Path("runs/eval")
    """Folder of cached answers, which are reused for the same model, data, settings and code."""
    baselines: bool = True
    """Whether to measure the baselines, too."""
    hub_models: dict[str, dict[str, list[str]]] = field(default_factory=dict)
    """More baselines for topics: classifiers by Hub id, id@revision or folder, each with the topics of its labels."""
    quick: bool = False
    """Whether to measure on samples, with baselines that learn from samples; the numbers are not to be reported."""
    quick_articles: int = 60
    """Articles of each corpus in a quick run."""
    quick_training: int = 1500
    """Training articles of each baseline in a quick run."""
    labelled: str = ""
    """JSON Lines file of the user's own articles, with text, optionally title, and topics, tags or both."""
    seed: int = 13
    """Seed of the samples."""
