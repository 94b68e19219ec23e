"""Words of tags: which phrases of an article may be tags by the words that they are made of."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from tests.support import UNDECIDED, tag_words
from wusum.model.errors import ModelError
from wusum.model.tagger import Tagger
from wusum.model.tagging.candidates import Document
from wusum.model.tagging.tag_words import MAX_PHRASES, MAX_WORDS, MIN_SCORE, TagWords
from wusum.model.text.lexicon import plain_lexicon
from wusum.model.text.words import match_key

FILE = "tag_words.safetensors"
WORDS = tag_words(
    {
        "وزارة": (0.5, 0.001, 0.001, 0.02),
        "النفط": (0.001, 0.3, 0.4, 0.2),
        "العراقية": (0.001, 0.001, 0.5, 0.001),
        "بغداد": (0.001, 0.001, 0.001, 0.6),
    }
)


def found(body: str, title: str = "", words: TagWords = WORDS) -> list[str]:
    lexicon = plain_lexicon()
    document = Document(lexicon.tokenise(title), lexicon.tokenise(body), UNDECIDED)
    return [text.slice(first, last) for _, text, first, last in words.phrases(document)]


def test_phrases_of_the_words_of_tags_come_best_first() -> None:
    body = "أعلنت وزارة النفط العراقية في بغداد"
    assert found(body) == ["بغداد", "وزارة النفط", "وزارة النفط العراقية", "النفط"]
    assert found("أعلنت أمس", title="وزارة النفط")[0] == "وزارة النفط"
    assert found("") == found(body, words=TagWords.none()) == []


def test_no_phrase_crosses_punctuation() -> None:
    for sign in ("، ", " - ", ". ", "\n"):
        assert "وزارة النفط" not in found(f"وزارة{sign}النفط")
    assert "وزارة النفط" in found("قال، وزارة النفط، أمس")


def test_a_phrase_has_at_most_so_many_words() -> None:
    words = tag_words({"أول": (1, 1e-4, 1e-4, 1e-4), "وسط": (1e-4, 1, 1e-4, 1e-4), "آخر": (1e-4, 1e-4, 1, 1e-4)})
    for between in (MAX_WORDS - 2, MAX_WORDS - 1):
        phrase = " ".join(["أول", *["وسط"] * between, "آخر"])
        assert found(f"قال {phrase} قال", words=words) == ([phrase] if between + 2 <= MAX_WORDS else [])


def test_their_number_is_limited() -> None:
    names = [f"اسم{chr(0x0628 + n % 10)}{chr(0x0628 + n // 10)}" for n in range(2 * MAX_PHRASES)]
    many = tag_words({name: (0.001, 0.001, 0.001, 0.9 - n / 1000) for n, name in enumerate(names)})
    assert found("، ".join(names[::-1]), words=many) == names[:MAX_PHRASES]


def test_a_phrase_that_stands_there_again_counts_once() -> None:
    body = "، ".join([*["بغداد"] * 2 * MAX_PHRASES, "وزارة النفط"])
    assert found(body) == ["بغداد", "وزارة النفط", "النفط"]


def test_a_key_has_the_score_of_its_phrase() -> None:
    lexicon = plain_lexicon()
    document = Document(lexicon.tokenise(""), lexicon.tokenise("وزارة النفط العراقية، بغداد"), UNDECIDED)
    scores = {text.slice(first, last): score for score, text, first, last in WORDS.phrases(document)}
    assert WORDS.score("بغداد") == pytest.approx(2 * np.log(0.6), abs=1e-3) == scores["بغداد"]
    assert WORDS.score(match_key("وزارة النفط العراقية")) == pytest.approx(np.log(0.5 * 0.3 * 0.5), abs=1e-3)
    assert WORDS.score(match_key("وزارة النفط العراقية")) == pytest.approx(scores["وزارة النفط العراقية"])
    assert min(scores.values()) >= MIN_SCORE
    long = " ".join(["نفط"] * 60)  # is not cached
    assert WORDS.score(long) == pytest.approx(np.log(0.001) + 58 * np.log(0.3) + np.log(0.4), rel=1e-3)


def test_saved_shares_are_the_same(tmp_path: Path) -> None:
    WORDS.save(tmp_path / FILE)
    again = TagWords.load(tmp_path / FILE)
    assert again.words.tolist() == WORDS.words.tolist()
    assert again.shares.tolist() == WORDS.shares.tolist()


@pytest.mark.parametrize(
    "damage",
    [
        {"words": np.zeros(3, np.uint32)},
        {"words": np.zeros(4, np.int64)},
        {"words": WORDS.words[::-1].copy()},
        {"words": np.zeros((4, 2), np.uint32)},
        {"shares": np.full((5, 4), np.nan, np.float16)},
        {"shares": np.zeros((5, 4), np.float32)},
        {"shares": np.zeros((5, 3), np.float16)},
    ],
)
def test_a_damaged_file_is_refused(tmp_path: Path, damage: dict[str, np.ndarray]) -> None:
    save_file({"words": WORDS.words, "shares": WORDS.shares} | damage, tmp_path / FILE)
    with pytest.raises(ModelError, match=r"tag_words\.safetensors: damaged"):
        TagWords.load(tmp_path / FILE)
    (tmp_path / FILE).write_bytes(b"x" * 20)
    with pytest.raises(ModelError, match=r"tag_words\.safetensors: damaged"):
        TagWords.load(tmp_path / FILE)


def test_the_bundled_model_has_learned_them(tagger: Tagger) -> None:
    model = tagger.tag_model
    assert len(model.tag_words.words) > 10_000
    assert model.tag_words.score(match_key("وزارة الخارجية")) > MIN_SCORE > model.tag_words.score(match_key("قال أمس"))
    assert "shape" in model.trees.features
    subjects = {entry.text: entry.subject for entry in model.vocabulary.entries}
    assert subjects["كرة القدم"]
    assert not subjects["المغرب"] | subjects["كريستيانو رونالدو"]
