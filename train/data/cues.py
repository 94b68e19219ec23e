"""Weak labels: the topic of an article by the words of its headline (`configs/cues.yaml`)."""

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
    """Words of headlines that label an article without label, or decide between the topics of an ambiguous one."""

    patterns: dict[int, re.Pattern[str]]
    """The cues of each topic, by its number in the topic head."""
    veto: re.Pattern[str] | None
    """Words that make the cues of `label` mean nothing."""
    label: frozenset[int]
    """Topics that an article without label can get."""

    @classmethod
    def load(cls, path: str | Path, topics: LabelMap) -> Cues:
        """Read a file of cues; raises CorpusError for invalid YAML, an unknown topic or an invalid pattern."""
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

    def topic(self, title: str) -> int | None:
        """Return the topic that a headline has cues of; None for no topic, several, or a veto."""
        key = normalise(title)
        topics = [topic for topic, pattern in self.patterns.items() if pattern.search(key)]
        # A veto is against the label cues: it consists of the words of other topics.
        if len(topics) != 1 or (topics[0] in self.label and self.veto and self.veto.search(key)):
            return None
        return topics[0]

    def narrow(self, topics: tuple[int, ...], title: str) -> tuple[int, ...]:
        """Return which of the `topics` of a label an article has by its headline, or all of them if it decides nothing.

        The headline never overrules a label; for an article without label, `topics` is empty.
        """
        topic = self.topic(title)
        possible = topics or self.label
        return topics if topic is None or topic not in possible else (topic,)


def _compile(cues: list[str], where: str) -> re.Pattern[str]:
    """Return a pattern for any of some cues as a word, with or without proclitics."""
    try:
        return re.compile(rf"(?<!\w)[وفبلك]{{0,2}}(?:ال|ل)?(?:{'|'.join(cues)})(?!\w)")
    except re.error as error:
        raise CorpusError(f"{where}: {error}") from error
