"""`wusum eval` and `wusum bench`: measure a model."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import fields
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand

from wusum.model.options import RuntimeName

if TYPE_CHECKING:
    from wusum.eval.measures.answers import Key
    from wusum.eval.measures.evaluation import Evaluation

app = typer.Typer()

EXTRAS = "pip install 'wusum[train,eval]'"
"""The remedy for a missing module."""


class Suite(StrEnum):
    """The suites that measure on the corpora."""

    topics = "topics"
    tags = "tags"
    by_hand = "by-hand"
    annotated = "annotated"
    parser = "parser"
    robustness = "robustness"
    transfer = "transfer"
    drift = "drift"


class EvalCommand(TyperCommand):
    """A command whose help ends with the settings of the config."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Print the help, then the settings, if the packages that read them are installed."""
        super().format_help(ctx, formatter)
        try:
            from wusum.eval.config import EvalConfig
            from wusum.train.config import settings_help
        except ModuleNotFoundError:
            return
        options = [f"  --{param.name} " for param in self.params] + ["  --baselines "]
        entries = re.split(r"\n(?=  --)", settings_help(EvalConfig))[1:]
        typer.echo("Further settings of the config, which can be given as flags behind it:\n")
        typer.echo("\n".join(entry for entry in entries if not entry.startswith(tuple(options))))


