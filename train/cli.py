"""`wusum train STAGE CONFIG [--setting value …]`: one stage of training, from a YAML file."""

from __future__ import annotations

import logging
from enum import StrEnum
from importlib import import_module
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True)


class Stage(StrEnum):
    """What can be run, in the order in which a model is made."""

    comparison = "comparison"
    tokenizer = "tokenizer"
    vectors = "vectors"
    packing = "packing"
    pretrain = "pretrain"
    contrast = "contrast"
    finetune = "finetune"
    average = "average"
    export = "export"
    calibrate = "calibrate"


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def train(
    context: typer.Context,
    stage: Annotated[Stage, typer.Argument(help="What to make.")],
    config: Annotated[Path, typer.Argument(help="YAML file with the settings; see configs/.")],
) -> None:
    """Run one stage of training; any setting of the file can be given again as a flag, such as --seed 7."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    # Each stage pulls in its own heavy packages.
    try:
        from wusum.model.errors import ConfigError, CorpusError, ModelError
        from wusum.train.config import load

        module = import_module(f"wusum.train.stages.{stage.value}")
    except ModuleNotFoundError as error:
        typer.echo(f"wusum train: {error}: pip install 'wusum[train]'", err=True)
        raise typer.Exit(2) from error
    try:
        module.run(load(getattr(module, f"{stage.value.capitalize()}Config"), config, context.args))
    except (ConfigError, CorpusError, ModelError, FileNotFoundError) as error:
        typer.echo(f"wusum train: {error}", err=True)
        raise typer.Exit(2) from error
