"""The units of a text: which tokens are theirs, and which marks."""

from __future__ import annotations

import numpy as np
import pytest
from tokenizers import Tokenizer, models, pre_tokenizers

from wusum.train.data.text_units import cut, marks_within, unit_marks, unit_numbers, units


def test_the_units_are_words_with_their_marks_and_single_signs() -> None:
    text = "قَالَ «عمر» 2024: كتــاب_1 (نعم)."
    assert [text[start:end] for start, end in units(text)] == [
        "قَالَ", "«", "عمر", "»", "2024", ":", "كتــاب_1", "(", "نعم", ")", "."
    ]  # fmt: skip


@pytest.mark.parametrize(("count", "longest"), [(1, 5), (5, 5), (6, 5), (7, 3), (352, 176), (353, 176), (1000, 7)])
def test_parts_are_as_few_as_possible_and_of_even_length(count: int, longest: int) -> None:
    parts = cut(count, longest)
    assert [n for first, end in parts for n in range(first, end)] == list(range(count))
    sizes = [end - first for first, end in parts]
    assert len(parts) == -(-count // longest)
    assert max(sizes) <= longest
    assert max(sizes) - min(sizes) <= 1


def test_nothing_is_one_empty_part() -> None:
    assert cut(0, 5) == [(0, 0)]


def test_what_goes_on_within_a_unit_begins_nothing() -> None:
    marks = np.array([[[0.25, 0.5, 0.25], [1, 0, 0]]], np.float16)
    assert marks_within(marks).tolist() == [[[0.25, 0, 0.75], [1, 0, 0]]]
    assert marks[0, 0, 1] == 0.5


PIECES = ["▁كأس", "▁ال", "عالم", "▁2", ".5", "▁"]


@pytest.fixture
def pieces() -> Tokenizer:
    """A unigram tokenizer, whose pieces begin with spaces and do not end where words do."""
    made = Tokenizer(models.Unigram([("<unk>", -20.0), *((piece, -1.0) for piece in PIECES)], 0))
    made.pre_tokenizer = pre_tokenizers.Metaspace()
    return made


def test_a_unit_has_the_marks_of_the_token_with_its_first_letter(pieces: Tokenizer) -> None:
    text = "كأس العالم 2.5"
    encoding = pieces.encode(text)
    assert encoding.tokens == ["▁كأس", "▁ال", "عالم", "▁2", ".5"]
    marks = np.random.default_rng(1).dirichlet([1, 1, 1], (5, 2)).astype(np.float16)
    found = unit_marks(units(text), encoding, marks)
    assert [text[start:end] for start, end in units(text)] == ["كأس", "العالم", "2", ".", "5"]
    assert np.array_equal(found[:4], marks[[0, 1, 3, 4]])
    # The digit behind the point is of the point's token: it goes on with what that begins.
    last = marks[4]
    assert found[4, :, 0].tolist() == last[:, 0].tolist()
    assert found[4, :, 1].tolist() == [0, 0]
    assert found[4, :, 2].tolist() == (last[:, 1] + last[:, 2]).tolist()


def test_a_text_without_tokens_is_outside_of_everything(pieces: Tokenizer) -> None:
    found = unit_marks(units("نعم لا"), pieces.encode(""), np.zeros((0, 2, 3), np.float16))
    assert found.tolist() == [[[1, 0, 0], [1, 0, 0]]] * 2


def test_a_token_that_begins_with_a_space_is_of_the_unit_behind_it() -> None:
    made = Tokenizer(models.Unigram([("<unk>", 0.0), ("▁في", -1.0), ("▁", -2.0), ("احمد", -1.0), ("، ", -1.0)], 0))
    made.pre_tokenizer = pre_tokenizers.Metaspace()
    text = "في  احمد في"
    encoding = made.encode(text)
    assert encoding.offsets[0][0] == 0
    found = dict(zip(encoding.tokens, unit_numbers(encoding, units(text)).tolist(), strict=True))
    assert found["احمد"] == 1
    assert unit_numbers(encoding, units(text)).tolist()[-1] == 2
    assert any(text[start].isspace() for start, _ in encoding.offsets)
