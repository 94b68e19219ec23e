"""Compare tokenizers: how finely they cut, and how well a small BERT guesses characters over them at equal compute."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from tokenizers import Tokenizer

from wusum.model.text.words import words
from wusum.train.config import pin
from wusum.train.data.corpora import examples
from wusum.train.stages import packing, pretrain, tokenizer

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ComparisonConfig:
    """Settings of `wusum train comparison`."""

    data: Path
    """Folder of the corpora."""
    output: Path
    """Folder that gets `table.json`, and a folder for each tokenizer."""
    corpora: list[str]
    """Corpora to read: training articles to learn from, validation articles to measure on."""
    kinds: list[str]
    vocab_sizes: list[int]
    encoder: dict[str, Any]
    """Shape of the BERT that is pretrained on each."""
    teraflops: float
    """Compute of each pretraining, in 10^12 floating-point operations, by the usual count of products."""
    documents: int = 3000
    """Training articles of a corpus."""
    batch_size: int = 64
    mask_share: float = 0.2
    bf16: bool = False


def cutting(pieces: Tokenizer, texts: list[str]) -> dict[str, float]:
    """Tokens per word, the share of words with an unknown piece, and the share of texts that decode to what
    normalisation left of them, white space aside."""
    assert pieces.normalizer is not None
    unknown = pieces.token_to_id("[UNK]")
    found = [text[word.start : word.end] for text in texts for word in words(text)]
    encoded = pieces.encode_batch_fast(found, add_special_tokens=False)
    whole = pieces.encode_batch_fast(texts, add_special_tokens=False)
    kept = [
        "".join(pieces.decode(encoding.ids).split()) == "".join(pieces.normalizer.normalize_str(text).split())
        for text, encoding in zip(texts, whole, strict=True)
    ]
    return {
        "tokens_per_word": sum(len(e.ids) for e in encoded) / len(found),
        "unknown_words": sum(unknown in e.ids for e in encoded) / len(found),
        "round_trip": float(np.mean(kept)),
    }


def operations(shape: dict[str, Any], vocab_size: int, mask_share: float) -> float:
    """Floating-point operations of training on one token: six a weight, the output layer at masked positions alone."""
    size, inner = shape["hidden_size"], shape["intermediate_size"]
    layer = 4 * size * size + 2 * size * inner
    return float(6 * (shape["num_hidden_layers"] * layer + mask_share * size * (vocab_size + size)))


def run(config: ComparisonConfig) -> None:
    """Train every tokenizer and a BERT on it, measure, and write the table after each; a run that was cut goes on."""
    pin(config, config.output, free=("kinds", "vocab_sizes"))
    path = config.output / "table.json"
    table = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else []
    done = {(row["kind"], row["vocab_size"]) for row in table}
    texts = [e.text for name in config.corpora for e in islice(examples(config.data, name, ["validation"]), 200)]
    for kind in config.kinds:
        for size in config.vocab_sizes:
            if (kind, size) in done:
                continue
            folder = config.output / f"{kind}-{size // 1000}k"
            row = {"kind": kind, "vocab_size": size} | measure(config, kind, size, folder, texts)
            log.info("%s", row)
            table.append(row)
            path.write_text(json.dumps(table, indent=1), encoding="utf-8")


def measure(config: ComparisonConfig, kind: str, size: int, folder: Path, texts: list[str]) -> dict[str, float]:
    """One row of the table."""
    data, corpora, documents = config.data, config.corpora, config.documents
    tokenizer.run(tokenizer.TokenizerConfig(data, folder, corpora, documents=documents, kind=kind, vocab_size=size))
    packing.run(packing.PackingConfig(data, folder, folder, corpora, documents=documents, validation_documents=100))
    pieces = Tokenizer.from_file(str(folder / "tokenizer.json"))
    row_tokens = np.load(folder / "train.npy", mmap_mode="r").shape[1]
    cost = operations(config.encoder, pieces.get_vocab_size(), config.mask_share)
    steps = round(config.teraflops * 1e12 / (cost * config.batch_size * row_tokens))
    settings = pretrain.PretrainConfig(
        packed=folder,
        tokenizer=folder,
        output=folder / "pretrain",
        encoder=config.encoder,
        mask_share=config.mask_share,
        batch_size=config.batch_size,
        steps=steps,
        bf16=config.bf16,
        eval_steps=steps,
        save_steps=steps,
    )
    pretrain.run(settings)
    history = (settings.output / "history.jsonl").read_text(encoding="utf-8").splitlines()
    bits = [line["bits_per_character"] for line in map(json.loads, history) if "bits_per_character" in line]
    return {**cutting(pieces, texts), "steps": steps, "bits_per_character": bits[-1]}
