"""A newsroom's own vocabulary: only its tags, under its names and ids."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from tests.support import PAGES, UNDECIDED, network_output, rank, tag_model, vocabulary_of
from wusum.model.cli import app
from wusum.model.errors import VocabularyError
from wusum.model.network.outputs import Phrase
from wusum.model.tagger import Tagger
from wusum.model.tagging.controlled import ControlledRanker
from wusum.model.tagging.sources.tag_head import MAX_PROPOSALS
from wusum.model.tagging.terms import Term, load_terms

KNOWN = ("موسكو", "لبنان", "روسيا")


def controlled(*terms: Term, **weights: float) -> ControlledRanker:
    return ControlledRanker(tag_model(vocabulary_of(*KNOWN), weights), terms)


def test_only_terms_are_given_and_an_alias_is_its_term() -> None:
    terms = (Term("روسيا الاتحادية", ("روسيا",), "ru"), Term("كييف"), Term("باريس"))
    ranker = controlled(*terms, present=2.0)
    body = "زار روسيا ثم موسكو وكييف، وعاد إلى روسيا الاتحادية"
    tags = rank(ranker, body)
    assert [(t.text, t.id, [body[a:b] for a, b in t.spans]) for t in tags] == [
        ("روسيا الاتحادية", "ru", ["روسيا", "روسيا", "روسيا الاتحادية"]),
        ("كييف", None, ["كييف"]),
    ]
    assert tags[0].to_dict()["id"] == "ru"
    assert "id" not in tags[1].to_dict()
    assert len(rank(ranker, body, max_tags=1)) == 1


def test_a_term_of_the_head_may_be_absent_and_a_new_phrase_is_no_tag() -> None:
    ranker = controlled(Term("لبنان"), Term("باريس"), head=1.0, bias=3.0)
    output = network_output(0, 9, 0, غزه=Phrase(Counter({"غزة": 1}), [9.0, 9.0]))
    assert [t.text for t in rank(ranker, "نص عن غزة", output, min_score=0.0)] == ["لبنان"]


def test_the_head_proposes_the_likeliest_terms() -> None:
    """However many other tags it finds likelier."""
    texts = [f"وسم{n}" for n in range(3 * MAX_PROPOSALS)]
    ranker = ControlledRanker(tag_model(vocabulary_of(*texts), {"head": 1.0}), [Term(texts[-1]), Term("باريس")])
    output = network_output(*np.linspace(3.0, 0.0, len(texts)))
    assert [t.text for t in rank(ranker, "نص", output, min_score=0.0)] == [texts[-1]]
    assert rank(ranker, "نص", output, max_tags=0, min_score=0.0) == ()


def test_a_name_with_a_title_is_given_beside_the_name() -> None:
    """In the model's own vocabulary the second would be a repetition."""
    terms = (Term("فلاديمير بوتين"), Term("الرئيس الروسي فلاديمير بوتين"))
    body = "قال الرئيس الروسي فلاديمير بوتين، وأضاف فلاديمير بوتين"
    tags = rank(controlled(*terms, present=2.0, parts=-1.0), body, UNDECIDED)
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
        ("tags.xls", "", "not a vocabulary; give a"),
        ("tags.txt", "\n", "empty"),
        ("tags.txt", "لبنان\n!!\n", r"tags\.txt:2: '!!' has no letter"),
        ("tags.csv", "name\nلبنان\n", "no column called tag"),
        ("tags.csv", "tag,id\n,7\n", r"tags\.csv:2: no tag"),
        ("tags.csv", "tag,aliases\nلبنان,بيروت\nبيروت,\n", r"tags\.csv:3: 'بيروت' is also a name of 'لبنان'"),
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
