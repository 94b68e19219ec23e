"""Pretrain an encoder to tell which passages are of one article, with `transformers.Trainer`.

Title and body, or two places of a body, are pooled to one vector each; of the batch's articles, which are all of one
corpus, the right one is to be found (InfoNCE: van den Oord et al. 2018; two crops of a document: Izacard et al.,
"Unsupervised dense information retrieval with contrastive learning", 2022). What a text is about is what tells it from
others of its outlet: masked-language modelling must learn the language first.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
import transformers
from tokenizers import Tokenizer
from torch import Tensor, nn
from torch.nn import functional
from transformers import AutoModel, PreTrainedModel, Trainer, TrainerCallback, TrainingArguments
from transformers.trainer_utils import get_last_checkpoint

from wusum.model.errors import ConfigError
from wusum.model.network.module import mean_pool, pooling
from wusum.train.config import pin
from wusum.train.curve import draw_history
from wusum.train.data.anonymiser import Anonymiser
from wusum.train.data.corpora import Example, examples
from wusum.train.data.pairs import Documents, PairBatches, PairCollator
from wusum.train.history import History
from wusum.train.nets.bert import new_bert
from wusum.train.stages.packing import Deduplicator

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ContrastConfig:
    """Settings of `wusum train contrast`."""

    data: Path
    """Folder of the corpora."""
    tokenizer: Path
    """Folder with `tokenizer.json`."""
    output: Path
    """Folder for checkpoints, `history.jsonl` and `curve.svg`; the encoder goes to its `encoder/`, for `base_model`."""
    corpora: list[str]
    """Corpora to read; labels are not looked at."""
    base_model: str = ""
    """Folder of an encoder to go on from, such as one that was pretrained by masks; empty makes a new one."""
    encoder: dict[str, Any] = field(default_factory=dict)
    """Shape of a new BERT: hidden_size, num_hidden_layers, num_attention_heads, intermediate_size."""
    vectors: str = ""
    """File of word vectors that a new encoder's embeddings start from."""
    vector_scale: float = 0.05
    """Standard deviation of the embeddings that start from vectors."""
    outlet_names: list[str] = field(default_factory=list)
    """Names taken out of the bodies, with their datelines."""
    max_shared: float = 0.5
    """Near-duplicates are dropped, as in packing: they could not be told apart."""
    window: int = 128
    """Tokens of the longer passage, with its two special ones."""
    title_share: float = 0.7
    """How often the title is the shorter passage, where there is one."""
    temperature: float = 0.07
    """What cosines are divided by."""
    batch_size: int = 64
    steps: int = 1500
    learning_rate: float = 5e-4
    """Peak; reached after the warm-up, kept, and brought to zero at the end."""
    warmup_share: float = 0.03
    decay_share: float = 0.3
    weight_decay: float = 0.01
    bf16: bool = False
    """Compute in bfloat16; a gain on GPUs and on CPUs that have AVX512-BF16 or AMX, a loss elsewhere."""
    save_steps: int = 250
    eval_steps: int = 250
    eval_batches: int = 12
    """Batches of validation articles that are scored, always the same."""
    seed: int = 13
    max_rows: int = 0
    """Stop reading a corpus after so many rows, for a trial; 0 reads all."""


class TwinEncoder(nn.Module):
    """An encoder that embeds both sides of a batch of pairs."""

    def __init__(self, encoder: PreTrainedModel, temperature: float) -> None:
        super().__init__()
        self.encoder, self.temperature = encoder, temperature
        size = encoder.config.hidden_size
        self.projection = nn.Linear(size, size)  # kept apart, so that what suits the task alone stays out
        nn.init.eye_(self.projection.weight)
        nn.init.zeros_(self.projection.bias)

    def embed(self, ids: Tensor, mask: Tensor) -> Tensor:
        """Unit vectors [passages, hidden] of ids and mask [passages, tokens]."""
        hidden = self.encoder(input_ids=ids, attention_mask=mask).last_hidden_state
        return functional.normalize(self.projection(mean_pool(hidden, mask)).float(), dim=-1)

    def forward(self, short_ids: Tensor, short_mask: Tensor, long_ids: Tensor, long_mask: Tensor) -> dict[str, Tensor]:
        """Mean loss in nats of finding the long passage by the short one, and the other way round."""
        cosines = self.embed(short_ids, short_mask) @ self.embed(long_ids, long_mask).T
        right = torch.arange(len(cosines), device=cosines.device)
        logits = cosines.float() / self.temperature
        return {"loss": (functional.cross_entropy(logits, right) + functional.cross_entropy(logits.T, right)) / 2}


