"""`wusum train STAGE CONFIG [--setting value …]`: run one stage of training by the settings in a YAML file."""

from __future__ import annotations

import logging
from enum import StrEnum
from importlib import import_module
from typing import Any, NoReturn

import typer

app = typer.Typer()
stages = typer.Typer(
    no_args_is_help=True, help="Run one stage of training. `wusum train STAGE --help` lists its settings."
)
app.add_typer(stages, name="train")

EXTRA = "pip install 'wusum[train]'"
"""Remedy for a missing module."""

HELP = """\
Usage: wusum train {stage} CONFIG [--setting value …]

{summary}

CONFIG is a YAML file with the settings below; a flag overrules the file.
"""
"""Beginning of the help of a stage."""


class Stage(StrEnum):
    """The stages of training, in the order in which a model is made."""

    summary: str
    """One line about the stage."""

    def __new__(cls, name: str, summary: str) -> Stage:
        """Make a stage from its name and summary."""
        stage = str.__new__(cls, name)
        stage._value_ = name
        stage.summary = summary
        return stage

    prune = "prune", "Cut a pretrained vocabulary to the pieces of the corpora."
    tokenizer = "tokenizer", "Train the tokenizer on the text of the corpora."
    vectors = "vectors", "Make word vectors, from which the encoder's embeddings start."
    contrast = "contrast", "Pretrain the encoder to tell which passages are of one article."
    finetune = "finetune", "Train encoder and heads on topics, tags, key phrases and names."
    distill = "distill", "Teach a small encoder what fine-tuned ones say about all text."
    export = "export", "Write the ONNX graphs of a fine-tuned model."
    calibrate = "calibrate", "Fit temperature, thresholds and the ranking of tags."
    ablation = "ablation", "Measure the ranking of tags without each source in turn."
    splitter = "splitter", "Fit the splitter of tag lines on scraped pages."

    def config_type(self) -> type[Any]:
        """Return the dataclass of the stage's settings; imports the stage with all that it needs."""
        found: type[Any] = getattr(self._module(), f"{self.value.capitalize()}Config")
        return found

    def run(self, config: Any) -> None:
        """Run the stage."""
        self._module().run(config)

    def _module(self) -> Any:
        return import_module(f"wusum.train.stages.{self.value}")


def add_command(stage: Stage) -> None:
    """Add the command of a stage."""
    settings = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}

    # All arguments are extra ones for typer: the flags are fields of the stage's config, which is not imported yet.
    @stages.command(stage.value, help=stage.summary, context_settings=settings)
    def command(context: typer.Context) -> None:
        run_stage(stage, context.args)


for _stage in Stage:
    add_command(_stage)


def run_stage(stage: Stage, arguments: list[str]) -> None:
    """Run a stage, given the path of its config and flags, or print its help."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    try:
        from wusum.model.errors import WusumError
        from wusum.train.config import load, settings_help

        kind = stage.config_type()
    except ModuleNotFoundError as error:
        _fail(f"{error}: {EXTRA}")
    if "--help" in arguments or "-h" in arguments:
        typer.echo(f"{HELP.format(stage=stage, summary=stage.summary)}\n{settings_help(kind)}")
        return
    if not arguments or arguments[0].startswith("-"):
        _fail(f"{stage}: name a YAML file with the settings first, such as configs/{stage}.yaml")
    try:
        stage.run(load(kind, arguments[0], arguments[1:]))
    except (WusumError, FileNotFoundError) as error:
        _fail(str(error))


def _fail(message: str) -> NoReturn:
    """Print a message and exit with status 2."""
    typer.echo(f"wusum train: {message}", err=True)
    raise typer.Exit(2)
