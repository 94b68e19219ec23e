"""`wusum tag` behind its flags: opens inputs, model and output, runs the loop and reports progress and summary."""

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
from wusum.model.io.inputs import IsOutput, ReadProgress, local_path, no_outputs, total_size
from wusum.model.io.reader import Selection, read_records
from wusum.model.io.writer import parts_folder
from wusum.model.io.writers import output_format
from wusum.model.network.runtime import INT8_NEEDS_CPU, available_cpus
from wusum.model.options import DEFAULT_OPTIONS, DEFAULT_SPEC, ModelSpec, PredictOptions
from wusum.model.run.loop import RunSummary, TaggingBackend, tag_dump
from wusum.model.run.manifest import Manifest, file_fingerprint, input_fingerprints, model_fingerprint
from wusum.model.run.sinks import FileSink, OutputPaths, ResumePoint, ShardedSink, Sink, StdoutSink
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
        """Return wusum's version and the options that decide the contents of the output, by their flags."""
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
        values["vocabulary"] = self.spec.vocabulary and file_fingerprint(str(self.spec.vocabulary))
        return values | {"part": f"{self.part[0]}/{self.part[1]}", "wusum": version("wusum")}


def run_tag(options: TagOptions) -> None:
    """Run `wusum tag`; raises WusumError if an input, the model, the output or an option cannot be used.

    Raises OSError if writing fails.
    """
    options = replace(options, output=local_path(options.output) if options.output else None)
    paths = _output_paths(options)
    format = output_format(options.output, options.format)[0] if options.output else options.format
    if options.predict.explain and format in ("csv", "tsv", "parquet"):
        raise DumpError(f"--explain works with jsonl and tables on the terminal only; {format} has no column for it")
    manifest = None
    if paths and _is_resumable(options):
        manifest = Manifest(input_fingerprints(options.inputs, paths.is_output), "", options.output_settings())
    tagger, spec, workers = _open(options)
    if manifest:
        manifest.options["device"] = spec.device  # it decides the last digit of a score
    folder = tagger.artifact.folder
    with _backend(options, tagger, spec, workers) as backend:
        del tagger  # so that its memory is free once workers have replaced it
        _tag(options, backend, folder, paths, manifest)


def _open(options: TagOptions) -> tuple[Tagger, ModelSpec, int]:
    """Return the tagger, the model that each worker opens, and the number of workers.

    The model is opened in any case, so that a bad one is reported at once. All workers use the device that is chosen
    here; but a Ray cluster has GPUs of its own, which are used only with device "cuda". Unless their number is given,
    there is a worker for each processor, or a single one on a GPU, with torch and with Ray.
    """
    cpus = available_cpus()
    spec = options.spec
    device = spec.device
    if options.engine == "ray":
        if spec.device == "cuda" and spec.runtime == "int8":
            raise ModelError(INT8_NEEDS_CPU)  # now, and not when an actor opens it
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
    """Return the backend that tags: this process, several processes or the actors of a cluster."""
    if options.engine == "ray":
        from wusum.model.run.ray_workers import RayWorkerPool

        return RayWorkerPool(workers, spec)
    if workers == 1:
        return nullcontext(tagger)
    return AdaptiveWorkers(tagger, workers, spec) if options.workers is None else WorkerPool(workers, spec)


def _tag(
    options: TagOptions, backend: TaggingBackend, folder: Path, paths: OutputPaths | None, manifest: Manifest | None
) -> None:
    """Run from the beginning, or resume an interrupted run; `manifest` is None if the run cannot be resumed."""
    if paths is None or manifest is None:
        if paths and storage.exists(paths.manifest):
            storage.remove(paths.manifest)  # it describes an earlier output, which is about to be replaced
        _run(options, backend, paths, None)
        return
    manifest.model = model_fingerprint(folder)
    with storage.locked(paths.path):
        manifest = _start_or_resume(options, paths, manifest)
        if manifest.complete:
            print(f"wusum: {paths.path} is complete, nothing to do; --force starts over", file=sys.stderr)
        else:
            _run(options, backend, paths, manifest)
            if paths.sharded:
                manifest.place = {"shards": sum(not path.endswith(".rejects.jsonl") for path in paths.shards())}
            manifest.complete = True
            manifest.save(paths.manifest)
        storage.remove_folder(parts_folder(paths.path))


def _output_paths(options: TagOptions) -> OutputPaths | None:
    """Return the paths of the outputs, or None for standard output; raises DumpError if they cannot be used."""
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
            has_several_files = os.path.isdir(name) or glob.has_magic(name)
            if has_several_files and os.path.commonpath([root, os.path.realpath(folder)]) == root:
                raise DumpError(f"{path}: other parts would read it as an input, below {name}; write it elsewhere")
    return OutputPaths(path, options.shard_rows is not None)