def documents(config: ContrastConfig, tokenizer: Tokenizer, split: str) -> Documents:
    """The articles of a split without near-duplicates, kept in `output` for the next start."""
    path = config.output / f"{split}.npz"
    if path.is_file():
        return Documents.load(path)
    deduplicator = Deduplicator(config.max_shared)
    anonymised = Anonymiser(config.outlet_names) if config.outlet_names else str

    def read() -> Iterator[tuple[int, Example]]:
        for number, corpus in enumerate(config.corpora):
            for i, example in enumerate(examples(config.data, corpus, [split])):
                if i == config.max_rows > 0:
                    break
                if deduplicator.is_new(example.text):
                    yield number, replace(example, body=anonymised(example.body))

    found = Documents.tokenise(tokenizer, read())
    log.info("%s: %d articles, %d of them with a title", split, len(found), int((found.titles > 0).sum()))
    scratch = path.with_suffix(".part.npz")
    found.save(scratch)
    scratch.replace(path)
    return found


def start(config: ContrastConfig, vocab_size: int, pad: int) -> PreTrainedModel:
    """The encoder to begin with: one that was pretrained before, or a new one."""
    if not config.base_model:
        return new_bert(config.encoder, vocab_size, config.window, pad, config.vectors, config.vector_scale)
    shape = transformers.AutoConfig.from_pretrained(config.base_model, trust_remote_code=False)
    encoder: PreTrainedModel = AutoModel.from_pretrained(
        config.base_model, trust_remote_code=False, **pooling(shape.to_dict())
    )
    if shape.vocab_size != vocab_size:
        raise ConfigError(f"{config.base_model}: {shape.vocab_size} pieces, {config.tokenizer} has {vocab_size}")
    return encoder


def run(config: ContrastConfig, callbacks: Sequence[TrainerCallback] = ()) -> None:
    """Pretrain, or go on from the last checkpoint under `output`, and write the encoder to `output/encoder`."""
    pin(config, config.output, free=("data", "save_steps", "eval_steps"))
    transformers.set_seed(config.seed)
    tokenizer = Tokenizer.from_file(str(config.tokenizer / "tokenizer.json"))
    special, pad = tokenizer.encode("").ids, tokenizer.token_to_id("[PAD]") or 0
    encoder = start(config, tokenizer.get_vocab_size(), pad)
    dropout = encoder.config.hidden_dropout_prob
    train, validation = (
        PairBatches(
            documents(config, tokenizer, split), config.batch_size, batches, config.window - len(special),
            config.title_share, config.seed,
        )
        for split, batches in (("train", config.steps), ("validation", config.eval_batches))
    )  # fmt: skip
    trainer = Trainer(
        model=TwinEncoder(encoder, config.temperature),
        args=TrainingArguments(
            output_dir=str(config.output),
            per_device_train_batch_size=1,  # of PairBatches
            per_device_eval_batch_size=1,
            max_steps=config.steps,
            learning_rate=config.learning_rate,
            adam_beta2=0.98,
            weight_decay=config.weight_decay,
            lr_scheduler_type="warmup_stable_decay",
            lr_scheduler_kwargs={"num_decay_steps": round(config.decay_share * config.steps), "decay_type": "linear"},
            warmup_steps=round(config.warmup_share * config.steps),
            bf16=config.bf16,
            use_cpu=not torch.cuda.is_available(),
            dataloader_pin_memory=torch.cuda.is_available(),
            remove_unused_columns=False,
            eval_strategy="steps",
            eval_steps=config.eval_steps,
            label_names=["long_ids"],  # without labels a Trainer scores no validation
            prediction_loss_only=True,
            logging_steps=50,
            save_steps=config.save_steps,
            save_total_limit=2,
            seed=config.seed,
            report_to="none",
        ),
        data_collator=PairCollator(special[:1], special[1:], pad),
        train_dataset=train,
        eval_dataset=validation,
        callbacks=[History(config.output / "history.jsonl"), *callbacks],
    )
    last = get_last_checkpoint(str(config.output))  # type: ignore[no-untyped-call]
    trainer.train(resume_from_checkpoint=last)
    draw_history(
        config.output / "history.jsonl", config.output / "curve.svg", key="eval_loss", per_step=config.batch_size / 1e3,
        title=f"nats to find an article among {config.batch_size}, validation", across="thousands of articles read",
    )  # fmt: skip
    # Pretraining may do without dropout; whoever fine-tunes the encoder elsewhere should find BERT's own.
    encoder.config.hidden_dropout_prob = encoder.config.attention_probs_dropout_prob = dropout or 0.1
    folder = config.output / "encoder"
    encoder.save_pretrained(folder)
    shutil.copyfile(config.tokenizer / "tokenizer.json", folder / "tokenizer.json")
