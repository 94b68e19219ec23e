"""Pretrain a BERT encoder by masked-language modelling on packed text, with `transformers.Trainer`.

Whole words are masked (Devlin et al., BERT, 2019, and its whole-word release): all pieces of a word together, most
of them replaced by [MASK], some by a random piece, some left. The vocabulary is scored at masked positions only.
"""

from __future__ import annotations

import math
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers
from numpy.typing import NDArray
from tokenizers import Tokenizer
from torch import Tensor, nn
from torch.nn import functional
from transformers import PreTrainedModel, Trainer, TrainingArguments
from transformers.trainer_utils import get_last_checkpoint

from wusum.train.config import pin
from wusum.train.curve import draw_history
from wusum.train.history import History
from wusum.train.nets.bert import look_at_neighbours, new_bert
from wusum.train.nets.optimizer import MuonAdamW

WORD_START = "▁"


@dataclass(frozen=True)
class PretrainConfig:
    """Settings of `wusum train pretrain`."""

    packed: Path
    """Folder that `wusum train packing` wrote."""
    tokenizer: Path
    """Folder with the `tokenizer.json` that it used."""
    output: Path
    """Folder for checkpoints, `history.jsonl` and `curve.svg`; the encoder goes to its `encoder/`, for `base_model`."""
    encoder: dict[str, Any] = field(default_factory=dict)
    """Shape of the BERT: hidden_size, num_hidden_layers, num_attention_heads, intermediate_size."""
    neighbours: bool = True
    """Whether the first layer's heads start on the neighbours of each token."""
    vectors: str = ""
    """File of word vectors that the embeddings start from."""
    vector_scale: float = 0.05
    """Standard deviation of the embeddings that start from vectors."""
    mask_share: float = 0.2
    """Share of the tokens that are masked."""
    batch_size: int = 64
    accumulation: int = 1
    """Batches whose gradients make one step."""
    steps: int = 5000
    learning_rate: float = 5e-4
    """Peak, of AdamW for embeddings, biases and norms; reached after the warm-up, kept, and brought to zero at the end,
    so that a run can be made longer."""
    matrix_rate: float = 0.02
    """The same of Muon for the matrices of the layers."""
    warmup_share: float = 0.05
    """Share of the steps in which the learning rate rises."""
    decay_share: float = 0.2
    """Share of the steps in which it falls."""
    weight_decay: float = 0.01
    bf16: bool = False
    """Compute in bfloat16; a gain on GPUs and on CPUs that have AVX512-BF16 or AMX, a loss elsewhere."""
    save_steps: int = 250
    eval_steps: int = 500
    eval_rows: int = 512
    """Rows of validation text that are scored, always the same with the same masks."""
    eval_mask_share: float = 0.2
    """Share of their tokens that is masked, so that runs with other shares in training can be compared."""
    seed: int = 13


class MaskedRows(torch.utils.data.Dataset[dict[str, NDArray[np.int64]]]):
    """Packed rows with whole words masked. Row i is masked the same way each time: a resumed run sees what an unbroken
    one sees."""

    def __init__(self, rows: NDArray[np.uint16], tokenizer: Tokenizer, mask_share: float, seed: int) -> None:
        self.rows, self.mask_share, self.seed = rows, mask_share, seed
        pieces = [tokenizer.id_to_token(i) or "" for i in range(tokenizer.get_vocab_size())]
        # WordPiece and BPE mark the pieces that go on with a word, unigram those that begin one.
        begins = any(piece.startswith(WORD_START) for piece in pieces)
        self.continues = np.array([p.startswith("##") or (begins and not p.startswith(WORD_START)) for p in pieces])
        self.special = np.array([piece.startswith("[") and piece.endswith("]") and len(piece) > 2 for piece in pieces])
        self.letters = np.array([len(piece.removeprefix("##").removeprefix(WORD_START)) for piece in pieces])
        self.mask = tokenizer.token_to_id("[MASK]")

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> dict[str, NDArray[np.int64]]:
        row = self.rows[index].astype(np.int64)
        generator = np.random.default_rng((self.seed, index))
        chosen = self.choose(row, generator)
        masked = row.copy()
        luck = generator.random(len(row))
        masked[chosen & (luck < 0.8)] = self.mask
        randomised = chosen & (luck >= 0.8) & (luck < 0.9)
        masked[randomised] = generator.integers(0, len(self.special), int(randomised.sum()))
        return {"input_ids": masked, "labels": np.where(chosen, row, -100)}

    def choose(self, row: NDArray[np.int64], generator: np.random.Generator) -> NDArray[np.bool_]:
        """Which tokens are to be guessed: whole words, `mask_share` of the row's tokens to within a word."""
        eligible = ~self.special[row]
        word_of = np.cumsum(~(self.continues[row] & eligible))
        found = np.unique(word_of[eligible])
        generator.shuffle(found)
        sizes = np.bincount(word_of[eligible])[found]
        wanted = self.mask_share * eligible.sum()
        count = int(np.searchsorted(np.cumsum(sizes), wanted)) + 1
        return np.asarray(eligible & np.isin(word_of, found[:count]))


