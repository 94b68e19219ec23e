"""Weak labels: topics told by words of a headline (`configs/cues.yaml`)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import yaml

from wusum.model.errors import CorpusError
from wusum.model.text.normalisation import normalise
from wusum.train.data.corpora import LabelMap


@dataclass(frozen=True)
class Cues:
    """What headlines tell: a topic for an article without label, or which of several a label means."""

    patterns: dict[int, re.Pattern[str]]
    """Of each topic, by its index in the head."""
    veto: re.Pattern[str] | None
    label: frozenset[int]
    """Topics that may be told without a label."""

    @classmethod
    def load(cls, path: str | Path, topics: LabelMap) -> Cues:
        """Read a file of cues; raises CorpusError for one that is no YAML, an unknown topic or a faulty pattern."""
        try:
            data = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
        except (OSError, yaml.YAMLError) as error:
            raise CorpusError(f"{path}: {error}") from error
        index = {key: i for i, key in enumerate(topics.keys)}
        patterns = {}
        for key, cues in [*data["label"].items(), *data["narrow"].items()]:
            if key not in index:
                raise CorpusError(f"{path}: no topic {key!r}")
            patterns[index[key]] = _compile(cues, f"{path}: {key}")
        veto = _compile(data["veto"], f"{path}: veto") if data.get("veto") else None
        return cls(patterns, veto, frozenset(index[key] for key in data["label"]))

    def told(self, title: str) -> int | None:
        """The one topic that a headline has cues of; None where there is none, more than one, or a veto."""
        key = normalise(title)
        topics = [topic for topic, pattern in self.patterns.items() if pattern.search(key)]
        # A veto is against the label cues: it consists of the words of other topics.
        if len(topics) != 1 or (topics[0] in self.label and self.veto and self.veto.search(key)):
            return None
        return topics[0]

    def narrow(self, topics: tuple[int, ...], title: str) -> tuple[int, ...]:
        """What a label can mean, `topics`, in the light of the headline; the headline never overrules the label."""
        told = self.told(title)
        if told is None or (topics and told not in topics) or (not topics and told not in self.label):
            return topics
        return (told,)


def _compile(cues: list[str], where: str) -> re.Pattern[str]:
    try:
        return re.compile(rf"(?<!\w)[وفبلك]{{0,2}}(?:ال|ل)?(?:{'|'.join(cues)})(?!\w)")
    except re.error as error:
        raise CorpusError(f"{where}: {error}") from error
