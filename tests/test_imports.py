"""The order of the packages: imports follow the arrows of the design, without circles, and `--help` stays light."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from textwrap import dedent

import pytest

from tests.support import ROOT

PARTS = {
    "model": "",
    "train": "model",
    "eval": "model train",
}
"""The parts of the distribution, and the parts that each may import."""

MODEL = {
    "errors": "",
    "options": "",
    "prediction": "",
    "text": "errors",
    "pages": "errors text",
    "article": "pages text",
    "io": "article errors text",
    "stream": "article prediction",
    "network": "errors options prediction text",
    "tagging": "errors network options prediction text",
    "tagger": "article errors network options prediction stream tagging text",
    "predictor": "article errors io options prediction tagger",
    "run": "article errors io network options prediction stream tagger",
    "cli": "errors io options run",
}
"""The packages and modules directly in `model/`, and those that each may import. `__init__` may import any."""

HEAVY = (
    "datasets", "fsspec", "huggingface_hub", "jinja2", "jsonargparse", "numpy", "onnxruntime", "pyarrow", "safetensors",
    "sklearn", "tokenizers", "torch", "transformers", "yaml",
)  # fmt: skip
"""Packages that take long to import."""

Graph = dict[str, set[str]]
"""The modules that each module imports."""


def read_imports(root: Path) -> Graph:
    """Return the imports among the modules below `root`/model, train and eval, wherever in a module they stand."""
    paths = {_name(path.relative_to(root)): path for part in PARTS for path in (root / part).rglob("*.py")}
    return {
        module: {target for name in _imported(module, path) if (target := _module(name, paths)) != module} - {""}
        for module, path in paths.items()
    }


def _name(path: Path) -> str:
    """Return the name of a module: wusum.model.io.reader for model/io/reader.py."""
    return ".".join(["wusum", *path.with_suffix("").parts]).removesuffix(".__init__")


def _module(name: str, modules: dict[str, Path]) -> str:
    """Return the module that defines what `name` names, "" if that is none of `modules`."""
    while name and name not in modules:
        name = name.rpartition(".")[0]
    return name


def _imported(module: str, path: Path) -> Iterator[str]:
    """Yield the dotted names that a module imports."""
    package = module.split(".") if path.name == "__init__.py" else module.split(".")[:-1]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) + 1 - node.level] if node.level else []
            yield from (".".join([*base, *filter(None, [node.module]), alias.name]) for alias in node.names)
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("import_module"):
            argument = node.args[0].values[0] if isinstance(node.args[0], ast.JoinedStr) else node.args[0]
            if isinstance(argument, ast.Constant):
                yield argument.value.rstrip(".")  # of an f-string the beginning


def wrong_arrows(graph: Graph) -> list[str]:
    """Return the imports that the tables do not allow."""
    return [
        f"{module} imports {target}"
        for module, targets in sorted(graph.items())
        for target in sorted(targets)
        if not _allowed(module.split("."), target.split("."))
    ]


def _allowed(module: list[str], target: list[str]) -> bool:
    """Whether one module may import another, given the parts of their names."""
    if module[1] != target[1]:
        return target[1] in PARTS[module[1]].split()
    if module[1] != "model" or len(module) == 2:
        return True
    return len(target) > 2 and target[2] in {module[2], *MODEL[module[2]].split()}


def circle(graph: Graph) -> list[str]:
    """Return the modules of one circle of imports, the first also last; empty if there is none."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def test_imports_follow_the_arrows_of_the_design() -> None:
    assert wrong_arrows(read_imports(ROOT)) == []


def test_no_modules_import_each_other_in_a_circle() -> None:
    assert circle(read_imports(ROOT)) == []


def test_every_package_of_the_model_is_in_the_table() -> None:
    graph = read_imports(ROOT)
    assert {module.split(".")[2] for module in graph if module.startswith("wusum.model.")} == set(MODEL)
    assert {module.split(".")[1] for module in graph} == set(PARTS)


def test_the_table_itself_has_no_circle() -> None:
    for table in (PARTS, MODEL):
        assert circle({package: set(others.split()) for package, others in table.items()}) == []


def test_every_import_of_a_module_is_read(tmp_path: Path) -> None:
    graph = plant(
        tmp_path,
        {
            "model/tagger.py": """
                import wusum.model.stream, numpy
                from typing import TYPE_CHECKING
                from wusum.model import errors, VERSION
                from wusum.model.io.reader import read
                if TYPE_CHECKING:
                    from wusum.model.article import Article
                def open():
                    from .network import runtime
                    from . import options as chosen
                    importlib.import_module("wusum.model.cli")
                    import_module(f"wusum.model.text.{name}")
            """,
            "model/__init__.py": "from .io import reader",
            "model/network/runtime.py": "from ..errors import ModelError\nfrom wusum.model import network",
        },
    )
    assert graph["wusum.model.tagger"] == {
        "wusum.model", "wusum.model.article", "wusum.model.cli", "wusum.model.errors", "wusum.model.io.reader",
        "wusum.model.network.runtime", "wusum.model.options", "wusum.model.stream", "wusum.model.text",
    }  # fmt: skip
    assert graph["wusum.model"] == {"wusum.model.io.reader"}
    assert graph["wusum.model.network.runtime"] == {"wusum.model.errors", "wusum.model.network"}


