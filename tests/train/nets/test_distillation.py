"""The losses of a student, and embeddings that start from those of its teacher."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch
from tokenizers import Tokenizer, models, pre_tokenizers

from tests.support import TINY_BERT
from wusum.model.errors import ConfigError
from wusum.model.network.module import Network
from wusum.train.nets.distillation import (
    LossSettings,
    Student,
    embeddings_of,
    soft_span_loss,
    soft_topic_loss,
    token_pieces,
    vector_loss,
)
from wusum.train.nets.encoders import EncoderSettings, open_encoder
from wusum.train.nets.heads import span_loss, tag_loss


def test_the_topic_loss_is_the_summed_cross_entropy_of_all_topics() -> None:
    chances, wanted = torch.tensor([[0.9, 0.2], [0.5, 0.5]]), torch.tensor([[1.0, 0.25], [0.5, 0.5]])
    entropies = -(wanted * chances.log() + (1 - wanted) * (1 - chances).log())
    found = soft_topic_loss(chances.logit(), wanted)
    assert found.item() == pytest.approx(entropies.sum().item() / 2, abs=1e-6)
    assert soft_topic_loss(wanted.clamp(1e-6, 1 - 1e-6).logit(), wanted) < found


def test_the_vector_loss_is_the_cosine_distance() -> None:
    vectors = torch.tensor([[2.0, 0.0], [0.0, 3.0], [1.0, 0.0]])
    targets = torch.tensor([[1.0, 0.0], [1.0, 0.0], [-4.0, 0.0]])
    assert vector_loss(vectors, targets).item() == pytest.approx((0 + 1 + 2) / 3)


def test_the_span_loss_is_the_cross_entropy_of_the_tokens_that_count() -> None:
    chances = torch.tensor([[[0.5, 0.25, 0.25, 0.8, 0.1, 0.1], [0.1, 0.1, 0.8, 0.1, 0.1, 0.8]]])
    marks = torch.zeros(1, 2, 2, 3)
    marks[0, 0] = torch.tensor([[0.5, 0.5, 0.0], [1.0, 0.0, 0.0]])
    wanted = -(0.5 * torch.tensor(0.5).log() + 0.5 * torch.tensor(0.25).log() + torch.tensor(0.8).log()) / 2
    assert soft_span_loss(chances.log(), marks).item() == pytest.approx(wanted.item(), abs=1e-6)
    assert soft_span_loss(chances.log(), torch.zeros(1, 2, 2, 3)).item() == 0
    certain = torch.tensor([[[0, 2], [1, 0]]])
    hot = torch.nn.functional.one_hot(certain, 3).float()
    assert soft_span_loss(chances.log(), hot).item() == pytest.approx(
        span_loss(chances.log(), certain).item(), abs=1e-6
    )


@pytest.fixture
def student() -> Student:
    torch.manual_seed(1)
    encoder = open_encoder(EncoderSettings(encoder=TINY_BERT, window=32), 120, 0)
    weights = LossSettings(vector_weight=2.0, span_weight=3.0, tag_weight=0.5)
    return Student(Network(encoder, 4, 5), 7, weights).eval()


def batch(rows: int = 3, tokens: int = 6) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    marks = torch.rand(rows, tokens, 2, 3, generator=generator)
    return {
        "input_ids": torch.randint(5, 120, (rows, tokens), generator=generator),
        "attention_mask": torch.ones(rows, tokens, dtype=torch.long),
        "topics": torch.rand(rows, 4, generator=generator),
        "tags": torch.rand(rows, 5, generator=generator) < 0.4,
        "vectors": torch.rand(rows, 7, generator=generator).half(),
        "marks": (marks / marks.sum(-1, keepdim=True)).half(),
    }


def test_the_losses_of_a_student_are_weighted(student: Student) -> None:
    given = batch()
    with torch.no_grad():
        topics, tags, spans = student.network(given["input_ids"], given["attention_mask"])
        hidden = student.network.encoder(input_ids=given["input_ids"]).last_hidden_state
        wanted = (
            soft_topic_loss(topics, given["topics"])
            + 2 * vector_loss(student.projection(hidden.mean(1)), given["vectors"].float())
            + 3 * soft_span_loss(spans, given["marks"].float())
            + 0.5 * tag_loss(tags, given["tags"].float())
        )
        assert student(**given)["loss"].item() == pytest.approx(wanted.item(), abs=1e-5)


def test_every_weight_of_a_student_is_trained(student: Student) -> None:
    student(**batch())["loss"].backward()
    still = {name for name, weight in student.named_parameters() if weight.grad is None or not weight.grad.any()}
    assert still == set()


def test_a_student_learns_what_it_is_to_answer(student: Student) -> None:
    given = batch() | {"vectors": torch.tensor([[1.0] * 7, [-1.0] * 7, [1.0, -1, 1, -1, 1, -1, 1]]).half()}
    optimiser = torch.optim.AdamW(student.parameters(), 5e-3)
    losses = []
    for _ in range(150):
        optimiser.zero_grad()
        loss = student(**given)["loss"]
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0] * 0.8
    with torch.no_grad():
        topics = student.network(given["input_ids"], given["attention_mask"])[0].sigmoid()
    assert topics.tolist() == [pytest.approx(row, abs=0.1) for row in given["topics"].tolist()]


@pytest.fixture
def teacher_tokenizer() -> Tokenizer:
    """A unigram tokenizer of syllables, with a piece of a space alone."""
    pieces = ["▁", "▁مد", "رس", "ة", "مد", "▁في", "كتاب"]
    made = Tokenizer(models.Unigram([("<unk>", -20.0), *((piece, -1.0) for piece in pieces)], 0))
    made.pre_tokenizer = pre_tokenizers.Metaspace()
    return made


@pytest.fixture
def tokenizer() -> Tokenizer:
    """A WordPiece tokenizer of words."""
    pieces = ["[PAD]", "[UNK]", "مدرس", "##ة", "##كتاب", "كتاب", "في"]
    made = Tokenizer(models.WordPiece({piece: i for i, piece in enumerate(pieces)}, unk_token="[UNK]"))
    made.add_special_tokens(["[PAD]", "[UNK]"])
    return made


def test_a_token_is_made_of_the_pieces_of_its_letters(teacher_tokenizer: Tokenizer, tokenizer: Tokenizer) -> None:
    pieces = token_pieces(teacher_tokenizer, tokenizer)
    names = [[teacher_tokenizer.id_to_token(i) for i in ids] for ids in pieces]
    assert names == [[], [], ["▁مد", "رس"], ["ة"], ["كتاب"], ["كتاب"], ["▁في"]]


def test_embeddings_are_means_of_pieces_seen_from_where_they_differ_most(
    teacher_tokenizer: Tokenizer, tokenizer: Tokenizer
) -> None:
    generator = torch.Generator().manual_seed(1)
    table = torch.rand(teacher_tokenizer.get_vocab_size(), 6, generator=generator) * torch.tensor([9, 3, 1, 1, 0, 0])
    pieces = token_pieces(teacher_tokenizer, tokenizer)
    means = torch.stack([table[ids].mean(0) for ids in pieces[2:]])
    whole = embeddings_of(table, teacher_tokenizer, tokenizer, 4, 0.05)
    assert not whole[:2].any()
    assert whole[2:].std().item() == pytest.approx(0.05, rel=1e-4)
    assert whole[2:].mean(0).tolist() == pytest.approx([0] * 4, abs=1e-6)
    # Only four components differ, so that all distances are kept but for the scale.
    distances, wanted = torch.pdist(whole[2:]), torch.pdist(means)
    torch.testing.assert_close(distances, wanted * (distances[0] / wanted[0]), atol=1e-5, rtol=1e-4)
    spread = whole[2:].std(0).tolist()
    assert all(one > other for one, other in pairwise(spread))
    first = embeddings_of(table, teacher_tokenizer, tokenizer, 1, 0.05)
    assert (first[:, 0] / whole[:, 0])[2:].std().item() == pytest.approx(0, abs=1e-3)
    with pytest.raises(ConfigError, match="6 components, not 7"):
        embeddings_of(table, teacher_tokenizer, tokenizer, 7, 0.05)


def test_embeddings_that_are_all_the_same_are_refused(teacher_tokenizer: Tokenizer, tokenizer: Tokenizer) -> None:
    with pytest.raises(ConfigError, match="all the same"):
        embeddings_of(torch.ones(teacher_tokenizer.get_vocab_size(), 6), teacher_tokenizer, tokenizer, 4, 0.05)
