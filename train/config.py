"""The settings of a stage: a dataclass filled from a YAML file, with flags of the same names on top.

The docstring below each field of the dataclass is the help text of its flag.
"""

from __future__ import annotations

import dataclasses
import json
import re
from argparse import SUPPRESS, ArgumentError
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import yaml
from jsonargparse import ArgumentParser, set_parsing_settings

from wusum.model.errors import ConfigError
from wusum.train.cache import read_json, write_json

T = TypeVar("T")

set_parsing_settings(docstring_parse_attribute_docstrings=True)

_FLAG = re.compile(r"--(?P<name>[\w-]+)(?P<rest>.*)", re.DOTALL)
"""A flag: the name of a setting; behind it a key of the setting (`.key`), a `+` to append to a list, or `=value`."""

_MESSAGES = (
    (r"Option '(\w+)' is not accepted", r"unknown setting '\1'"),
    (r"the following arguments are required: ", "no value for "),
    (r"unrecognized arguments: (.*)", r"\1: a setting is given as --name value"),
    (r"argument (--\S+): expected one argument", r"\1: no value given"),
    (r"Unexpected config: $", "no settings"),
    (r"Unexpected config: ", "a mapping of settings is needed, not "),
    (r'Parser key "config": ', ""),
    (r'Parser key "([\w.]+)":\s*', r"\1: "),
    (r"Expected an? (?:<class '([\w.]+)'>|(\S+))\. Got value: (.*)", r"expected \1\2, got \3"),
)
"""Messages of jsonargparse (regular expressions) and their wording here. Others are passed on as they are."""


def load(kind: type[T], path: str | Path, flags: Sequence[str] = ()) -> T:
    """Return the YAML file `path` as a `kind`, with `flags` such as `--learning-rate 1e-4` on top.

    The value of a flag is YAML; dashes and underscores in its name are the same. Raises ConfigError, which names the
    file and the setting, for an unreadable file, an unknown or missing setting or a value of the wrong type.
    """
    names = [field.name for field in dataclasses.fields(kind)]  # type: ignore[arg-type]
    parser = _parser(kind)
    parser.add_argument("--config", action="config")
    _refuse_unknown(path, names)
    arguments = [f"--config={path}", *(_with_underscores(flag, names, path) for flag in flags)]
    try:
        values = parser.parse_args(arguments).as_dict()
    except (ArgumentError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: {_reworded(str(error), names)}") from error
    del values["config"]
    if empty := [name for name, value in values.items() if value is None]:
        raise ConfigError(f"{path}: no value for {', '.join(empty)}")
    return kind(**values)


def settings_help(kind: type[Any]) -> str:
    """Return a plain listing of the settings of a `kind`: the flag, help text, type and default of each."""
    text = re.sub(r"--\w+", lambda flag: flag[0].replace("_", "-"), _parser(kind).format_help())
    return re.sub(r"<class\s+'(\w+)'>", r"\1", text).strip()


def pin(config: Any, folder: Path, inputs: Mapping[str, str], free: Sequence[str] = ()) -> None:
    """Write the settings of a run, and digests of its inputs by name, to `settings.json` beside its checkpoints.

    Raises ConfigError if the folder has the checkpoints of a run with other settings or with inputs of other contents.
    Settings named in `free` may change from one start of a run to the next.
    """
    path = folder / "settings.json"
    settings = json.loads(json.dumps(dataclasses.asdict(config), default=str))  # as they come back from the file
    if path.is_file():
        earlier = read_json(path)
        changed = [name for name in settings if name not in free and settings[name] != earlier.get(name)]
        before = earlier.get("inputs", {})
        names = sorted(before.keys() | inputs.keys())
        changed += [f"contents of {name}" for name in names if before.get(name) != inputs.get(name)]
        if changed:
            raise ConfigError(
                f"{folder}: has checkpoints of a run with other settings or data ({', '.join(changed)}); "
                "name another output, or remove it"
            )
    write_json(path, settings | {"inputs": dict(inputs)}, indent=1)


def _parser(kind: type[Any]) -> ArgumentParser:
    """Return a parser whose flags are the fields of a dataclass."""
    parser = ArgumentParser(exit_on_error=False, add_help=False, allow_abbrev=False, print_config=None, usage=SUPPRESS)
    parser.add_class_arguments(kind)
    return parser


def _refuse_unknown(path: str | Path, names: Sequence[str]) -> None:
    """Raise ConfigError for an unknown setting of a YAML file; jsonargparse overlooks those whose value is empty."""
    try:
        values = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        return  # jsonargparse says why
    if isinstance(values, dict) and (unknown := [str(name) for name in values if name not in names]):
        raise ConfigError(f"{path}: {_unknown(unknown[0])}{_listed(names)}")


def _with_underscores(flag: str, names: Sequence[str], path: str | Path) -> str:
    """Return a flag with its name as the field is called; a value is returned as it is."""
    found = _FLAG.fullmatch(flag)
    if not found:
        return flag
    name = found["name"].replace("-", "_")
    if name not in names:
        raise ConfigError(f"{path}: {_unknown(name)}{_listed(names)}")
    return f"--{name}{found['rest']}"


def _unknown(name: str) -> str:
    return f"unknown setting {name!r}"


def _listed(names: Sequence[str]) -> str:
    return f"; there are {', '.join(names)}"


def _reworded(message: str, names: Sequence[str]) -> str:
    """Return a message of jsonargparse in the words of this package."""
    for pattern, words in _MESSAGES:
        message = re.sub(pattern, words, message)
    return message + _listed(names) if message.startswith("unknown setting") else message
