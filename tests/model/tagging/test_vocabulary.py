"""The tag vocabulary: entries found in a text, and its file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.support import vocabulary_of
from wusum.model.errors import ModelError
from wusum.model.tagging.vocabulary import Vocabulary
from wusum.model.text.lexicon import plain_lexicon


@pytest.fixture
def vocabulary() -> Vocabulary:
    return vocabulary_of(
        "موسكو", "وزارة الخارجية", "وزارة الخارجية الروسية", "لبنان", "الأمن الغذائي", "روسيا"
    )  # fmt: skip


def found(vocabulary: Vocabulary, text: str) -> dict[int, list[tuple[int, int]]]:
    return vocabulary.find(plain_lexicon().tokenise(text))


@pytest.mark.parametrize("form", ["موسكو", "وموسكو", "بموسكو", "وبموسكو", "لموسكو", "مُوسكو", "موسكــو"])
def test_a_tag_is_found_under_clitics_and_marks(vocabulary: Vocabulary, form: str) -> None:
    assert found(vocabulary, f"وصل الوفد {form} أمس") == {0: [(2, 2)]}


@pytest.mark.parametrize(
    "text",
    ["روسيا", "بيروس", "موسكو", "كوبا", "وزارة الخارجيات", "وزارات الخارجية", "وزارة خارجيتنا", "سوزارة الخارجية"],
)
def test_a_part_of_a_word_is_no_tag(text: str) -> None:
    tags = vocabulary_of("روس", "كو", "وسكو", "الخارج", "وزارة الخارجية", "ارة الخارجية", "وزار")
    assert found(tags, text) == {}


def test_longer_and_shorter_tags_are_both_found(vocabulary: Vocabulary) -> None:
    assert found(vocabulary, "أعلنت وزارة الخارجية الروسية ذلك") == {1: [(1, 2)], 2: [(1, 3)]}


def test_a_letter_of_the_word_is_no_preposition(vocabulary: Vocabulary) -> None:
    assert found(vocabulary, "لبنان") == {3: [(0, 0)]}
    assert found(vocabulary, "بنان") == {}


def test_under_an_article_no_preposition_comes_off() -> None:
    vocabulary = vocabulary_of("الحرية", "وزارة")
    assert found(vocabulary, "القوات البحرية") == {}
    assert found(vocabulary, "الوزارة والوزارة بالوزارة ووزارة") == {1: [(0, 0), (1, 1), (2, 2), (3, 3)]}


def test_a_tag_does_not_reach_over_the_end(vocabulary: Vocabulary) -> None:
    assert found(vocabulary, "وزارة") == {}
    assert found(vocabulary, "") == {}


def test_no_mention_crosses_the_end_of_a_sentence(vocabulary: Vocabulary) -> None:
    assert found(vocabulary, "زار الوزارة. الأمن، الغذائي، وزارة الخارجية") == {1: [(4, 5)]}


def test_the_vocabulary_survives_its_file(vocabulary: Vocabulary, tmp_path: Path) -> None:
    name, *others = vocabulary.entries
    mixed = Vocabulary([replace(name, subject=False), *others])
    mixed.save(tmp_path / "tags.tsv")
    assert Vocabulary.load(tmp_path / "tags.tsv").entries == mixed.entries


def test_a_damaged_vocabulary_names_the_line(tmp_path: Path) -> None:
    (tmp_path / "tags.tsv").write_text("key\ttext\nموسكو\tموسكو\t1\n", encoding="utf-8")
    with pytest.raises(ModelError, match=r"tags\.tsv:2"):
        Vocabulary.load(tmp_path / "tags.tsv")
