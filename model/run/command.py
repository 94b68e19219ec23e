"""`wusum tag` behind its flags: inputs, model, outputs, progress and summary."""

from __future__ import annotations

import glob
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from pathlib import Path

from wusum.model.errors import DumpError, ModelError
from wusum.model.io import storage
from wusum.model.io.fields import DEFAULT_FIELDS, Fields
from wusum.model.io.inputs import IsOutput, Meter, local_path, total_size, writes_nothing
from wusum.model.io.reader import Selection, read
from wusum.model.io.writers import output_format, parts_folder
from wusum.model.network.runtime import INT8_NEEDS_CPU, available_cpus
from wusum.model.options import DEFAULT_OPTIONS, DEFAULT_SPEC, ModelSpec, PredictOptions
from wusum.model.run.loop import RunSummary, TaggingBackend, tag_dump
from wusum.model.run.manifest import Manifest, content_fingerprint, fingerprints, model_fingerprint
from wusum.model.run.sinks import FileSink, OutputNames, ResumePoint, ShardedSink, Sink, StdoutSink
from wusum.model.run.workers import MAX_WORKERS, AdaptiveWorkers, WorkerPool
from wusum.model.tagger import Tagger


@dataclass(frozen=True, slots=True)
class TagOptions:
    """The options of `wusum tag`; see its help."""

    inputs: list[str]
    output: str | None = None
    format: str | None = None
    predict: PredictOptions = DEFAULT_OPTIONS
    spec: ModelSpec = DEFAULT_SPEC
    fields: Fields = DEFAULT_FIELDS
    pages: bool | None = None
    force: bool = False
    shard_rows: int | None = None
    part: tuple[int, int] = (1, 1)
    workers: int | None = None
    engine: str = "local"

    def output_settings(self) -> dict[str, object]:
        """Return the options that decide what the output holds, by their flags, with the version of wusum."""
        values: dict[str, object] = {
            "format": self.format,
            "max-topics": self.predict.max_topics,
            "max-tags": self.predict.max_tags,
            "min-score": self.predict.min_score,
            "pages": self.pages,
            "runtime": self.spec.runtime,
            "shard-rows": self.shard_rows,
            "explain": self.predict.explain,
        }
        values |= {f"{name}-field": value for name, value in asdict(self.fields).items()}
        values["vocabulary"] = self.spec.vocabulary and content_fingerprint(str(self.spec.vocabulary))
        return values | {"part": f"{self.part[0]}/{self.part[1]}", "wusum": version("wusum")}


def run_tag(options: TagOptions) -> None:
    """Run `wusum tag`; raises WusumError if nothing can be done, OSError if writing fails."""
    options = replace(options, output=local_path(options.output) if options.output else None)
    names = _output_names(options)
    kind = output_format(options.output, options.format)[0] if options.output else options.format
    if options.predict.explain and kind in ("csv", "tsv", "parquet"):
        raise DumpError(f"--explain has its place in jsonl and on the terminal; {kind} has no column for it")
    wanted = None
    if names and _resumable(options):
        wanted = Manifest(fingerprints(options.inputs, names), "", options.output_settings())
    tagger, spec, workers = _open(options)
    if wanted:
        wanted.options["device"] = spec.device  # which decides the last digit of a score
    folder = tagger.artifact.folder
    with _backend(options, tagger, spec, workers) as backend:
        del tagger  # once workers have taken its place, nothing holds its memory
        _tag(options, backend, folder, names, wanted)


