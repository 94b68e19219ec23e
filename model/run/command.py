"""What `wusum tag` does once its options are read: inputs, model, outputs, progress and summary."""

from __future__ import annotations

import glob
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from wusum.model.errors import DumpError, ModelError
from wusum.model.io import storage
from wusum.model.io.inputs import Meter, Written, nothing_written, plain, total_size
from wusum.model.io.reader import Fields, Selection, read
from wusum.model.io.writers import output_format, parts_folder
from wusum.model.network.runtime import CPU_ALONE, available_cpus
from wusum.model.run.loop import Report, Streaming, tag_dump
from wusum.model.run.manifest import Manifest, content_fingerprint, fingerprints, model_fingerprint
from wusum.model.run.sinks import OneFile, OutputNames, Outputs, Place, Screen, Shards
from wusum.model.run.workers import MOST, Growing, Workers
from wusum.model.tagger import Tagger


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
    explain: bool = False
    vocabulary: str | None = None
    workers: int | None = None
    engine: str = "local"
    device: str = "auto"

    def shaping(self) -> dict[str, object]:
        """Those that decide what the output holds, under the names of the flags, and the version that reads them."""
        names = ("format", "max_topics", "max_tags", "min_score", "pages", "runtime", "shard_rows", "explain")
        values: dict[str, object] = {name.replace("_", "-"): getattr(self, name) for name in names}
        values |= {f"{name}-field": value for name, value in asdict(self.fields).items()}
        values["vocabulary"] = self.vocabulary and content_fingerprint(self.vocabulary)
        return values | {"part": f"{self.part[0]}/{self.part[1]}", "wusum": version("wusum")}


def run_tag(options: TagOptions) -> None:
    """Run `wusum tag`; raises DumpError or ModelError where nothing can be done, OSError where writing fails."""
    options = replace(options, output=plain(options.output) if options.output else None)
    names = _names(options)
    kind = output_format(options.output, options.format)[0] if options.output else options.format
    if options.explain and kind in ("csv", "tsv", "parquet"):
        raise DumpError(f"--explain has its place in jsonl and on the terminal; {kind} has no column for it")
    wanted = None
    if names and _lasting(options):
        wanted = Manifest(fingerprints(options.inputs, names), "", options.shaping())
    tagger, opening, workers = _open(options)
    if wanted:
        wanted.options["device"] = opening["device"]  # which decides the last digit of a score
    folder = tagger.artefact.folder
    with _answering(options, tagger, opening, workers) as answering:
        del tagger  # once workers have taken its place, nothing holds its memory
        _tag(options, answering, folder, names, wanted)


