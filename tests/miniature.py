"""A checkout and its corpora in miniature: the shipped configs with small sizes, and made-up articles to read by them.

The corpora have the names and the labels of the real ones, so that a config needs no other change than that of sizes.
"""

from __future__ import annotations

import gzip
import io
import random
import shutil
import tarfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import yaml
import zstandard
from transformers import BertConfig, BertModel

from tests.support import ROOT, TINY_BERT, json_lines, write_corpus
from wusum.train.stages.tokenizer import train as train_tokenizer

SIZES: dict[str, dict[str, Any]] = {
    "tokenizer": {"vocab_size": 400, "min_frequency": 1},
    "vectors": {"dimensions": TINY_BERT["hidden_size"], "min_count": 1},
    "contrast": {"encoder": TINY_BERT, "batch_size": 8, "steps": 2, "eval_batches": 1},
    "finetune": {"batch_size": 64, "budget": 128, "tag_min_count": 1},
    "distill": {"encoder": TINY_BERT, "epochs": 0.5, "tag_min_count": 1},
    "calibrate": {"trees": 3},
    "ablation": {"trees": 3},
    "eval": {"robustness_articles": 2},
}
"""The settings of the shipped configs that are smaller here; all others are as shipped."""

COUNTS = {"train": 16, "validation": 10, "test": 8}
"""Articles of each split of a corpus."""

NAMES = ("غزة", "بيروت", "القاهرة", "دمشق", "الأمم المتحدة", "البنك المركزي", "كأس العالم", "وزارة الصحة")
"""Names in the articles, which are also tags."""

TEXT = (
    "قال أعلن أكد ذكر أمس اليوم صباح مساء مدينة دولة رئيس وزير شركة مجلس تقرير خبر بيان لقاء اجتماع قرار مشروع "
    "عام شهر أسبوع منطقة شارع سوق بيت كتاب علم عمل حركة حديث نظام برنامج مؤتمر خطة نتيجة سبب هدف طريق"
)
WORDS = TEXT.split()

ONLY_TRAINING = ("saudinewsnet",)
"""Corpora without validation and test articles."""

BASE_MODELS = ("intfloat/multilingual-e5-small", "aubmindlab/bert-base-arabertv02")
"""Ids of the Hub in the configs and on the pages; here they are folders."""


def make_checkout(folder: Path) -> Path:
    """Return a folder with configs and inputs for all commands of the pages, and corpora where the configs expect them.

    It lies in `folder`, beside `shared`.
    """
    checkout = folder / "checkout"
    checkout.mkdir()
    shutil.copytree(ROOT / "configs", checkout / "configs")
    shutil.copytree(ROOT / "tests" / "pages", checkout / "tests" / "pages")
    for name, sizes in SIZES.items():
        path = checkout / "configs" / f"{name}.yaml"
        settings = yaml.safe_load(path.read_text(encoding="utf-8"))
        path.write_text(yaml.safe_dump(settings | sizes, allow_unicode=True), encoding="utf-8")
    data = folder / "shared" / "data"
    data.mkdir(parents=True)
    for corpus, rows in _corpora(checkout / "configs").items():
        write_corpus(data / f"{corpus}.jsonl.xz", rows)
    _write_inputs(checkout)
    for name in BASE_MODELS:
        _write_base_model(checkout / name)
    return checkout


def hand_labels() -> bytes:
    """Return what stands in for the labels by hand of test articles."""
    rows = [
        {"corpus": "hespress", "id": f"hespress-test-{n}", "topics": ["sport", "crime"][: 1 + n % 2]} for n in (0, 1, 2)
    ]
    return json_lines(*rows)


def _corpora(configs: Path) -> dict[str, list[dict[str, Any]]]:
    """Return the rows of all corpora that the configs name."""
    label_map = yaml.safe_load((configs / "topics.yaml").read_text(encoding="utf-8"))
    subjects = {key: topic["name_ar"] for key, topic in label_map["topics"].items()}
    shown = yaml.safe_load((configs / "eval.yaml").read_text(encoding="utf-8"))
    measured = shown["topic_labels"] | shown["transfer_labels"]
    found = {
        corpus: list(_rows(corpus, label_map["corpora"].get(corpus, {}), measured.get(corpus, ()), subjects))
        for corpus in _names(configs)
    }
    found["anercorp"] = [_marked_row(number) for number in range(COUNTS["train"])]
    found["annotated"] = [
        row | {"topics": [list(subjects)[number % len(subjects)]]} | ({"outlet": "another"} if unseen else {})
        | {"unseen_outlet": unseen}
        for number, row in enumerate(_rows("annotated", {}, (), subjects))
        for unseen in (number % 2 == 1 and row["split"] == "test",)
    ]  # fmt: skip
    found["raw_pages"] = [_page(row) for row in found["almayadeen"]]
    return found


