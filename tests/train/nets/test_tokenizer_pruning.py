"""A tokenizer with fewer pieces splits texts of the others as before."""

from __future__ import annotations

import json
import random
from collections.abc import Callable

import pytest
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

from wusum.model.errors import ConfigError
from wusum.train.nets.tokenizer_pruning import prune_tokenizer
from wusum.train.stages.tokenizer import train

STORY = (
    "أعلنت الوزارة عن خطة جديدة لبناء مدارس في القرى البعيدة وقال الوزير إن العمل يبدأ في الربيع المقبل فاز الفريق في "
    "المباراة وسجل المهاجم هدفا في مرمى الخصم ارتفعت أسعار الأسهم في البورصة وأعلن البنك أرباح الشركة"
)
WORDS = STORY.split()
USED = [" ".join(WORDS[:9]), " ".join(WORDS[3:14])]
"""Texts of a corpus; they have every letter of `UNSEEN`."""

UNSEEN = "نجم دوري"
"""Words that are in no text."""

FOREIGN = "вести Ж"
SPECIAL = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]


def around(tokenizer: Tokenizer) -> Tokenizer:
    """Put `<s> … </s>` around a text, as XLM-R does."""
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[(name, tokenizer.token_to_id(name)) for name in ("<s>", "</s>")]
    )
    return tokenizer


def bpe() -> Tokenizer:
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    tokenizer.train_from_iterator(WORDS * 3, trainers.BpeTrainer(vocab_size=150, special_tokens=SPECIAL))
    return around(tokenizer)


def ending_bpe() -> Tokenizer:
    """BPE whose pieces say that a word ends with them."""
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", end_of_word_suffix="</w>"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.decoder = decoders.BPEDecoder()
    trainer = trainers.BpeTrainer(vocab_size=150, special_tokens=SPECIAL, end_of_word_suffix="</w>")
    tokenizer.train_from_iterator(WORDS * 3, trainer)
    return around(tokenizer)


def byte_level_bpe() -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Digits(), pre_tokenizers.ByteLevel()])
    tokenizer.decoder = decoders.ByteLevel()
    letters = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=400, special_tokens=SPECIAL, initial_alphabet=letters)
    tokenizer.train_from_iterator(WORDS * 3, trainer)
    ends = (("</s>", tokenizer.token_to_id("</s>")), ("<s>", tokenizer.token_to_id("<s>")))
    tokenizer.post_processor = processors.Sequence(
        [processors.ByteLevel(trim_offsets=True), processors.RobertaProcessing(*ends)]
    )
    return tokenizer


def unigram() -> Tokenizer:
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    trainer = trainers.UnigramTrainer(vocab_size=120, special_tokens=SPECIAL, unk_token="<unk>")
    tokenizer.train_from_iterator(WORDS * 3, trainer)
    return around(tokenizer)


MAKERS: dict[str, Callable[[], Tokenizer]] = {
    "wordpiece": lambda: train(iter(WORDS * 3), 150, 1),
    "bpe": bpe,
    "bpe with marks within words": lambda: train(iter(WORDS * 3), 150, 1, "bpe"),
    "bpe with marks of ends": ending_bpe,
    "bpe of bytes": byte_level_bpe,
    "unigram": unigram,
    "unigram of words": lambda: train(iter(WORDS * 3), 150, 1, "unigram"),
}


@pytest.fixture(params=MAKERS)
def tokenizer(request: pytest.FixtureRequest) -> Tokenizer:
    return MAKERS[request.param]()


def ids_of(tokenizer: Tokenizer, texts: list[str]) -> list[int]:
    return [i for text in texts for i in tokenizer.encode(text, add_special_tokens=False).ids]


def made_up_texts() -> list[str]:
    """Texts of words of the story, of their beginnings, and of foreign words."""
    generator = random.Random(3)
    words = [*WORDS, *(word[:cut] for word in WORDS for cut in range(1, len(word))), *FOREIGN.split()]
    return [" ".join(generator.choices(words, k=generator.randint(1, 3))) for _ in range(600)]


def test_texts_of_kept_pieces_are_split_as_before(tokenizer: Tokenizer) -> None:
    pruned, former = prune_tokenizer(tokenizer, ids_of(tokenizer, USED))
    assert len(former) == pruned.get_vocab_size() < tokenizer.get_vocab_size()
    assert former == sorted(former)
    assert {former[i]: piece for piece, i in pruned.get_vocab().items()}.items() <= {
        i: piece for piece, i in tokenizer.get_vocab().items()
    }.items()
    same = 0
    for text in [*USED, *made_up_texts()]:
        before = tokenizer.encode(text)
        if set(before.ids) <= {*former}:
            after = pruned.encode(text)
            assert [former[i] for i in after.ids] == before.ids, text
            assert (after.offsets, pruned.decode(after.ids)) == (before.offsets, tokenizer.decode(before.ids))
            same += 1
    assert 50 < same < 602


def test_words_of_known_letters_are_never_unknown(tokenizer: Tokenizer) -> None:
    pruned, _ = prune_tokenizer(tokenizer, ids_of(tokenizer, USED))
    encoded = pruned.encode(UNSEEN, add_special_tokens=False)
    assert not {"[UNK]", "<unk>"} & {pruned.id_to_token(i) for i in encoded.ids}
    assert pruned.decode(encoded.ids).split() == tokenizer.decode(ids_of(tokenizer, [UNSEEN])).split()


