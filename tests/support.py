"""Helpers that several test modules share."""

from __future__ import annotations

import csv
import gzip
import io
import json
import lzma
import os
import random
import shutil
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard
from hypothesis import strategies as st
from numpy.typing import NDArray

from wusum.eval.config import EvalConfig
from wusum.model.article import Article
from wusum.model.io.reader import Reject, read_records
from wusum.model.network.outputs import NetworkOutput, Phrase
from wusum.model.options import ModelSpec, PredictOptions
from wusum.model.prediction import Prediction, Tag
from wusum.model.run.command import TagOptions
from wusum.model.run.sinks import Sink
from wusum.model.tagging.controlled import ControlledRanker
from wusum.model.tagging.entry import Entry
from wusum.model.tagging.ranker import TagModel, TagRanker
from wusum.model.tagging.selection import Thresholds
from wusum.model.tagging.tag_words import TagWords
from wusum.model.tagging.trees import BoostedTrees
from wusum.model.tagging.vocabulary import Vocabulary
from wusum.model.text.word_statistics import WordStatistics, hash_word
from wusum.model.text.words import match_key

if TYPE_CHECKING:
    from wusum.train.stages.calibrate import CalibrateConfig
    from wusum.train.stages.finetune import FinetuneConfig

ROOT = Path(__file__).resolve().parents[1]
PAGES = ROOT / "tests" / "pages"

ARABIC = st.text(alphabet="ابتثجحخدذرزسشصضطظعغفقكلمنهويىةأإآٱؤئءًٌٍَُِّْـ \n٠١٢abcABC.،؛\u200f\ufeffﻻﷲ", max_size=60)
"""Texts of Arabic and Latin letters, marks, digits and punctuation."""


def vocabulary_of(*texts: str, counts: tuple[int, int, int] = (10, 8, 5), labelled: bool = True) -> Vocabulary:
    """Return a vocabulary of tags with equal counts; each has its number as label of the tag head, or none has."""
    labels = range(len(texts)) if labelled else [-1] * len(texts)
    return Vocabulary(Entry(match_key(text), text, *counts, label) for text, label in zip(texts, labels, strict=True))


def word_statistics() -> WordStatistics:
    """Return statistics of twenty articles, which all have the same common words; one has مفاعل besides."""
    common = match_key("قال في من على إن هذا كانت أمس").split()
    return WordStatistics.count([*[common] * 19, [*common, "مفاعل"]])


def tag_words(shares: Mapping[str, tuple[float, float, float, float]]) -> TagWords:
    """Return the words of tags, with their shares in each role; those of other words are 0.001."""
    rows = sorted((hash_word(match_key(word)), row) for word, row in shares.items())
    table = np.log([*(row for _, row in rows), (0.001,) * 4])
    return TagWords(np.array([word for word, _ in rows], np.uint32), table.astype(np.float16))


class LinearTrees(BoostedTrees):
    """Stands in for fitted trees: the log odds are a weighted sum of the named features, plus `bias`."""

    def __init__(self, weights: Mapping[str, float]) -> None:
        of_features = {name: weight for name, weight in weights.items() if name != "bias"}
        self.features = tuple(of_features)
        self._weights = np.array(list(of_features.values()))
        self._bias = weights.get("bias", 0.0)

    def log_odds(self, table: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(table @ self._weights + self._bias)

    def contributions(self, table: NDArray[np.float64]) -> NDArray[np.float64]:
        return table * self._weights

    @property
    def bias(self) -> float:
        return self._bias


def tag_model(vocabulary: Vocabulary, weights: Mapping[str, float], **parts: Any) -> TagModel:
    """Return a model of the tags of a vocabulary with LinearTrees; `parts` are its other fields, else unfitted."""
    fields = {"vocabulary": vocabulary, "trees": LinearTrees(weights), "thresholds": Thresholds(0.5, 0.9)}
    return replace(TagModel.unfitted(), **fields | parts)


def network_output(*tag_logits: float, **phrases: Phrase) -> NetworkOutput:
    """Return an output of the network with these tag logits, and phrases by match key."""
    return NetworkOutput(np.zeros(0, np.float32), np.array(tag_logits, np.float32), phrases)


UNDECIDED = network_output(*[0.0] * 6)
"""The output of a network that finds six tags equally likely, and marks no phrase."""


def rank(
    ranker: TagRanker | ControlledRanker,
    body: str,
    output: NetworkOutput = UNDECIDED,
    *,
    title: str = "",
    **options: Any,
) -> tuple[Tag, ...]:
    """Return the tags of an article; `options` are fields of `PredictOptions`."""
    return ranker.rank(Article("", body, title), output, PredictOptions(**options))


# ---- dumps

TEXT = "افتتح الوزير المعرض في مدينة حلب صباح اليوم"
"""A text that can be tagged."""
RECORDS = [{"id": f"n{i}", "title": f"عنوان {i}", "text": f'{TEXT}، وقال: "أهلاً"\nالفقرة {i}'} for i in range(5)]
"""Records with a title, and a text with quotes and a line break."""
COMPRESS: dict[str, Callable[[bytes], bytes]] = {
    "": bytes,
    ".gz": gzip.compress,
    ".xz": lzma.compress,
    ".zst": zstandard.ZstdCompressor().compress,
}
"""Suffixes of compressed files, and "" for a plain one, with functions that compress."""
_DUMP_WORDS = "فاز المنتخب في مباراة كرة القدم أعلن البنك المركزي أرباح الشركة قال الوزير إن الحكومة تبحث"


def json_lines(*records: object) -> bytes:
    """Return records as JSON lines."""
    return b"".join(json.dumps(record, ensure_ascii=False).encode() + b"\n" for record in records)


def csv_table(rows: list[list[str]], delimiter: str = ",") -> bytes:
    """Return rows as CSV, or as TSV with a tab for delimiter."""
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter).writerows(rows)
    return text.getvalue().encode()


