"""How fast: the whole command, the network alone, and what else one could run the same weights with.

All systems get their articles in turns, so that a machine that slows down slows all of them; a rate is the median of
the turns. All run on the CPU, also where there is a GPU. torch's systems get ready-made windows of text, without
parsing, heads, tags or output: less work than `wusum tag` does; and as they are slow, a part of the windows alone.
"""

from __future__ import annotations

import gzip
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from functools import partial
from itertools import islice
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import numpy as np

from wusum.eval.config import EvalConfig
from wusum.model.article import Article
from wusum.model.network.artifact import BUNDLED
from wusum.model.network.runtime import Int8Runtime, available_cpus
from wusum.model.run.workers import MOST
from wusum.model.tagger import Tagger
from wusum.train.data.corpora import Example, LabelMap, examples

SLOW = 20
"""torch's systems get the first window in so many: the first twentieth of them."""

IN_INTEGERS = "wusum tag, int8"

SHORT = 20
"""Words of the articles on which memory is measured: many of them are soon tagged."""

LATENCIES = 200
"""Articles that are tagged one by one."""


@dataclass(frozen=True, slots=True)
class Rate:
    """What a system did in a turn."""

    system: str
    articles: float
    """Articles a second."""
    tokens: float | None = None
    """Tokens a second that went through the network, special ones included, padding not."""
    peak_mib: float | None = None
    """The most memory that its processes held together, as sampled; what they share is counted for each."""
    share: float | None = None
    """Its part of the rate of matrix products that was measured on this machine."""


def sample(config: EvalConfig, count: int) -> list[Example]:
    """Training articles of all corpora that topics are measured on, in turns, until there are enough."""
    sources = [examples(config.data, corpus) for corpus in (*config.topic_labels, *config.transfer_labels)]
    return list(islice(_in_turns(sources), count))


def _in_turns(sources: list[Iterator[Example]]) -> Iterator[Example]:
    while sources:
        for source in list(sources):
            if (example := next(source, None)) is None:
                sources.remove(source)
            else:
                yield example


def bench(
    config: EvalConfig,
    model: str | None,
    count: int,
    turns: int,
    memory: int | None = None,
    note: Callable[[str], None] = print,
) -> dict[str, Any]:
    """Run every system so many times; `note` is told what comes next. Raises CorpusError where there is no corpus.

    With `memory` a number of articles, also how memory grows to it from a tenth of that.
    """
    found = sample(config, count)
    folder = Path(model) if model else BUNDLED
    processors = min(available_cpus(), MOST)
    taggers = [Tagger.from_pretrained(model, device="cpu", threads=1) for _ in range(processors)]
    tagger = taggers[0]
    windows = _windows(tagger, [example.article() for example in found])
    with tempfile.TemporaryDirectory() as scratch:
        dump = _dump(Path(scratch) / "dump.jsonl", (example.article() for example in found))
        command = partial(_command, dump, Path(scratch), model, len(found), windows)
        systems: dict[str, Callable[[], Rate]] = {
            "wusum tag": command,
            "wusum tag, topics alone": lambda: command("--max-tags=0"),
            "network alone": lambda: _network(taggers, windows, len(found)),
            **_integer_systems(command, tagger.artefact.folder, processors, windows, len(found)),
            "linear TF-IDF": _linear(config, found),
            **_torch_systems(folder, tagger, windows, len(found)),
        }
        made: dict[str, list[Rate]] = {name: [] for name in systems}
        for turn in range(turns):
            for name, run in systems.items():
                note(f"{name}, turn {turn + 1} of {turns}")
                made[name].append(replace(run(), system=name))
        note("latency and start-up")
        rates = [_median(rates) for rates in made.values()]
        return {
            "articles": len(found),
            "words": sum(len(e.text.split()) for e in found) / len(found),
            "tokens": sum(map(len, windows)) / len(found),
            "processors": available_cpus(),
            "matrix_products_gflops": matrix_rate(),
            "times_pipeline": times_pipeline(rates),
            **({"times_pipeline_int8": times_pipeline(rates, IN_INTEGERS)} if IN_INTEGERS in systems else {}),
            "tags_add": tags_add(rates),
            "rates": [asdict(rate) for rate in rates],
            "turns": [asdict(rate) for rates in made.values() for rate in rates],
            **_latency(Tagger.from_pretrained(model, device="cpu"), found),
            **_start(dump, model),
            **(_memory(Path(scratch), model, found, memory, note) if memory else {}),
        }


def _dump(path: Path, articles: Iterable[Article]) -> Path:
    with gzip.open(path, "wt", encoding="utf-8") if path.suffix == ".gz" else path.open("w", encoding="utf-8") as file:
        for article in articles:
            row = {"id": article.id, "title": article.title, "text": article.body}
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
    return path


