"""What `wusum tag` does once its options are read: inputs, model, outputs, progress and summary."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import orjson

from wusum.model.article import Article
from wusum.model.batch import Report, tag_dump
from wusum.model.dumps import DumpError, Fields, Reject, read
from wusum.model.files import Meter, total_size
from wusum.model.show import as_text
from wusum.model.tagger import Prediction, Tagger
from wusum.model.writers import open_writer


@dataclass(frozen=True, slots=True)
class TagOptions:
    """The options of `wusum tag`; see its help."""

    inputs: list[str]
    output: str | None
    format: str | None
    max_topics: int
    max_tags: int
    min_score: float | None
    fields: Fields
    pages: bool | None
    model: str | None
    runtime: str
    threads: int | None


def run_tag(options: TagOptions) -> None:
    """Run `wusum tag`; raises DumpError or ModelError where nothing can be done, OSError where writing fails."""
    meter, report = Meter(), Report()
    outputs = [options.output, _rejects_of(options.output)] if options.output else []
    records = read(options.inputs, fields=options.fields, pages=options.pages, meter=meter, outputs=outputs)
    tagger = Tagger.from_pretrained(options.model, runtime=options.runtime, threads=options.threads)
    with ExitStack() as stack:
        write = stack.enter_context(_output(options.output, options.format))
        reject = stack.enter_context(_rejects(options.output))
        tick = stack.enter_context(_progress(options, meter, outputs))

        def written(article: Article, prediction: Prediction) -> None:
            write(article, prediction)
            tick()

        stack.callback(lambda: print(f"wusum: {report}{_where(options.output, report)}", file=sys.stderr))
        tag_dump(
            report,
            tagger,
            records,
            written,
            reject,
            max_topics=options.max_topics,
            max_tags=options.max_tags,
            min_score=options.min_score,
        )


def _rejects_of(output: str) -> str:
    return f"{output}.rejects.jsonl"


def _where(output: str | None, report: Report) -> str:
    return f" → {_rejects_of(output)}" if report.rejected and output else ""


@contextmanager
def _output(path: str | None, format: str | None) -> Iterator[Callable[[Article, Prediction], None]]:
    """How a prediction is written: as a row to a file or to standard output, or as text on a terminal."""
    if path is None and sys.stdout is None:
        raise DumpError("standard output is closed: name a file with -o")
    if path is None and (format == "table" or (format is None and sys.stdout.isatty())):
        yield lambda article, prediction: print(as_text(article, prediction))
    elif format == "table":
        raise DumpError("a table is for the terminal: leave out -o, or choose another --format")
    else:
        with open_writer(path, format) as writer:
            yield lambda article, prediction: writer.write(prediction.to_dict())


@contextmanager
def _rejects(output: str | None) -> Iterator[Callable[[Reject], None]]:
    """Where rejects go: OUT.rejects.jsonl, made with the first of them, or standard error where there is no OUT."""
    if output is None:
        yield lambda reject: print(f"wusum: rejected {reject.source}:{reject.line}: {reject.error}", file=sys.stderr)
        return
    import fsspec

    target = _rejects_of(output)
    if "://" not in target:
        Path(target).unlink(missing_ok=True)
    with ExitStack() as stack:
        files: list[IO[bytes]] = []

        def reject(record: Reject) -> None:
            if not files:
                files.append(stack.enter_context(fsspec.open(target, "wb")))
            files[0].write(orjson.dumps(record.to_dict(), option=orjson.OPT_APPEND_NEWLINE))

        yield reject


@contextmanager
def _progress(options: TagOptions, meter: Meter, outputs: list[str]) -> Iterator[Callable[[], None]]:
    """A bar with rate and time left on standard error, where a person is looking; it is called once an article."""
    if not sys.stderr.isatty() or (options.output is None and sys.stdout.isatty()):
        yield lambda: None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        Progress,
        TaskProgressColumn,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.fields[articles]:,} articles, {task.fields[rate]:,.1f}/s"),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task("", total=total_size(options.inputs, outputs), articles=0, rate=0.0)
        articles, begin = 0, time.perf_counter()

        def tick() -> None:
            nonlocal articles
            articles += 1
            if articles % 16 == 0:
                rate = articles / (time.perf_counter() - begin)
                progress.update(task, completed=meter.position, articles=articles, rate=rate)

        yield tick
        progress.update(task, completed=meter.position, articles=articles)
