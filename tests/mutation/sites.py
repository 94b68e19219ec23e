"""The places in a module that can be mutated."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

Function = ast.FunctionDef | ast.AsyncFunctionDef
Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef

FIELDS: dict[type[ast.AST], tuple[str, ...]] = {
    ast.FunctionDef: ("args", "body"),
    ast.AsyncFunctionDef: ("args", "body"),
    ast.arguments: ("defaults", "kw_defaults"),
    ast.ClassDef: ("body",),
    ast.AnnAssign: ("value",),
    ast.Raise: (),
    ast.FormattedValue: ("value",),
}
"""The fields whose nodes are mutated; of other nodes, all. Decorators, bases, annotations and messages are not."""

UNTOUCHED_KEYWORDS = {"encoding", "strict", "stacklevel", "help", "doc", "prefix"}
"""Arguments whose change no test could notice on most machines, or which are texts for people."""

LOGGERS = {"log", "logger", "logging", "warnings"}
"""Names of objects whose calls are messages."""


@dataclass(frozen=True)
class Site:
    """A node and its place: `parent.field`, or `parent.field[index]`."""

    node: ast.AST
    parent: Site | None = None
    field: str = ""
    index: int | None = None

    def put(self, node: ast.AST) -> None:
        """Put another node into this place."""
        assert self.parent is not None
        if self.index is None:
            setattr(self.parent.node, self.field, node)
        else:
            getattr(self.parent.node, self.field)[self.index] = node

    def ancestors(self) -> Iterator[Site]:
        """Yield this place and those around it, from the inside out."""
        site: Site | None = self
        while site:
            yield site
            site = site.parent

    @property
    def statement(self) -> Site:
        """The innermost statement."""
        return next(site for site in self.ancestors() if isinstance(site.node, ast.stmt))

    @property
    def scope(self) -> str:
        """The qualified name of the function or class, "" outside of any."""
        around = self.ancestors()
        names = [site.node.name for site in around if isinstance(site.node, Definition)]
        return ".".join(reversed(names))

    @property
    def function(self) -> Function | None:
        """The innermost function; None for code that runs at import."""
        inner = self.ancestors()
        return next((site.node for site in inner if isinstance(site.node, Function)), None)

    @property
    def is_default(self) -> bool:
        """Whether this is part of the default value of an argument."""
        return any(isinstance(site.node, ast.arguments) for site in self.ancestors())


def find_sites(tree: ast.Module) -> Iterator[Site]:
    """Yield the places of a module in order, without texts for people, type hints and decorators."""
    yield from _below(Site(tree))


def _below(site: Site) -> Iterator[Site]:
    for field in FIELDS.get(type(site.node), site.node._fields):
        value = getattr(site.node, field, None)
        if isinstance(value, ast.AST):
            children = [Site(value, site, field)]
        elif isinstance(value, list):
            children = [Site(child, site, field, i) for i, child in enumerate(value) if isinstance(child, ast.AST)]
        else:
            continue
        for child in children:
            if not _is_untouched(child):
                yield child
                yield from _below(child)


def _is_untouched(site: Site) -> bool:
    """Return whether a part of the code is left alone."""
    node = site.node
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Constant) or _is_message(node.value)
    if isinstance(node, ast.keyword):
        return node.arg in UNTOUCHED_KEYWORDS
    if isinstance(node, ast.If):
        return _names(node.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING")
    if isinstance(node, ast.Assign):
        return any(_names(target).startswith("__") for target in node.targets)
    if isinstance(node, ast.Constant) and site.parent and isinstance(site.parent.node, ast.JoinedStr):
        return True
    return isinstance(node, ast.Import | ast.ImportFrom | ast.expr_context)


def _is_message(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and _names(node.func).split(".")[0] in LOGGERS


def _names(node: ast.expr) -> str:
    """Return a dotted name, "" for another expression."""
    if isinstance(node, ast.Attribute):
        return f"{_names(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""