def matrix_rate(size: int = 1024, seconds: float = 1.0) -> float:
    """The machine's rate of float32 matrix products, GFLOP/s, best of several."""
    a, b = np.ones((size, size), np.float32), np.ones((size, size), np.float32)
    best, end = 0.0, time.perf_counter() + seconds
    while time.perf_counter() < end:
        begin = time.perf_counter()
        a @ b
        best = max(best, 2 * size**3 / (time.perf_counter() - begin) / 1e9)
    return best


def window_flops(settings: dict[str, Any], tokens: int) -> float:
    """Floating-point operations of the encoder's matrix products for a window of so many tokens."""
    hidden, inner = settings["hidden_size"], settings["intermediate_size"]
    per_token = 2 * (4 * hidden**2 + 2 * hidden * inner) + 4 * tokens * hidden
    return float(settings["num_hidden_layers"] * tokens * per_token)


def _windows(tagger: Tagger, articles: Sequence[Article]) -> list[list[int]]:
    return [window for article in articles for window in tagger.windows(article)]


def _command(
    dump: Path, scratch: Path, model: str | None, count: int, windows: Sequence[list[int]], *options: str
) -> Rate:
    """The whole run, from the start of the process to its end."""
    out = scratch / "out.jsonl"
    begin = time.perf_counter()
    peak = _run(["tag", str(dump), "-o", str(out), "--force", *options, *_on_cpu(model)])
    seconds = time.perf_counter() - begin
    return Rate("", count / seconds, sum(map(len, windows)) / seconds, peak)


def _on_cpu(model: str | None) -> list[str]:
    return ["--device", "cpu", *(["--model", model] if model else [])]


