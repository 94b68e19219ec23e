"""Fine-tune an encoder with its three heads on all corpora at once, with `transformers.Trainer`.

Topics are learned from *sets* of topics (partial labels): the loss is minus the log of the summed probability of the
set that a label can mean (Jin and Ghahramani, "Learning with multiple labels", NIPS 2002). Tags are learned as
a softmax over the tag vocabulary with the editor's tags as equally likely targets. Phrases and names that stand in the
text are learned token by token.
"""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
import transformers
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer
from torch import Tensor, nn
from torch.nn import functional
from transformers import AutoConfig, AutoModel, PreTrainedModel, Trainer, TrainerCallback, TrainingArguments
from transformers.trainer_utils import get_last_checkpoint
from transformers.utils.hub import cached_file

from wusum.model.errors import ConfigError
from wusum.model.network.module import Network, pooling
from wusum.model.network.spans import MARKS
from wusum.model.text.words import match_key
from wusum.train.config import pin
from wusum.train.data.corpora import LabelMap
from wusum.train.data.preprocessing import add_preprocessing
from wusum.train.data.windows import UNKNOWN, Collator, TagLabels, Windows, drawn, training_rows
from wusum.train.nets.bert import new_bert

log = logging.getLogger(__name__)
FREE = ("data", "cache", "save_steps")
"""Settings that may change when a training goes on."""


@dataclass(frozen=True)
class FinetuneConfig:
    """Settings of `wusum train finetune`."""

    data: Path
    """Folder of the corpora."""
    output: Path
    """Folder for checkpoints; the finished artefact goes to its `model/`."""
    topics: Path
    """The label map."""
    corpora: dict[str, float]
    """How often each corpus is seen; 0.5 is half of its articles once."""
    tokenizer: str = ""
    """Folder with `tokenizer.json`; not needed with `base_model`."""
    base_model: str = ""
    """Hub id or folder of a pretrained encoder; empty trains a new one of the shape in `encoder`."""
    keep_heads: bool = False
    """Go on with the heads of `base_model`, the folder of a model that was made here, too."""
    preprocessing: str = "auto"
    """What the text goes through before the base model's own tokenizer: none, arabert, or auto, by the model's name."""
    encoder: dict[str, Any] = field(default_factory=dict)
    """Shape of a new BERT: hidden_size, num_hidden_layers, num_attention_heads, intermediate_size."""
    vectors: str = ""
    """File of word vectors that a new encoder's embeddings start from."""
    vector_scale: float = 0.05
    """Standard deviation of the embeddings that start from vectors."""
    cues: str = ""
    """File of headline cues that label what no label does, and narrow what a label leaves open."""
    outlet_names: list[str] = field(default_factory=list)
    """Names taken out of the bodies, with their datelines, so that no outlet stands for a topic; none leaves both."""
    title_dropout: float = 0.0
    """How often the title is left out."""
    token_dropout: float = 0.0
    """Share of the tokens that are hidden behind the tokenizer's mask: of a row the same ones in each epoch."""
    dropout: float = 0.1
    """Share of the activations within the encoder that are dropped, whatever its own configuration says."""
    window: int = 128
    """Tokens that the encoder reads at once, with its two special tokens."""
    max_tokens: int = 512
    """Tokens of an article from which windows are drawn."""
    lead_share: float = 0.7
    """How often the window is the beginning of the article; else it begins anywhere."""
    tag_min_count: int = 5
    """Training articles that a tag needs to get a label of its own in the tag head."""
    tag_weight: float = 0.5
    """Weight of the tag loss beside the topic loss."""
    span_weight: float = 1.0
    """Weight of the loss of marked phrases and names."""
    tag_holdout: float = 0.125
    """Share of the tagged articles kept apart, on which the ranking of tags is fitted afterwards."""
    batch_size: int = 32
    learning_rate: float = 5e-4
    epochs: float = 1.0
    warmup_share: float = 0.1
    weight_decay: float = 0.01
    bf16: bool = False
    """Compute in bfloat16; a gain on GPUs and on CPUs that have AVX512-BF16 or AMX, a loss elsewhere."""
    save_steps: int = 500
    cache: Path = Path("runs/rows")
    """Folder that keeps the tokenised articles for other trainings on them."""
    seed: int = 13
    max_rows: int = 0
    """Stop reading a corpus after so many rows, for a trial; 0 reads all."""
    leave_out: list[str] = field(default_factory=list)
    """Corpora not to read, though listed: to measure on them how the rest carries over."""
    before: str = ""
    """Leave out articles dated from here on, such as 2024-05: to measure on them how the rest lasts."""
    budget: int = 0
    """Windows to train on in all, drawn from those that `corpora` asks for; 0 is all of them."""


