"""Teach a small encoder what fine-tuned ones say about all text of the corpora, and the labels."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import datasets
import torch
import transformers
from tokenizers import Tokenizer
from torch import Tensor
from transformers import PreTrainedModel, Trainer, TrainerCallback

from wusum.model.errors import ConfigError
from wusum.model.network.module import Network, load_network
from wusum.model.text.words import match_key
from wusum.train.cache import digest_of, write_json
from wusum.train.config import pin
from wusum.train.data.corpora import LabelMap
from wusum.train.data.passage_batches import PassageBatches, PassageTokens, ReadingSettings, batches_of_like_length
from wusum.train.data.passages import PassageSettings, passage_rows, passages_digest
from wusum.train.data.tokens import SpecialTokens, load_tokenizer
from wusum.train.data.windows import TagLabels
from wusum.train.history import loss_curve
from wusum.train.inputs import Inputs, corpus_inputs, file_inputs
from wusum.train.model_folder import TOKENIZER, topic_codes
from wusum.train.nets.distillation import LossSettings, Student, embeddings_of
from wusum.train.nets.encoders import EncoderSettings, encoder_inputs, open_encoder, set_dropout
from wusum.train.nets.teachers import soft_targets, teacher_digest
from wusum.train.nets.training import TrainingSettings, train, training_arguments
from wusum.train.stages.finetune import write_model

log = logging.getLogger(__name__)

FREE = ("data", "output", "cache", "save_steps")
"""Settings that may change when a training goes on."""

WORKERS = 4
"""Processes that make batches for a GPU, which would wait for them otherwise."""


@dataclass(frozen=True, kw_only=True)
class DistillConfig(TrainingSettings, EncoderSettings, ReadingSettings, LossSettings, PassageSettings):
    """Settings of `wusum train distill`."""

    teachers: list[Path]
    """Folders of fine-tuned models; the mean of their answers is learned, and the pooled vectors of the first."""
    tokenizer: Path
    """Folder with the `tokenizer.json` of the student."""
    output: Path
    """Folder for checkpoints; the finished model goes to its `model/`."""
    teacher_embeddings: bool = True
    """Start the embeddings from those of the first teacher, unless there are `vectors` or a `base_model`."""
    window: int = 256
    """Tokens that the student reads at once, with its two special tokens."""
    dropout: float = 0.0
    """Share of the activations, within the encoder and before the heads, that are dropped."""
    gold_share: float = 0.6
    """Share of known topics in the target of a passage; the teachers' probabilities have the rest."""
    mark_share: float = 0.7
    """Share of known marks of key phrases and names, likewise."""
    tag_min_count: int = 5
    """Least training articles of a tag that gets a label in the tag head."""
    gold_repeats: int = 3
    """Times that passages of articles with known topics are read while others are read once."""
    epochs: float = 4.0
    """Times that each passage is read."""
    batch_size: int = 64
    """Passages of a batch, which are about as long as each other."""
    learning_rate: float = 1e-3
    """Highest learning rate, reached at the end of the warm-up."""
    warmup_share: float = 0.06
    """Share of the steps in which the learning rate rises."""


def run(config: DistillConfig, callbacks: Sequence[TrainerCallback] = ()) -> None:
    """Train, or go on from the last checkpoint under `output`, and write the model to `output/model`.

    Raises ConfigError for teachers of other topics, and for settings that do not fit each other.
    """
    if torch.cuda.device_count() > 1:
        raise ConfigError("distill trains on one GPU: choose it by CUDA_VISIBLE_DEVICES=0")
    inputs = run_inputs(config)
    topics = LabelMap.load(config.topics)
    check_teachers(config.teachers, topics)
    pin(config, config.output, inputs, FREE)
    tokenizer = load_tokenizer(config.tokenizer)
    rows = passage_rows(config, topics)
    tags = tag_labels(rows, config.tag_min_count)
    batches = make_batches(config, topics, rows, tags, tokenizer)
    log.info("%d passages, %d tag labels, %d batches", len(rows), len(tags.texts), len(batches))

    transformers.set_seed(config.seed)
    encoder = start_encoder(config, tokenizer)
    network = Network(encoder, len(topics.keys), len(tags.texts), config.dropout)
    set_dropout(encoder, config.dropout)
    arguments = training_arguments(
        config,
        config.output,
        per_device_train_batch_size=1,  # of PassageBatches
        max_steps=len(batches),
        train_sampling_strategy="sequential",  # they are in random order
        dataloader_num_workers=WORKERS if torch.cuda.is_available() else 0,
        adam_beta2=0.98,
        adam_epsilon=1e-6,
        lr_scheduler_type="linear",
        warmup_steps=round(config.warmup_share * len(batches)),
    )
    trainer = Trainer(
        model=Student(network, batches.targets.vectors.shape[1], config),
        args=arguments,
        train_dataset=batches,
        data_collator=only,
        callbacks=list(callbacks),
    )
    train(trainer)
    write_model(config.output / "model", config.window, network, tokenizer, topics, tags)
    write_json(config.output / "model" / "history.json", loss_curve(trainer.state, config.batch_size))