def encode_records(suffix: str, records: list[dict[str, str]]) -> bytes:
    """Return records in the format of a suffix: .jsonl, .csv, .tsv or .parquet."""
    if suffix == ".jsonl":
        return json_lines(*records)
    if suffix == ".parquet":
        stream = io.BytesIO()
        pq.write_table(pa.Table.from_pylist(records), stream)
        return stream.getvalue()
    rows = [list(records[0]), *(list(record.values()) for record in records)]
    return csv_table(rows, "\t" if suffix == ".tsv" else ",")


def write_file(folder: Path, name: str, data: bytes) -> str:
    """Write a file below a folder and return its path."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return str(path)


def make_dump(path: Path, count: int) -> Path:
    """Write records `n0` and on with short texts to a JSONL file; those with a number of 3 modulo 7 have no text."""
    generator = random.Random(count)
    with path.open("w", encoding="utf-8") as file:
        for number in range(count):
            words = generator.choices(_DUMP_WORDS.split(), k=generator.randint(3, 12)) if number % 7 != 3 else []
            file.write(json.dumps({"id": f"n{number}", "text": " ".join(words)}, ensure_ascii=False) + "\n")
    return path


def read_articles(*inputs: str, **options: Any) -> list[Article]:
    """Return the articles of inputs, none of whose records may be a reject; `options` are those of `read_records`."""
    records = list(read_records(inputs, **options))
    assert all(isinstance(record, Article) for record in records), records
    return [record for record in records if isinstance(record, Article)]


def read_rejects(*inputs: str, **options: Any) -> list[Reject]:
    """Return the rejects of inputs; `options` are those of `read_records`."""
    return [record for record in read_records(inputs, **options) if isinstance(record, Reject)]


def reject_reason(path: str, **options: Any) -> str:
    """Return the reason for rejecting the only record of an input."""
    (reject,) = read_rejects(path, **options)
    return reject.error


# ---- runs of `wusum tag`

TAG_COMMAND = [sys.executable, "-c", "from wusum.model.cli import main; main()", "tag"]
"""The command line of `wusum tag` in a process of its own."""


def tag_options(dump: Path, output: Path, **changes: Any) -> TagOptions:
    """Return the options of a run over a dump; `changes` are fields of TagOptions, ModelSpec and PredictOptions."""

    def chosen(kind: type, defaults: dict[str, Any]) -> dict[str, Any]:
        given = {field.name: changes.pop(field.name) for field in fields(kind) if field.name in changes}
        return defaults | given

    predict = PredictOptions(**chosen(PredictOptions, {"max_topics": 2, "max_tags": 3}))
    spec = ModelSpec(**chosen(ModelSpec, {"threads": 1}))
    return TagOptions(**{"inputs": [str(dump)], "output": str(output), "predict": predict, "spec": spec} | changes)


def parquet_rows(path: Path) -> list[dict[str, Any]]:
    """Return the rows of a Parquet output without the ids of tags, none of which may have one."""
    rows: list[dict[str, Any]] = pq.read_table(path).to_pylist()
    assert {tag.pop("id") for row in rows for tag in row["tags"]} <= {None}
    return rows


class MemorySink(Sink):
    """Keeps rows and rejects in memory."""

    def __init__(self) -> None:
        self.rows: list[tuple[Article, Prediction]] = []
        self.rejects: list[Reject] = []

    def write(self, article: Article, prediction: Prediction) -> None:
        self.rows.append((article, prediction))

    def reject(self, record: Reject) -> None:
        self.rejects.append(record)

    @property
    def commit_interval(self) -> int | None:
        return None

    def commit(self) -> None:
        return None


class Crash(BaseException):
    """Stands for a power cut."""


def crash_at(monkeypatch: pytest.MonkeyPatch, number: int) -> Callable[[], int]:
    """Raise Crash at the n-th call of os.fsync and os.replace (0: never); return a function that counts the calls."""
    calls = 0

    def counted(real: Any) -> Any:
        def call(*args: Any, **kwargs: Any) -> Any:
            nonlocal calls
            calls += 1
            if calls == number:
                raise Crash
            return real(*args, **kwargs)

        return call

    for name in ("fsync", "replace"):
        monkeypatch.setattr(os, name, counted(getattr(os, name)))
    return lambda: calls


# ---- training on the tiny corpora of conftest.py

TINY_COUNTS = {
    "plain": {"train": 60, "validation": 15, "test": 21},
    "almayadeen": {"train": 54, "validation": 18, "test": 24},
}
"""Articles of each split of the tiny corpora."""

TINY_CORPORA = list(TINY_COUNTS)
"""Names of the tiny corpora."""

POISON = {"validation": "پنپ", "test": "ڤنڤ"}
"""A word in title, text and tags of every article of a split, with a letter that occurs in no other split."""

TINY_BERT = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}
"""Shape of an encoder that trains in seconds."""


def copy_corpora(corpora: Path, folder: Path) -> Path:
    """Copy the tiny corpora and the files beside them to a new folder, and return it."""
    return shutil.copytree(corpora, folder, ignore=shutil.ignore_patterns("cache"))


def edit_file(path: Path, old: str, new: str) -> None:
    """Replace some letters by others wherever they stand in a text file, which may be compressed with xz."""
    opened = lzma.open if path.suffix == ".xz" else open
    with opened(path, "rt", encoding="utf-8") as file:
        text = file.read()
    assert old in text
    with opened(path, "wt", encoding="utf-8") as file:
        file.write(text.replace(old, new))


def annotate(monkeypatch: pytest.MonkeyPatch, folder: Path, *rows: dict[str, Any]) -> Path:
    """Let rows of `corpus`, `id`, `split`, `topics` and `tags` stand in for the further annotated articles.

    Returns their file, in a new folder below `folder`.
    """
    path = Path(tempfile.mkdtemp(dir=folder)) / "annotations.jsonl.xz"
    path.write_bytes(lzma.compress(json_lines(*rows)))
    for module in ("data.annotations", "inputs"):
        monkeypatch.setattr(f"wusum.train.{module}.FILE", path)
    return path


def finetune_config(data: Path, folder: Path, **changes: Any) -> FinetuneConfig:
    """Return the settings of a training of seconds, which writes to `folder/finetune` and reads `folder/tokenizer`."""
    from wusum.train.stages.finetune import FinetuneConfig  # imports torch

    settings: dict[str, Any] = {
        "data": data,
        "output": folder / "finetune",
        "cache": folder / "rows",
        "topics": data / "topics.yaml",
        "tag_rules": str(data / "tag_rules.yaml"),
        "corpora": dict.fromkeys(TINY_CORPORA, 2.0),
        "tokenizer": str(folder / "tokenizer"),
        "encoder": TINY_BERT,
        "window": 32,
        "batch_size": 8,
        "epochs": 4.0,
        "learning_rate": 2e-3,
        "save_steps": 20,
    }
    return FinetuneConfig(**settings | changes)


def calibrate_config(data: Path, model: Path) -> CalibrateConfig:
    """Return the settings of a calibration on the tiny corpora."""
    from wusum.train.stages.calibrate import CalibrateConfig  # imports scikit-learn

    rules = str(data / "tag_rules.yaml")
    topics = data / "topics.yaml"
    return CalibrateConfig(data=data, model=model, topics=topics, corpora=["plain"], tag_rules=rules, trees=30)


def finish_model(data: Path, model: Path) -> None:
    """Export and calibrate a fine-tuned model."""
    from wusum.train.stages import calibrate, export  # imports torch

    export.run(export.ExportConfig(model))
    calibrate.run(calibrate_config(data, model))


# ---- evaluation


def eval_config(corpora: Path, **labels: list[str]) -> EvalConfig:
    """Return settings for the tiny corpora; `labels` are the labels to distinguish, by corpus."""
    cache = corpora / "cache" / str(len(labels))
    return EvalConfig(
        data=corpora, topics=corpora / "topics.yaml", topic_labels=labels, tag_corpora=["almayadeen"],
        tag_rules=str(corpora / "tag_rules.yaml"), drift_corpus="almayadeen", cache=cache,
    )  # fmt: skip


def score_values(answers: Any) -> dict[str, float]:
    """Return the values of the scores of answers by metric."""
    return {score.metric: score.value for score in answers.scores()}


CORPUS_BYTES = 30_000
"""Size of every corpus of `write_corpus`."""


def write_corpus(path: Path, rows: list[dict[str, Any]]) -> None:
    """Write rows as a corpus; files of all contents have the same size and the same time."""
    lines = (json.dumps(row, ensure_ascii=False).encode() + b"\n" for row in rows)
    path.write_bytes(lzma.compress(b"".join(lines)).ljust(CORPUS_BYTES, b"#"))  # no reader minds bytes behind the end
    os.utime(path, (1e9, 1e9))
    assert path.stat().st_size == CORPUS_BYTES


def read_corpus(path: Path) -> list[dict[str, Any]]:
    """Return the rows of a corpus."""
    with lzma.open(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]