def _open(options: TagOptions) -> tuple[Tagger, dict[str, Any], int]:
    """The model, in any case, so that a bad one is told here; how every worker opens it; and how many do.

    The device is one for all of them, chosen here. The GPUs of a Ray cluster, though, are not this machine's: they are
    used only where they are asked for. Without a number of workers, there are as many as find processors, but one on a
    GPU, for torch and for Ray.
    """
    cpus = available_cpus()
    opening: dict[str, Any] = {"name": options.model, "runtime": options.runtime, "vocabulary": options.vocabulary}
    device = options.device
    if options.engine == "ray":
        if options.device == "cuda" and options.runtime == "int8":
            raise ModelError(CPU_ALONE)  # here, and not where an actor opens it
        device, opening["device"] = "cpu", "cuda" if options.device == "cuda" else "cpu"
    tagger = Tagger.from_pretrained(**opening | {"device": device}, threads=options.threads or cpus)
    workers = options.workers
    if workers is None:
        alone = options.engine == "ray" or options.runtime == "torch" or tagger.runtime.device != "cpu"
        workers = 1 if alone else max(min(cpus // (options.threads or 1), MOST), 1)
    threads = options.threads or max(cpus // workers, 1)
    return tagger, {"device": tagger.runtime.device} | opening | {"threads": threads}, workers


def _answering(
    options: TagOptions, tagger: Tagger, opening: dict[str, Any], workers: int
) -> AbstractContextManager[Streaming]:
    """What tags: this process, several, or a cluster's."""
    if options.engine == "ray":
        from wusum.model.run.ray_workers import RayWorkers

        return RayWorkers(workers, opening)
    if workers == 1:
        return nullcontext(tagger)
    return Growing(tagger, workers, opening) if options.workers is None else Workers(workers, opening)


def _tag(
    options: TagOptions, tagger: Streaming, folder: Path, names: OutputNames | None, wanted: Manifest | None
) -> None:
    """The run itself, or what is left of it."""
    if names is None or wanted is None:
        if names and storage.exists(names.manifest):
            storage.remove(names.manifest)  # of an earlier run to the same file, which is about to go
        _run(options, tagger, names, None)
        return
    wanted.model = model_fingerprint(folder)
    with storage.held(names.path):
        manifest = _begin(options, names, wanted)
        if manifest.complete:
            print(f"wusum: {names.path} is complete, nothing to do; --force starts over", file=sys.stderr)
        else:
            _run(options, tagger, names, manifest)
            if names.sharded:
                manifest.place = {"shards": sum(not path.endswith(".rejects.jsonl") for path in names.shards())}
            manifest.complete = True
            manifest.save(names.manifest)
        storage.remove_folder(parts_folder(names.path))


def _names(options: TagOptions) -> OutputNames | None:
    """The names of what the run writes; raises DumpError where there is something wrong with them."""
    path = options.output
    if path is None:
        return None
    if options.format == "table":
        raise DumpError("a table is for the terminal: leave out -o, or choose another --format")
    output_format(path, options.format)
    folder = os.path.dirname(path) or os.curdir
    if not storage.is_remote(path) and not os.path.isdir(folder):
        raise DumpError(f"{path}: cannot be written: there is no folder {folder}")
    if options.part[1] > 1:
        for name in map(plain, options.inputs):
            root = os.path.realpath(name if os.path.isdir(name) else os.path.dirname(name))
            several = os.path.isdir(name) or glob.has_magic(name)
            if several and os.path.commonpath([root, os.path.realpath(folder)]) == root:
                raise DumpError(f"{path}: other parts would read it as an input, below {name}; write it elsewhere")
    return OutputNames(path, options.shard_rows is not None)


def _lasting(options: TagOptions) -> bool:
    """Whether a run can go on where it was cut: not from standard input, and not to it, a device or a single URL."""
    path = options.output
    if path is None or "-" in options.inputs:
        return False
    if storage.is_remote(path):
        return options.shard_rows is not None
    return options.shard_rows is not None or os.path.isfile(path) or not os.path.exists(path)


def _begin(options: TagOptions, names: OutputNames, wanted: Manifest) -> Manifest:
    """The manifest of the run to go on with, or of a new one, for which the place is cleared."""
    earlier = None
    try:
        earlier = Manifest.load(names.manifest)
    except DumpError:
        if not options.force:
            raise
    if earlier and not options.force and not _taken_away(names, earlier):
        earlier.refuse_others(wanted, names.path)
        if path := names.missing_shard(earlier.place.get("shards", 0)):
            raise DumpError(f"{path}: is missing, though its run has made it; --force starts over")
        return earlier
    before = OutputNames(names.path, earlier.options.get("shard-rows") is not None) if earlier else names
    if not earlier and not options.force and (found := names.shards()):
        raise DumpError(f"{found[0]}: is in the way, and of no run that is known here; --force removes such shards")
    wanted.save(names.manifest)  # before anything of an earlier run is touched
    before.remove()
    return wanted


def _taken_away(names: OutputNames, earlier: Manifest) -> bool:
    """Whether somebody has removed the output of an earlier run to one file, to have it made anew."""
    sharded = earlier.options.get("shard-rows") is not None
    return not sharded and not storage.exists(names.path) and not parts_folder(names.path).exists()


def _run(options: TagOptions, tagger: Streaming, names: OutputNames | None, manifest: Manifest | None) -> None:
    """Tag what is to do, and keep the manifest at what is done."""
    meter, report = Meter(), Report()
    selection = Selection(0, options.part[0] - 1, options.part[1])
    if manifest:
        selection.skip = manifest.records
        report.tagged, report.rejected, report.earlier = manifest.tagged, manifest.rejected, manifest.tagged
    written: Written = names or nothing_written
    records = read(
        options.inputs, fields=options.fields, pages=options.pages, meter=meter, written=written, selection=selection
    )
    with ExitStack() as stack:
        stack.callback(lambda: print(f"wusum: {report}{_where(names, report)}", file=sys.stderr))
        outputs = stack.enter_context(_outputs(options, names, manifest.place if manifest else None))
        tick = stack.enter_context(_progress(options, meter, report, written))

        def done(place: Place | None, position: int) -> None:
            if manifest and names and place is not None:
                manifest.records, manifest.place = position, place
                manifest.tagged, manifest.rejected = report.tagged, report.rejected
                manifest.save(names.manifest)
            tick()

        tag_dump(
            report,
            tagger,
            records,
            outputs,
            done,
            lambda: selection.position,
            max_topics=options.max_topics,
            max_tags=options.max_tags,
            prompt="-" in options.inputs,
            min_score=options.min_score,
            explain=options.explain,
        )
    if manifest:
        manifest.tagged, manifest.rejected = report.tagged, report.rejected


def _outputs(options: TagOptions, names: OutputNames | None, place: Place | None) -> Outputs:
    """Where rows and rejects go."""
    if names is None:
        if sys.stdout is None:
            raise DumpError("standard output is closed: name a file with -o")
        return Screen(options.format or ("table" if sys.stdout.isatty() else None))
    if options.shard_rows:
        return Shards(names, options.format, options.shard_rows, place)
    return OneFile(names, options.format, place)


def _where(names: OutputNames | None, report: Report) -> str:
    if not report.rejected or names is None or not (names.sharded or storage.exists(names.rejects)):
        return ""
    return f" → {names.shard(0).replace('00000', '*')}.rejects.jsonl" if names.sharded else f" → {names.rejects}"


@contextmanager
def _progress(options: TagOptions, meter: Meter, report: Report, written: Written) -> Iterator[Callable[[], None]]:
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
