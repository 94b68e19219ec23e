"""Pretrain an encoder to tell which passages are of one article.

Title and body, or two passages of a body, are pooled to one vector each. Among the articles of a batch, which are all
of one corpus, the right one is to be found (two crops of a document: Izacard et al., "Unsupervised dense information
retrieval with contrastive learning", 2022). The subject of a text distinguishes it from others of its outlet, so that
is learned from the beginning; masked-language modelling must learn the language first.
"""

from __future__ import annotations

import logging
import shutil
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import transformers
from tokenizers import Tokenizer
from transformers import PreTrainedModel, Trainer, TrainerCallback

from wusum import model
from wusum.model.errors import ConfigError
from wusum.train import data
from wusum.train.cache import code_digest, digest_of, write_atomically
from wusum.train.config import pin
from wusum.train.curve import draw_history
from wusum.train.data.anonymiser import Anonymiser
from wusum.train.data.corpora import CorpusSettings, Example, examples
from wusum.train.data.deduplication import Deduplicator
from wusum.train.data.pairs import Documents, PairBatches, PairCollator
from wusum.train.data.tokens import SpecialTokens, load_tokenizer
from wusum.train.history import History
from wusum.train.inputs import Inputs, corpus_inputs, file_inputs
from wusum.train.model_folder import TOKENIZER
from wusum.train.nets.encoders import EncoderSettings, encoder_inputs, open_encoder
from wusum.train.nets.training import TrainingSettings, train, training_arguments
from wusum.train.nets.twin import TwinEncoder

log = logging.getLogger(__name__)

FREE = ("data", "output", "save_steps", "eval_steps")
"""Settings that may change when a training goes on."""

DEFAULT_DROPOUT = 0.1
"""Dropout in the configuration of an encoder that was trained without: BERT's own, for other uses of the encoder."""


@dataclass(frozen=True, kw_only=True)
class ContrastConfig(TrainingSettings, EncoderSettings, CorpusSettings):
    """Settings of `wusum train contrast`."""

    tokenizer: Path
    """Folder with `tokenizer.json`."""
    output: Path
    """Folder for checkpoints, `history.jsonl` and `curve.svg`; its `encoder/` is a `base_model` for fine-tuning."""
    corpora: list[str]
    """Corpora to read; their labels are not used."""
    max_shared: float = 0.5
    """Share of known text above which an article is dropped as a near-duplicate: its pair could not be told apart."""
    title_share: float = 0.7
    """Share of the titles that are taken as the short passage of their article."""
    temperature: float = 0.07
    """Divisor of the cosines."""
    steps: int = 1500
    """Batches to train on."""
    batch_size: int = 64
    """Articles of a batch."""
    warmup_share: float = 0.03
    """Share of the steps in which the learning rate rises."""
    decay_share: float = 0.3
    """Share of the steps in which the learning rate falls to zero."""
    save_steps: int = 250
    """Steps between two checkpoints."""
    eval_steps: int = 250
    """Steps between two validations."""
    eval_batches: int = 12
    """Batches of a validation, always the same."""


def run(config: ContrastConfig, callbacks: Sequence[TrainerCallback] = ()) -> None:
    """Pretrain, or go on from the last checkpoint under `output`, and write the encoder to `output/encoder`."""
    pin(config, config.output, run_inputs(config), FREE)
    transformers.set_seed(config.seed)
    tokenizer = load_tokenizer(config.tokenizer)
    special = SpecialTokens.of(tokenizer)
    encoder = start_encoder(config, tokenizer.get_vocab_size(), special.pad)
    dropout = encoder.config.hidden_dropout_prob
    batches = {
        split: PairBatches(
            documents(config, tokenizer, split), config.batch_size, count, config.window - len(special),
            config.title_share, config.seed,
        )
        for split, count in (("train", config.steps), ("validation", config.eval_batches))
    }  # fmt: skip
    arguments = training_arguments(
        config,
        config.output,
        per_device_train_batch_size=1,  # of PairBatches
        per_device_eval_batch_size=1,
        max_steps=config.steps,
        adam_beta2=0.98,
        lr_scheduler_type="warmup_stable_decay",
        lr_scheduler_kwargs={"num_decay_steps": round(config.decay_share * config.steps), "decay_type": "linear"},
        warmup_steps=round(config.warmup_share * config.steps),
        eval_strategy="steps",
        eval_steps=config.eval_steps,
        label_names=["long_ids"],  # without labels a Trainer does not validate
        prediction_loss_only=True,
    )
    history = config.output / "history.jsonl"
    trainer = Trainer(
        model=TwinEncoder(encoder, config.temperature),
        args=arguments,
        data_collator=PairCollator(special),
        train_dataset=batches["train"],
        eval_dataset=batches["validation"],
        callbacks=[History(history), *callbacks],
    )
    train(trainer)
    draw_history(
        history, config.output / "curve.svg", key="eval_loss", per_step=config.batch_size / 1e3,
        title=f"nats to find an article among {config.batch_size}, validation", across="thousands of articles read",
    )  # fmt: skip
    encoder.config.hidden_dropout_prob = encoder.config.attention_probs_dropout_prob = dropout or DEFAULT_DROPOUT
    encoder.save_pretrained(config.output / "encoder")
    shutil.copyfile(config.tokenizer / TOKENIZER, config.output / "encoder" / TOKENIZER)


def run_inputs(config: ContrastConfig) -> Inputs:
    """Return digests of the contents of all that a pretraining reads."""
    tokenizer = file_inputs({"tokenizer": config.tokenizer / TOKENIZER})
    return corpus_inputs(config.data, config.corpora) | tokenizer | encoder_inputs(config)


def start_encoder(config: ContrastConfig, vocabulary_size: int, pad: int) -> PreTrainedModel:
    """Return the encoder to begin with; raises ConfigError if a base model has another vocabulary."""
    encoder = open_encoder(config, vocabulary_size, pad)
    pieces = encoder.config.vocab_size
    if pieces != vocabulary_size:
        raise ConfigError(f"{config.base_model}: {pieces} pieces, {config.tokenizer} has {vocabulary_size}")
    return encoder


def documents(config: ContrastConfig, tokenizer: Tokenizer, split: str) -> Documents:
    """Return the articles of a split without near-duplicates.

    A file in `output` keeps them for the next start. Its name has a digest of all that they depend on: data, settings,
    tokenizer and code.
    """
    parts = split, config.outlet_names, config.max_rows, config.max_shared, tokenizer.to_str()
    code = code_digest(sys.modules[__name__], data, model)
    path = config.output / f"{split}-{digest_of(corpus_inputs(config.data, config.corpora), parts, code)}.npz"
    if path.is_file():
        return Documents.load(path)
    found = Documents.tokenise(tokenizer, _distinct(config, split))
    log.info("%s: %d articles, %d of them with a title", split, len(found), int((found.titles > 0).sum()))
    write_atomically(path, found.save)
    return found


def _distinct(config: ContrastConfig, split: str) -> Iterator[tuple[int, Example]]:
    """Yield the articles of a split without near-duplicates, each with the number of its corpus."""
    deduplicator = Deduplicator(config.max_shared)
    anonymise = Anonymiser(config.outlet_names)
    for number, corpus in enumerate(config.corpora):
        for example in islice(examples(config.data, corpus, [split]), config.max_rows or None):
            if deduplicator.is_new(example.text):
                yield number, replace(example, body=anonymise(example.body))
