"""What `wusum tag` does once its options are read: inputs, model, outputs, progress and summary."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from wusum.model.batch import Report, tag_dump
from wusum.model.dumps import DumpError, Fields, Selection, read
from wusum.model.files import Meter, total_size
from wusum.model.manifest import Manifest, fingerprints, manifest_path, model_fingerprint
from wusum.model.outputs import OneFile, Outputs, Place, Screen, Shards, rejects_path
from wusum.model.tagger import Tagger
from wusum.model.writers import holds, output_format, remove_parts


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
    force: bool = False
    shard_rows: int | None = None
    part: tuple[int, int] = (1, 1)

    def shaping(self) -> dict[str, object]:
        """Those that decide what the output holds, under the names of the flags."""
        names = ("format", "max_topics", "max_tags", "min_score", "pages", "shard_rows", "part")
        values = {name.replace("_", "-"): getattr(self, name) for name in names}
        values["part"] = f"{self.part[0]}/{self.part[1]}"
        return values | {f"{name}-field": value for name, value in asdict(self.fields).items()}


def run_tag(options: TagOptions) -> None:
    """Run `wusum tag`; raises DumpError or ModelError where nothing can be done, OSError where writing fails."""
    written = _written(options)
    wanted = _manifest(options, written)
    tagger = Tagger.from_pretrained(options.model, runtime=options.runtime, threads=options.threads)
    if options.output is None or wanted is None:
        if options.output and "://" not in options.output:
            Path(manifest_path(options.output)).unlink(missing_ok=True)  # of an earlier run to the same file
        _run(options, tagger, None, written)
        return
    wanted.model = model_fingerprint(tagger.artefact.folder)
    manifest = None if options.force else _earlier(options.output, options, wanted)
    if manifest is None:
        manifest = wanted
        manifest.save(manifest_path(options.output))  # before the output of an earlier run is touched
    if manifest.complete:
        print(f"wusum: {options.output} is complete, nothing to do; --force starts over", file=sys.stderr)
    else:
        _run(options, tagger, manifest, written)
        manifest.complete = True
        manifest.save(manifest_path(options.output))
    remove_parts(options.output)


def _written(options: TagOptions) -> list[str]:
    """The files that a run writes; raises DumpError where there is something wrong with them."""
    path = options.output
    if path is None:
        return []
    if options.format == "table":
        raise DumpError("a table is for the terminal: leave out -o, or choose another --format")
    output_format(path, options.format)
    if options.shard_rows and "://" not in path:
        home = os.path.realpath(os.path.dirname(path) or os.curdir)
        for name in options.inputs:
            if os.path.isdir(name) and os.path.commonpath([home, os.path.realpath(name)]) == os.path.realpath(name):
                raise DumpError(f"{path}: its shards would be read as inputs, being below {name}; write them elsewhere")
    return [path, rejects_path(path)]


def _manifest(options: TagOptions, written: Sequence[str]) -> Manifest | None:
    """The manifest of a new run; None where a run could not go on: from standard input, to it, or to one URL."""
    if not options.output or "-" in options.inputs or ("://" in options.output and not options.shard_rows):
        return None
    return Manifest(fingerprints(options.inputs, written), "", options.shaping())


def _earlier(path: str, options: TagOptions, wanted: Manifest) -> Manifest | None:
    """The manifest of an earlier run to go on from; None where there is none, or its output has been taken away."""
    manifest = Manifest.load(manifest_path(path))
    if manifest is None:
        return None
    if "://" not in path and not options.shard_rows:
        rows = manifest.place.get("rows", 0)
        if not os.path.exists(path) and (manifest.complete or not holds(path, options.format, max(rows, 1))):
            return None
        if not manifest.complete and not holds(path, options.format, rows):
            raise DumpError(f"{path}: is shorter than its manifest says; --force starts over")
    manifest.refuse_others(wanted, path)
    return manifest


def _run(options: TagOptions, tagger: Tagger, manifest: Manifest | None, written: Sequence[str]) -> None:
    """Tag what is to do, and keep the manifest at what is done."""
    meter, report = Meter(), Report()
    selection = Selection(0, options.part[0] - 1, options.part[1])
    if manifest:
        selection.skip = manifest.records
        report.tagged, report.rejected, report.earlier = manifest.tagged, manifest.rejected, manifest.tagged
    records = read(
        options.inputs, fields=options.fields, pages=options.pages, meter=meter, outputs=written, selection=selection
    )
    with ExitStack() as stack:
        stack.callback(lambda: print(f"wusum: {report}{_where(options.output, report)}", file=sys.stderr))
        outputs = stack.enter_context(_outputs(options, manifest.place if manifest else {}))
        tick = stack.enter_context(_progress(options, meter, report, written))

        def done(place: Place | None) -> None:
            if manifest and options.output and place is not None:
                manifest.records, manifest.place = selection.position, place
                manifest.tagged, manifest.rejected = report.tagged, report.rejected
                manifest.save(manifest_path(options.output))
            tick()

        tag_dump(
            report,
            tagger,
            records,
            outputs,
            done,
            max_topics=options.max_topics,
            max_tags=options.max_tags,
            min_score=options.min_score,
        )


def _outputs(options: TagOptions, place: Place) -> Outputs:
    """Where rows and rejects go."""
    if options.output is None:
        if sys.stdout is None:
            raise DumpError("standard output is closed: name a file with -o")
        return Screen(options.format or ("table" if sys.stdout.isatty() else None))
    if options.shard_rows:
        return Shards(options.output, options.format, options.shard_rows, place)
    return OneFile(options.output, options.format, place)


def _where(output: str | None, report: Report) -> str:
    return f" → {rejects_path(output)}" if report.rejected and output else ""


@contextmanager
def _progress(
    options: TagOptions, meter: Meter, report: Report, written: Sequence[str]
) -> Iterator[Callable[[], None]]:
    """A bar with rate and time left on standard error, where a person is looking; it is called once a block."""
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
        task = progress.add_task("", total=total_size(options.inputs, written), articles=0, rate=0.0)

        def tick() -> None:
            rate = (report.tagged - report.earlier) / report.seconds if report.seconds else 0.0
            progress.update(task, completed=meter.position, articles=report.tagged, rate=rate)

        yield tick
        tick()