@pytest.mark.parametrize(
    ("path", "line", "wrong"),
    [
        ("model/network/runtime.py", "from wusum.model.tagging.ranker import TagRanker", "wusum.model.tagging.ranker"),
        ("model/io/reader.py", "from wusum.model.network import runtime", "wusum.model.network.runtime"),
        ("model/io/reader.py", "import wusum.model.tagging.ranker", "wusum.model.tagging.ranker"),
        ("model/text/words.py", "from wusum.model import article", "wusum.model.article"),
        ("model/text/words.py", "from wusum.model import Article", "wusum.model"),
        ("model/text/words.py", "from ..tagger import Tagger", "wusum.model.tagger"),
        ("model/cli.py", "from wusum.train.cli import app", "wusum.train.cli"),
        ("model/__init__.py", "import wusum.eval.cli", "wusum.eval.cli"),
        ("train/cli.py", "from wusum.eval import cli", "wusum.eval.cli"),
    ],
)
@pytest.mark.parametrize("place", ["{}", "def late():\n    {}", "import typing\nif typing.TYPE_CHECKING:\n    {}"])
def test_an_arrow_back_is_found(tmp_path: Path, path: str, line: str, wrong: str, place: str) -> None:
    graph = plant(tmp_path, {path: place.format(line)})
    assert wrong_arrows(graph) == [f"{_name(Path(path))} imports {wrong}"]


def test_arrows_of_the_design_are_allowed(tmp_path: Path) -> None:
    graph = plant(
        tmp_path,
        {
            "model/__init__.py": "from wusum.model.tagger import Tagger",
            "model/tagging/ranker.py": "from wusum.model.network import runtime",
            "train/cli.py": "from wusum.model import Tagger",
            "eval/cli.py": "import wusum.train.cli, wusum.model.io.reader",
        },
    )
    assert sum(map(len, graph.values())) == 5
    assert wrong_arrows(graph) == circle(graph) == []


@pytest.mark.parametrize("place", ["{}", "def late():\n    {}"])
def test_a_circle_is_found(tmp_path: Path, place: str) -> None:
    """Of three modules in one package, to which no arrow between packages points."""
    files = {
        "model/text/words.py": "from wusum.model.text import lexicon",
        "model/text/lexicon.py": "from wusum.model.text.statistics import Statistics",
        "model/text/statistics.py": place.format("import wusum.model.text.words"),
    }
    graph = plant(tmp_path, files)
    assert wrong_arrows(graph) == []
    assert set(circle(graph)) == set(map(_name, map(Path, files)))
    (tmp_path / "model/text/statistics.py").write_text("", encoding="utf-8")
    assert circle(read_imports(tmp_path)) == []


def plant(root: Path, files: dict[str, str]) -> Graph:
    """Return the imports of a tree of mostly empty modules, some of which have these contents."""
    modules = [f"model/{name}.py" for name in ("article", "cli", "errors", "options", "stream", "tagger", "text/words")]
    modules += ["model/io/reader.py", "model/network/runtime.py", "model/tagging/ranker.py", "train/cli.py"]
    packages = ["model", "model/io", "model/network", "model/tagging", "model/text", "train", "eval"]
    for path in (*modules, "eval/cli.py", *(f"{package}/__init__.py" for package in packages), *files):
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(dedent(files.get(path, "")), encoding="utf-8")
    return read_imports(root)


def test_no_test_module_imports_another() -> None:
    """Shared helpers are in `tests/support.py`, fixtures in `tests/conftest.py`."""
    names = {_name(path.relative_to(ROOT)).removeprefix("wusum."): path for path in (ROOT / "tests").rglob("*.py")}
    imports = {f"{module} imports {name}" for module, path in names.items() for name in _imported(module, path)}
    assert "tests.test_imports imports tests.support.ROOT" in imports
    assert sorted(line for line in imports if re.search(r" tests\.(\w+\.)*test_", line)) == []


def loaded_by(*arguments: str) -> tuple[str, set[str]]:
    """Return the output of `wusum` with some arguments, and the packages that it has imported when it ends."""
    code = (
        "import sys\n"
        "from wusum.model.cli import main\n"
        "try:\n    main()\n"
        "finally:\n    print(*{name.partition('.')[0] for name in sys.modules}, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, check=False, encoding="utf-8")
    return done.stdout, set(done.stderr.splitlines()[-1].split())


@pytest.mark.parametrize("command", [(), ("tag",)])
def test_help_imports_nothing_heavy(command: tuple[str, ...]) -> None:
    output, loaded = loaded_by(*command, "--help")
    assert "Usage" in output
    assert "typer" in loaded
    assert not loaded.intersection(HEAVY)


def test_heavy_imports_would_be_noticed(tmp_path: Path) -> None:
    assert loaded_by("tag", str(tmp_path / "missing.jsonl"))[1] >= {"numpy", "tokenizers"}
