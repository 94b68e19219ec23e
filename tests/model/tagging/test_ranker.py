"""Tag vocabulary, candidates and ranking, on a vocabulary small enough to read."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from wusum.model.errors import ModelError
from wusum.model.network.outputs import NetworkOutput
from wusum.model.network.spans import Phrase
from wusum.model.tagging.controlled import ControlledRanker
from wusum.model.tagging.ranker import TagRanker
from wusum.model.tagging.sources.neighbours import Memory
from wusum.model.tagging.terms import Term
from wusum.model.tagging.trees import FEATURES, BoostedTrees
from wusum.model.tagging.vocabulary import Entry, Vocabulary
from wusum.model.text.lexicon import plain_lexicon
from wusum.model.text.words import match_key

TEXTS = ("موسكو", "وزارة الخارجية", "وزارة الخارجية الروسية", "لبنان", "الأمن الغذائي", "روسيا")


@pytest.fixture
def vocabulary() -> Vocabulary:
    return Vocabulary(Entry(match_key(t), t, 10, 8, 5, label) for label, t in enumerate(TEXTS))


class Linear(BoostedTrees):
    """A ranking that one can do in one's head: features times weights."""

    def __init__(self, weights: dict[str, float]) -> None:
        self.weights = np.array([weights.pop(name, 0.0) for name in FEATURES])
        self.bias = weights.pop("bias", 0.0)
        assert not weights

    def log_odds(self, features: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(features @ self.weights + self.bias)

    def parts(self, features: NDArray[np.float64]) -> NDArray[np.float64]:
        return features * self.weights

    @property
    def start(self) -> float:
        return float(self.bias)


def ranker(vocabulary: Vocabulary, **weights: float) -> TagRanker:
    return TagRanker(vocabulary, Linear(weights), threshold=0.5, absent_threshold=0.9)


def read(*tags: float, **phrases: Phrase) -> NetworkOutput:
    """What a network says: tag logits, and phrases by match key."""
    return NetworkOutput(np.zeros(0, np.float32), np.array(tags, np.float32), phrases)


NOTHING = read(*[0.0] * len(TEXTS))


@pytest.mark.parametrize("form", ["موسكو", "وموسكو", "بموسكو", "وبموسكو", "لموسكو", "مُوسكو", "موسكــو"])
def test_a_tag_is_found_under_clitics_and_marks(vocabulary: Vocabulary, form: str) -> None:
    assert vocabulary.find(plain_lexicon().read(f"وصل الوفد {form} أمس")) == {0: [(2, 2)]}


def test_longer_and_shorter_tags_are_both_found(vocabulary: Vocabulary) -> None:
    found = vocabulary.find(plain_lexicon().read("أعلنت وزارة الخارجية الروسية ذلك"))
    assert found == {1: [(1, 2)], 2: [(1, 3)]}


def test_a_letter_of_the_word_is_no_preposition(vocabulary: Vocabulary) -> None:
    assert vocabulary.find(plain_lexicon().read("لبنان")) == {3: [(0, 0)]}
    assert vocabulary.find(plain_lexicon().read("بنان")) == {}


def test_under_an_article_no_preposition_comes_off() -> None:
    vocabulary = Vocabulary(Entry(match_key(t), t, 1, 1, 1, -1) for t in ("الحرية", "وزارة"))
    assert vocabulary.find(plain_lexicon().read("القوات البحرية")) == {}
    assert vocabulary.find(plain_lexicon().read("الوزارة والوزارة بالوزارة ووزارة")) == {
        1: [(0, 0), (1, 1), (2, 2), (3, 3)]
    }


def test_a_tag_does_not_reach_over_the_end(vocabulary: Vocabulary) -> None:
    assert vocabulary.find(plain_lexicon().read("وزارة")) == {}
    assert vocabulary.find(plain_lexicon().read("")) == {}


def test_spans_name_the_tag_without_its_clitic(vocabulary: Vocabulary) -> None:
    body = "قالت وزارة الخارجيّة إن وموسكو بموسكو والأمن الغذائي"
    tags = ranker(vocabulary, present=9.0, bias=-4.0).rank("", body, NOTHING, 10, None)
    spans = {tag.text: [body[a:b] for a, b in tag.spans] for tag in tags}
    assert spans == {
        "موسكو": ["موسكو", "موسكو"],
        "وزارة الخارجية": ["وزارة الخارجيّة"],
        "الأمن الغذائي": ["الأمن الغذائي"],
    }


def test_of_a_preposition_with_an_article_the_span_takes_the_article() -> None:
    rank = ranker(Vocabulary([Entry(match_key("الأردن"), "الأردن", 1, 1, 1, -1)]), present=9.0)
    body = "دعا للأردن وللأردنّ والأردن بالأردن الأردن"
    (tag,) = rank.rank("", body, read(0), 10, None)
    assert [body[a:b] for a, b in tag.spans] == ["لأردن", "لأردنّ", "الأردن", "الأردن", "الأردن"]


def test_a_tag_of_the_head_that_is_absent_has_no_spans(vocabulary: Vocabulary) -> None:
    head = read(0, 0, 0, 9, 0, 0)
    tags = ranker(vocabulary, head=1.0, bias=3.0).rank("", "نص بلا وسم", head, 1, None)
    assert [(t.text, t.spans) for t in tags] == [("لبنان", ())]


def test_a_tag_that_is_absent_must_be_surer(vocabulary: Vocabulary) -> None:
    head = read(0, 0, 0, 9, 0, 0)
    rank = ranker(vocabulary, head=1.0, bias=2.0)
    assert 0.5 < rank.rank("", "نص بلا وسم", head, 1, 0.0)[0].score < 0.9
    assert rank.rank("", "نص بلا وسم", head, 1, None) == ()
    assert [t.text for t in rank.rank("", "نص عن لبنان", head, 1, None)] == ["لبنان"]


def test_the_title_counts_and_has_no_spans(vocabulary: Vocabulary) -> None:
    tags = ranker(vocabulary, title=5.0, bias=-1.0).rank("روسيا اليوم", "نص", NOTHING, 10, None)
    assert [(t.text, t.spans) for t in tags] == [("روسيا", ())]


def test_scores_fall_and_limits_hold(vocabulary: Vocabulary) -> None:
    body = "روسيا روسيا روسيا موسكو لبنان لبنان"
    rank = ranker(vocabulary, present=1.0, frequency=1.0, bias=-2.0)
    tags = rank.rank("", body, NOTHING, 10, 0.0)
    assert [t.text for t in tags][:2] == ["روسيا", "لبنان"]
    assert [t.score for t in tags] == sorted((t.score for t in tags), reverse=True)
    assert len(rank.rank("", body, NOTHING, 2, 0.0)) == 2
    assert rank.rank("", body, NOTHING, 0, 0.0) == ()
    assert rank.rank("", body, NOTHING, 10, 1.0) == ()


def test_the_vocabulary_survives_its_file(vocabulary: Vocabulary, tmp_path: Path) -> None:
    vocabulary.save(tmp_path / "tags.tsv")
    assert Vocabulary.load(tmp_path / "tags.tsv").entries == vocabulary.entries


def test_a_damaged_vocabulary_names_the_line(tmp_path: Path) -> None:
    (tmp_path / "tags.tsv").write_text("key\ttext\nموسكو\tموسكو\t1\n", encoding="utf-8")
    with pytest.raises(ModelError, match=r"tags\.tsv:2"):
        Vocabulary.load(tmp_path / "tags.tsv")


def test_a_phrase_that_nobody_has_tagged_is_a_tag_in_the_spelling_of_the_article(vocabulary: Vocabulary) -> None:
    found = Phrase(Counter({"وغوتيريش": 1}), [2.0, 1.0])
    said = read(*[0.0] * len(TEXTS), غوتيريش=found, موسكو=Phrase(Counter({"موسكو": 1}), [3.0, -4.0]))
    body = "وصل غوتيريش إلى موسكو. وغوتيريش مسؤول"
    tags = ranker(vocabulary, phrase=1.0).rank("", body, said, 10, 0.5)
    assert [(t.text, [body[a:b] for a, b in t.spans]) for t in tags] == [
        ("موسكو", ["موسكو"]),
        ("غوتيريش", ["غوتيريش", "غوتيريش"]),
    ]
    assert ranker(vocabulary, phrase=1.0, new=-9.0).rank("", body, said, 10, 0.5)[1:] == ()


def test_no_mention_goes_across_the_end_of_a_sentence(vocabulary: Vocabulary) -> None:
    assert vocabulary.find(plain_lexicon().read("زار الوزارة. الأمن، الغذائي، وزارة الخارجية")) == {1: [(4, 5)]}


def test_a_tag_explains_its_score(vocabulary: Vocabulary) -> None:
    rank = ranker(vocabulary, present=2.0, single_word=-0.5, bias=-1.0)
    tag = rank.rank("", "في موسكو", NOTHING, 1, None, explain=True)[0]
    assert tag.why == {"start": -1.0, "present": 2.0, "single_word": -0.5}
    assert list(tag.why) == ["start", "present", "single_word"]
    assert tag.score == pytest.approx(1 / (1 + np.exp(-sum(tag.why.values()))), abs=1e-4)
    assert tag.to_dict()["why"] == tag.why
    assert "why" not in rank.rank("", "في موسكو", NOTHING, 1, None)[0].to_dict()


def test_a_tag_that_does_not_stand_there_has_the_score_of_its_features(vocabulary: Vocabulary) -> None:
    rank = ranker(vocabulary, bias=-1.0, head=1.0)
    tag = rank.rank("", "لا شيء", read(9, 0, 0, 0, 0, 0), 1, 0.0, explain=True)[0]
    assert (tag.text, tag.spans) == ("موسكو", ())
    assert tag.why is not None
    assert tag.why["start"] + tag.why["head"] == pytest.approx(sum(tag.why.values()))
    assert tag.score == pytest.approx(1 / (1 + np.exp(1.0 - tag.why["head"])), abs=1e-3)


def test_what_is_part_of_what_is_told_to_the_ranking(vocabulary: Vocabulary) -> None:
    """Three tags stand here, one in the next; each mention of the shortest but one is in a longer one."""
    body = "وزارة الخارجية الروسية، وزارة الخارجية، روسيا"
    found, table = ranker(vocabulary).candidates("", body, read(0, 9, 0, 0, 0, 0))
    row = {found[n].entry.text: dict(zip(FEATURES, table[n].tolist(), strict=True)) for n in range(len(found))}
    short, long, other = row["وزارة الخارجية"], row["وزارة الخارجية الروسية"], row["روسيا"]
    assert [long[name] for name in ("parts", "wholes", "whole_share")] == [1, 0, 0]
    assert [short[name] for name in ("parts", "wholes", "whole_share")] == [0, 1, 0.5]
    assert [other[name] for name in ("parts", "wholes", "whole_share")] == [0, 0, 0]
    assert long["part_head"] == pytest.approx(short["head"])
    assert short["part_head"] == other["part_head"] < long["part_head"]


def test_an_article_without_candidates_has_no_features() -> None:
    empty = TagRanker(Vocabulary([]), BoostedTrees.none(), 0.5, 0.5)
    found, table = empty.candidates("", "نص", read())
    assert found == []
    assert table.shape == (0, len(FEATURES))


@pytest.mark.parametrize(
    ("body", "given"),
    [
        ("وزارة الخارجية الروسية", ["وزارة الخارجية الروسية"]),
        ("وزارة الخارجية الروسية ووزارة الخارجية", ["وزارة الخارجية", "وزارة الخارجية الروسية"]),
        ("وزارة الخارجية", ["وزارة الخارجية"]),
    ],
)
def test_no_tag_says_again_what_one_before_has_said(vocabulary: Vocabulary, body: str, given: list[str]) -> None:
    """The head is sure of both ministries, of the shorter one more."""
    rank = ranker(vocabulary, head=1.0, bias=3.0)
    assert [tag.text for tag in rank.rank("", body, read(-9, 9, 8, -9, -9, -9), 10, 0.5)] == given


def test_a_part_of_a_likelier_tag_that_does_not_stand_here_says_it_again(vocabulary: Vocabulary) -> None:
    rank = ranker(vocabulary, head=1.0, bias=3.0)
    found = rank.rank("", "قالت وزارة الخارجية ذلك", read(-9, 8, 9, -9, -9, -9), 10, 0.5)
    assert [(tag.text, tag.spans) for tag in found] == [("وزارة الخارجية الروسية", ())]


@pytest.mark.parametrize(
    ("both", "given"), [(1, ["وزارة الخارجية", "وزارة الخارجية الروسية"]), (0, ["وزارة الخارجية"])]
)
def test_a_tag_and_its_part_are_given_where_editors_gave_both(
    vocabulary: Vocabulary, both: int, given: list[str]
) -> None:
    memory = Memory.of([[1]] * 9, [[1, 2] if both else [1]] * 8 + [[2]], 3)
    rank = TagRanker(vocabulary, Linear({"head": 1.0, "bias": 3.0}), 0.5, 0.9, memory)
    body = "وزارة الخارجية الروسية ووزارة الخارجية"
    assert [tag.text for tag in rank.rank("", body, read(-9, 9, 8, -9, -9, -9), 10, 0.5)] == given


def test_where_few_tags_reach_the_threshold_half_is_enough(vocabulary: Vocabulary) -> None:
    rank = ranker(vocabulary, present=1.0, head=1.0, bias=0.5)
    logits = read(*(-2.0 * n for n in range(len(TEXTS))))  # scores 0.8, 0.34, 0.07 …
    body = " ثم ".join(TEXTS)
    found = rank.rank("", body, logits, 10, None)
    assert [tag.text for tag in found] == ["موسكو", "وزارة الخارجية"]
    assert found[1].score < rank.threshold
    assert [tag.text for tag in rank.rank("", body, logits, 10, 0.5)] == ["موسكو"]
    assert [tag.text for tag in rank.rank("", body, logits, 1, None)] == ["موسكو"]


def test_a_repeat_is_none_of_the_few(vocabulary: Vocabulary) -> None:
    """Both ministries have half and more, but are hardly ever given together; Lebanon, with less, is the second."""
    memory = Memory.of([[1]] * 9, [[1]] * 8 + [[2]], 3)
    rank = TagRanker(vocabulary, Linear({"present": 1.0, "head": 1.0, "bias": 0.5}), 0.5, 0.9, memory)
    body = "وزارة الخارجية الروسية ووزارة الخارجية في لبنان"
    found = rank.rank("", body, read(-9, 0.1, 0, -1.5, -9, -9), 10, None)
    assert [tag.text for tag in found] == ["وزارة الخارجية", "لبنان"]
    assert found[1].score < rank.threshold


def test_of_the_names_of_a_term_none_counts_twice(vocabulary: Vocabulary) -> None:
    plain_lexicon = TagRanker(vocabulary, Linear({"present": 1.0, "bias": -2.0}), 0.5, 0.9)
    rank = ControlledRanker(plain_lexicon, [Term("موسكو", ("روسيا",)), Term("لبنان")])
    found = rank.rank("", "من موسكو في روسيا الى لبنان", NOTHING, 10, None)
    assert [tag.text for tag in found] == ["موسكو", "لبنان"]
