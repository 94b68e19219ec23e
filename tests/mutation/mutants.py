"""The mutants of a module."""

from __future__ import annotations

import ast
import copy
import marshal
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.mutation.operators import replacements
from tests.mutation.sites import Definition, Site, find_sites

STUB: list[ast.stmt] = [ast.Pass()]


@dataclass(frozen=True)
class Mutant:
    """A module with one change.

    `lines` are those that a test must run to notice it; empty for code that runs at import.
    """

    module: str
    line: int
    function: str
    before: str
    after: str
    lines: range
    source: str

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What identifies the change while other lines of the module change."""
        return self.module, self.function, self.before, self.after


def make_mutants(root: Path, module: str, sample: int | None = None, seed: int = 0) -> list[Mutant]:
    """Return the mutants of a module, or a sample of that size, in the order of the lines.

    Changes that leave the compiled code as it was are no mutants.
    """
    tree = ast.parse((root / module).read_text(encoding="utf-8"))
    changes = [(site, node) for site in find_sites(tree) for node in replacements(site)]
    if sample is not None:
        random.Random(f"{seed} {module}").shuffle(changes)
    known = {_compiled(ast.unparse(tree))}
    mutants: list[Mutant] = []
    for site, node in changes:
        if sample is not None and len(mutants) == sample:
            break
        mutant = _mutant(module, tree, site, node)
        code = _compiled(mutant.source)
        if code is not None and code not in known:
            known.add(code)
            mutants.append(mutant)
    return sorted(mutants, key=lambda mutant: (mutant.line, mutant.before, mutant.after))


def _mutant(module: str, tree: ast.Module, site: Site, node: ast.AST) -> Mutant:
    statement = site.statement
    before = _header(statement.node)
    site.put(node)
    try:
        source = ast.unparse(tree)
        after = _header(node if site is statement else statement.node)
    finally:
        site.put(site.node)
    assert isinstance(statement.node, ast.stmt)
    line = getattr(site.node, "lineno", statement.node.lineno)
    return Mutant(module, line, site.scope, before, after, _lines(site), source)


def _compiled(source: str) -> bytes | None:
    """Return the code of a module, None if it has none, like `break` outside of a loop."""
    try:
        return marshal.dumps(compile(source, "", "exec", dont_inherit=True))
    except SyntaxError:
        return None


def _header(node: ast.AST) -> str:
    """Return a statement on one line, of a compound statement its first line."""
    if isinstance(node, ast.Match):
        return f"match {ast.unparse(node.subject)}: " + " ".join(f"case {_case(case)}:" for case in node.cases)
    if hasattr(node, "body"):
        node = copy.copy(node)
        node.body = STUB
        for field in ("orelse", "finalbody", "handlers", "decorator_list"):
            if hasattr(node, field):
                setattr(node, field, [])
        if isinstance(node, ast.Try):
            node.finalbody = STUB
        return ast.unparse(node).split("\n    pass")[0]
    return " ".join(ast.unparse(node).split("\n"))


def _case(case: ast.match_case) -> str:
    guard = f" if {ast.unparse(case.guard)}" if case.guard else ""
    return ast.unparse(case.pattern) + guard


def _lines(site: Site) -> range:
    """Return the lines of the statement, without its body; of the whole body of a function for its defaults."""
    function = site.function
    if function is None:
        return range(0)
    statement = site.statement.node
    assert isinstance(statement, ast.stmt)
    if isinstance(statement, Definition):  # a default value
        return range(function.body[0].lineno, (function.end_lineno or 0) + 1)
    first, body = statement.lineno, getattr(statement, "body", None)
    last = max(first, body[0].lineno - 1) if body else statement.end_lineno or first
    return range(first, last + 1)


def one_line(before: str, after: str, width: int = 100) -> str:
    """Return the change of a statement, of long ones the part around the difference."""
    start = next((i for i, pair in enumerate(zip(before, after, strict=False)) if pair[0] != pair[1]), 0)
    start = max(0, start - 40) if len(before) > width else 0

    def part(text: str) -> str:
        shown = text[start : start + width]
        return "…" * (start > 0) + shown + "…" * (start + width < len(text))

    return f"{part(before)}  →  {part(after)}"


def find_modules(root: Path, patterns: list[str]) -> Iterator[str]:
    """Yield the modules that patterns like `model/io/*.py` name; exits if one names none."""
    for pattern in patterns:
        paths = sorted(path for path in root.glob(pattern) if path.name != "__init__.py")
        if not paths:
            raise SystemExit(f"no module {pattern}")
        yield from (path.relative_to(root).as_posix() for path in paths)