def _names(configs: Path) -> list[str]:
    """Return the corpora of all configs."""
    found: set[str] = set()
    for path in configs.glob("*.yaml"):
        settings = yaml.safe_load(path.read_text(encoding="utf-8"))
        for name in (
            "corpora",
            "phrase_corpora",
            "word_corpora",
            "measured",
            "topic_labels",
            "transfer_labels",
            "edited",
        ):
            found |= set(settings.get(name, ()))
    return sorted(found - {"anercorp", "annotated", "raw_pages"})


def _rows(
    corpus: str, meanings: Mapping[str, list[str]], measured: Any, subjects: Mapping[str, str]
) -> Iterator[dict[str, Any]]:
    """Yield made-up articles; their labels take turns, those that are measured first."""
    labels = list(measured) or [label for label, topics in meanings.items() if topics] or [None]
    for split, count in COUNTS.items():
        if split != "train" and corpus in ONLY_TRAINING:
            continue
        for number in range(count):
            label = labels[number % len(labels)]
            topics = meanings.get(label or "") or list(subjects)[number % 3 : number % 3 + 1]
            yield _row(f"{corpus}-{split}-{number}", corpus, split, label, subjects[topics[0]])


def _row(name: str, corpus: str, split: str, label: str | None, subject: str) -> dict[str, Any]:
    generator = random.Random(name)
    names = generator.sample(NAMES, 4)
    words = [*generator.choices(WORDS, k=50), *names[:3], subject, subject]
    generator.shuffle(words)
    return {
        "id": name, "outlet": corpus, "title": f"{subject} {names[0]} {words[0]}", "text": f"{' '.join(words)}.",
        "label": label, "tags": [*names, f"{words[1]} {words[2]}"], "date": f"2024-{generator.randint(1, 9):02}-15",
        "split": split,
    }  # fmt: skip


def _marked_row(number: int) -> dict[str, Any]:
    """Return a sentence whose names are marked."""
    tokens = [*random.Random(number).choices(WORDS, k=8), "بيروت"]
    marks = ["O"] * 8 + ["B-LOC"]
    return {"id": f"anercorp-train-{number}", "tokens": tokens, "ner": marks, "split": "train"}


def _page(row: dict[str, Any]) -> dict[str, Any]:
    """Return a scraped page of an article, with its annotated parts."""
    truth = {"title": row["title"], "body": row["text"], "source": "وكالات", "section": None, "tags": row["tags"]}
    raw = f"{row['title']}\n\n{row['text']}\n\nالمصدر: وكالات\n\nكلمات دلالية: {' '.join(row['tags'])}\n"
    return {"id": f"page-{row['id']}", "raw": raw, "truth": truth | {"similar": [], "related": []}}


def _write_inputs(checkout: Path) -> None:
    """Write the inputs that the commands of the pages name."""
    rows = [_row(f"n{number}", "dump", "test", None, "رياضة") for number in range(12)]
    records = [{"id": row["id"], "headline": row["title"], "body": row["text"]} for row in rows]
    data = json_lines(*records)
    shutil.copytree(checkout / "tests" / "pages", checkout / "pages")
    shutil.copyfile(checkout / "tests" / "pages" / "sport.txt", checkout / "page.txt")
    (checkout / "dump").mkdir()
    for path in ("dump.jsonl", "dump/1.jsonl", "dump/2.jsonl"):
        (checkout / path).write_bytes(data)
    for number in (1, 2):
        (checkout / f"dump-{number}.jsonl.gz").write_bytes(gzip.compress(data))
    pq.write_table(pa.Table.from_pylist(records), checkout / "more.parquet")
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        member = tarfile.TarInfo("dump.jsonl")
        member.size = len(data)
        tar.addfile(member, io.BytesIO(data))
    (checkout / "archive.tar.zst").write_bytes(zstandard.compress(archive.getvalue()))
    (checkout / "tags.csv").write_text("tag,aliases,id\nكرة القدم,المباراة|المنتخب,T1\n", encoding="utf-8")
    own = [{"text": row["text"], "title": row["title"], "topics": ["sport"], "tags": row["tags"]} for row in rows]
    (checkout / "mine.jsonl").write_bytes(json_lines(*own))


def _write_base_model(folder: Path) -> None:
    """Write a small encoder with a tokenizer of its own, as the Hub has them."""
    folder.mkdir(parents=True)
    tokenizer = train_tokenizer(iter([*WORDS, *NAMES, "query: "] * 3), vocab_size=300, min_frequency=1)
    tokenizer.save(str(folder / "tokenizer.json"))
    BertModel(BertConfig(vocab_size=tokenizer.get_vocab_size(), **TINY_BERT)).save_pretrained(folder)
