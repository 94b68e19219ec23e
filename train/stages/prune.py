"""Cut the vocabulary of a pretrained encoder to the pieces that the corpora use.

Most of a multilingual encoder's weights are embeddings of pieces that Arabic news never has. Without them texts of the
other pieces get the same tokens and the same vectors (Abdaoui, Pradel and Sigel, "Load What You Need: Smaller Versions
of Multilingual BERT", SustaiNLP 2020).
"""

from __future__ import annotations

import logging
from collections.abc import Container
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer
from torch import nn
from transformers import PreTrainedModel
from transformers.utils.hub import cached_file

from wusum.model.errors import ConfigError
from wusum.train.cache import read_json, write_atomically, write_json
from wusum.train.data.corpora import examples
from wusum.train.data.tokens import batched
from wusum.train.model_folder import TOKENIZER
from wusum.train.nets.base_tokenizer import open_base_tokenizer
from wusum.train.nets.encoder_pruning import greatest_difference, longest_text, needed_ids, prune_encoder
from wusum.train.nets.encoders import EncoderSettings, open_encoder
from wusum.train.nets.tokenizer_pruning import prune_tokenizer

log = logging.getLogger(__name__)

TOKENIZER_CONFIG = "tokenizer_config.json"
"""The file that `AutoTokenizer` reads beside the tokenizer: names of special tokens, and the longest text."""

ROLES = {
    "bos_token": ("<s>",),
    "eos_token": ("</s>",),
    "unk_token": ("[UNK]", "<unk>"),
    "sep_token": ("[SEP]", "</s>"),
    "pad_token": ("[PAD]", "<pad>"),
    "cls_token": ("[CLS]", "<s>"),
    "mask_token": ("[MASK]", "<mask>"),
}
"""Special tokens in `tokenizer_config.json`, each with its usual names: for encoders that leave it to their class."""

TOLERANCE = 1e-4
"""Difference of two vectors of an encoder that float32 explains."""


@dataclass(frozen=True)
class PruneConfig:
    """Settings of `wusum train prune`."""

    base_model: str
    """Hub id or folder of a pretrained encoder."""
    data: Path
    """Folder of the corpora."""
    output: Path
    """Folder for encoder and tokenizer: a `base_model` for fine-tuning."""
    corpora: list[str]
    """Corpora whose training articles are read."""
    max_rows: int = 0
    """Read this many articles of each corpus, for a trial; 0 reads all."""
    min_count: int = 1
    """Least occurrences of a piece that stays."""
    prompts: list[str] = field(default_factory=list)
    """Texts whose pieces stay in any case: what the encoder wants before a text."""
    preprocessing: str = "auto"
    """Preprocessing before the tokenizer: none, arabert, or auto, which goes by the model's name."""
    float16: bool = False
    """Write the weights in half precision."""


def run(config: PruneConfig) -> None:
    """Count, prune and write; raises ConfigError if the encoder is not there, or cannot be pruned."""
    if config.output.resolve() == Path(config.base_model).resolve():
        raise ConfigError(f"output: {config.output} is the base model, which would be overwritten")
    encoder, tokenizer, names = open_base(config)
    counts = count_pieces(config, tokenizer)
    used = {*np.flatnonzero(counts >= config.min_count).tolist(), *needed_ids(encoder)}
    used |= {number for number in map(tokenizer.token_to_id, names.values()) if number is not None}
    used |= {i for text in config.prompts for i in tokenizer.encode(text).ids}
    smaller, former = prune_tokenizer(tokenizer, used)
    pruned = prune_encoder(encoder, former)
    if (difference := greatest_difference(encoder, pruned, former)) > TOLERANCE:
        raise ConfigError(f"{config.base_model}: its vectors change by {difference:.2g}; it cannot be pruned")
    read = 100 * counts[former].sum() / counts.sum()
    log.info("%d of %d pieces stay, with %.3f%% of the text", len(former), len(counts), read)
    write(config, pruned, smaller, names)
    before, after = encoder.num_parameters() / 1e6, pruned.num_parameters() / 1e6
    log.info("%.1f of %.1f M weights: %.1f MB", after, before, after * pruned.dtype.itemsize)


def open_base(config: PruneConfig) -> tuple[PreTrainedModel, Tokenizer, dict[str, str]]:
    """Return the encoder, its tokenizer and the names of its special tokens; raises ConfigError if it is not there."""
    try:
        tokenizer = open_base_tokenizer(config.base_model, config.preprocessing)
        encoder = open_encoder(EncoderSettings(base_model=config.base_model), 0, 0)
        return encoder, tokenizer, special_names(config.base_model, tokenizer.get_vocab())
    except OSError as error:
        raise ConfigError(f"{config.base_model}: {error}") from error


def special_names(base_model: str, known: Container[object]) -> dict[str, str]:
    """Return the special tokens of a model by role: those that its files name, or usual ones that are among `known`."""
    named: dict[str, Any] = {}
    for file in ("special_tokens_map.json", TOKENIZER_CONFIG):
        path = cached_file(base_model, file, _raise_exceptions_for_missing_entries=False)
        named |= read_json(Path(path)) if path else {}
    found: dict[str, str] = {}
    for role, usual in ROLES.items():
        token = named.get(role)
        own = token["content"] if isinstance(token, dict) else token
        name = next((name for name in (own, *usual) if name in known), None)
        if name is not None:
            found[role] = name
    return found


def count_pieces(config: PruneConfig, tokenizer: Tokenizer) -> NDArray[np.int64]:
    """Return how often each piece occurs in the training articles, by its id."""
    size = max(tokenizer.get_vocab().values()) + 1
    counts = np.zeros(size, np.int64)
    for corpus in config.corpora:
        articles = islice(examples(config.data, corpus), config.max_rows or None)
        for batch in batched(example.text for example in articles):
            for encoding in tokenizer.encode_batch_fast(batch, add_special_tokens=False):
                np.add.at(counts, encoding.ids, 1)
        log.info("%s: %.1f M pieces so far", corpus, counts.sum() / 1e6)
    return counts


def write(config: PruneConfig, encoder: PreTrainedModel, tokenizer: Tokenizer, names: dict[str, str]) -> None:
    """Write an encoder and its tokenizer as a folder that `AutoModel` and `AutoTokenizer` load."""
    if config.float16:
        nn.Module.half(encoder)
    encoder.save_pretrained(config.output)
    write_atomically(config.output / TOKENIZER, lambda path: tokenizer.save(str(path)))
    # The class that takes tokenizer.json as it is; that of the encoder's family would build its own normaliser.
    settings: dict[str, Any] = {"tokenizer_class": "PreTrainedTokenizerFast", **names}
    if (longest := longest_text(encoder)) is not None:
        settings["model_max_length"] = longest
    write_json(config.output / TOKENIZER_CONFIG, settings, indent=1)