def test_special_tokens_stay_and_are_put_around_a_text(tokenizer: Tokenizer) -> None:
    pruned, _ = prune_tokenizer(tokenizer, ids_of(tokenizer, USED))
    assert pruned.encode("").tokens == tokenizer.encode("").tokens
    assert len(pruned.encode("").ids) == 2
    for name in {*SPECIAL, "[PAD]", "[MASK]"} & tokenizer.get_vocab().keys():
        (found,) = pruned.encode(name, add_special_tokens=False).ids
        assert pruned.id_to_token(found) == name


@pytest.mark.parametrize("name", ["wordpiece", "bpe", "bpe of bytes", "unigram"])
def test_special_tokens_stay_that_only_model_and_post_processor_name(name: str) -> None:
    layout = json.loads(MAKERS[name]().to_str()) | {"added_tokens": []}
    tokenizer = Tokenizer.from_str(json.dumps(layout))
    pruned, former = prune_tokenizer(tokenizer, ids_of(tokenizer, USED))
    assert len(former) < tokenizer.get_vocab_size()
    for text in ("", FOREIGN):
        assert [former[i] for i in pruned.encode(text).ids] == tokenizer.encode(text).ids


def test_a_letter_of_no_text_is_unknown(tokenizer: Tokenizer) -> None:
    pruned, _ = prune_tokenizer(tokenizer, ids_of(tokenizer, ["في"]))
    unknown = {pruned.token_to_id("[UNK]"), pruned.token_to_id("<unk>")} - {None}
    found = {*pruned.encode("بنك", add_special_tokens=False).ids}
    if isinstance(tokenizer.decoder, decoders.ByteLevel):
        assert pruned.decode([*found]) != ""
        assert not found & unknown
    else:
        assert found & unknown


@pytest.mark.parametrize("as_normalizer", [False, True])
def test_bytes_of_any_text_stay(as_normalizer: bool) -> None:
    tokenizer = byte_level_bpe()
    if as_normalizer:
        tokenizer.pre_tokenizer = pre_tokenizers.Split(" ", "isolated")
        tokenizer.normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.ByteLevel()])
    pruned, _ = prune_tokenizer(tokenizer, ids_of(tokenizer, USED))
    for text in (FOREIGN, "漢字 €", "\x00\x7f"):
        assert pruned.decode(pruned.encode(text).ids).strip() == text


def test_bytes_that_a_tokenizer_falls_back_to_stay() -> None:
    pieces = [*SPECIAL, *(f"<0x{byte:02X}>" for byte in range(256)), "▁", "في", "من"]
    scores = [(piece, -float(number)) for number, piece in enumerate(pieces)]
    tokenizer = Tokenizer(models.Unigram(scores, unk_id=3, byte_fallback=True))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    pruned, former = prune_tokenizer(tokenizer, ids_of(tokenizer, ["في"]))
    assert pruned.token_to_id("من") is not None  # the least score
    assert [former[i] for i in pruned.encode("漢 в").ids] == tokenizer.encode("漢 в").ids


def test_unknown_letters_cost_as_much_as_before() -> None:
    """A split with an unknown letter wins or loses by the least score of all pieces."""
    pieces = [("س", -3.0), ("<unk>", 0.0), ("ب", -60.0), ("اب", -1.0), ("xا", -30.0), ("نادر", -100.0)]
    tokenizer = Tokenizer(models.Unigram(pieces, unk_id=1))
    assert tokenizer.encode("xاب").ids == [4, 2]
    pruned, former = prune_tokenizer(tokenizer, [2, 3, 4])
    assert [former[i] for i in pruned.encode("xاب").ids] == [4, 2]


def test_added_tokens_behind_the_vocabulary_stay() -> None:
    tokenizer = unigram()
    size = tokenizer.get_vocab_size()
    tokenizer.add_tokens([AddedToken("[رابط]", normalized=False), AddedToken("[بريد]", special=True)])
    pruned, former = prune_tokenizer(tokenizer, ids_of(tokenizer, USED))
    assert former[-2:] == [size, size + 1]
    text = f"{USED[0]} [رابط] [بريد]"
    assert [former[i] for i in pruned.encode(text).ids] == tokenizer.encode(text).ids


def test_truncation_and_padding_are_left_out() -> None:
    tokenizer = bpe()
    tokenizer.enable_truncation(4)
    tokenizer.enable_padding(pad_id=1, pad_token="<pad>", length=90)
    pruned, _ = prune_tokenizer(tokenizer, ids_of(bpe(), USED))
    assert pruned.truncation is None
    assert pruned.padding is None


def test_ids_without_a_piece_are_no_hindrance() -> None:
    tokenizer = bpe()
    assert prune_tokenizer(tokenizer, [7, 10_000])[1] == prune_tokenizer(tokenizer, [7])[1]


def test_other_tokenizers_cannot_be_pruned() -> None:
    tokenizer = Tokenizer(models.WordLevel({"<unk>": 0, "في": 1}, unk_token="<unk>"))
    with pytest.raises(ConfigError, match="a WordLevel tokenizer cannot be pruned; Unigram, WordPiece, BPE can"):
        prune_tokenizer(tokenizer, [1])
