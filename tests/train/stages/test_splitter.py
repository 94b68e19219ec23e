"""The stage that fits the tag-line splitter, on made-up corpora with a known rule."""

from __future__ import annotations

import json
import lzma
from pathlib import Path
from typing import Any

import pytest

from wusum.model.errors import ConfigError, CorpusError
from wusum.model.pages.splitter import FEATURES, SplitterWeights, bundled_weights
from wusum.model.text.words import match_key
from wusum.train.config import load
from wusum.train.stages.splitter import SplitterConfig, compose, fit, lines, measure, run

PLACES = ("موسكو", "باريس", "لندن", "طهران", "بغداد")
HEADS = ("وزارة", "مجلس", "حزب", "شركة", "مدينة")
NAMES = ("النيل", "الصحراء", "البحار", "الغابات", "النجوم", "الجبال", "الرمال")


def tags(number: int) -> list[str]:
    """The rule: a place is a tag by itself, a head noun belongs to the next word."""
    place, head, name = PLACES[number % 5], HEADS[number * 3 % 5], NAMES[number % 7]
    return [place, f"{head} {name}", PLACES[(number + 1) % 5], f"{HEADS[number % 5]} {NAMES[(number + 3) % 7]}"]


def article(number: int, split: str, **changes: Any) -> dict[str, Any]:
    body = f"زار وفد رقم {number} من {split} العاصمة، وذكر {tags(number)[1]} مرة. وعاد."
    return {
        "id": f"{split}-{number}", "title": None, "text": body, "tags": tags(number), "split": split, "date": None,
    } | changes  # fmt: skip


def page(number: int, body: str) -> dict[str, Any]:
    truth = {"title": None, "body": body, "source": None, "tags": tags(number), "section": None} | {
        "related": [{"title": "خبر آخر", "body": "نص خبر آخر."}],
        "similar": ["عنوان"],
    }
    return {"id": f"page-{number}", "raw": body, "truth": truth}


