"""Corpora and label maps."""

from __future__ import annotations

import json
import lzma
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support import POISON, ROOT, TINY_COUNTS, annotate, write_corpus
from wusum.model.errors import CorpusError
from wusum.train.data.corpora import (
    Example,
    LabelMap,
    TagRules,
    annotated_sources,
    examples,
    held_out,
    prose,
    rows,
    with_whole_bodies,
)

BUNDLED = ["غزة", "حماس", "غلاف غزة", "كتائب القسام", "المسجد الأقصى", "طوفان الأقصى", "المقاومة الفلسطينية"]


RULES = TagRules.load(ROOT / "configs" / "tag_rules.yaml")


def test_the_pasted_bundle_is_dropped_only_as_a_whole() -> None:
    assert RULES.clean([*BUNDLED, "زلزال"]) == ("زلزال",)
    assert RULES.clean([*BUNDLED[:-1], "زلزال"]) == (*BUNDLED[:-1], "زلزال")
    assert TagRules().clean(BUNDLED) == tuple(BUNDLED)


def test_rules_are_read_from_a_file_and_none_from_an_empty_path(tmp_path: Path) -> None:
    path = tmp_path / "rules.yaml"
    path.write_text("edited: [news]\ndropped: [قناة]\nbundles: [[غزة, حماس]]\n", encoding="utf-8")
    rules = TagRules.load(path)
    assert rules.edited == {"news"}
    assert rules.clean(["قناة الأخبار", "حماس", " زلزال ", "غزة"]) == ("زلزال",)
    assert TagRules.load("") == TagRules()
    path.write_text("edited: [news]\n", encoding="utf-8")
    assert TagRules.load(path).clean(["قناة الأخبار"]) == ("قناة الأخبار",)
    for text in ("dropped: [x]", "- x", "edited: ["):
        path.write_text(text, encoding="utf-8")
        with pytest.raises(CorpusError, match=r"rules\.yaml: not a file of tag rules"):
            TagRules.load(path)


def test_names_are_marked_in_the_sentence_of_their_tokens(tmp_path: Path) -> None:
    row = {
        "id": "ner-1", "split": "train", "date": None,
        "tokens": ["زار", "علي", "بن", "سعد", "بيروت", "ولندن", "أمس"],
        "ner": ["O", "B-PER", "I-PER", "I-PER", "B-LOC", "B-LOC", "O"],
    }  # fmt: skip
    first_inside = row | {"id": "ner-2", "tokens": ["بيروت", "أمس"], "ner": ["I-LOC", "O"]}
    with lzma.open(tmp_path / "ner.jsonl.xz", "wt", encoding="utf-8") as file:
        file.writelines(json.dumps(one, ensure_ascii=False) + "\n" for one in (row, first_inside))
    whole, inside = examples(tmp_path, "ner")
    assert whole.body == "زار علي بن سعد بيروت ولندن أمس"
    assert whole.names is not None
    assert [whole.body[start:end] for start, end in whole.names] == ["علي بن سعد", "بيروت", "ولندن"]
    assert inside.names == ((0, 5),)
    assert (whole.title, whole.label, whole.tags, whole.phrases) == ("", None, None, None)


def test_the_outlets_own_name_and_repeats_are_dropped() -> None:
    assert RULES.clean(["الميادين", "إيران", "الميادين Go", "ايران", "Almayadeen Go", "أخبار الميادين"]) == ("إيران",)


def test_of_a_body_that_is_the_pages_json_only_its_description_is_left() -> None:
    description = '"keywords": "زلزال,تركيا",\n"description": "قال \\"خبير\\" إنها قوية"'
    page = f'{{\n"type": "article",\n"title": "زلزال",\n{description},\n"html": ""'
    assert prose(page) == 'قال "خبير" إنها قوية'
    assert prose(page.replace("description", "summary")) == ""
    assert prose('قال: {"type": "article"}') == 'قال: {"type": "article"}'


def test_examples_keep_to_their_split(corpora: Path) -> None:
    for split, count in TINY_COUNTS["plain"].items():
        found = list(examples(corpora, "plain", [split]))
        assert len(found) == count
        assert all(f"-{split}-" in e.id and e.tags is None for e in found)
        for owner, word in POISON.items():
            assert {word in e.text for e in found} == {split == owner}
    assert found[1].text == f"{found[1].title}\n{found[1].body}"
    assert found[0].text == found[0].body
    both = list(examples(corpora, "plain", ["train", "test"]))
    assert len(both) == TINY_COUNTS["plain"]["train"] + TINY_COUNTS["plain"]["test"]
    assert [e.id for e in examples(corpora, "plain")] == [e.id for e in both if "-train-" in e.id]


