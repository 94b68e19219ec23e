"""The systems whose speed is compared; each is a function that runs once over all its articles."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import numpy as np

from wusum.eval.config import EvalConfig
from wusum.eval.processes import run_command
from wusum.model.network.encoder import Encoder
from wusum.model.network.runtime import Int8Runtime, available_cpus
from wusum.model.tagger import Tagger
from wusum.train.data.corpora import Example, LabelMap
from wusum.train.data.tokens import SpecialTokens, load_tokenizer

TORCH_SHARE = 20
"""The torch systems, which are slow, get the first window in this many."""

MIN_TORCH_WINDOWS = 64

INT8_COMMAND = "wusum tag, int8"
PIPELINE = "transformers.pipeline"

LINEAR_TRAINING = 4000
"""Articles, the first ones, that the linear model may learn from."""


@dataclass(frozen=True, slots=True)
class Rate:
    """The speed of a system in one turn."""

    system: str
    articles: float
    """Articles per second."""
    tokens: float | None = None
    """Tokens per second that went through the network, with special tokens, without padding."""
    peak_mib: float | None = None
    """Peak memory of its processes, MiB, as sampled; shared memory counts once for each process."""
    share: float | None = None
    """Its share of this machine's rate of float32 matrix products."""


System = Callable[[], Rate]
"""Runs a system once; the rate has no name yet."""


@dataclass(frozen=True, slots=True)
class Workload:
    """Articles to tag, in the forms that the systems take."""

    articles: Sequence[Example]
    windows: Sequence[list[int]]
    """Windows of token ids of all articles."""
    dump: Path
    """The articles as a JSON Lines file."""

    @property
    def tokens(self) -> int:
        """Tokens of all windows."""
        return sum(map(len, self.windows))


def command(workload: Workload, model: str | None, *options: str) -> System:
    """Return the whole command, from the start of its process to the end."""

    def run() -> Rate:
        output = workload.dump.with_name("out.jsonl")
        begin = time.perf_counter()
        peak = run_command(["tag", str(workload.dump), "-o", str(output), "--force", *options, *cpu_options(model)])
        seconds = time.perf_counter() - begin
        return Rate("", len(workload.articles) / seconds, workload.tokens / seconds, peak)

    return run


def cpu_options(model: str | None) -> list[str]:
    """Return the options of `wusum tag` that run a model on the CPU."""
    return ["--device", "cpu", *(["--model", model] if model else [])]


