"""A newsroom's own vocabulary: only its tags, under its names and ids."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from tests.model.tagging.test_ranker import NOTHING, ranker, read
from tests.support import PAGES
from wusum.model.cli import app
from wusum.model.errors import VocabularyError
from wusum.model.network.spans import Phrase
from wusum.model.tagger import Tagger
from wusum.model.tagging.controlled import ControlledRanker
from wusum.model.tagging.ranker import HEAD_CANDIDATES
from wusum.model.tagging.terms import Term, load_terms
from wusum.model.tagging.vocabulary import Entry, Vocabulary
from wusum.model.text.words import match_key

KNOWN = ("موسكو", "لبنان", "روسيا")


def controlled(*terms: Term, **weights: float) -> ControlledRanker:
    known = Vocabulary(Entry(match_key(t), t, 10, 8, 5, label) for label, t in enumerate(KNOWN))
    return ControlledRanker(ranker(known, **weights), terms)


def test_only_terms_are_given_and_an_alias_is_its_term() -> None:
    rank = controlled(Term("روسيا الاتحادية", ("روسيا",), "ru"), Term("كييف"), Term("باريس"), present=2.0)
    body = "زار روسيا ثم موسكو وكييف، وعاد إلى روسيا الاتحادية"
    tags = rank.rank("", body, NOTHING, 10, None)
    assert [(t.text, t.id, [body[a:b] for a, b in t.spans]) for t in tags] == [
        ("روسيا الاتحادية", "ru", ["روسيا", "روسيا", "روسيا الاتحادية"]),
        ("كييف", None, ["كييف"]),
    ]
    assert tags[0].to_dict()["id"] == "ru"
    assert "id" not in tags[1].to_dict()
    assert len(rank.rank("", body, NOTHING, 1, None)) == 1


def test_a_term_of_the_head_may_be_absent_and_a_new_phrase_is_none() -> None:
    rank = controlled(Term("لبنان"), Term("باريس"), head=1.0, bias=3.0)
    found = Phrase(Counter({"غزة": 1}), [9.0, 9.0])
    assert [t.text for t in rank.rank("", "نص عن غزة", read(0, 9, 0, غزه=found), 10, 0.0)] == ["لبنان"]


def test_the_head_proposes_of_ones_own_terms_the_likeliest() -> None:
    """However many tags of others it puts before them."""
    texts = [f"وسم{n}" for n in range(3 * HEAD_CANDIDATES)]
    known = Vocabulary(Entry(match_key(t), t, 10, 8, 5, label) for label, t in enumerate(texts))
    rank = ControlledRanker(ranker(known, head=1.0), [Term(texts[-1]), Term("باريس")])
    said = read(*np.linspace(3.0, 0.0, len(texts)))
    assert [t.text for t in rank.rank("", "نص", said, 10, 0.0)] == [texts[-1]]
    assert rank.rank("", "نص", said, 0, 0.0) == ()


def test_a_name_with_a_title_is_given_beside_the_name() -> None:
    """In a vocabulary of the model's own the second would be a repetition."""
    rank = controlled(Term("فلاديمير بوتين"), Term("الرئيس الروسي فلاديمير بوتين"), present=2.0, parts=-1.0)
    body = "قال الرئيس الروسي فلاديمير بوتين، وأضاف فلاديمير بوتين"
    tags = rank.rank("", body, NOTHING, 10, None)
    assert [tag.text for tag in tags] == ["فلاديمير بوتين", "الرئيس الروسي فلاديمير بوتين"]
    assert [len(tag.spans) for tag in tags] == [2, 1]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("tags.txt", "\ufeffلبنان\n\nالأمن الغذائي\n"),
        ("tags.csv", 'tag,aliases,id\nلبنان,الجمهورية اللبنانية| لبنان الكبير,LB\n"الأمن الغذائي",,\n'),
        ("tags.jsonl", '{"tag": "لبنان", "aliases": ["الجمهورية اللبنانية"], "id": 7}\n{"tag": "الأمن الغذائي"}\n'),
    ],
)
def test_every_form_of_file_is_read(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    first, second = load_terms(tmp_path / name)
    assert (first.text, second) == ("لبنان", Term("الأمن الغذائي"))
    assert name == "tags.txt" or (first.id in ("LB", "7") and "الجمهورية اللبنانية" in first.aliases)


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("tags.xls", "", "no vocabulary"),
        ("tags.txt", "\n", "empty"),
        ("tags.txt", "لبنان\n!!\n", r"tags\.txt:2: '!!' has no letter"),
        ("tags.csv", "name\nلبنان\n", "no column called tag"),
        ("tags.csv", "tag,id\n,7\n", r"tags\.csv:2: no tag"),
        ("tags.csv", "tag,aliases\nلبنان,بيروت\nبيروت,\n", r"tags\.csv:3: 'بيروت' is a name of 'لبنان', too"),
        ("tags.jsonl", '{"tag": "لبنان"}\n{"tags": 1}\n', r"tags\.jsonl:2: not an object with a tag"),
        ("tags.jsonl", '{"tag": "لبنان", "aliases": [1]}\n', r"tags\.jsonl:1: .*texts"),
        ("tags.jsonl", "[1]\n", r"tags\.jsonl:1: not an object"),
    ],
)
def test_a_vocabulary_that_cannot_be_used_says_why(tmp_path: Path, name: str, text: str, reason: str) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(VocabularyError, match=reason):
        load_terms(tmp_path / name)


def test_the_command_gives_only_tags_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "tags.csv").write_text("tag,id\nالأردن,JO\nتونس,TN\n", encoding="utf-8")
    pages = [str(path) for path in sorted(PAGES.glob("*.txt"))]
    command = ["tag", *pages, "--format", "jsonl", "--vocabulary", str(tmp_path / "tags.csv")]
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 0, result.output
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    assert {tag["id"] for row in rows for tag in row["tags"]} == {"JO", "TN"}
    missing = CliRunner().invoke(app, [*command[:-1], str(tmp_path / "none.txt")])
    assert missing.exit_code == 2
    assert "none.txt" in missing.output


def test_the_tagger_takes_a_vocabulary(tmp_path: Path) -> None:
    (tmp_path / "tags.txt").write_text("كرة القدم\n", encoding="utf-8")
    tagger = Tagger.from_pretrained(vocabulary=tmp_path / "tags.txt")
    assert [tag.text for tag in tagger("فاز المنتخب في مباراة كرة القدم أمس", min_score=0.0).tags] == ["كرة القدم"]
