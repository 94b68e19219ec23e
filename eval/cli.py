"""`wusum eval`: measure a model."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer()


class Suite(StrEnum):
    """What can be measured."""

    topics = "topics"
    tags = "tags"
    by_hand = "by-hand"
    transfer = "transfer"


@app.command("eval", context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def evaluate(
    context: typer.Context,
    config: Annotated[Path, typer.Argument(help="YAML file with data and suites.")] = Path("configs/eval.yaml"),
    suite: Annotated[
        list[Suite] | None,
        typer.Option(help="Suites to run. Default: all but transfer, which trains models and takes settings for it."),
    ] = None,
    model: Annotated[str | None, typer.Option(help="Folder or Hub id of a model. Default: the bundled one.")] = None,
    data: Annotated[Path | None, typer.Option(help="Folder of the corpora. Default: the config's.")] = None,
    split: Annotated[str, typer.Option(help="Split to measure on; choose on validation, report test.")] = "test",
) -> None:
    """Measure a model on the suites of a config and print a table."""
    try:
        import sklearn  # noqa: F401
        import yaml  # noqa: F401
    except ModuleNotFoundError as error:
        typer.echo(f"wusum eval: {error}: pip install 'wusum[eval]'", err=True)
        raise typer.Exit(2) from error
    from rich.console import Console
    from rich.table import Table

    from wusum.eval.suites import SUITES, EvalConfig, Score
    from wusum.model.runtime import ModelError
    from wusum.model.tagger import Tagger
    from wusum.train.config import ConfigError, load
    from wusum.train.corpora import CorpusError

    table = Table("suite", "corpus", "system", "metric", "value", "articles")
    try:
        settings = load(EvalConfig, config, [*(["--data", str(data)] if data else []), "--split", split])
        scores: list[Score] = []
        for name in suite or [s for s in Suite if s is not Suite.transfer]:
            if name is Suite.transfer:
                from wusum.eval.transfer import transfer_suite

                scores += transfer_suite(settings, context.args)
            elif context.args:
                raise ConfigError(f"{context.args[0]}: settings of a training go with --suite transfer alone")
            else:
                scores += SUITES[name.value](Tagger.from_pretrained(model), settings)
        for score in scores:
            value, articles = f"{score.value:.4f}", f"{score.articles:,}"
            table.add_row(score.suite, score.corpus, score.system, score.metric, value, articles)
    except (ConfigError, CorpusError, ModelError) as error:
        typer.echo(f"wusum eval: {error}", err=True)
        raise typer.Exit(2) from error
    Console().print(table)
