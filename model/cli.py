"""The `wusum` command. Everything heavy is imported by the command that needs it, so that `--help` is quick."""

from __future__ import annotations

import os
import sys
from enum import StrEnum
from importlib.metadata import entry_points, version
from typing import Annotated

import typer

app = typer.Typer(
    help="Topics and keyword tags for Arabic news articles.", no_args_is_help=True, pretty_exceptions_enable=False
)


class Format(StrEnum):
    """How predictions are written."""

    table = "table"
    jsonl = "jsonl"
    csv = "csv"
    tsv = "tsv"
    parquet = "parquet"


class RuntimeName(StrEnum):
    """What runs the network."""

    onnx = "onnx"
    int8 = "int8"
    torch = "torch"


class Device(StrEnum):
    """Where the network runs."""

    auto = "auto"
    cpu = "cpu"
    cuda = "cuda"


class Engine(StrEnum):
    """What runs the processes that tag."""

    local = "local"
    ray = "ray"


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"wusum {version('wusum')}")
        raise typer.Exit


def _part(text: str) -> tuple[int, int]:
    """The numbers of "3/16"."""
    number, _, count = text.partition("/")
    if not (number.isdecimal() and count.isdecimal() and 1 <= int(number) <= int(count)):
        raise typer.BadParameter(f"{text!r} is no part such as 3/16", param_hint="--part")
    return int(number), int(count)


@app.callback()
def root(
    _: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and stop.")
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
        str | None, typer.Option("--output", "-o", metavar="OUT", help="File to write; its suffix tells the format.")
    ] = None,
    format: Annotated[
        Format | None, typer.Option(help="Default: by the suffix of OUT; a table on a terminal, else jsonl.")
    ] = None,
    max_topics: Annotated[int, typer.Option(min=1, help="Topics of an article at most.")] = 3,
    max_tags: Annotated[int, typer.Option(min=0, help="Tags of an article at most.")] = 10,
    min_score: Annotated[
        float | None,
        typer.Option(min=0, max=1, help="Least score of a topic or tag. Default: the model's own thresholds."),
    ] = None,
    id_field: Annotated[str | None, typer.Option(help="Field of the id. Default: id or url.")] = None,
    title_field: Annotated[str | None, typer.Option(help="Field of the title. Default: title or headline.")] = None,
    text_field: Annotated[
        str | None, typer.Option(help="Field of the text. Default: text, body, content, article.")
    ] = None,
    pages: Annotated[
        bool | None,
        typer.Option(
            "--pages/--plain",
            help="Take texts apart as scraped pages, or take none apart. Default: only .txt files are.",
        ),
    ] = None,
    model: Annotated[str | None, typer.Option(help="Folder or Hub id of a model. Default: the bundled one.")] = None,
    runtime: Annotated[
        RuntimeName, typer.Option(help="What runs the network. int8: onnx in integers, faster.")
    ] = RuntimeName.onnx,
    device: Annotated[
        Device, typer.Option(help="Where it runs. auto: on a GPU where there is one; with ray on the CPU.")
    ] = Device.auto,
    threads: Annotated[
        int | None, typer.Option(min=1, help="Threads of each network. Default: what processors there are.")
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Processes that tag, each with a model of its own. Default: a long run takes one for each processor.",
        ),
    ] = None,
    engine: Annotated[Engine, typer.Option(help="Where they run: here, or on a Ray cluster.")] = Engine.local,
    resume: Annotated[
        bool,
        typer.Option(
            "--resume/--force", help="Go on where a run to OUT was cut, by its manifest; or start over in any case."
        ),
    ] = True,
    shard_rows: Annotated[
        int | None, typer.Option(min=1, help="Write OUT-00000.SUFFIX and on, with so many rows each.")
    ] = None,
    part: Annotated[
        str, typer.Option(metavar="I/N", help="Only the I-th of N parts of the records, in turns of 256.")
    ] = "1/1",
    vocabulary: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Give only the tags of FILE: .txt, .csv or .jsonl, with aliases and ids."),
    ] = None,
    explain: Annotated[
        bool, typer.Option("--explain", help="Say of each tag what its score is made of; in jsonl and tables.")
    ] = False,
) -> None:
    """Tag the articles of INPUT: a row each, in their order.

    Records that cannot be tagged go to OUT.rejects.jsonl (to stderr without -o) with the reason; the run goes on. A run
    to OUT that was cut, by whatever it was, goes on when it is started again, from what OUT.manifest.json says.
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
        raise typer.BadParameter("shards need an output: name it with -o", param_hint="--shard-rows")
    try:
        run_tag(options)
    except BrokenPipeError:  # the reader, say `head`, has had enough; nothing is left to be flushed into the pipe
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (WusumError, OSError) as error:  # OSError: a full disk, say
        typer.echo(f"wusum tag: {error}", err=True)
        raise typer.Exit(2) from error


def load_parts() -> None:
    """Add the commands of the other parts of wusum, found by their entry points."""
    for part in sorted(entry_points(group="wusum.commands"), key=lambda part: part.name):
        app.add_typer(part.load())


def main() -> None:
    """Run the command line."""
    load_parts()
    app()