class MaskedLanguageModel(nn.Module):
    """An encoder under the head of BERT's masked-language model; the output layer is the embedding matrix."""

    def __init__(self, encoder: PreTrainedModel, frequencies: NDArray[np.float64]) -> None:
        """`frequencies` [vocabulary] is how often each piece is seen; the first guess of a model that knows no more."""
        super().__init__()
        size = encoder.config.hidden_size
        self.encoder = encoder
        self.transform = nn.Sequential(nn.Linear(size, size), nn.GELU(), nn.LayerNorm(size))
        self.bias = nn.Parameter(torch.from_numpy(np.log(frequencies / frequencies.sum())).float())

    def forward(self, input_ids: Tensor, labels: Tensor) -> dict[str, Tensor]:
        """Mean loss in nats over the positions [rows, tokens] whose label is not -100."""
        hidden = self.encoder(input_ids=input_ids).last_hidden_state
        guessed = labels != -100
        embeddings = self.encoder.get_parameter("embeddings.word_embeddings.weight")
        logits = functional.linear(self.transform(hidden[guessed]), embeddings, self.bias)
        return {"loss": functional.cross_entropy(logits.float(), labels[guessed])}


def frequencies(rows: NDArray[np.uint16], special: NDArray[np.bool_], sample: int = 20_000) -> NDArray[np.float64]:
    """How often each piece stands in the first rows, at least half a time, special ones next to never."""
    counts = np.bincount(np.asarray(rows[:sample]).ravel(), minlength=len(special)) + 0.5
    return np.where(special, 0.5, counts)


def run(config: PretrainConfig, callbacks: Sequence[transformers.TrainerCallback] = ()) -> None:
    """Pretrain, or go on from the last checkpoint under `output`, and write the encoder to `output/encoder`."""
    pin(config, config.output, free=("packed", "steps", "save_steps", "eval_steps"))
    transformers.set_seed(config.seed)
    tokenizer = Tokenizer.from_file(str(config.tokenizer / "tokenizer.json"))
    train, validation = (
        MaskedRows(np.load(config.packed / f"{split}.npy", mmap_mode="r"), tokenizer, share, config.seed)
        for split, share in (("train", config.mask_share), ("validation", config.eval_mask_share))
    )
    scored = range(min(config.eval_rows, len(validation)))
    labels = np.concatenate([validation[i]["labels"] for i in scored])
    characters = float(validation.letters[labels[labels != -100]].mean())

    def derive(loss: float) -> dict[str, float]:
        return {"bits_per_character": loss / math.log(2) / characters}

    pad = tokenizer.token_to_id("[PAD]") or 0
    encoder = new_bert(
        config.encoder, tokenizer.get_vocab_size(), train.rows.shape[1], pad, config.vectors, config.vector_scale
    )
    if config.neighbours:
        look_at_neighbours(encoder)
    model = MaskedLanguageModel(encoder, frequencies(train.rows, train.special))
    trainer = Trainer(
        model=model,
        optimizers=(MuonAdamW(model, config.matrix_rate, config.learning_rate, config.weight_decay), None),
        args=TrainingArguments(
            output_dir=str(config.output),
            per_device_train_batch_size=config.batch_size,
            per_device_eval_batch_size=config.batch_size,
            gradient_accumulation_steps=config.accumulation,
            max_steps=config.steps,
            lr_scheduler_type="warmup_stable_decay",
            lr_scheduler_kwargs={"num_decay_steps": round(config.decay_share * config.steps), "decay_type": "linear"},
            warmup_steps=round(config.warmup_share * config.steps),
            bf16=config.bf16,
            use_cpu=not torch.cuda.is_available(),
            dataloader_pin_memory=torch.cuda.is_available(),
            dataloader_num_workers=0,
            eval_strategy="steps",
            eval_steps=config.eval_steps,
            prediction_loss_only=True,
            logging_steps=50,
            save_steps=config.save_steps,
            save_total_limit=2,
            seed=config.seed,
            report_to="none",
        ),
        train_dataset=train,
        eval_dataset=torch.utils.data.Subset(validation, scored),
        callbacks=[History(config.output / "history.jsonl", derive), *callbacks],
    )
    last = get_last_checkpoint(str(config.output))  # type: ignore[no-untyped-call]
    trainer.train(resume_from_checkpoint=last)
    tokens = config.batch_size * config.accumulation * train.rows.shape[1]
    draw_history(
        config.output / "history.jsonl", config.output / "curve.svg", key="bits_per_character", per_step=tokens / 1e6,
        title="bits per masked character, validation text", across="millions of tokens read",
    )  # fmt: skip
    # Pretraining may do without dropout; whoever fine-tunes the encoder elsewhere should find BERT's own.
    encoder.config.hidden_dropout_prob = encoder.config.attention_probs_dropout_prob = 0.1
    folder = config.output / "encoder"
    encoder.save_pretrained(folder)
    shutil.copyfile(config.tokenizer / "tokenizer.json", folder / "tokenizer.json")
