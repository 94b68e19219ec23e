"""Train the tokenizer. Its normaliser is the only preprocessing of the text, and is saved in `tokenizer.json`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

from wusum.model.errors import ConfigError
from wusum.train.cache import write_atomically
from wusum.train.data.corpora import examples
from wusum.train.model_folder import TOKENIZER

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
"""Special tokens, in the order of their ids."""

CONTINUATION = "##"
"""Prefix of a piece inside a word, for WordPiece and BPE."""


@dataclass(frozen=True)
class TokenizerConfig:
    """Settings of `wusum train tokenizer`."""

    data: Path
    """Folder of the corpora."""
    output: Path
    """Folder that gets `tokenizer.json`."""
    corpora: list[str]
    """Corpora whose training articles are read."""
    documents: int = 0
    """Articles read of each corpus; 0 reads all."""
    kind: str = "wordpiece"
    """Algorithm that cuts words into pieces: wordpiece, bpe or unigram."""
    vocab_size: int = 24_000
    """Number of pieces."""
    min_frequency: int = 5
    """Least occurrences of a piece in the articles; not for unigram."""


def normalizer() -> normalizers.Normalizer:
    """Return a normaliser that folds compatibility forms, marks, tatweel, the spellings of alef and yeh, and case.

    Teh marbuta and heh stay apart: a pair of words that differ in them is more often two words than one misspelt.
    """
    return normalizers.Sequence(
        [
            normalizers.NFKC(),
            normalizers.Replace(Regex(r"[\u0640\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06ed\u00ad\u061c]"), ""),
            normalizers.Replace(Regex(r"[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]"), ""),
            normalizers.Replace(Regex("[أإآٱ]"), "ا"),
            normalizers.Replace(Regex("[ىی]"), "ي"),
            normalizers.Replace("ک", "ك"),
            *(normalizers.Replace(chr(0x0660 + digit), str(digit)) for digit in range(10)),
            normalizers.Lowercase(),
        ]
    )


def new_tokenizer(kind: str = "wordpiece") -> Tokenizer:
    """Return an untrained tokenizer that splits words at white space and punctuation.

    Raises ConfigError for an unknown kind.
    """
    words: pre_tokenizers.PreTokenizer = pre_tokenizers.BertPreTokenizer()
    if kind == "wordpiece":
        tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]", max_input_chars_per_word=64))
        tokenizer.decoder = decoders.WordPiece()
    elif kind == "bpe":
        tokenizer = Tokenizer(models.BPE(unk_token="[UNK]", continuing_subword_prefix=CONTINUATION))
        tokenizer.decoder = decoders.WordPiece()
    elif kind == "unigram":
        tokenizer = Tokenizer(models.Unigram())
        words = pre_tokenizers.Sequence([words, pre_tokenizers.Metaspace(prepend_scheme="always")])
        tokenizer.decoder = decoders.Metaspace(prepend_scheme="always")
    else:
        raise ConfigError(f"kind: no {kind!r}; there are wordpiece, bpe and unigram")
    tokenizer.normalizer = normalizer()
    tokenizer.pre_tokenizer = words
    return tokenizer


def train(texts: Iterator[str], vocab_size: int, min_frequency: int, kind: str = "wordpiece") -> Tokenizer:
    """Return a tokenizer with pieces learned from `texts`, which puts `[CLS] … [SEP]` around a text.

    The same texts give the same pieces, but not always the same ids.
    """
    tokenizer = new_tokenizer(kind)
    special = list(SPECIAL)
    trainer: trainers.Trainer
    if kind == "unigram":
        trainer = trainers.UnigramTrainer(vocab_size=vocab_size, special_tokens=special, unk_token="[UNK]")
    else:
        trainer_type = trainers.WordPieceTrainer if kind == "wordpiece" else trainers.BpeTrainer
        trainer = trainer_type(
            vocab_size=vocab_size,
            min_frequency=min_frequency,
            special_tokens=special,
            limit_alphabet=400,
            continuing_subword_prefix=CONTINUATION,
        )
    tokenizer.train_from_iterator(texts, trainer)
    cls, sep = ((piece, SPECIAL.index(piece)) for piece in ("[CLS]", "[SEP]"))
    tokenizer.post_processor = processors.BertProcessing(sep, cls)
    return tokenizer


def run(config: TokenizerConfig) -> None:
    """Train on the training split of every corpus and write `tokenizer.json`."""
    limit = config.documents or None
    texts = (e.text for corpus in config.corpora for e in islice(examples(config.data, corpus), limit))
    tokenizer = train(texts, config.vocab_size, config.min_frequency, config.kind)
    write_atomically(config.output / TOKENIZER, lambda path: tokenizer.save(str(path)))
