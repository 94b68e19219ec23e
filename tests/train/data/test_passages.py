"""How articles are cut to passages, and what is known of these."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.support import POISON, TINY_CORPORA, TINY_COUNTS, copy_corpora, edit_file
from wusum.model.text.words import match_key
from wusum.train.data import passages
from wusum.train.data.corpora import Example, LabelMap, examples, held_out
from wusum.train.data.passages import (
    MIN_REST,
    MIN_TITLE,
    PassageSettings,
    article_rows,
    passage_offsets,
    passage_rows,
    passages_digest,
)
from wusum.train.data.text_units import units

WORDS = [f"كلمة{number}" for number in range(1000)]


def settings(folder: Path, cache: Path = Path(), **changes: Any) -> PassageSettings:
    made: dict[str, Any] = {
        "data": folder, "topics": folder / "topics.yaml", "corpora": TINY_CORPORA, "cache": cache,
        "tag_rules": str(folder / "tag_rules.yaml"), "passage_words": 12, "max_words": 24, "short_words": 5,
    }  # fmt: skip
    return PassageSettings(**made | changes)


def rows_of(config: PassageSettings) -> Any:
    return passage_rows(config, LabelMap.load(config.topics))


def digest_of(config: PassageSettings) -> str:
    return passages_digest(config, LabelMap.load(config.topics))


def article(title: int, body: int, **known: Any) -> Example:
    """Return an article whose title and body have this many words, all different."""
    return Example("a", "plain", " ".join(WORDS[:title]), " ".join(WORDS[title : title + body]), None, None, **known)


def cut_words(config: PassageSettings, example: Example) -> list[list[str]]:
    """Return the words of each passage of an article."""
    return [example.text[start:end].split() for start, end in passage_offsets(config, example)]


def test_an_article_is_cut_by_words_from_its_title_on(corpora: Path) -> None:
    config = settings(corpora, passage_words=10, max_words=25, title_share=0.0, short_share=0.0)
    assert cut_words(config, article(4, 15)) == [WORDS[:9], WORDS[9:19]]
    assert cut_words(config, article(0, 100)) == [WORDS[:8], WORDS[8:16], WORDS[16:25]]  # no more than 25 words
    assert cut_words(config, article(3, 4)) == [WORDS[:7]]


def test_titles_and_beginnings_without_title_are_passages_too(corpora: Path) -> None:
    config = settings(corpora, passage_words=60, max_words=60, title_share=1.0, short_share=1.0, short_words=5)
    assert cut_words(config, article(6, 40)) == [WORDS[:46], WORDS[:6], WORDS[6:11]]
    assert cut_words(config, article(0, 40)) == [WORDS[:40], WORDS[:5]]
    assert cut_words(config, article(MIN_TITLE, 5)) == [WORDS[:9], WORDS[:4]]
    assert cut_words(config, article(MIN_TITLE - 1, 5)) == [WORDS[:8]]
    assert len(cut_words(config, article(0, 5 + MIN_REST))) == 2
    assert len(cut_words(config, article(0, 5 + MIN_REST - 1))) == 1


def test_they_are_of_a_share_of_the_articles_and_of_all_that_were_read(corpora: Path) -> None:
    config = settings(corpora, passage_words=60, title_share=0.3, short_share=0.6, max_words=60, short_words=5)
    plain, titles, shorts = article(6, 40), 0, 0
    for number in range(300):
        found = cut_words(config, replace(plain, id=f"a{number}"))
        assert found == cut_words(config, replace(plain, id=f"a{number}"))
        titles += WORDS[:6] in found
        shorts += WORDS[6:11] in found
    assert 60 < titles < 120
    assert 150 < shorts < 210
    none = settings(corpora, passage_words=60, max_words=60, short_words=5, title_share=0.0, short_share=0.0)
    assert cut_words(none, replace(plain, topics=("sport",))) == [WORDS[:46], WORDS[:6], WORDS[6:11]]


def only_rows(config: PassageSettings, example: Example) -> list[dict[str, Any]]:
    return list(article_rows(config, LabelMap.load(config.topics), example))


def test_marks_and_topics_of_an_article_are_known_in_each_of_its_passages(corpora: Path) -> None:
    example = Example(
        "a", "plain", "فاز فريق المدينة", "في مباراة كرة القدم. وصل فريق المدينة إلى بيروت اليوم", None, None,
        phrases=("كرة القدم", "فريق المدينة"), topics=("health", "sport"),
    )  # fmt: skip
    config = settings(corpora, passage_words=7, max_words=100)
    first, second = only_rows(config, example)
    assert first["text"] == "فاز فريق المدينة\nفي مباراة كرة"  # the phrase is cut in two
    assert first["phrase_marks"] == [0, 1, 2, 0, 0, 1]
    assert second["text"] == "القدم. وصل فريق المدينة إلى بيروت اليوم"
    assert second["phrase_marks"] == [1, 0, 0, 1, 2, 0, 0, 0]
    assert [row["first"] for row in (first, second)] == [True, False]
    assert [row["title_units"] for row in (first, second)] == [3, 0]
    keys = LabelMap.load(config.topics).keys
    assert all([keys[topic] for topic in row["topics"]] == ["health", "sport"] for row in (first, second))
    assert first["name_marks"] == second["name_marks"] == []
    untold = only_rows(config, replace(example, phrases=None, topics=None, names=((0, 2),)))
    assert [(row["phrase_marks"], row["topics"]) for row in untold] == [([], [])] * 2
    assert untold[0]["name_marks"] == [0, 0, 0, 1, 0, 0]
    assert only_rows(config, replace(example, title="", body=" \n ")) == []


def test_a_title_alone_is_no_title_before_something(corpora: Path) -> None:
    config = settings(corpora, passage_words=60, title_share=1.0, max_words=60)
    assert [row["title_units"] for row in only_rows(config, article(5, 8))] == [5, 0]
    assert [row["title_units"] for row in only_rows(config, article(0, 8))] == [0]


def test_all_training_articles_are_read_and_no_others(corpora: Path, tmp_path: Path) -> None:
    found = rows_of(settings(corpora, tmp_path, max_words=100, tag_holdout=0.0))
    assert sum(found["first"]) == sum(counts["train"] for counts in TINY_COUNTS.values())
    assert not any(word in text for text in found["text"] for word in POISON.values())
    texts = {text for row in found for text in row["text"].split()}
    assert texts == {word for name in TINY_CORPORA for e in examples(corpora, name) for word in e.text.split()}
    assert {tag for tags in found["tags"] for tag in tags} >= {"مباراة", "كرة القدم"}
    few = rows_of(settings(corpora, tmp_path, max_rows=5))
    assert sum(few["first"]) == 5 * len(TINY_CORPORA)


def test_tags_of_articles_that_are_held_out_are_not_used(corpora: Path, tmp_path: Path) -> None:
    rules = passages.TagRules.load(corpora / "tag_rules.yaml")
    kept = [not held_out(e.id, 0.3) for e in examples(corpora, "almayadeen", rules=rules)]
    assert 0 < sum(kept) < len(kept)
    found = rows_of(settings(corpora, tmp_path, corpora=["almayadeen"], tag_holdout=0.3))
    firsts = [row for row in found if row["first"]]
    assert [bool(row["tags"]) for row in firsts] == kept
    assert [bool(row["phrase_marks"]) for row in firsts] == kept
    unedited = rows_of(settings(corpora, tmp_path, corpora=["almayadeen"], tag_rules=""))
    assert not any(unedited["tags"])


def test_names_of_outlets_are_taken_out_of_a_share_of_the_bodies(corpora: Path, tmp_path: Path) -> None:
    def count(**changes: Any) -> int:
        config = settings(corpora, tmp_path, max_words=100, passage_words=100, **changes)
        return sum("المستشفى" in row["text"].split("\n")[-1] for row in rows_of(config) if row["first"])

    with_names = count()
    assert 0 < count(outlet_names=["المستشفى"]) < with_names
    assert count(outlet_names=["المستشفى"], anonymous_share=1.0) == 0
    assert count(outlet_names=["المستشفى"], anonymous_share=0.0) == with_names


def test_passages_are_kept_under_their_digest(corpora: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = settings(corpora, tmp_path)
    first = rows_of(config)
    assert [path.name for path in tmp_path.iterdir()] == [digest_of(config)]
    monkeypatch.setattr(passages, "examples", None)
    assert rows_of(config)[:] == first[:]


def test_the_digest_counts_all_that_passages_are_made_of(
    corpora: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = copy_corpora(corpora, tmp_path / "data")
    first = digest_of(settings(own))
    assert digest_of(settings(copy_corpora(own, tmp_path / "moved"), tmp_path / "elsewhere")) == first
    changes: dict[str, Any] = {
        "corpora": TINY_CORPORA[::-1], "outlet_names": ["x"], "max_rows": 9, "passage_words": 9, "max_words": 20,
        "title_share": 0.9, "short_share": 0.9, "short_words": 4, "anonymous_share": 0.1, "tag_holdout": 0.4,
    }  # fmt: skip
    found = [first, *(digest_of(settings(own, **{name: value})) for name, value in changes.items())]
    for name, words in {
        "plain.jsonl.xz": ("المباراة", "المنافسة"), "topics.yaml": ("طقس", "الجو"),
        "tag_rules.yaml": ("[almayadeen]", "[plain]"),
    }.items():  # fmt: skip
        edit_file(own / name, *words)
        found.append(digest_of(settings(own)))
    monkeypatch.setattr(passages, "code_digest", lambda *packages: " ".join(p.__name__ for p in packages))
    found.append(digest_of(settings(own)))
    assert len(set(found)) == len(found)


def test_a_unit_of_the_known_marks_is_one_of_the_passage(corpora: Path, tmp_path: Path) -> None:
    """The marks are as many as the units, and what they mark are the tags that stand in the text."""
    found = rows_of(settings(corpora, tmp_path, corpora=["almayadeen"], tag_holdout=0.0))
    marked: Counter[str] = Counter()
    for row in found:
        places = units(row["text"])
        assert len(row["phrase_marks"]) == len(places)
        starts = [n for n, mark in enumerate(row["phrase_marks"]) if mark == 1]
        marked.update(match_key(row["text"][slice(*places[n])]) for n in starts)
    assert {match_key(tag) for tag in ("مباراة", "البورصة")} <= set(marked)
    assert set(marked) <= {match_key(tag).split(" ")[0] for tags in found["tags"] for tag in tags}