def network(workload: Workload, encoders: Sequence[Encoder], config: dict[str, Any]) -> System:
    """Return the network alone, with one single-threaded encoder for each processor, as `wusum tag` has.

    `config` is the model's parsed `config.json`.
    """
    windows = workload.windows
    size = min(max(len(windows) // (8 * len(encoders)), 1), 512)
    flops = sum(window_flops(config, len(window)) for window in windows)
    idle: SimpleQueue[Encoder] = SimpleQueue()
    for encoder in encoders:
        idle.put(encoder)

    def encode(start: int) -> None:
        encoder = idle.get()
        encoder.logits(windows[start : start + size])
        idle.put(encoder)

    def run() -> Rate:
        begin = time.perf_counter()
        with ThreadPoolExecutor(len(encoders)) as pool:
            list(pool.map(encode, range(0, len(windows), size)))
        seconds = time.perf_counter() - begin
        share = flops / seconds / 1e9 / matrix_rate()
        return Rate("", len(workload.articles) / seconds, workload.tokens / seconds, share=share)

    return run


def model_systems(workload: Workload, taggers: Sequence[Tagger], model: str | None) -> dict[str, System]:
    """Return the command and the network alone, with and without the other steps, in float32 and in int8."""
    folder = taggers[0].artifact.folder
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    return {
        "wusum tag": command(workload, model),
        "wusum tag, topics alone": command(workload, model, "--max-tags=0"),
        "network alone": network(workload, [tagger.encoder for tagger in taggers], config),
        **int8_systems(workload, folder, len(taggers), config, model),
    }


def int8_systems(
    workload: Workload, folder: Path, processors: int, config: dict[str, Any], model: str | None
) -> dict[str, System]:
    """Return the command and the network alone in 8-bit integers; nothing for a model without a graph for it."""
    if not (folder / Int8Runtime.graph).is_file():
        return {}
    taggers = [Tagger.from_pretrained(folder, runtime="int8", device="cpu", threads=1) for _ in range(processors)]
    return {
        INT8_COMMAND: command(workload, model, "--runtime=int8"),
        "network alone, int8": network(workload, [tagger.encoder for tagger in taggers], config),
    }


def linear(workload: Workload, config: EvalConfig) -> System:
    """Return a linear TF-IDF model, trained on the articles among the first ones that have exactly one topic."""
    from wusum.eval.baselines.topics import linear_model

    label_map = LabelMap.load(config.topics)
    training = [(e.text, label_map.topics(e.corpus, e.label)) for e in workload.articles[:LINEAR_TRAINING]]
    certain = [(text, topics[0]) for text, topics in training if len(topics) == 1]
    model = linear_model().fit([text for text, _ in certain], [topic for _, topic in certain])

    def run() -> Rate:
        begin = time.perf_counter()
        model.predict([example.text for example in workload.articles])
        return Rate("", len(workload.articles) / (time.perf_counter() - begin))

    return run


def torch_systems(workload: Workload, folder: Path, window: int) -> dict[str, System]:
    """Return `transformers.pipeline` and a plain loop over padded batches; they get a part of the windows.

    `window` is the length of the model's windows in tokens.
    """
    import torch
    from transformers import AutoModel, PreTrainedTokenizerFast, pipeline

    torch.set_num_threads(available_cpus())
    part = workload.windows[: max(len(workload.windows) // TORCH_SHARE, MIN_TORCH_WINDOWS)]
    articles = len(part) * len(workload.articles) / len(workload.windows)
    encoder = AutoModel.from_pretrained(folder, trust_remote_code=False).float().eval()
    own = load_tokenizer(folder)
    pad = own.id_to_token(SpecialTokens.of(own).pad)
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=own, pad_token=pad)  # type: ignore[no-untyped-call]
    texts: list[Any] = [tokenizer.decode(ids, skip_special_tokens=True) for ids in part]
    tokens = sum(map(len, part))

    def pipelined(batch_size: int) -> System:
        extract = pipeline("feature-extraction", model=encoder, tokenizer=tokenizer, device="cpu")
        options = {"truncation": True, "max_length": window}

        def run() -> Rate:
            begin = time.perf_counter()
            for _ in extract(texts, batch_size=batch_size, return_tensors=True, tokenize_kwargs=options):
                pass
            seconds = time.perf_counter() - begin
            return Rate("", articles / seconds, tokens / seconds)

        return run

    def eager() -> Rate:
        begin = time.perf_counter()
        with torch.inference_mode():
            for start in range(0, len(part), 32):
                batch = part[start : start + 32]
                longest = max(map(len, batch))
                ids = torch.tensor([window + [0] * (longest - len(window)) for window in batch])
                mask = torch.tensor([[1] * len(window) + [0] * (longest - len(window)) for window in batch])
                encoder(input_ids=ids, attention_mask=mask)
        seconds = time.perf_counter() - begin
        return Rate("", articles / seconds, tokens / seconds)

    return {
        f"{PIPELINE}, batch 1": pipelined(1),
        f"{PIPELINE}, batch 32": pipelined(32),
        "eager torch, batch 32": eager,
    }


def matrix_rate(size: int = 1024, seconds: float = 1.0) -> float:
    """Return the best of several measurements of the machine's rate of float32 matrix products, GFLOP/s."""
    a, b = np.ones((size, size), np.float32), np.ones((size, size), np.float32)
    best, end = 0.0, time.perf_counter() + seconds
    while time.perf_counter() < end:
        begin = time.perf_counter()
        a @ b
        best = max(best, 2 * size**3 / (time.perf_counter() - begin) / 1e9)
    return best


def window_flops(config: dict[str, Any], tokens: int) -> float:
    """Return the floating-point operations of the encoder's matrix products for a window of `tokens` tokens."""
    hidden, inner = config["hidden_size"], config["intermediate_size"]
    per_token = 2 * (4 * hidden**2 + 2 * hidden * inner) + 4 * tokens * hidden
    return float(config["num_hidden_layers"] * tokens * per_token)
