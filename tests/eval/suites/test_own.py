"""The suite of a user's own articles."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.support import eval_config, score_values
from wusum.eval.baselines.keyphrases import UNSUPERVISED
from wusum.eval.measures.answers import Key, Labelling, Tagging
from wusum.eval.report.errors import worst_errors
from wusum.eval.report.report import write_report
from wusum.eval.runner import evaluate
from wusum.eval.suites.own import SUITE
from wusum.model.errors import CorpusError
from wusum.train.data.corpora import Example


def write_lines(path: Path, *rows: dict[str, Any]) -> str:
    path.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows) + "\n\n", encoding="utf-8")
    return str(path)


def test_topics_and_tags_of_own_articles_are_measured(corpora: Path, tmp_path: Path, fake: Any) -> None:
    file = write_lines(
        tmp_path / "own.jsonl",
        {"id": "x", "text": "خبر عن مباراة", "topics": ["رياضة", "medtop:00000001"], "tags": ["كرة القدم"]},
        {"text": "خبر آخر", "topics": ["Health"]},
    )
    settings = replace(eval_config(corpora), labelled=file, cache=tmp_path)
    assert [(key.corpus, key.system) for key in SUITE.keys(settings)] == [
        ("topics", "wusum"), ("topics", "majority"),
        ("tags", "wusum"), ("tags", "TF-IDF"), ("tags", "YAKE"), ("tags", "TextRank"),
    ]  # fmt: skip
    found = evaluate(fake, settings, ["own"])
    topics, majority, tags, *_ = found.answers
    assert isinstance(majority, Labelling)
    assert majority.predicted == (("sport",), ("sport",))  # all three are as frequent, it comes first
    assert "own.jsonl" in found.about["data"]
    assert isinstance(topics, Labelling)
    assert topics.gold == (("sport", "economy"), ("health",))
    assert topics.ids == ("x", "2")
    assert score_values(topics)["micro-F1"] == pytest.approx(2 * 1 / (2 + 3))
    assert score_values(tags)["F1@5"] == pytest.approx(2 / 6)
    assert [answers.ids for answers in found.answers[2:]] == [("x",)] * 4
    phrases = found.find("own", "tags", "TF-IDF")
    assert isinstance(phrases, Tagging)
    assert "مباراه" in phrases.ranked[0]


def test_the_report_shows_each_topic_and_the_errors(corpora: Path, tmp_path: Path, fake: Any) -> None:
    file = write_lines(
        tmp_path / "own.jsonl",
        {"text": "خبر عن مباراة", "topics": ["sport"]},
        {"text": "خبر عن بنك", "topics": ["economy"], "tags": ["بنك"]},
    )
    settings = replace(eval_config(corpora), labelled=file, cache=tmp_path)
    found = evaluate(fake, settings, ["own"])
    wrong = [(row["corpus"], row["gold"], row["given"], row["text"]) for row in worst_errors(found, settings)]
    assert wrong[0] == ("topics", "economy", "sport", "خبر عن بنك")
    assert [row[:2] for row in wrong[1:]] == [("tags", "بنك")]
    write_report(found, settings, tmp_path)
    made = json.loads((tmp_path / "metrics.json").read_text(encoding="utf-8"))
    assert [row["class"] for row in made["per_class"]["own/topics"]] == ["economy", "sport"]
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert '<td class="name">economy</td><td>0.000</td><td>0.000</td><td>0.000</td><td>1</td>' in page


@pytest.mark.parametrize("count", [49, 50])
def test_common_words_are_learned_from_fifty_articles_or_more(
    corpora: Path, tmp_path: Path, fake: Any, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    rows: list[dict[str, Any]] = [{"text": f"خبر {n}", "topics": ["sport"]} for n in range(count - 1)]
    file = write_lines(tmp_path / "own.jsonl", *rows, {"text": "خبر عن بنك", "tags": ["بنك"]})
    seen: list[Sequence[Example]] = []

    def rank(training: Sequence[Example], articles: Sequence[Example]) -> list[tuple[str, ...]]:
        seen.extend((training, articles))
        return [("بنك",)] * len(articles)

    monkeypatch.setitem(UNSUPERVISED, "TF-IDF", rank)
    settings = replace(eval_config(corpora), labelled=file)
    answers = SUITE.answer(Key("own", "tags", "TF-IDF"), fake, settings)
    assert isinstance(answers, Tagging)
    training, articles = seen
    assert len(training) == (0 if count == 49 else 50)
    assert [e.id for e in articles] == [str(count)]
    assert (answers.ranked, answers.new) == ((("بنك",),), None)


def test_topics_or_tags_alone_are_measured_alone(corpora: Path, tmp_path: Path, fake: Any) -> None:
    one = write_lines(tmp_path / "one.jsonl", {"text": "خبر", "topics": ["sport"]})
    other = write_lines(tmp_path / "other.jsonl", {"text": "خبر", "tags": ["بنك"]})
    settings = eval_config(corpora)
    assert {key.corpus for key in SUITE.keys(replace(settings, labelled=one))} == {"topics"}
    assert {key.corpus for key in SUITE.keys(replace(settings, labelled=other))} == {"tags"}
    both = write_lines(tmp_path / "both.jsonl", {"text": "خبر", "topics": ["health"]}, {"text": "خبر", "tags": ["بنك"]})
    settings = replace(settings, labelled=both)
    assert [key.corpus for key in SUITE.keys(settings)] == ["topics"] * 2 + ["tags"] * 4
    ours, majority = (SUITE.answer(Key("own", "topics", system), fake, settings) for system in ("wusum", "majority"))
    assert isinstance(ours, Labelling)
    assert isinstance(majority, Labelling)
    assert (ours.ids, ours.predicted, majority.predicted) == (("1",), (("sport",),), (("health",),))
    assert SUITE.answer(Key("own", "tags"), fake, settings).ids == ("2",)
    settings = replace(settings, labelled=other)
    tags = SUITE.answer(Key("own", "tags"), fake, settings)
    assert isinstance(tags, Tagging)
    assert (tags.new, len(tags.given or ())) == (None, 1)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{", "not JSON"),
        ("[]", "an object with a text"),
        ('{"text": " "}', "an object with a text"),
        ('{"text": "خبر"}', "neither topics nor tags"),
        ('{"text": "خبر", "topics": ["sports"]}', "no topic 'sports'; there are"),
        ('{"text": "خبر", "topics": "sport"}', "topics is not a list of names"),
        ('{"text": "خبر", "tags": [1]}', "tags is not a list of names"),
        ('{"text": "خبر", "tags": ["؟", "!"]}', "no tag has a letter"),
    ],
)
def test_the_error_names_a_bad_line(corpora: Path, tmp_path: Path, line: str, reason: str) -> None:
    file = tmp_path / "own.jsonl"
    file.write_text('{"text": "خبر", "topics": ["sport"]}\n' + line, encoding="utf-8")
    with pytest.raises(CorpusError, match=rf"own\.jsonl:2: {reason}"):
        list(SUITE.keys(replace(eval_config(corpora), labelled=str(file))))
