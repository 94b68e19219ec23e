"""The speed of the whole command, of the network alone, and of other ways to run the same weights.

The systems take turns, so that a machine that slows down slows all of them; a rate is the median of the turns. All run
on the CPU, even if there is a GPU. The torch systems get windows of text: they neither parse nor tag nor write.
"""

from __future__ import annotations

import gzip
import json
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from wusum.eval.bench_systems import (
    INT8_COMMAND,
    PIPELINE,
    Rate,
    Workload,
    cpu_options,
    linear,
    matrix_rate,
    model_systems,
    torch_systems,
)
from wusum.eval.config import EvalConfig
from wusum.eval.processes import run_command
from wusum.eval.provenance import describe
from wusum.model.article import Article
from wusum.model.network.runtime import available_cpus
from wusum.model.run.workers import MAX_WORKERS
from wusum.model.tagger import Tagger
from wusum.train.data.corpora import Example, examples

SHORT_WORDS = 20
"""Words of the articles on which memory is measured: many of them are tagged in a short time."""

LATENCY_ARTICLES = 200
"""Articles that are tagged one by one."""


def sample(config: EvalConfig, count: int) -> list[Example]:
    """Return `count` training articles, or all, taken in turns from the corpora on which topics are measured."""
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
    """Return the numbers of all systems after some turns over `count` articles; `note` is called with progress.

    If `memory` is a number of articles, the growth of memory from a tenth of them is measured, too. Raises CorpusError
    for a missing corpus.
    """
    articles = sample(config, count)
    processors = min(available_cpus(), MAX_WORKERS)
    taggers = [Tagger.from_pretrained(model, device="cpu", threads=1) for _ in range(processors)]
    encoder, folder = taggers[0].encoder, taggers[0].artifact.folder
    about = describe(folder, config, turns) | {"articles": count, "memory_articles": memory}
    windows = [window for example in articles for window in encoder.windows(example.article())]
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        dump = _write_dump(scratch / "dump.jsonl", (example.article() for example in articles))
        workload = Workload(articles, windows, dump)
        systems = {
            **model_systems(workload, taggers, model),
            "linear TF-IDF": linear(workload, config),
            **torch_systems(workload, folder, encoder.window),
        }
        made: dict[str, list[Rate]] = {system: [] for system in systems}
        for turn in range(turns):
            for system, run in systems.items():
                note(f"{system}, turn {turn + 1} of {turns}")
                made[system].append(replace(run(), system=system))
        note("latency and start-up")
        rates = list(map(_median, made.values()))
        return {
            "about": about,
            "articles": len(articles),
            "words": sum(len(e.text.split()) for e in articles) / len(articles),
            "tokens": workload.tokens / len(articles),
            "processors": available_cpus(),
            "matrix_products_gflops": matrix_rate(),
            "times_pipeline": times_pipeline(rates),
            **({"times_pipeline_int8": times_pipeline(rates, INT8_COMMAND)} if INT8_COMMAND in systems else {}),
            "tags_add": tags_add(rates),
            "rates": [asdict(rate) for rate in rates],
            "turns": [asdict(rate) for rates in made.values() for rate in rates],
            **_latency(Tagger.from_pretrained(model, device="cpu"), articles),
            **_start_up(dump, model),
            **(_memory(scratch, model, articles, memory, note) if memory else {}),
        }


def _write_dump(path: Path, articles: Iterable[Article]) -> Path:
    with gzip.open(path, "wt", encoding="utf-8") if path.suffix == ".gz" else path.open("w", encoding="utf-8") as file:
        for article in articles:
            row = {"id": article.id, "title": article.title, "text": article.body}
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
    return path


def times_pipeline(rates: Sequence[Rate], system: str = "wusum tag") -> float:
    """Return the speed of a system as a multiple of that of `transformers.pipeline` at its best batch size."""
    articles = {rate.system: rate.articles for rate in rates}
    return articles[system] / max(n for name, n in articles.items() if name.startswith(PIPELINE))


def tags_add(rates: Sequence[Rate]) -> float:
    """Return the time that tags add, as a share of the time for topics alone."""
    articles = {rate.system: rate.articles for rate in rates}
    return articles["wusum tag, topics alone"] / articles["wusum tag"] - 1


def _median(rates: Sequence[Rate]) -> Rate:
    """Return the median of each number of a system's turns."""

    def median(name: str) -> float | None:
        values = [getattr(rate, name) for rate in rates if getattr(rate, name) is not None]
        return statistics.median(values) if values else None

    return Rate(rates[0].system, median("articles") or 0.0, median("tokens"), median("peak_mib"), median("share"))


def _latency(tagger: Tagger, articles: Sequence[Example]) -> dict[str, float]:
    """Return percentiles of the time for one article, ms."""
    times = []
    for example in articles[:LATENCY_ARTICLES]:
        begin = time.perf_counter()
        tagger(example.article())
        times.append((time.perf_counter() - begin) * 1000)
    p50, p99 = np.percentile(times, [50, 99])
    return {"p50_ms": float(p50), "p99_ms": float(p99)}


def _start_up(dump: Path, model: str | None) -> dict[str, float]:
    """Return the seconds until the help is printed, and until a new process has tagged its first article."""
    one = dump.with_name("one.jsonl")
    with dump.open(encoding="utf-8") as lines:
        one.write_text(next(lines), encoding="utf-8")
    begin = time.perf_counter()
    run_command(["--help"])
    helped = time.perf_counter()
    run_command(["tag", str(one), *cpu_options(model)])
    return {"help_s": helped - begin, "first_result_s": time.perf_counter() - helped}


def _memory(
    scratch: Path, model: str | None, articles: Sequence[Example], count: int, note: Callable[[str], None]
) -> dict[str, float]:
    """Return the peak memory, MiB, of two workers on `count` short articles, and on a tenth of them."""
    peaks = []
    for number in (count // 10, count):
        note(f"memory of {number:,} articles")
        dump = _write_dump(scratch / f"{number}.jsonl.gz", short_articles(articles, number))
        output = str(scratch / "short.jsonl")
        peaks.append(run_command(["tag", str(dump), "-o", output, "--force", "--workers=2", *cpu_options(model)]))
    return {"memory_articles": count, "memory_mib": peaks[1], "memory_mib_of_a_tenth": peaks[0]}


def short_articles(articles: Sequence[Example], count: int) -> Iterator[Article]:
    """Yield `count` articles of SHORT_WORDS words, cut from different places of the given ones."""
    for number in range(count):
        words = articles[number % len(articles)].body.split()
        at = SHORT_WORDS * (number // len(articles)) % max(len(words) - SHORT_WORDS, 1)
        yield Article(id=str(number), body=" ".join(words[at : at + SHORT_WORDS]))