class HeadsTrainer(Trainer):
    """A Trainer with the losses of all heads."""

    tag_weight = span_weight = 1.0

    def compute_loss(self, model: Any, inputs: dict[str, Tensor], *_: Any, **__: Any) -> Tensor:
        """Scalar loss of a batch."""
        topic_logits, tag_logits, span_logits = model(inputs["input_ids"], inputs["attention_mask"])
        return (
            topic_loss(topic_logits.float(), inputs["topics"])
            + self.tag_weight * tag_loss(tag_logits.float(), inputs["tags"])
            + self.span_weight * span_loss(span_logits.float(), inputs["marks"])
        )


def topic_loss(logits: Tensor, sets: Tensor) -> Tensor:
    """Mean over the labelled rows of -log P(set); `logits` and multi-hot `sets` are [rows, topics]."""
    labelled = sets.any(-1)
    if not labelled.any():
        return logits.sum() * 0
    logits, sets = logits[labelled], sets[labelled]
    inside = logits.masked_fill(sets == 0, -torch.inf).logsumexp(-1)
    return (logits.logsumexp(-1) - inside).mean()


def tag_loss(logits: Tensor, tags: Tensor) -> Tensor:
    """Mean over the tagged rows of the cross-entropy with their tags as equally likely; both are [rows, tags]."""
    tagged = tags.any(-1)
    if not tagged.any():
        return logits.sum() * 0
    targets = tags[tagged] / tags[tagged].sum(-1, keepdim=True)
    return -(targets * logits[tagged].log_softmax(-1)).sum(-1).mean()


def span_loss(logits: Tensor, marks: Tensor) -> Tensor:
    """Mean over the marked tokens of the cross-entropy with their marks, [rows, tokens, kinds], given logits [rows,
    tokens, kinds * marks]."""
    known = marks != UNKNOWN
    if not known.any():
        return logits.sum() * 0
    return functional.cross_entropy(logits.reshape(*marks.shape, len(MARKS))[known], marks[known])


def new_encoder(config: FinetuneConfig, vocab_size: int, pad: int) -> PreTrainedModel:
    """The encoder to train: a pretrained one, or a new BERT whose embeddings start from word vectors."""
    if config.base_model:
        base = AutoConfig.from_pretrained(config.base_model, trust_remote_code=False)
        pretrained: PreTrainedModel = AutoModel.from_pretrained(
            config.base_model, trust_remote_code=False, dtype=torch.float32, **pooling(base.to_dict())
        )
        return pretrained
    return new_bert(config.encoder, vocab_size, config.window, pad, config.vectors, config.vector_scale)


def set_dropout(encoder: PreTrainedModel, share: float) -> None:
    """Let each dropout of an encoder, also that of its attention, drop this share; none is added."""
    for module in encoder.modules():
        if isinstance(module, nn.Dropout):
            module.p = share
        elif isinstance(getattr(module, "attention_dropout", None), float):  # ModernBERT's
            module.attention_dropout = share  # type: ignore[assignment]


def mask_token(tokenizer: Tokenizer) -> int:
    """Id of the token that stands for a hidden one; raises ConfigError where the tokenizer has none."""
    found = next((i for i in map(tokenizer.token_to_id, ("[MASK]", "<mask>")) if i is not None), None)
    if found is None:
        raise ConfigError("token_dropout: the tokenizer has neither [MASK] nor <mask>; set it to 0")
    return found


def load_tokenizer(config: FinetuneConfig) -> Tokenizer:
    """The tokenizer of the base model, with the preprocessing that the model was trained with, or our own."""
    if config.base_model:
        # The file itself where there is one: building a tokenizer anew may put another normaliser in its place.
        file = cached_file(config.base_model, "tokenizer.json", _raise_exceptions_for_missing_entries=False)
        if file is not None:
            tokenizer = Tokenizer.from_file(str(file))
        else:
            fast = transformers.AutoTokenizer.from_pretrained(config.base_model, trust_remote_code=False)
            tokenizer = Tokenizer.from_str(fast.backend_tokenizer.to_str())
        add_preprocessing(tokenizer, config.preprocessing, config.base_model)
        return tokenizer
    return Tokenizer.from_file(str(Path(config.tokenizer) / "tokenizer.json"))


