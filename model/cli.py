"""The `wusum` command. Each subcommand imports its own heavy dependencies, so that `--help` is fast."""

from __future__ import annotations

import os
import sys
from enum import StrEnum
from importlib.metadata import entry_points, version
from typing import Annotated

import typer

from wusum.model.options import Device, RuntimeName

app = typer.Typer(
    help="Topics and keyword tags for Arabic news articles.", no_args_is_help=True, pretty_exceptions_enable=False
)


class Format(StrEnum):
    """Formats of the output."""

    table = "table"
    jsonl = "jsonl"
    csv = "csv"
    tsv = "tsv"
    parquet = "parquet"


class Engine(StrEnum):
    """Systems that run the worker processes."""

    local = "local"
    ray = "ray"


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"wusum {version('wusum')}")
        raise typer.Exit


def _part(text: str) -> tuple[int, int]:
    """Parse a part such as "3/16" into its two numbers; raises BadParameter."""
    number, _, count = text.partition("/")
    if not (number.isdecimal() and count.isdecimal() and 1 <= int(number) <= int(count)):
        raise typer.BadParameter(f"{text!r} is not a part such as 3/16", param_hint="--part")
    return int(number), int(count)


@app.callback()
def root(
    _: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Topics and keyword tags for Arabic news articles."""


@app.command()
def tag(
    inputs: Annotated[
        list[str],
        typer.Argument(
            metavar="INPUT...",
            help="Files, folders, globs, URLs: .txt pages, .jsonl (.gz, .xz, .zst), .csv, .tsv, .parquet, .zip, .tar;"
            " - is stdin.",
        ),
    ],
    output: Annotated[
        str | None,
        typer.Option("--output", "-o", metavar="OUT", help="File or URL to write; its suffix decides the format."),
    ] = None,
    format: Annotated[
        Format | None,
        typer.Option(
            help="Output format. Default: by the suffix of OUT; without OUT, a table on a terminal, else jsonl."
        ),
    ] = None,
    max_topics: Annotated[int, typer.Option(min=1, help="Most topics of an article.")] = 3,
    max_tags: Annotated[int, typer.Option(min=0, help="Most tags of an article.")] = 10,
    min_score: Annotated[
        float | None,
        typer.Option(min=0, max=1, help="Least score of a topic or tag. Default: the model's own thresholds."),
    ] = None,
    id_field: Annotated[str | None, typer.Option(help="Field or column of the id. Default: id or url.")] = None,
    title_field: Annotated[
        str | None, typer.Option(help="Field or column of the title. Default: title or headline.")
    ] = None,
    text_field: Annotated[
        str | None, typer.Option(help="Field or column of the text. Default: text, body, content or article.")
    ] = None,
    pages: Annotated[
        bool | None,
        typer.Option(
            "--pages/--plain",
            help="Parse all texts as scraped pages, or none. Default: only .txt files.",
        ),
    ] = None,
    model: Annotated[str | None, typer.Option(help="Model: small, base, a folder or a Hub id. Default: small.")] = None,
    runtime: Annotated[
        RuntimeName, typer.Option(help="Runtime of the network. int8 is onnx in 8-bit integers: faster, on the CPU.")
    ] = RuntimeName.onnx,
    device: Annotated[
        Device, typer.Option(help="Device of the network. auto: a GPU if there is one; with ray, the CPU.")
    ] = Device.auto,
    threads: Annotated[
        int | None,
        typer.Option(
            min=1, help="Threads of each worker's network. Default: all processors, divided among the workers."
        ),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Worker processes, each with a copy of the model. Default: one per processor once a run is long.",
        ),
    ] = None,
    engine: Annotated[
        Engine, typer.Option(help="Where the workers run: on this machine or on a Ray cluster.")
    ] = Engine.local,
    resume: Annotated[
        bool,
        typer.Option(
            "--resume/--force", help="Resume an interrupted run to OUT by its manifest, or start over in any case."
        ),
    ] = True,
    shard_rows: Annotated[
        int | None, typer.Option(min=1, help="Write shards OUT-00000.SUFFIX and on, of this many rows each.")
    ] = None,
    part: Annotated[
        str, typer.Option(metavar="I/N", help="Tag only the I-th of N parts of the records, dealt out in turns of 256.")
    ] = "1/1",
    vocabulary: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Give only the tags in FILE: .txt, or .csv or .jsonl with aliases and ids."),
    ] = None,
    explain: Annotated[
        bool, typer.Option("--explain", help="Explain the score of each tag; in jsonl and tables.")
    ] = False,
) -> None:
    """Tag the articles of INPUT and write one row for each, in their order.

    Records that cannot be tagged go to OUT.rejects.jsonl (without -o, to stderr) with the reason, and the run
    continues. An interrupted run to OUT resumes when the same command is started again: OUT.manifest.json records its
    progress.
    """
    from wusum.model.errors import WusumError
    from wusum.model.io.fields import Fields
    from wusum.model.options import ModelSpec, PredictOptions
    from wusum.model.run.command import TagOptions, run_tag

    options = TagOptions(
        inputs=inputs,
        output=None if output == "-" else output,
        format=format.value if format else None,
        predict=PredictOptions(max_topics, max_tags, min_score, explain),
        spec=ModelSpec(model, runtime.value, device.value, threads, vocabulary),
        fields=Fields(id=id_field, title=title_field, text=text_field),
        pages=pages,
        force=not resume,
        shard_rows=shard_rows,
        part=_part(part),
        workers=workers,
        engine=engine.value,
    )
    if shard_rows and options.output is None:
        raise typer.BadParameter("shards need an output file: name it with -o", param_hint="--shard-rows")
    try:
        run_tag(options)
    except BrokenPipeError:  # the reader, e.g. `head`, has closed the pipe; nothing more must be flushed into it
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (WusumError, OSError) as error:  # OSError: e.g. a full disk
        typer.echo(f"wusum tag: {error}", err=True)
        raise typer.Exit(2) from error


def load_parts() -> None:
    """Add the commands of the other packages of wusum, found by their entry points."""
    for part in sorted(entry_points(group="wusum.commands"), key=lambda part: part.name):
        app.add_typer(part.load())


def main() -> None:
    """Run the command line."""
    load_parts()
    app()