def test_annotated_articles_have_the_whole_body_of_their_source(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = " ".join(["كلمة"] * 200)
    row = {"title": "عنوان", "date": None, "label": "sport", "tags": None, "split": "train"}
    write_corpus(tmp_path / "news.jsonl.xz", [row | {"id": "news-1", "text": long}, row | {"id": "x", "text": "نص"}])
    write_corpus(tmp_path / "blog.jsonl.xz", [row | {"id": "blog-1", "text": f"{long} {long}"}])
    known = row | {"topics": ["sport"], "tags": ["كلمة"], "text": "كلمة كلمة"}
    write_corpus(tmp_path / "annotated.jsonl.xz", [known | {"id": "blog-1"}, known | {"id": "gone-1"}])
    annotate(monkeypatch, tmp_path, known | {"corpus": "news", "id": "news-1"}, known | {"corpus": "away", "id": "a"})
    assert annotated_sources(tmp_path) == ["blog", "news"]
    cut = list(examples(tmp_path, "annotated"))
    assert [(e.id, e.source, len(e.body.split())) for e in cut] == [
        ("blog-1", "blog", 2), ("gone-1", "gone", 2), ("news-1", "news", 150),
    ]  # fmt: skip
    whole = list(with_whole_bodies(tmp_path, cut))
    assert [len(e.body.split()) for e in whole] == [400, 2, 200]
    assert [replace(e, body="") for e in whole] == [replace(e, body="") for e in cut]
    assert list(with_whole_bodies(tmp_path, examples(tmp_path, "news"))) == list(examples(tmp_path, "news"))


def test_examples_are_dated_before_a_day(corpora: Path) -> None:
    dates = {example.date for example in examples(corpora, "plain")}
    assert "2024-07-15" in dates
    found = {example.date for example in examples(corpora, "plain", before="2024-07-15")}
    assert found == {date for date in dates if date < "2024-07-15"}


def test_a_missing_or_damaged_corpus_is_named(corpora: Path, tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=r"nothing\.jsonl\.xz"):
        list(examples(corpora, "nothing"))
    (tmp_path / "cut.jsonl.xz").write_bytes((corpora / "plain.jsonl.xz").read_bytes()[:200])
    with pytest.raises(CorpusError, match=r"cut\.jsonl\.xz"):
        list(examples(tmp_path, "cut"))


def test_labels_mean_sets_of_topics(corpora: Path) -> None:
    labels = LabelMap.load(corpora / "topics.yaml")
    assert labels.topics("plain", "health") == (2, 3)
    assert labels.topics("plain", "unknown") == labels.topics("plain", None) == labels.topics("other", "sport") == ()
    assert labels.given == (True, True, True, False)


def test_topics_found_by_reading_have_the_numbers_of_the_map(corpora: Path) -> None:
    labels = LabelMap.load(corpora / "topics.yaml")
    example = Example("a-1", "a", "", "نص", "sport", None, topics=("weather", "sport"))
    assert labels.numbers(example) == (3, 0)
    assert labels.numbers(replace(example, topics=None)) == ()
    with pytest.raises(CorpusError, match="a: a-1: no topic 'love', 'hate'"):
        labels.numbers(replace(example, topics=("love", "sport", "hate")))


def test_a_label_of_no_topic_is_named(tmp_path: Path) -> None:
    (tmp_path / "topics.yaml").write_text(
        "topics: {sport: {code: c, name_ar: a, name_en: e}}\ncorpora: {x: {football: [spirt]}}\n", encoding="utf-8"
    )
    with pytest.raises(CorpusError, match=r"x\.football: no topic 'spirt'"):
        LabelMap.load(tmp_path / "topics.yaml")


def test_the_held_out_share_is_about_what_was_asked() -> None:
    chosen = [held_out(f"article-{i}", 0.125) for i in range(4000)]
    assert 0.10 < sum(chosen) / len(chosen) < 0.15
    assert chosen == [held_out(f"article-{i}", 0.125) for i in range(4000)]


def test_every_label_of_the_real_corpora_is_mapped(shared: Path) -> None:
    """A label that the map does not list teaches nothing, so one may be left out by decision only."""
    labels = LabelMap.load(ROOT / "configs" / "topics.yaml")
    left_out = {
        "almayadeen": {"الميادين Go", "تقارير أونلاين", "وثائقي الويب", "ومضات"},
        "saudinewsnet": {"news/local", "news/regions", "citizen_journalist", "opinion", "discussion", "dialogue"}
        | {"bigpage", "site"},
    }
    for corpus, meanings in labels.labels.items():
        used = {row["label"] for row in rows(shared / "data", corpus)} - {None}
        assert used - set(meanings) == left_out.get(corpus, set()), corpus
        assert set(meanings) <= used, corpus