@app.command("eval", cls=EvalCommand, context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def evaluate(
    context: typer.Context,
    config: Annotated[Path, typer.Argument(help="YAML file with data and suites.")] = Path("configs/eval.yaml"),
    suite: Annotated[
        list[Suite] | None,
        typer.Option(
            help="Suites to run. Default: all but transfer and drift, which train models; with these suites, "
            "flags that are not settings below are settings of the training, such as --budget 6000."
        ),
    ] = None,
    model: Annotated[str | None, typer.Option(help="Model: small, base, a folder or a Hub id. Default: small.")] = None,
    compare: Annotated[
        tuple[str, str] | None, typer.Option(help="Two models, or folders of two reports, to compare.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Folder for report.html, metrics.json and answers.jsonl.")
    ] = None,
    labelled: Annotated[
        Path | None, typer.Option(help="Measure on your own articles instead: JSON Lines with text and topics or tags.")
    ] = None,
    data: Annotated[Path | None, typer.Option(help="Folder of the corpora. Default: the config's.")] = None,
    runtime: Annotated[
        RuntimeName | None, typer.Option(help="What runs the network. Default: the config's, or onnx.")
    ] = None,
    split: Annotated[
        str | None,
        typer.Option(help="Split to measure on: choose by validation, report test. Default: the config's, or test."),
    ] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Measure on samples, for a first look in minutes.")] = False,
    no_baselines: Annotated[bool, typer.Option("--no-baselines", help="Measure the model only.")] = False,
) -> None:
    """Measure a model and its baselines, print the scores with their intervals, and write a report."""
    try:
        import jinja2  # noqa: F401
        import sklearn  # noqa: F401
        import yake  # noqa: F401
        import yaml  # noqa: F401
    except ModuleNotFoundError as error:
        typer.echo(f"wusum eval: {error}: {EXTRAS}", err=True)
        raise typer.Exit(2) from error
    from rich.console import Console

    from wusum.eval.config import EvalConfig
    from wusum.eval.runner import evaluate as run
    from wusum.eval.runner import load_report
    from wusum.eval.suites.suite import TRAINING_SUITES
    from wusum.model.errors import ConfigError, WusumError
    from wusum.model.tagger import Tagger
    from wusum.train.config import load

    names = [s.value for s in suite or [s for s in Suite if s not in TRAINING_SUITES]]
    settings_flags, training_flags = split_flags(context.args, [field.name for field in fields(EvalConfig)])
    flags = [*(["--quick", "true"] if quick else []), *(["--baselines", "false"] if no_baselines else [])]
    flags += ["--split", split] if split else []
    flags += ["--data", str(data)] if data else []
    flags += ["--runtime", runtime.value] if runtime else []
    if labelled:
        names, flags = ["own"], [*flags, "--labelled", str(labelled)]
    try:
        if training_flags and not set(names) <= set(TRAINING_SUITES):
            raise ConfigError(
                f"{training_flags[0]}: not a setting of wusum eval; settings of a training need --suite transfer or "
                "--suite drift, and no other suite"
            )
        flags += ["--training", str(training_flags)] if training_flags else []
        settings = load(EvalConfig, config, [*flags, *settings_flags])
        if compare and (model or output):
            raise ConfigError("--compare gives both models itself, and writes no report: omit --model and --output")

        def measure(name: str | None) -> Evaluation:
            with Progress() as progress:
                return run(Tagger.from_pretrained(name, runtime=settings.runtime), settings, names, progress)

        if compare:
            one, other = (load_report(Path(name)) or measure(name) for name in compare)
            Console().print(side_by_side(one, other, compare))
            return
        evaluation = measure(model)
        Console().print(table(evaluation))
        if output:
            from wusum.eval.report.report import write_report

            write_report(evaluation, settings, output)
            typer.echo(f"wusum eval: wrote {output / 'report.html'}, metrics.json and answers.jsonl", err=True)
    except ModuleNotFoundError as error:  # torch, which some baselines and suites need
        typer.echo(f"wusum eval: {error}: {EXTRAS}", err=True)
        raise typer.Exit(2) from error
    except WusumError as error:
        typer.echo(f"wusum eval: {error}", err=True)
        raise typer.Exit(2) from error


def split_flags(arguments: Sequence[str], names: Sequence[str]) -> tuple[list[str], list[str]]:
    """Split flags with their values into those of some settings and all others."""
    ours: list[str] = []
    others: list[str] = []
    chosen = others
    for argument in arguments:
        if argument.startswith("--"):
            name = argument.removeprefix("--").partition("=")[0].partition(".")[0].replace("-", "_")
            chosen = ours if name.rstrip("+") in names else others
        chosen.append(argument)
    return ours, others


@app.command()
def bench(
    articles: Annotated[int, typer.Option(min=100, help="Articles to tag.")] = 20_000,
    turns: Annotated[int, typer.Option(min=1, help="Turns of every system; the median is reported.")] = 3,
    memory: Annotated[
        int | None,
        typer.Option(
            min=1000, help="Number of articles of 20 words on which to measure memory, too, and on a tenth of them."
        ),
    ] = None,
    model: Annotated[str | None, typer.Option(help="Model: small, base, a folder or a Hub id. Default: small.")] = None,
    config: Annotated[Path, typer.Option(help="YAML file with data and corpora.")] = Path("configs/eval.yaml"),
    output: Annotated[Path | None, typer.Option("--output", "-o", help="JSON file for the numbers.")] = None,
) -> None:
    """Measure the speed of the whole command, of the network, and of other ways to run the same weights."""
    from rich.console import Console

    from wusum.eval.bench import bench as run
    from wusum.eval.config import EvalConfig
    from wusum.model.errors import WusumError
    from wusum.train.config import load

    try:
        settings = load(EvalConfig, config)
        found = run(settings, model, articles, turns, memory, lambda text: typer.echo(f"wusum bench: {text}", err=True))
    except ModuleNotFoundError as error:
        typer.echo(f"wusum bench: {error}: {EXTRAS}", err=True)
        raise typer.Exit(2) from error
    except WusumError as error:
        typer.echo(f"wusum bench: {error}", err=True)
        raise typer.Exit(2) from error
    Console().print(rates_table(found))
    rest = {name: value for name, value in found.items() if not isinstance(value, (list, dict))}
    typer.echo(", ".join(f"{name} {value:,.2f}".removesuffix(".00") for name, value in rest.items()))
    if output:
        output.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def rates_table(found: dict[str, Any]) -> Any:
    """Return the rates of a bench run as a table."""
    from rich.table import Table

    made = Table("system", "articles/s", "tokens/s", "peak MiB", "of the matrix rate")
    for row in found["rates"]:
        cells = [f"{row[name]:,.0f}" if row[name] else "" for name in ("articles", "tokens", "peak_mib")]
        made.add_row(row["system"], *cells, f"{row['share']:.0%}" if row["share"] else "")
    return made


class Progress:
    """A progress bar over the systems to measure, on standard error."""

    def __init__(self) -> None:
        """Make a bar that is not shown yet."""
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
        from rich.progress import Progress as Bar

        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        self._bar = Bar(*columns, console=Console(stderr=True), transient=True)
        self._task = self._bar.add_task("reading", total=None)

    def __call__(self, key: Key, done: int, total: int) -> None:
        """Show which system answers now."""
        words = [part for part in (key.suite, key.corpus, key.system, key.variant) if part]
        self._bar.update(self._task, description=" · ".join(words), completed=done, total=total)

    def __enter__(self) -> Progress:
        """Show the bar."""
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Remove the bar."""
        self._bar.stop()


def table(evaluation: Evaluation) -> Any:
    """Return every score with its interval as a table."""
    from rich.table import Table

    from wusum.eval.report.tables import interval_text

    made = Table("suite", "corpus", "system", "metric", "value", "95% interval", "articles")
    for s in evaluation.scores():
        corpus = f"{s.corpus}, {s.variant}" if s.variant else s.corpus
        interval = interval_text(s.low, s.high, 4)
        made.add_row(s.suite, corpus, s.system, s.metric, f"{s.value:.4f}", interval, f"{s.articles:,}")
    return made


def side_by_side(one: Evaluation, other: Evaluation, names: tuple[str, str]) -> Any:
    """Return the main measures of two models with the p-values of their differences, as a table.

    Raises ConfigError if the two have no suite in common, or were measured on different articles.
    """
    from rich.table import Table

    from wusum.eval.report.tables import model_comparison
    from wusum.model.errors import ConfigError

    try:
        rows = model_comparison(one, other)
    except ValueError as error:
        raise ConfigError(str(error)) from error
    if not rows:
        raise ConfigError(f"{names[0]} and {names[1]}: no suite in common")
    made = Table("suite", "corpus", "metric", *names, "difference", "p", "corrected")
    for row in rows:
        values = f"{row['one']:.4f}", f"{row['other']:.4f}", f"{row['other'] - row['one']:+.4f}"
        made.add_row(row["suite"], row["corpus"], row["metric"], *values, f"{row['p']:.4f}", f"{row['p_holm']:.4f}")
    return made