def _open(options: TagOptions) -> tuple[Tagger, ModelSpec, int]:
    """Return the tagger, how every worker opens its own, and the number of workers.

    The model is opened in any case, so that a bad one is summaryed at once. The device is the same for all workers,
    chosen here; but the GPUs of a Ray cluster are not this machine's and are used only if asked for. Unless a number
    of workers is given, there is one for each processor, but only one on a GPU, for torch and for Ray.
    """
    cpus = available_cpus()
    spec = options.spec
    device = spec.device
    if options.engine == "ray":
        if spec.device == "cuda" and spec.runtime == "int8":
            raise ModelError(INT8_NEEDS_CPU)  # here, and not when an actor opens it
        device, spec = "cpu", replace(spec, device="cuda" if spec.device == "cuda" else "cpu")
    tagger = Tagger.open(replace(spec, device=device, threads=spec.threads or cpus))
    if options.engine != "ray":
        spec = replace(spec, device=tagger.encoder.runtime.device)
    workers = options.workers
    if workers is None:
        single = options.engine == "ray" or spec.runtime == "torch" or tagger.encoder.runtime.device != "cpu"
        workers = 1 if single else max(min(cpus // (spec.threads or 1), MAX_WORKERS), 1)
    return tagger, replace(spec, threads=spec.threads or max(cpus // workers, 1)), workers


def _backend(
    options: TagOptions, tagger: Tagger, spec: ModelSpec, workers: int
) -> AbstractContextManager[TaggingBackend]:
    """Return what tags: this process, several, or actors of a cluster."""
    if options.engine == "ray":
        from wusum.model.run.ray_workers import RayWorkerPool

        return RayWorkerPool(workers, spec)
    if workers == 1:
        return nullcontext(tagger)
    return AdaptiveWorkers(tagger, workers, spec) if options.workers is None else WorkerPool(workers, spec)


def _tag(
    options: TagOptions, backend: TaggingBackend, folder: Path, names: OutputNames | None, wanted: Manifest | None
) -> None:
    """Run, or finish a run that was interrupted."""
    if names is None or wanted is None:
        if names and storage.exists(names.manifest):
            storage.remove(names.manifest)  # of an earlier run to the same file, which is about to go
        _run(options, backend, names, None)
        return
    wanted.model = model_fingerprint(folder)
    with storage.locked(names.path):
        manifest = _begin(options, names, wanted)
        if manifest.complete:
            print(f"wusum: {names.path} is complete, nothing to do; --force starts over", file=sys.stderr)
        else:
            _run(options, backend, names, manifest)
            if names.sharded:
                manifest.place = {"shards": sum(not path.endswith(".rejects.jsonl") for path in names.shards())}
            manifest.complete = True
            manifest.save(names.manifest)
        storage.remove_folder(parts_folder(names.path))


def _output_names(options: TagOptions) -> OutputNames | None:
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
        for name in map(local_path, options.inputs):
            root = os.path.realpath(name if os.path.isdir(name) else os.path.dirname(name))
            several = os.path.isdir(name) or glob.has_magic(name)
            if several and os.path.commonpath([root, os.path.realpath(folder)]) == root:
                raise DumpError(f"{path}: other parts would read it as an input, below {name}; write it elsewhere")
    return OutputNames(path, options.shard_rows is not None)


def _resumable(options: TagOptions) -> bool:
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


def _run(options: TagOptions, backend: TaggingBackend, names: OutputNames | None, manifest: Manifest | None) -> None:
    """Tag what is to do, and keep the manifest at what is done."""
    meter, summary = Meter(), RunSummary()
    selection = Selection(0, options.part[0] - 1, options.part[1])
    if manifest:
        selection.skip = manifest.records
        summary.tagged, summary.rejected, summary.earlier = manifest.tagged, manifest.rejected, manifest.tagged
    written: IsOutput = names or writes_nothing
    records = read(
        options.inputs, fields=options.fields, pages=options.pages, meter=meter, written=written, selection=selection
    )
    with ExitStack() as stack:
        stack.callback(lambda: print(f"wusum: {summary}{_reject_files(names, summary)}", file=sys.stderr))
        sink = stack.enter_context(_open_sink(options, names, manifest.place if manifest else None))
        tick = stack.enter_context(_progress(options, meter, summary, written))

        def done(point: ResumePoint | None, position: int) -> None:
            if manifest and names and point is not None:
                manifest.records, manifest.place = position, point
                manifest.tagged, manifest.rejected = summary.tagged, summary.rejected
                manifest.save(names.manifest)
            tick()

        tag_dump(
            summary, backend, records, sink, options.predict, done, lambda: selection.position,
            prompt="-" in options.inputs,
        )  # fmt: skip
    if manifest:
        manifest.tagged, manifest.rejected = summary.tagged, summary.rejected


def _open_sink(options: TagOptions, names: OutputNames | None, place: ResumePoint | None) -> Sink:
    """Where rows and rejects go."""
    if names is None:
        if sys.stdout is None:
            raise DumpError("standard output is closed: name a file with -o")
        return StdoutSink(options.format or ("table" if sys.stdout.isatty() else None))
    if options.shard_rows:
        return ShardedSink(names, options.format, options.shard_rows, place)
    return FileSink(names, options.format, place)


def _reject_files(names: OutputNames | None, summary: RunSummary) -> str:
    if not summary.rejected or names is None or not (names.sharded or storage.exists(names.rejects)):
        return ""
    return f" → {names.shard(0).replace('00000', '*')}.rejects.jsonl" if names.sharded else f" → {names.rejects}"


@contextmanager
def _progress(
    options: TagOptions, meter: Meter, summary: RunSummary, written: IsOutput
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
            progress.update(task, completed=meter.position, articles=summary.tagged, rate=summary.rate)

        yield tick
        tick()