def _run(arguments: Sequence[str]) -> float:
    """The peak memory, MiB, of a `wusum` command and its workers."""
    process = subprocess.Popen(
        [sys.executable, "-c", "from wusum.model.cli import main; main()", *arguments],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    peak = 0.0
    while process.poll() is None:
        peak = max(peak, sum(map(_resident, _family(process.pid))))
        time.sleep(0.05)
    if process.returncode:
        raise RuntimeError(f"wusum {' '.join(arguments)}: exit status {process.returncode}")
    return peak


def _memory(
    scratch: Path, model: str | None, found: Sequence[Example], count: int, note: Callable[[str], None]
) -> dict[str, float]:
    """The peak memory, MiB, of two workers on so many short articles, and on a tenth of them."""
    few = count // 10
    peaks = []
    for number in (few, count):
        note(f"memory of {number:,} articles")
        dump = _dump(scratch / f"{number}.jsonl.gz", short_articles(found, number))
        output = str(scratch / "short.jsonl")
        peaks.append(_run(["tag", str(dump), "-o", output, "--force", "--workers=2", *_on_cpu(model)]))
    return {"memory_articles": count, "memory_mib": peaks[1], "memory_mib_of_a_tenth": peaks[0]}


def short_articles(found: Sequence[Example], count: int) -> Iterator[Article]:
    """So many articles of SHORT words, cut from all over those that there are."""
    for number in range(count):
        words = found[number % len(found)].body.split()
        at = SHORT * (number // len(found)) % max(len(words) - SHORT, 1)
        yield Article(id=str(number), body=" ".join(words[at : at + SHORT]))


def _family(process: int) -> list[int]:
    """A process and all that it has started, as far as Linux says."""
    try:
        children = Path(f"/proc/{process}/task/{process}/children").read_text(encoding="ascii").split()
    except OSError:
        return [process]
    return [process, *(member for child in children for member in _family(int(child)))]


def _resident(process: int) -> float:
    """The memory, MiB, that a process holds; 0 where it has ended."""
    try:
        pages = int(Path(f"/proc/{process}/statm").read_text(encoding="ascii").split()[1])
    except OSError:
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def _network(taggers: Sequence[Tagger], windows: Sequence[list[int]], count: int) -> Rate:
    """One network for each processor, of one thread each, as the workers of `wusum tag` have it."""
    settings = json.loads((taggers[0].artefact.folder / "config.json").read_text(encoding="utf-8"))
    size = min(max(len(windows) // (8 * len(taggers)), 1), 512)
    idle: SimpleQueue[Tagger] = SimpleQueue()
    for tagger in taggers:
        idle.put(tagger)

    def run(start: int) -> None:
        tagger = idle.get()
        tagger.logits(windows[start : start + size])
        idle.put(tagger)

    begin = time.perf_counter()
    with ThreadPoolExecutor(len(taggers)) as pool:
        list(pool.map(run, range(0, len(windows), size)))
    seconds = time.perf_counter() - begin
    flops = sum(window_flops(settings, len(window)) for window in windows)
    share = flops / seconds / 1e9 / matrix_rate()
    return Rate("", count / seconds, sum(map(len, windows)) / seconds, share=share)


def _integer_systems(
    command: Callable[..., Rate], folder: Path, processors: int, windows: Sequence[list[int]], count: int
) -> dict[str, Callable[[], Rate]]:
    """The whole command and the network in 8-bit integers, where the model has a graph for it."""
    if not (folder / Int8Runtime.graph).is_file():
        return {}
    opening: dict[str, Any] = {"runtime": "int8", "device": "cpu", "threads": 1}
    taggers = [Tagger.from_pretrained(folder, **opening) for _ in range(processors)]
    return {
        IN_INTEGERS: lambda: command("--runtime=int8"),
        "network alone, int8": lambda: _network(taggers, windows, count),
    }


def _linear(config: EvalConfig, found: Sequence[Example]) -> Callable[[], Rate]:
    """A linear model, trained on those of the first articles that have one topic."""
    from wusum.eval.baselines.topics import linear_model

    label_map = LabelMap.load(config.topics)
    labelled = [(e.text, label_map.topics(e.corpus, e.label)) for e in found[:4000]]
    certain = [(text, topics[0]) for text, topics in labelled if len(topics) == 1]
    model = linear_model().fit([text for text, _ in certain], [topic for _, topic in certain])

    def run() -> Rate:
        begin = time.perf_counter()
        model.predict([example.text for example in found])
        return Rate("", len(found) / (time.perf_counter() - begin))

    return run


def _torch_systems(
    folder: Path, tagger: Tagger, windows: Sequence[list[int]], count: int
) -> dict[str, Callable[[], Rate]]:
    """`transformers.pipeline` and a plain loop over padded batches, on a part of the windows: they are slow."""
    import torch
    from transformers import AutoModel, PreTrainedTokenizerFast, pipeline

    torch.set_num_threads(available_cpus())
    part = windows[: max(len(windows) // SLOW, 64)]
    articles = len(part) * count / len(windows)
    encoder = AutoModel.from_pretrained(folder, trust_remote_code=False).float().eval()
    pieces = PreTrainedTokenizerFast(tokenizer_file=str(folder / "tokenizer.json"), pad_token="[PAD]")  # type: ignore[no-untyped-call]
    texts: list[Any] = [pieces.decode(window, skip_special_tokens=True) for window in part]
    tokens = sum(map(len, part))

    def pipelined(batch_size: int) -> Callable[[], Rate]:
        extract = pipeline("feature-extraction", model=encoder, tokenizer=pieces, device="cpu")
        options = {"truncation": True, "max_length": tagger.window}

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
        "transformers.pipeline, batch 1": pipelined(1),
        "transformers.pipeline, batch 32": pipelined(32),
        "eager torch, batch 32": eager,
    }


def times_pipeline(rates: Sequence[Rate], system: str = "wusum tag") -> float:
    """How many articles a system does in the time that `transformers.pipeline`, at its best, takes for one."""
    articles = {rate.system: rate.articles for rate in rates}
    return articles[system] / max(n for name, n in articles.items() if name.startswith("transformers.pipeline"))


def tags_add(rates: Sequence[Rate]) -> float:
    """The time that tags take, as a share of that of topics alone."""
    articles = {rate.system: rate.articles for rate in rates}
    return articles["wusum tag, topics alone"] / articles["wusum tag"] - 1


def _median(rates: Sequence[Rate]) -> Rate:
    """Each number's median."""

    def middle(name: str) -> float | None:
        values = [getattr(rate, name) for rate in rates if getattr(rate, name) is not None]
        return statistics.median(values) if values else None

    return Rate(rates[0].system, middle("articles") or 0.0, middle("tokens"), middle("peak_mib"), middle("share"))


def _latency(tagger: Tagger, found: Sequence[Example]) -> dict[str, float]:
    """How long one article takes, ms."""
    times = []
    for example in found[:LATENCIES]:
        begin = time.perf_counter()
        tagger(example.article())
        times.append((time.perf_counter() - begin) * 1000)
    p50, p99 = np.percentile(times, [50, 99])
    return {"p50_ms": float(p50), "p99_ms": float(p99)}


def _start(dump: Path, model: str | None) -> dict[str, float]:
    """Seconds until the help is printed, and until the first article of a fresh process is tagged."""
    one = dump.with_name("one.jsonl")
    with dump.open(encoding="utf-8") as lines:
        one.write_text(next(lines), encoding="utf-8")
    begin = time.perf_counter()
    _run(["--help"])
    helped = time.perf_counter()
    _run(["tag", str(one), *_on_cpu(model)])
    return {"help_s": helped - begin, "first_result_s": time.perf_counter() - helped}