def _is_resumable(options: TagOptions) -> bool:
    """Return whether an interrupted run can resume.

    That is impossible if it reads standard input, or writes to standard output, a device or a single URL.
    """
    path = options.output
    if path is None or "-" in options.inputs:
        return False
    if storage.is_remote(path):
        return options.shard_rows is not None
    return options.shard_rows is not None or os.path.isfile(path) or not os.path.exists(path)


def _start_or_resume(options: TagOptions, paths: OutputPaths, new: Manifest) -> Manifest:
    """Return the manifest of the run to resume, or save `new` and clear the output for it.

    Raises DumpError if the output belongs to another run, or if something of it is missing, unless --force is given.
    """
    earlier = None
    try:
        earlier = Manifest.load(paths.manifest)
    except DumpError:
        if not options.force:
            raise
    if earlier and not options.force and not _output_removed(paths, earlier):
        earlier.require_same_run(new, paths.path)
        if path := paths.missing_shard(earlier.place.get("shards", 0)):
            raise DumpError(f"{path}: is missing, although its run has written it; --force starts over")
        return earlier
    before = OutputPaths(paths.path, earlier.options.get("shard-rows") is not None) if earlier else paths
    if not earlier and not options.force and (found := paths.shards()):
        raise DumpError(f"{found[0]}: already exists, but no manifest says which run wrote it; --force removes it")
    new.save(paths.manifest)  # before anything of an earlier run is touched
    before.remove()
    return new


def _output_removed(paths: OutputPaths, earlier: Manifest) -> bool:
    """Return whether the output file of an earlier run has been removed, so that it should be made anew."""
    sharded = earlier.options.get("shard-rows") is not None
    return not sharded and not storage.exists(paths.path) and not parts_folder(paths.path).exists()


def _run(options: TagOptions, backend: TaggingBackend, paths: OutputPaths | None, manifest: Manifest | None) -> None:
    """Tag the records that are not done yet, and save the manifest after each commit."""
    progress, summary = ReadProgress(), RunSummary()
    selection = Selection(0, options.part[0] - 1, options.part[1])
    if manifest:
        selection.skip = manifest.records
        summary.tagged, summary.rejected, summary.earlier = manifest.tagged, manifest.rejected, manifest.tagged
    is_output: IsOutput = paths.is_output if paths else no_outputs
    records = read_records(
        options.inputs,
        fields=options.fields,
        pages=options.pages,
        progress=progress,
        is_output=is_output,
        selection=selection,
    )
    with ExitStack() as stack:
        stack.callback(lambda: print(f"wusum: {summary}{_rejects_note(paths, summary)}", file=sys.stderr))
        sink = stack.enter_context(_open_sink(options, paths, manifest.place if manifest else None))
        update = stack.enter_context(_progress_bar(options, progress, summary, is_output))

        def done(point: ResumePoint | None, position: int) -> None:
            if manifest and paths and point is not None:
                manifest.records, manifest.place = position, point
                manifest.tagged, manifest.rejected = summary.tagged, summary.rejected
                manifest.save(paths.manifest)
            update()

        tag_dump(
            summary, backend, records, sink, options.predict, done, lambda: selection.position,
            prompt="-" in options.inputs,
        )  # fmt: skip
    if manifest:
        manifest.tagged, manifest.rejected = summary.tagged, summary.rejected


def _open_sink(options: TagOptions, paths: OutputPaths | None, point: ResumePoint | None) -> Sink:
    """Open the output, to resume from `point`."""
    if paths is None:
        if sys.stdout is None:
            raise DumpError("standard output is closed: name a file with -o")
        return StdoutSink(options.format or ("table" if sys.stdout.isatty() else None))
    if options.shard_rows:
        return ShardedSink(paths, options.format, options.shard_rows, point)
    return FileSink(paths, options.format, point)


def _rejects_note(paths: OutputPaths | None, summary: RunSummary) -> str:
    """Return an arrow and the path of the rejects, or "" if there is no such file."""
    if not summary.rejected or paths is None or not (paths.sharded or storage.exists(paths.rejects)):
        return ""
    return f" → {paths.shard(0).replace('00000', '*')}.rejects.jsonl" if paths.sharded else f" → {paths.rejects}"


@contextmanager
def _progress_bar(
    options: TagOptions, progress: ReadProgress, summary: RunSummary, is_output: IsOutput
) -> Iterator[Callable[[], None]]:
    """Show a bar with rate and remaining time if standard error is a terminal; give the function that updates it."""
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
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("", total=total_size(options.inputs, is_output), articles=0, rate=0.0)

        def update() -> None:
            bar.update(task, completed=progress.position, articles=summary.tagged, rate=summary.rate)

        yield update
        update()
