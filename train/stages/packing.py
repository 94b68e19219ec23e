"""Text for pretraining: documents of all corpora, without near-duplicates, packed to rows of tokens on disk."""

from __future__ import annotations

import json
import logging
import random
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from wusum.model.errors import ConfigError
from wusum.model.text.words import words
from wusum.train.data.corpora import examples

log = logging.getLogger(__name__)
SHINGLE = 8
"""Words of a shingle: what two documents must share to count as sharing text."""

SAMPLED = 8
"""One shingle in so many is remembered, chosen by its hash, so the same ones of every copy."""


@dataclass(frozen=True)
class PackingConfig:
    """Settings of `wusum train packing`."""

    data: Path
    """Folder of the corpora."""
    tokenizer: Path
    """Folder with `tokenizer.json`."""
    output: Path
    """Folder that gets `train.npy`, `validation.npy` (uint16 [rows, row_tokens]) and `counts.json`."""
    corpora: list[str]
    """Corpora to read; the validation splits of those that have one become `validation.npy`."""
    row_tokens: int = 128
    """Tokens of a row, with its two special ones."""
    max_shared: float = 0.5
    """A document is dropped when more of its sampled shingles than this have been seen before."""
    documents: int = 0
    """Training documents of a corpus; 0 reads all."""
    validation_documents: int = 300
    """Validation documents of a corpus."""
    seed: int = 13


@dataclass(slots=True)
class Count:
    """What became of a corpus."""

    documents: int = 0
    dropped: int = 0
    characters: int = 0
    words: int = 0


class Deduplicator:
    """Remembers shingles of the documents it has let through."""

    def __init__(self, max_shared: float) -> None:
        self.max_shared = max_shared
        self._seen: set[int] = set()

    def is_new(self, text: str) -> bool:
        """Whether a document shares little with those before; if so, it is remembered."""
        sampled = sampled_shingles([word.text for word in words(text)])
        if sampled and len(self._seen.intersection(sampled)) > self.max_shared * len(sampled):
            return False
        self._seen.update(sampled)
        return True


def sampled_shingles(document: list[str]) -> set[int]:
    """64-bit hashes of one in `SAMPLED` of the shingles of a document; of a short one, of the whole."""
    hashes = np.array([zlib.crc32(word.encode()) for word in document], np.uint64)
    if len(hashes) < SHINGLE:
        return {hash(tuple(document))} if document else set()
    mixed = np.zeros(len(hashes) - SHINGLE + 1, np.uint64)
    for offset in range(SHINGLE):  # a polynomial in the words, over the integers modulo 2^64
        mixed = mixed * np.uint64(0x9E3779B97F4A7C15) + hashes[offset : offset + len(mixed)]
    mixed ^= mixed >> np.uint64(29)
    chosen = mixed[mixed % np.uint64(SAMPLED) == 0]
    return set((chosen if len(chosen) else mixed.min(keepdims=True)).tolist())


def run(config: PackingConfig) -> None:
    """Write the packed rows of the training and validation splits, and what was counted."""
    tokenizer = Tokenizer.from_file(str(config.tokenizer / "tokenizer.json"))
    if tokenizer.get_vocab_size() > 1 << 16:
        raise ConfigError(f"{config.tokenizer}: {tokenizer.get_vocab_size()} pieces do not fit 16 bits")
    config.output.mkdir(parents=True, exist_ok=True)
    deduplicator = Deduplicator(config.max_shared)
    report: dict[str, dict[str, object]] = {}
    for split, most in (("validation", config.validation_documents), ("train", config.documents)):
        texts: list[str] = []
        counts: dict[str, Count] = {}
        for corpus in config.corpora:
            count = counts[corpus] = Count()
            for example in examples(config.data, corpus, [split]):
                count.documents += 1
                if not deduplicator.is_new(example.text):
                    count.dropped += 1
                    continue
                count.characters += len(example.text)
                count.words += len(example.text.split())
                texts.append(example.text)
                if count.documents == most:
                    break
            log.info("%s %s: %s", split, corpus, asdict(count))
        random.Random(config.seed).shuffle(texts)
        rows = np.concatenate(list(pack(encode(tokenizer, texts), tokenizer, config.row_tokens)))
        np.save(config.output / f"{split}.npy", rows)
        report[split] = {"rows": len(rows), "corpora": {name: asdict(count) for name, count in counts.items()}}
        log.info("%s: %d rows of %d tokens", split, *rows.shape)
    (config.output / "counts.json").write_text(json.dumps(report, indent=1), encoding="utf-8")


def encode(tokenizer: Tokenizer, texts: list[str]) -> Iterator[list[int]]:
    """The tokens of each text."""
    for start in range(0, len(texts), 512):
        for encoding in tokenizer.encode_batch_fast(texts[start : start + 512], add_special_tokens=False):
            yield encoding.ids


def pack(documents: Iterable[list[int]], tokenizer: Tokenizer, length: int) -> Iterator[NDArray[np.uint16]]:
    """Rows `[CLS] … [SEP]` of `length` tokens, documents one after the other with [SEP] between, in blocks of rows."""
    cls, sep = tokenizer.encode("").ids
    room = length - 2
    stream: list[int] = []
    for document in documents:
        stream += [*document, sep]
        if len(stream) > 1_000_000:
            whole = len(stream) // room * room
            yield _rows(stream[:whole], room, cls, sep)
            del stream[:whole]
    yield _rows(stream[: len(stream) // room * room], room, cls, sep)  # the rest, less than a row, is left


def _rows(tokens: list[int], room: int, cls: int, sep: int) -> NDArray[np.uint16]:
    inner = np.array(tokens, np.uint16).reshape(-1, room)
    edge = np.ones((len(inner), 1), np.uint16)
    return np.hstack([edge * np.uint16(cls), inner, edge * np.uint16(sep)])
