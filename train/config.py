"""A run's configuration: one dataclass per stage, filled from YAML and overridden by flags of the same names."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

import yaml

from wusum.model.errors import ConfigError

T = TypeVar("T")


def load(kind: type[T], path: str | Path, flags: Sequence[str] = ()) -> T:
    """The YAML file `path` as a `json_type`, with `flags` such as `--learning-rate 1e-4` on top.

    Raises ConfigError for an unreadable file, an unknown key, a missing key or a value of the wrong type.
    """
    try:
        values = yaml.safe_load(Path(path).read_text(encoding="utf-8")) or {}
    except (OSError, yaml.YAMLError) as error:
        raise ConfigError(f"{path}: {error}") from error
    if not isinstance(values, dict):
        raise ConfigError(f"{path}: a mapping of settings is needed, not a {type(values).__name__}")
    values.update(_parse_flags(flags))
    hints = get_type_hints(kind)
    fields = {field.name: field for field in dataclasses.fields(kind)}  # type: ignore[arg-type]
    for name in values:
        if name not in fields:
            raise ConfigError(f"{path}: unknown setting {name!r}; there are {', '.join(fields)}")
    missing = [
        name
        for name, field in fields.items()
        if name not in values and field.default is field.default_factory is dataclasses.MISSING
    ]
    if missing:
        raise ConfigError(f"{path}: no value for {', '.join(missing)}")
    return kind(**{name: _convert(hints[name], value, f"{path}: {name}") for name, value in values.items()})


def pin(config: Any, folder: Path, free: Sequence[str] = ()) -> None:
    """Write the settings of a run beside its checkpoints; raises ConfigError where those were made with others.

    Settings named in `free` may change from one start of a run to the next.
    """
    path = folder / "settings.json"
    settings = {name: str(v) if isinstance(v, Path) else v for name, v in dataclasses.asdict(config).items()}
    if path.is_file():
        earlier = json.loads(path.read_text(encoding="utf-8"))
        changed = [name for name in settings if name not in free and settings[name] != earlier.get(name)]
        if changed:
            raise ConfigError(
                f"{folder}: has checkpoints of a run with other settings ({', '.join(changed)}); "
                "name another output, or remove it"
            )
    folder.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(settings, ensure_ascii=False, indent=1), encoding="utf-8")


def _parse_flags(flags: Sequence[str]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    rest = list(flags)
    while rest:
        flag = rest.pop(0)
        if not flag.startswith("--"):
            raise ConfigError(f"{flag!r}: a setting is given as --name value")
        name, equals, value = flag[2:].partition("=")
        if not equals:
            if not rest:
                raise ConfigError(f"{flag}: no value given")
            value = rest.pop(0)
        try:
            values[name.replace("-", "_")] = yaml.safe_load(value) if value else ""
        except yaml.YAMLError as error:
            raise ConfigError(f"--{name}: {value!r} is no value: {error}") from error
    return values


def _convert(hint: Any, value: Any, where: str) -> Any:
    kind = get_origin(hint) or hint
    if kind is float and isinstance(value, (int, str)) and not isinstance(value, bool):
        try:  # YAML 1.1 reads 5e-4 as a string
            return float(value)
        except ValueError:
            raise ConfigError(f"{where}: {value!r} is no number") from None
    if kind is Path and isinstance(value, str):
        return Path(value)
    if kind is dict and isinstance(value, dict):
        _, item = get_args(hint) or (str, Any)
        return {key: v if item is Any else _convert(item, v, f"{where}.{key}") for key, v in value.items()}
    if kind is list and isinstance(value, list):
        return [_convert(get_args(hint)[0], item, f"{where}[{i}]") for i, item in enumerate(value)]
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise ConfigError(f"{where}: {value!r} is no {kind.__name__}")
    return value
