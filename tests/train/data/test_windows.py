"""Windows of the training articles, and their batches."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from tests.support import finetune_config
from wusum.train.data.corpora import LabelMap
from wusum.train.data.dataset import training_dataset
from wusum.train.data.mentions import UNMARKED
from wusum.train.data.tokens import SpecialTokens, load_tokenizer, mask_token
from wusum.train.data.windows import TagLabels, WindowCollator, Windows


@pytest.fixture(scope="module")
def rows(corpora: Path, tokenizer_folder: Path) -> Any:
    config = finetune_config(corpora, tokenizer_folder.parent)
    return training_dataset(config, load_tokenizer(tokenizer_folder), LabelMap.load(config.topics))


def test_tag_labels_count_spellings_together() -> None:
    labels = TagLabels.count([["إيران"], ["ايران"], ["إيران", "لبنان"]], min_count=2)
    assert labels.texts == ("إيران",)
    assert labels.index == {"ايران": 0}


def test_the_most_frequent_tags_come_first_and_equals_in_the_order_of_their_letters() -> None:
    labels = TagLabels.count([["ب"], ["ت", "ب"], ["أ"], ["ت"], ["ث"], ["ت"]], min_count=1)
    assert labels.texts == ("ت", "ب", "أ", "ث")
    assert list(labels.index.values()) == [0, 1, 2, 3]
    assert TagLabels.count([["ب"], ["ت"]], min_count=2).texts == ()


def test_a_title_can_be_left_out(rows: Any) -> None:
    assert any(row["title_tokens"] for row in rows)
    windows = Windows(rows, 64, 1.0, 0, title_dropout=1.0)
    assert len(windows) == len(rows)
    for i, row in enumerate(rows):
        assert windows[i]["input_ids"] == row["input_ids"][row["title_tokens"] :][:64]


def test_a_window_begins_with_the_article_or_anywhere(rows: Any) -> None:
    lead, anywhere = Windows(rows, 8, 1.0, 0), Windows(rows, 8, 0.0, 0)
    starts = set()
    for i, row in enumerate(rows):
        assert lead[i]["input_ids"] == row["input_ids"][:8]
        window = anywhere[i]["input_ids"]
        assert len(window) == 8
        starts.add(next(s for s in range(len(row["input_ids"])) if row["input_ids"][s : s + 8] == window))
    assert len(starts) > 5


def test_tokens_are_masked_the_same_ones_each_time_a_row_is_read(rows: Any, tokenizer_folder: Path) -> None:
    mask = mask_token(load_tokenizer(tokenizer_folder))
    whole = Windows(rows, 64, 1.0, 0)
    first, again = (Windows(rows, 64, 1.0, 0, token_dropout=0.3, mask=mask) for _ in range(2))
    hidden = total = 0
    for i in range(len(rows)):
        window, unmasked = first[i], whole[i]
        assert window == again[i]
        kept = [a == b for a, b in zip(window["input_ids"], unmasked["input_ids"], strict=True)]
        assert {t for t, same in zip(window["input_ids"], kept, strict=True) if not same} <= {mask}
        assert window["phrase_marks"] == unmasked["phrase_marks"]
        hidden, total = hidden + kept.count(False), total + len(kept)
    assert 0.2 < hidden / total < 0.4


def test_tags_that_stand_in_the_text_are_marked_among_its_tokens(rows: Any, tokenizer_folder: Path) -> None:
    tokenizer = load_tokenizer(tokenizer_folder)
    windows = Windows(rows, 24, 0.0, 0, title_dropout=0.5)
    phrases = set()
    for i, row in enumerate(rows):
        window = windows[i]
        if row["corpus"] == "plain":  # nobody has tagged it
            assert window["phrase_marks"] == window["name_marks"] == []
            continue
        assert len(window["phrase_marks"]) == len(window["input_ids"]) <= 24
        phrases.add(tokenizer.decode([t for t, m in zip(row["input_ids"], row["phrase_marks"], strict=True) if m]))
    assert phrases
    assert all(set(phrase.split()) <= {"مباراة", "المباراة", "البورصة", "المستشفي"} for phrase in phrases), phrases


def test_a_batch_has_padded_ids_multi_hot_labels_and_marks() -> None:
    tags = TagLabels.count([["إيران"], ["لبنان"]], min_count=1)
    collator = WindowCollator(SpecialTokens((2,), (3,), 0), 3, tags)
    first = {"input_ids": [7], "topics": [0, 2], "exact": True, "tags": ["ايران", "غيرها"]}
    first |= {"phrase_marks": [1], "name_marks": []}
    second = {"input_ids": [8, 9], "topics": [], "exact": False, "tags": [], "phrase_marks": [], "name_marks": [0, 1]}
    batch = collator([first, second])
    assert batch["input_ids"].tolist() == [[2, 7, 3, 0], [2, 8, 9, 3]]
    assert batch["attention_mask"].tolist() == [[1, 1, 1, 0], [1, 1, 1, 1]]
    assert batch["input_ids"].dtype == batch["attention_mask"].dtype == torch.int64
    assert batch["topics"].tolist() == [[1, 0, 1], [0, 0, 0]]
    assert batch["exact"].tolist() == [True, False]
    assert batch["exact"].dtype == torch.bool
    assert batch["tags"].tolist() == [[float(key == "ايران") for key in tags.index], [0, 0]]
    assert batch["marks"][..., 0].tolist() == [[UNMARKED, 1, UNMARKED, UNMARKED], [UNMARKED] * 4]
    assert batch["marks"][..., 1].tolist() == [[UNMARKED] * 4, [UNMARKED, 0, 1, UNMARKED]]