def write(folder: Path, corpus: str, rows: list[dict[str, Any]]) -> None:
    with lzma.open(folder / f"{corpus}.jsonl.xz", "wt", encoding="utf-8") as file:
        file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A corpus of articles, raw pages made of some of them, and one whose tags all have one word."""
    counts = {"train": 60, "validation": 12, "test": 14}
    articles = [article(number, split) for split, count in counts.items() for number in range(count)]
    # Rows of the test split follow the opposite rule: read by mistake, they would spoil the fit.
    for row in articles[72:]:
        row["tags"] = [f"{PLACES[0]} {NAMES[0]}", HEADS[0]] * 40
        row["text"] = f"نص الاختبار {row['id']}"
    articles.append(article(99, "train", tags=["واحد"]))
    articles.append(article(98, "train", tags=["مجلس، النيل", "موسكو"]))
    articles.append(article(97, "train", tags=None))
    write(tmp_path, "news", articles)
    of_pages = [*articles[:20], *articles[60:65], *articles[72:80]]  # of each split another number
    pages = [page(number, row["text"]) for number, row in enumerate(of_pages)]
    write(tmp_path, "pages", [*pages, page(90, "نص لا يعرفه أحد")])
    write(tmp_path, "single", [article(n, s, tags=list(PLACES)) for n in range(6) for s in ("train", "validation")])
    return tmp_path


def settings(folder: Path, **changes: Any) -> SplitterConfig:
    made: dict[str, Any] = {
        "data": folder, "output": folder / "out" / "weights.json", "corpora": ["news"], "validation": ["news"],
        "sections": ["رياضة"],
    }  # fmt: skip
    return SplitterConfig(**made | changes)


def test_a_known_rule_is_learned(folder: Path) -> None:
    config = settings(folder)
    run(config)
    weights = SplitterWeights.load(config.output)
    assert set(weights.weights) == set(FEATURES)
    assert weights.weights["head first"] < -1
    assert weights.weights["place, indefinite"] > 0
    assert weights.weights["number first"] == 0  # no tag has a number
    assert all(value == round(value, 1) for value in (weights.bias, *weights.weights.values()))
    held_out = list(lines(config, "news", "validation"))
    assert len(held_out) == 12
    assert measure(held_out, weights).gap_accuracy == measure(held_out, weights).tag_f1 == 1.0
    training = weights.provenance["training"]["news"]
    assert training["lines"] == 60
    validation = weights.provenance["validation"]["news"]
    assert (validation["lines"], validation["gap accuracy"], validation["tag F1"]) == (12, 1.0, 1.0)
    assert weights.provenance["settings"]["seed"] == 1
    assert str(folder) not in config.output.read_text(encoding="utf-8")


def test_the_same_settings_give_the_same_file(folder: Path) -> None:
    first, second, other = (settings(folder, output=folder / f"{name}.json") for name in "abc")
    run(first)
    run(second)
    assert first.output.read_bytes() == second.output.read_bytes()
    run(settings(folder, output=other.output, inverse_penalty=0.001, decimals=2))
    smaller, weights = SplitterWeights.load(other.output).weights, SplitterWeights.load(first.output).weights
    assert abs(smaller["head first"]) < abs(weights["head first"])
    assert any(value != round(value, 1) for value in smaller.values())


def test_raw_pages_take_the_split_of_their_article(folder: Path) -> None:
    config = settings(folder, corpora=["pages"], validation=["pages", "news"], page_articles="news")
    run(config)
    weights = SplitterWeights.load(config.output)
    assert weights.provenance["training"]["pages"]["lines"] == 20
    assert weights.provenance["validation"]["pages"]["lines"] == 5
    assert weights.weights["head first"] < -1
    assert measure(list(lines(config, "news", "validation")), weights).gap_accuracy == 1.0
    with pytest.raises(ConfigError, match="pages: its train split has no row with two or more tags"):
        run(settings(folder, corpora=["pages"]))


def test_articles_that_are_annotated_for_a_test_are_not_learned_from(folder: Path) -> None:
    """An article, one that differs from it in a number alone, and its page; an annotated training article stays."""
    annotated = [article(3, "train") | {"split": "test", "unseen_outlet": False},
                 article(4, "train") | {"unseen_outlet": False}]  # fmt: skip
    write(folder, "annotated", annotated)
    config = settings(folder, corpora=["news", "pages"], page_articles="news")
    run(config)
    training = SplitterWeights.load(config.output).provenance["training"]
    assert (training["news"]["lines"], training["pages"]["lines"]) == (58, 19)


def test_a_line_repeats_its_beginning_and_ends_with_a_section(folder: Path) -> None:
    given = tags(0)
    plain = compose(given, "", settings(folder, repeated=0, sectioned=0), "a")
    assert plain.words == ("موسكو", "وزارة", "النيل", "باريس", "وزارة", "الغابات")
    assert plain.cuts == (1, 3, 4)
    assert len(plain.features) == 5
    assert plain.tags(plain.cuts) == set(map(match_key, given))
    whole = compose(given, "", settings(folder, repeated=1, sectioned=1), "a")
    assert whole.words[:7] == (*plain.words, "موسكو")
    assert whole.words[-1] == "رياضة"
    assert whole.cuts[:4] == (1, 3, 4, 6)
    assert whole.cuts[-1] == len(whole.words) - 1
    assert set(whole.words[6:-1]) <= set(plain.words)
    assert compose(given, "", settings(folder, repeated=1, sectioned=1), "a") == whole


def test_the_share_of_right_gaps_and_tags(folder: Path) -> None:
    line = compose(tags(0), "", settings(folder, repeated=0, sectioned=0), "a")
    everywhere = SplitterWeights(1.0, dict.fromkeys(FEATURES, 0.0), {})
    score = measure([line], everywhere)
    assert score.gap_accuracy == 3 / 5
    # موسكو and باريس, of four true tags and five distinct single words
    assert score.tag_f1 == 2 * 2 / (4 + 5)
    bias, weights = fit([line] * 20, 1.0, 2)
    assert measure([line], SplitterWeights(bias, weights, {})).gap_accuracy == 1.0


def test_corpora_that_teach_nothing_are_named(folder: Path) -> None:
    with pytest.raises(ConfigError, match="no training line has a tag of two words"):
        run(settings(folder, corpora=["single"], sections=[]))
    write(folder, "untagged", [article(1, "train", tags=None)])
    with pytest.raises(ConfigError, match="untagged: its train split has no row with two or more tags"):
        run(settings(folder, corpora=["untagged"]))
    with pytest.raises(CorpusError, match=r"nowhere\.jsonl\.xz"):
        run(settings(folder, corpora=["nowhere"]))


def test_the_shipped_weights_are_those_of_the_shipped_settings() -> None:
    config = load(SplitterConfig, "configs/splitter.yaml")
    recorded = bundled_weights().provenance["settings"]
    assert {name: getattr(config, name) for name in recorded} == recorded
