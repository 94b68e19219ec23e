"""Files that are either whole or absent, and digests that name what a cached result depends on."""

from __future__ import annotations

import ast
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any


def write_atomically(path: Path, write: Callable[[Path], object]) -> None:
    """Have `write` make a file or folder at a scratch path, which then becomes `path`.

    The scratch path lies beside `path` and has its suffix. It is removed if `write` raises an error. A file at `path`
    is replaced, a folder that is not empty is not: that raises OSError.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_name(f"{path.stem}.{os.getpid()}.part{path.suffix}")
    try:
        write(scratch)
        scratch.replace(path)
    except BaseException:
        shutil.rmtree(scratch) if scratch.is_dir() else scratch.unlink(missing_ok=True)
        raise


def write_json(path: Path, value: Any, indent: int | None = None) -> None:
    """Write a value as JSON in UTF-8, atomically."""
    text = json.dumps(value, ensure_ascii=False, indent=indent)
    write_atomically(path, lambda scratch: scratch.write_text(text, encoding="utf-8"))


def read_json(path: Path) -> Any:
    """Return the value of a JSON file; raises OSError or ValueError for a file that cannot be read."""
    return json.loads(path.read_text(encoding="utf-8"))


def digest_of(*parts: object) -> str:
    """Return 32 hexadecimal digits of the SHA-256 of the representations of some values."""
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:32]


def file_digest(path: Path) -> str:
    """Return 16 hexadecimal digits of the SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:16]


def code_digest(*packages: ModuleType) -> str:
    """Return 32 hexadecimal digits of the SHA-256 of the code of packages: all their modules, those below them too.

    Comments, docstrings and formatting do not count. A module that is no package can be given as well.
    """
    return digest_of(*(part for package in packages for part in _modules(package)))


def _modules(package: ModuleType) -> Iterator[tuple[str, str]]:
    """Yield the name and the code of each module of a package; the code is that of the files at this moment."""
    for folder in getattr(package, "__path__", ()):
        for path in sorted(Path(folder).rglob("*.py")):
            yield f"{package.__name__}/{path.relative_to(folder).as_posix()}", _code(path)
    if not hasattr(package, "__path__") and package.__file__:
        yield package.__name__, _code(Path(package.__file__))


def _code(path: Path) -> str:
    """Return the code of a module in one fixed format, without comments and docstrings."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return ast.unparse(_WithoutDocstrings().visit(tree))


class _WithoutDocstrings(ast.NodeTransformer):
    """Drops every string that stands alone: docstrings, those below fields and constants too."""

    def visit_Expr(self, node: ast.Expr) -> ast.Expr | None:
        """Return a statement, or nothing in place of a string."""
        alone = isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        return None if alone else node
