"""The mutations: for a place in the code, the nodes that are put there instead, one at a time."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from typing import Any

from tests.mutation.sites import UNTOUCHED_KEYWORDS, Site

COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
}  # fmt: skip
OPPOSITES = (ast.Eq, ast.NotEq, ast.In, ast.NotIn, ast.Is, ast.IsNot)
"""Comparisons of which COMPARISONS has the negation."""
ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.FloorDiv: ast.Div, ast.Mod: ast.Mult,
    ast.Pow: ast.Mult, ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd, ast.LShift: ast.RShift, ast.RShift: ast.LShift,
}  # fmt: skip
NAMES = [
    "min max", "any all", "argmin argmax", "minimum maximum", "nanmin nanmax", "startswith endswith", "lstrip rstrip",
    "removeprefix removesuffix", "find rfind", "partition rpartition", "floor ceil", "union intersection",
    "issubset issuperset", "lower upper", "append appendleft",
]  # fmt: skip
SWAPPED = {a: b for pair in map(str.split, NAMES) for a, b in (pair, pair[::-1])}
"""Functions and methods, each with its counterpart."""
SPLITS = ("train", "validation", "test")
"""Names of splits, which are swapped with each other."""
TEXT_METHODS = {"startswith", "endswith", "removeprefix", "removesuffix", "get", "pop", "split", "replace", "join",
                "partition", "rpartition", "strip", "lstrip", "rstrip", "count", "find", "index"}  # fmt: skip
"""Methods whose texts decide something: the separator of `join`, the arguments of the others."""

Nodes = Iterator[ast.AST]


def replacements(site: Site) -> Nodes:
    """Yield the nodes that mutate a place."""
    yield from OPERATORS.get(type(site.node), _none)(site, site.node)
    yield from _negated(site, site.node)
    if isinstance(site.node, ast.stmt):
        yield from _deleted(site.node)


def _none(site: Site, node: Any) -> Nodes:
    yield from ()


def _around(site: Site) -> ast.AST | None:
    return site.parent.node if site.parent else None


def _compared(site: Site, node: ast.Compare) -> Nodes:
    for i, operator in enumerate(node.ops):
        yield ast.Compare(
            node.left, [*node.ops[:i], COMPARISONS[type(operator)](), *node.ops[i + 1 :]], node.comparators
        )


def _calculated(site: Site, node: ast.BinOp) -> Nodes:
    """Yield another operation, unless the operands are texts, lists or paths: any test would fail."""
    sides = (node.left, node.right)
    fixed = any(isinstance(side, ast.JoinedStr | ast.List | ast.Tuple) or _text(side) is not None for side in sides)
    if type(node.op) in ARITHMETIC and not (fixed and isinstance(node.op, ast.Add | ast.Div | ast.Mod)):
        yield ast.BinOp(node.left, ARITHMETIC[type(node.op)](), node.right)


def _augmented(site: Site, node: ast.AugAssign) -> Nodes:
    if type(node.op) in ARITHMETIC and _text(node.value) is None and not isinstance(node.value, ast.JoinedStr):
        yield ast.AugAssign(node.target, ARITHMETIC[type(node.op)](), node.value)


def _combined(site: Site, node: ast.BoolOp) -> Nodes:
    yield ast.BoolOp(ast.Or() if isinstance(node.op, ast.And) else ast.And(), node.values)


def _unary(site: Site, node: ast.UnaryOp) -> Nodes:
    if not isinstance(node.op, ast.UAdd):
        yield node.operand


def _negated(site: Site, node: ast.AST) -> Nodes:
    """Yield the negation of a condition that no other mutation negates."""
    condition = site.field == "test" or (site.field == "ifs" and isinstance(_around(site), ast.comprehension))
    if not condition or not isinstance(node, ast.expr) or isinstance(node, ast.Constant | ast.UnaryOp):
        return
    if not (isinstance(node, ast.Compare) and len(node.ops) == 1 and isinstance(node.ops[0], OPPOSITES)):
        yield ast.UnaryOp(ast.Not(), node)


def _constant(site: Site, node: ast.Constant) -> Nodes:
    value = node.value
    if isinstance(value, bool):
        yield ast.Constant(not value)
    elif isinstance(value, int | float):
        removable = value == 1 and not isinstance(_around(site), ast.AugAssign)  # which is also deleted as a whole
        yield ast.Constant(type(value)(0) if removable else value + 1)
    elif isinstance(value, str) and value in SPLITS:
        yield from (ast.Constant(split) for split in SPLITS if split != value)
    elif isinstance(value, str) and _is_decisive(site):
        yield ast.Constant(value + "x")


def _is_decisive(site: Site) -> bool:
    """Return whether a text is compared, is a key, or is what a method looks for, splits or joins by."""
    around = _around(site)
    if isinstance(around, ast.Tuple | ast.List | ast.Set) and site.parent:
        return isinstance(_around(site.parent), ast.Compare)
    if isinstance(around, ast.Call) and isinstance(around.func, ast.Attribute):
        return site.field == "args" and around.func.attr in TEXT_METHODS
    if isinstance(around, ast.Dict):
        return site.field == "keys" and site.function is not None  # from tables of the module it is removed
    if isinstance(around, ast.Attribute):
        return around.attr in TEXT_METHODS
    return isinstance(around, ast.Compare | ast.MatchValue) or (
        isinstance(around, ast.Subscript) and site.field == "slice"
    )


def _text(node: ast.AST) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def _returned(site: Site, node: ast.Return) -> Nodes:
    if node.value and not (isinstance(node.value, ast.Constant) and node.value.value in (None, True, False)):
        yield ast.Return(ast.Constant(None))


def _broken(site: Site, node: ast.Break | ast.Continue) -> Nodes:
    yield ast.Continue() if isinstance(node, ast.Break) else ast.Break()


def _called(site: Site, node: ast.Call) -> Nodes:
    func = node.func
    if isinstance(func, ast.Name) and func.id in SWAPPED:
        yield ast.Call(ast.Name(SWAPPED[func.id]), node.args, node.keywords)
    if isinstance(func, ast.Attribute) and func.attr in SWAPPED:
        yield ast.Call(ast.Attribute(func.value, SWAPPED[func.attr]), node.args, node.keywords)
    sorts = (isinstance(func, ast.Name) and func.id == "sorted") or (
        isinstance(func, ast.Attribute) and func.attr == "sort"
    )
    if sorts and all(keyword.arg != "reverse" for keyword in node.keywords):
        yield ast.Call(func, node.args, [*node.keywords, ast.keyword("reverse", ast.Constant(True))])
    for i, keyword in enumerate(node.keywords):
        flag = isinstance(keyword.value, ast.Constant) and isinstance(keyword.value.value, bool)
        if keyword.arg and not flag and keyword.arg not in UNTOUCHED_KEYWORDS:
            yield ast.Call(func, node.args, node.keywords[:i] + node.keywords[i + 1 :])


def _sliced(site: Site, node: ast.Slice) -> Nodes:
    bounds = (node.lower, node.upper, node.step)
    for dropped, bound in enumerate(bounds):
        if bound:
            yield ast.Slice(*(None if i == dropped else bound for i, bound in enumerate(bounds)))


def _listed(site: Site, node: ast.List | ast.Tuple | ast.Set) -> Nodes:
    """Yield a table of the module or a list of alternatives without each of its elements."""
    if len(node.elts) > 1 and (_is_table(site) or isinstance(_around(site), ast.Compare)):
        yield from (type(node)(elts=node.elts[:i] + node.elts[i + 1 :]) for i in range(len(node.elts)))


def _mapped(site: Site, node: ast.Dict) -> Nodes:
    """Yield a table of the module without each of its entries."""
    if len(node.keys) > 1 and _is_table(site):
        for i in range(len(node.keys)):
            yield ast.Dict(node.keys[:i] + node.keys[i + 1 :], node.values[:i] + node.values[i + 1 :])


def _is_table(site: Site) -> bool:
    """Return whether a display is part of the value of a variable of the module or class."""
    within = [around.node for around in site.ancestors()]
    return (
        site.function is None
        and site.field not in ("targets", "target", "slice")
        and isinstance(site.statement.node, ast.Assign | ast.AnnAssign)
        and not any(isinstance(node, ast.Lambda | ast.comprehension) for node in within)
    )


def _deleted(node: ast.stmt) -> Nodes:
    """Yield nothing in place of a statement that is run for its effect."""
    effect = isinstance(node, ast.AugAssign | ast.Delete | ast.Raise) or (
        isinstance(node, ast.Expr) and isinstance(node.value, ast.Call | ast.Await)
    )
    if isinstance(node, ast.Assign):
        effect = all(isinstance(target, ast.Attribute | ast.Subscript) for target in node.targets)
    if effect:
        yield ast.Pass()


OPERATORS: dict[type[ast.AST], Callable[[Site, Any], Nodes]] = {
    ast.Compare: _compared,
    ast.BinOp: _calculated,
    ast.AugAssign: _augmented,
    ast.BoolOp: _combined,
    ast.UnaryOp: _unary,
    ast.Constant: _constant,
    ast.Return: _returned,
    ast.Break: _broken,
    ast.Continue: _broken,
    ast.Call: _called,
    ast.Slice: _sliced,
    ast.List: _listed,
    ast.Tuple: _listed,
    ast.Set: _listed,
    ast.Dict: _mapped,
}
"""The mutations of each kind of node."""