def run_inputs(config: DistillConfig) -> Inputs:
    """Return digests of the contents of all that a training reads."""
    files = file_inputs(
        {"topics": config.topics, "tag_rules": config.tag_rules, "tokenizer": config.tokenizer / TOKENIZER}
    )
    teachers = {"teachers": digest_of(*map(teacher_digest, config.teachers))}
    return corpus_inputs(config.data, config.corpora) | files | encoder_inputs(config) | teachers


def check_teachers(teachers: Sequence[Path], topics: LabelMap) -> None:
    """Raise ConfigError if there is no teacher, or one whose topics are not those of the label map."""
    if not teachers:
        raise ConfigError("teachers: none is named")
    for folder in teachers:
        if topic_codes(folder) != list(topics.codes):
            raise ConfigError(f"{folder}: its topics are not those of the label map")


def tag_labels(rows: datasets.Dataset, min_count: int) -> TagLabels:
    """Return the labels of the tag head: tags of at least `min_count` articles, whose first passages are counted."""
    return TagLabels.count([tags for tags, first in zip(rows["tags"], rows["first"], strict=True) if first], min_count)


def make_batches(
    config: DistillConfig, topics: LabelMap, rows: datasets.Dataset, tags: TagLabels, tokenizer: Tokenizer
) -> PassageBatches:
    """Return the batches of the training, after tokenising passages and asking the teachers about them."""
    tokens = PassageTokens.kept(config.cache, passages_digest(config, topics), rows, tokenizer)
    targets = soft_targets(rows, config.teachers, config.cache / "teachers", config.bf16).centred()
    repeats = [config.gold_repeats if known else 1 for known in rows["topics"]]
    return PassageBatches(
        config,
        batches_of_like_length(tokens.lengths, repeats, config.batch_size, config.epochs, config.seed),
        tokens,
        targets.with_labels(rows, config.gold_share, config.mark_share),
        [[tags.index[key] for key in map(match_key, own) if key in tags.index] for own in rows["tags"]],
        len(tags.texts),
        tokenizer,
        config.window,
        config.seed,
    )


def start_encoder(config: DistillConfig, tokenizer: Tokenizer) -> PreTrainedModel:
    """Return the encoder to begin with.

    Raises ConfigError if a base model has another number of pieces than the tokenizer.
    """
    encoder = open_encoder(config, tokenizer.get_vocab_size(), SpecialTokens.of(tokenizer).pad)
    table: Any = encoder.get_input_embeddings().weight
    if len(table) != tokenizer.get_vocab_size():
        raise ConfigError(
            f"{config.base_model}: {len(table)} pieces, {config.tokenizer} has {tokenizer.get_vocab_size()}"
        )
    if config.teacher_embeddings and not config.base_model and not config.vectors:
        teacher = config.teachers[0]
        known: Any = load_network(teacher).encoder.get_input_embeddings().weight
        made = embeddings_of(known.detach(), load_tokenizer(teacher), tokenizer, table.shape[1], config.vector_scale)
        with torch.no_grad():
            table.copy_(made)
    return encoder


def only(batches: list[dict[str, Tensor]]) -> dict[str, Tensor]:
    """Return the only one of some batches."""
    (batch,) = batches
    return batch
