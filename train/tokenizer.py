"""Train the WordPiece tokenizer. Its normaliser is all the preprocessing there is, and travels in `tokenizer.json`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

from wusum.train.corpora import examples

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")


@dataclass(frozen=True)
class TokenizerConfig:
    """Settings of `wusum train tokenizer`."""

    data: Path
    """Folder of the corpora."""
    output: Path
    """Folder that gets `tokenizer.json`."""
    corpora: list[str]
    """Corpora whose training articles are read."""
    vocab_size: int = 24_000
    min_frequency: int = 5
    """Pieces seen less often are not kept."""


def normalizer() -> normalizers.Normalizer:
    """Fold what writers vary and readers ignore: compatibility forms, marks, tatweel, alef and yeh spellings, case.

    Teh marbuta stays apart from heh: the two are different words more often than they are a slip.
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


def new_tokenizer() -> Tokenizer:
    """An untrained WordPiece tokenizer: white space and punctuation split words, `[CLS] … [SEP]` around a text."""
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]", max_input_chars_per_word=64))
    tokenizer.normalizer = normalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    return tokenizer


def train(texts: Iterator[str], vocab_size: int, min_frequency: int) -> Tokenizer:
    """A tokenizer with pieces learned from `texts`. The same texts give the same pieces, not the same ids."""
    tokenizer = new_tokenizer()
    trainer = trainers.WordPieceTrainer(
        vocab_size=vocab_size, min_frequency=min_frequency, special_tokens=list(SPECIAL), limit_alphabet=400
    )
    tokenizer.train_from_iterator(texts, trainer)
    cls, sep = ((piece, SPECIAL.index(piece)) for piece in ("[CLS]", "[SEP]"))
    tokenizer.post_processor = processors.BertProcessing(sep, cls)
    return tokenizer


def run(config: TokenizerConfig) -> None:
    """Train on the training split of every corpus and write `tokenizer.json`."""
    texts = (example.text for corpus in config.corpora for example in examples(config.data, corpus))
    tokenizer = train(texts, config.vocab_size, config.min_frequency)
    config.output.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(config.output / "tokenizer.json"))
