"""Fine-tune an encoder with its three heads on all corpora at once."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import transformers
from safetensors.torch import save_file
from tokenizers import Tokenizer
from transformers import TrainerCallback

from wusum.model.network.module import Network
from wusum.train.cache import write_atomically, write_json
from wusum.train.config import pin
from wusum.train.data.corpora import LabelMap
from wusum.train.data.dataset import DatasetSettings, sample_rows, training_dataset
from wusum.train.data.tokens import SpecialTokens, load_tokenizer, mask_token
from wusum.train.data.windows import TagLabels, WindowCollator, Windows
from wusum.train.history import loss_curve
from wusum.train.inputs import Inputs, corpus_inputs, file_inputs, run_digest
from wusum.train.model_folder import TOKENIZER, WEIGHTS, write_config, write_tag_labels
from wusum.train.nets.base_tokenizer import open_base_tokenizer
from wusum.train.nets.encoders import EncoderSettings, encoder_inputs, open_encoder, set_dropout
from wusum.train.nets.heads import HeadsTrainer, load_heads
from wusum.train.nets.training import TrainingSettings, train, training_arguments

log = logging.getLogger(__name__)

FREE = ("data", "output", "cache", "save_steps")
"""Settings that may change when a training goes on."""


@dataclass(frozen=True, kw_only=True)
class FinetuneConfig(TrainingSettings, EncoderSettings, DatasetSettings):
    """Settings of `wusum train finetune`."""

    output: Path
    """Folder for checkpoints; the finished model goes to its `model/`."""
    tokenizer: str = ""
    """Folder with `tokenizer.json`; not used with `base_model`, which has its own."""
    preprocessing: str = "auto"
    """Preprocessing before the tokenizer of `base_model`: none, arabert, or auto, which goes by the model's name."""
    keep_heads: bool = False
    """Start from the heads of `base_model`, too, which must be a model that was fine-tuned here."""
    title_dropout: float = 0.0
    """Share of the windows that are without title."""
    token_dropout: float = 0.0
    """Share of the tokens replaced by the tokenizer's mask token; of a window the same ones in each epoch."""
    dropout: float = 0.1
    """Share of the activations within the encoder that are dropped, whatever its own configuration says."""
    lead_share: float = 0.7
    """Share of the windows that are the beginning of their article; the others begin anywhere."""
    tag_min_count: int = 5
    """Least training articles of a tag that gets a label in the tag head."""
    tag_weight: float = 0.5
    """Weight of the tag loss beside the topic loss."""
    span_weight: float = 1.0
    """Weight of the loss of key phrases and names beside the topic loss."""
    epochs: float = 1.0
    """Times that each window is read."""


def run(config: FinetuneConfig, callbacks: Sequence[TrainerCallback] = ()) -> None:
    """Train, or go on from the last checkpoint under `output`, and write the model to `output/model`."""
    pin(config, config.output, run_inputs(config), FREE)
    transformers.set_seed(config.seed)
    topics = LabelMap.load(config.topics)
    tokenizer = open_tokenizer(config)
    mask = mask_token(tokenizer) if config.token_dropout else 0
    articles = training_dataset(config, tokenizer, topics)
    tags = TagLabels.count(articles["tags"], config.tag_min_count)
    rows = articles.select(sample_rows(config, articles["corpus"], config.seed))
    log.info("%d rows, %d tag labels, %s", len(rows), len(tags.texts), dict(Counter(rows["corpus"])))

    special = SpecialTokens.of(tokenizer)
    encoder = open_encoder(config, tokenizer.get_vocab_size(), special.pad)
    network = Network(encoder, len(topics.keys), len(tags.texts))
    set_dropout(encoder, config.dropout)
    if config.keep_heads:
        load_heads(network, Path(config.base_model), topics.codes, tuple(tags.index))
    windows = Windows(
        rows,
        config.window - len(special),
        config.lead_share,
        config.seed,
        title_dropout=config.title_dropout,
        token_dropout=config.token_dropout,
        mask=mask,
    )
    steps = int(len(rows) / config.batch_size * config.epochs)
    arguments = training_arguments(
        config,
        config.output,
        num_train_epochs=config.epochs,
        lr_scheduler_type="linear",
        warmup_steps=int(config.warmup_share * steps),
    )
    trainer = HeadsTrainer(
        model=network,
        args=arguments,
        train_dataset=windows,
        data_collator=WindowCollator(special, len(topics.keys), tags),
        callbacks=list(callbacks),
    )
    trainer.tag_weight, trainer.span_weight = config.tag_weight, config.span_weight
    train(trainer)
    write_model(config.output / "model", config.window, network, tokenizer, topics, tags)
    write_json(config.output / "model" / "history.json", loss_curve(trainer.state, config.batch_size))


def run_inputs(config: FinetuneConfig) -> Inputs:
    """Return digests of the contents of all that a training reads; a base model brings its own tokenizer."""
    corpora = [name for name in config.corpora if name not in config.leave_out]
    files = {"topics": str(config.topics), "tag_rules": config.tag_rules, "cues": config.cues}
    if not config.base_model:
        files["tokenizer"] = str(Path(config.tokenizer) / TOKENIZER)
    return corpus_inputs(config.data, corpora) | file_inputs(files) | encoder_inputs(config)


def inputs_digest(config: FinetuneConfig) -> str:
    """Return a digest of everything that a finished training depends on: settings, contents of its inputs, and code."""
    return run_digest(config, run_inputs(config), FREE)


def open_tokenizer(config: FinetuneConfig) -> Tokenizer:
    """Return the tokenizer of the base model, or the one in the folder `tokenizer`."""
    if config.base_model:
        return open_base_tokenizer(config.base_model, config.preprocessing)
    return load_tokenizer(Path(config.tokenizer))


def write_model(
    folder: Path, window: int, network: Network, tokenizer: Tokenizer, topics: LabelMap, tags: TagLabels
) -> None:
    """Write a trained network in the layout of Hugging Face; `wusum train export` completes it for inference."""
    settings = network.encoder.config.to_dict() | {
        "id2label": dict(enumerate(topics.codes)),
        "label2id": {code: i for i, code in enumerate(topics.codes)},
        "wusum": {
            "topics": [
                {"code": code, "name_ar": ar, "name_en": en}
                for code, ar, en in zip(topics.codes, topics.names_ar, topics.names_en, strict=True)
            ],
            "tag_labels": len(tags.texts),
            "window": window,
        },
    }
    write_config(folder, settings)
    write_tag_labels(folder, tags.texts)
    tokenizer.save(str(folder / TOKENIZER))
    weights = {name: value.contiguous() for name, value in network.weights().items()}
    write_atomically(folder / WEIGHTS, lambda path: save_file(weights, path, metadata={"format": "pt"}))
