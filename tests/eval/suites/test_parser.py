"""The suite of raw pages."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.support import PAGES, write_corpus
from wusum.eval.config import EvalConfig
from wusum.eval.measures.answers import Extraction, Key
from wusum.eval.suites.parser import PARTS, SUITE
from wusum.model.article import Article
from wusum.model.errors import CorpusError

RAW = (PAGES / "politics.txt").read_text(encoding="utf-8")
FOUND = Article.from_page(RAW, "p")
TRUTH: dict[str, Any] = {
    "title": FOUND.title, "body": FOUND.body, "source": FOUND.source, "section": FOUND.section,
    "tags": list(FOUND.tags), "similar": list(FOUND.similar),
    "related": [{"title": other.title, "body": other.body} for other in FOUND.related],
}  # fmt: skip
"""The parts that the parser finds."""


def scores(folder: Path, *rows: dict[str, Any]) -> list[dict[str, float]]:
    """Return the scores of each page by part."""
    write_corpus(folder / "pages.jsonl.xz", list(rows))
    config = EvalConfig(folder, folder, pages="pages")
    (key,) = SUITE.keys(config)
    assert key == Key("parser", "pages")
    nobody: Any = None  # no model takes part
    found = SUITE.answer(key, nobody, config)
    assert isinstance(found, Extraction)
    return [dict(zip(found.parts, values, strict=True)) for values in found.values]


def page(**changes: Any) -> dict[str, Any]:
    return {"id": "p", "raw": RAW, "truth": TRUTH | changes}


def test_the_page_has_every_part() -> None:
    assert FOUND.body
    assert len(FOUND.tags) > 1
    assert FOUND.related


def test_right_parts_score_1(tmp_path: Path) -> None:
    assert scores(tmp_path, page()) == [dict.fromkeys(PARTS, 1.0)]


@pytest.mark.parametrize(
    ("part", "changes", "score"),
    [
        ("title", {"title": "عنوان آخر"}, 0.0),
        ("body", {"body": f"{FOUND.body} وأكثر"}, 0.0),
        ("source", {"source": "وكالة أخرى"}, 0.0),
        ("section", {"section": "باب آخر"}, 0.0),
        ("tags F1", {"tags": ["وسم آخر"]}, 0.0),
        ("tags F1", {"tags": []}, 0.0),
        ("tags F1", {"tags": [*FOUND.tags[:-1]]}, 2 * (len(FOUND.tags) - 1) / (2 * len(FOUND.tags) - 1)),
        ("similar", {"similar": [*FOUND.similar, "عنوان"]}, 0.0),
        ("related", {"related": []}, 0.0),
        ("related", {"related": [{"title": other.title, "body": ""} for other in FOUND.related]}, 0.0),
        ("related", {"related": [{"title": "", "body": other.body} for other in FOUND.related]}, 0.0),
    ],
)
def test_a_wrong_part_alone_scores_less(tmp_path: Path, part: str, changes: dict[str, Any], score: float) -> None:
    assert scores(tmp_path, page(**changes)) == [dict.fromkeys(PARTS, 1.0) | {part: pytest.approx(score)}]


def test_parts_that_a_page_does_not_have_are_right_if_none_is_found(tmp_path: Path) -> None:
    body = "قال الوزير إن العمل سيبدأ في المدينة غدا، وأضاف أن الخطة تمتد عاما كاملا بلا توقف."
    nothing = {"title": None, "source": None, "section": None, "tags": [], "similar": [], "related": []}
    found = Article.from_page(body, "p")
    assert (found.body, found.tags) == (body, ())
    (row,) = scores(tmp_path, {"id": "p", "raw": body, "truth": nothing | {"body": body}})
    assert row == dict.fromkeys(PARTS, 1.0)


def test_only_annotated_raw_pages_count(tmp_path: Path) -> None:
    assert len(scores(tmp_path, {"id": "a", "raw": RAW}, page(), {"id": "b", "truth": TRUTH}, page())) == 2
    with pytest.raises(CorpusError, match="pages: no raw page has its parts annotated"):
        scores(tmp_path, {"id": "a", "raw": RAW})


def test_without_a_corpus_of_pages_there_is_nothing_to_measure(tmp_path: Path) -> None:
    assert list(SUITE.keys(replace(EvalConfig(tmp_path, tmp_path), pages=""))) == []