def load_heads(network: Network, folder: Path, topics: LabelMap, tags: TagLabels) -> None:
    """Give a network the heads of a model that was made here; raises ConfigError where they are of other labels."""
    try:
        settings = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        codes = [topic["code"] for topic in settings["wusum"]["topics"]]
        labels = json.loads((folder / "tag_labels.json").read_text(encoding="utf-8"))
        weights = load_file(folder / "model.safetensors")
    except (OSError, KeyError) as error:
        raise ConfigError(f"{folder}: no heads of a fine-tuned model to keep: {error}") from error
    keys, ours = list(map(match_key, labels)), list(tags.index)
    for kind, same in (("topics", codes == list(topics.codes)), ("tags", keys == ours)):
        if not same:
            raise ConfigError(f"{folder}: its heads are of other {kind}; leave keep_heads out, and new ones are made")
    for name in ("topic_head", "tag_head", "span_head"):
        head = network.get_submodule(name)
        head.load_state_dict({part: weights[f"{name}.{part}"].float() for part in ("weight", "bias")})


def run(config: FinetuneConfig, callbacks: Sequence[TrainerCallback] = ()) -> None:
    """Train, or go on from the last checkpoint under `output`, and write the model to `output/model`."""
    pin(config, config.output, free=FREE)
    transformers.set_seed(config.seed)
    topics = LabelMap.load(config.topics)
    tokenizer = load_tokenizer(config)
    tokenizer.no_truncation()
    tokenizer.no_padding()
    mask = mask_token(tokenizer) if config.token_dropout else 0
    articles = training_rows(config, tokenizer, topics)
    tags = TagLabels.count(articles["tags"], config.tag_min_count)
    rows = articles.select(drawn(config, articles["corpus"]))
    log.info("%d rows, %d tag labels, %s", len(rows), len(tags.texts), dict(Counter(rows["corpus"])))

    special = tokenizer.encode("").ids
    pad = tokenizer.token_to_id("[PAD]") or 0
    network = Network(new_encoder(config, tokenizer.get_vocab_size(), pad), len(topics.keys), len(tags.texts))
    set_dropout(network.encoder, config.dropout)
    if config.keep_heads:
        load_heads(network, Path(config.base_model), topics, tags)
    steps = int(len(rows) / config.batch_size * config.epochs)
    trainer = HeadsTrainer(
        model=network,
        args=TrainingArguments(
            output_dir=str(config.output),
            per_device_train_batch_size=config.batch_size,
            num_train_epochs=config.epochs,
            learning_rate=config.learning_rate,
            lr_scheduler_type="linear",
            warmup_steps=int(config.warmup_share * steps),
            weight_decay=config.weight_decay,
            bf16=config.bf16,
            use_cpu=not torch.cuda.is_available(),
            remove_unused_columns=False,
            logging_steps=50,
            save_steps=config.save_steps,
            save_total_limit=2,
            seed=config.seed,
            report_to="none",
            dataloader_pin_memory=torch.cuda.is_available(),
        ),
        train_dataset=Windows(
            rows,
            config.window - len(special),
            config.lead_share,
            config.seed,
            title_dropout=config.title_dropout,
            token_dropout=config.token_dropout,
            mask=mask,
        ),
        data_collator=Collator(special[:1], special[1:], pad, len(topics.keys), tags),
    )
    trainer.tag_weight, trainer.span_weight = config.tag_weight, config.span_weight
    for callback in callbacks:
        trainer.add_callback(callback)
    last = get_last_checkpoint(str(config.output))  # type: ignore[no-untyped-call]
    trainer.train(resume_from_checkpoint=last)
    write_model(config, network, tokenizer, topics, tags)
    curve = [[e["step"] * config.batch_size, e["loss"]] for e in trainer.state.log_history if "loss" in e]
    (config.output / "model" / "history.json").write_text(json.dumps(curve), encoding="utf-8")


def write_model(
    config: FinetuneConfig, network: Network, tokenizer: Tokenizer, topics: LabelMap, tags: TagLabels
) -> None:
    """Write what training made in Hugging Face layout; `wusum train export` completes it for inference."""
    folder = config.output / "model"
    folder.mkdir(parents=True, exist_ok=True)
    settings = network.encoder.config.to_dict() | {
        "id2label": dict(enumerate(topics.codes)),
        "label2id": {code: i for i, code in enumerate(topics.codes)},
        "wusum": {
            "topics": [
                {"code": code, "name_ar": ar, "name_en": en}
                for code, ar, en in zip(topics.codes, topics.names_ar, topics.names_en, strict=True)
            ],
            "tag_labels": len(tags.texts),
            "window": config.window,
        },
    }
    (folder / "config.json").write_text(json.dumps(settings, ensure_ascii=False, indent=1), encoding="utf-8")
    (folder / "tag_labels.json").write_text(json.dumps(tags.texts, ensure_ascii=False), encoding="utf-8")
    tokenizer.save(str(folder / "tokenizer.json"))
    weights = {name: value.contiguous() for name, value in network.weights().items()}
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
