"""The narrow classes of change that may go live without the owner. Each is derived again from both syntax
trees; what the engine says it did is not believed. Pure.
"""

import ast
import re
from collections.abc import Iterator, Set
from copy import deepcopy
from dataclasses import dataclass

from healing.policy.effects import effect_in
from healing.policy.python_scan import imported_names, module_imports
from healing.policy.retry_shape import Function, blocks, retry_problem

# What decides who may do what, or counts money: "nothing" has a meaning of its own there.
_WEIGHTY = re.compile(
    r"auth|permi|allow|can_|is_|has_|may_|check|verif|valid|role|admin|ban|block|deny|denied|lock|expire|active"
    r"|enable|disable|price|amount|charge|pay|owe|owner|balance|credit|cost|fee|tax|total|limit|quota|count",
    re.I,
)


@dataclass(frozen=True)
class Classified:
    """`name` "" : no class, and `why` says what is in the way."""

    name: str
    function: str
    why: str


def classify(old: str, new: str) -> Classified:
    """The class of a change to one Python file."""
    before, after = ast.parse(old), ast.parse(new)
    pair = _one_function_changed(before, after)
    if isinstance(pair, str):
        return Classified("", "", pair)
    was, now = pair
    fresh = module_imports(after) - module_imports(before)
    why: list[str] = []
    modules = imported_names(after)
    for name, problem in (
        ("bounded_retry", retry_problem(was, now)),
        ("null_guard", _guard_problem(was, now, modules)),
        ("missing_default", _default_problem(was, now, modules)),
    ):
        allowed = {"time"} if name == "bounded_retry" else set()
        if problem is None and set(fresh) <= allowed and sum(fresh.values()) <= 1:
            return Classified(name, now.name, "")
        why.append(f"{name}: {problem or 'it imports something'}")
    return Classified("", now.name, "; ".join(why))


def _one_function_changed(before: ast.Module, after: ast.Module) -> tuple[Function, Function] | str:
    """The one function that differs, when nothing else does but a plain `import time`."""
    old, new = list(_functions(before)), list(_functions(after))
    if [name for name, _ in old] != [name for name, _ in new]:
        return "functions were added, removed or moved"
    changed = [(a, b) for (_, a), (_, b) in zip(old, new, strict=True) if _own(a) != _own(b)]
    if len(changed) != 1:
        return f"{len(changed)} functions changed"
    if _skeleton(before) != _skeleton(after):
        return "something outside of the functions changed"
    was, now = changed[0]
    if ast.dump(was.args) != ast.dump(now.args) or type(was) is not type(now):
        return "the function's signature changed"
    return was, now


def _functions(tree: ast.Module) -> Iterator[tuple[str, Function]]:
    """Every function with its dotted name, outer ones before inner ones."""
    stack: list[tuple[str, ast.AST]] = [("", tree)]
    while stack:
        prefix, node = stack.pop()
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
                yield f"{prefix}{child.name}", child
            name = f"{prefix}{child.name}." if isinstance(child, Function | ast.ClassDef) else prefix
            stack.append((name, child))


def _own(function: Function) -> str:
    """The function without the functions inside it: those are compared by themselves."""
    copy = deepcopy(function)
    return ast.dump(_Hollow(keep=copy).visit(copy))


def _skeleton(tree: ast.Module) -> str:
    """The module without its functions' bodies and without a plain `import time`."""
    copy = _Hollow(keep=None).visit(deepcopy(tree))
    copy.body = [node for node in copy.body if ast.dump(node) != ast.dump(ast.parse("import time").body[0])]
    return ast.dump(copy)


class _Hollow(ast.NodeTransformer):
    def __init__(self, keep: ast.AST | None) -> None:
        self.keep = keep

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        return self._emptied(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        return self._emptied(node)

    def _emptied(self, node: Function) -> ast.AST:
        if node is self.keep:
            return self.generic_visit(node)
        node.body = [ast.Pass()]
        return node


# --- Guards and defaults: one statement or subscript, only towards "nothing", and with no effect after ---


def _guard_problem(was: Function, now: Function, modules: Set[str]) -> str | None:
    """One `if NAME is None: return <empty>` more, and nothing else.

    The function must answer with such a nothing already: else its callers may take it for a "no" or a "free".
    """
    for body, index in blocks(now):
        if not _is_guard(body[index]):
            continue
        taken = body.pop(index)
        same = bool(body) and ast.dump(now) == ast.dump(was)
        body.insert(index, taken)
        if not same:
            continue
        if _WEIGHTY.search(now.name):
            return f"{now.name} sounds like a decision or a sum"
        known = {_kind(n.value) for n in ast.walk(was) if isinstance(n, ast.Return)}
        answer = next(n.value for n in ast.walk(taken) if isinstance(n, ast.Return))
        if "verdict" in known or _kind(answer) not in known:
            return "the function does not answer with such a nothing yet"
        effect = effect_in(_rest(now, taken), modules)
        return f"{effect} may have an effect that the guard leaves out" if effect else None
    return "not one added guard that returns nothing"


def _is_guard(statement: ast.stmt) -> bool:
    match statement:
        case ast.If(ast.Compare(ast.Name(), [ast.Is()], [ast.Constant(None)]), [ast.Return(value)], []):
            return value is None or _is_empty(value)
    return False


def _kind(value: ast.expr | None) -> str:
    """What a `return` gives: "none", "text", "list", "dict", "verdict" (yes, no or a number), else "?"."""
    match value:
        case None | ast.Constant(None):
            return "none"
        case ast.Constant(str()) | ast.JoinedStr():
            return "text"
        case ast.List() | ast.ListComp():
            return "list"
        case ast.Dict() | ast.DictComp():
            return "dict"
        case ast.Constant() | ast.Compare() | ast.UnaryOp() | ast.BoolOp() | ast.BinOp():
            return "verdict"
    return "?"


def _rest(function: Function, node: ast.AST) -> list[ast.stmt]:
    """The function's statements from the one that holds `node`: all that can still run after it."""
    for index, statement in enumerate(function.body):
        if any(inner is node for inner in ast.walk(statement)):
            return function.body[index:]
    return [function]  # in a decorator: the whole of it


def _default_problem(was: Function, now: Function, modules: Set[str]) -> str | None:
    """One `d[k]` that became `d.get(k)` or `d.get(k, <empty>)`, and nothing else."""
    for node in ast.walk(now):
        match node:
            case ast.Call(ast.Attribute(ast.Name(), "get") as method, [key, *default], []) if (
                len(default) < 2
            ):
                if default and not _is_empty(default[0]):
                    continue
                back = ast.Subscript(value=method.value, slice=key, ctx=ast.Load())
                restored = _Swap(node, back).visit(deepcopy(now, {id(node): node}))
                if ast.dump(restored) == ast.dump(was):
                    return _default_doubt(now, node, modules)
    return "not one missing default"


def _default_doubt(now: Function, call: ast.Call, modules: Set[str]) -> str | None:
    if _WEIGHTY.search(f"{now.name} {ast.unparse(call)}"):
        return "the default stands for a decision or a sum"
    judging = ast.Compare | ast.BoolOp | ast.UnaryOp | ast.BinOp
    for node in ast.walk(now):
        judged = [node] if isinstance(node, judging) else [getattr(node, "test", None)]
        judged += getattr(node, "ifs", [])
        if any(n is call for part in judged if isinstance(part, ast.AST) for n in ast.walk(part)):
            return "a condition or a sum is worked out from the default"
    effect = effect_in(_rest(now, call), modules, but=call)
    return f"{effect} may have an effect with the default" if effect else None


class _Swap(ast.NodeTransformer):
    def __init__(self, old: ast.AST, new: ast.AST) -> None:
        self.old, self.new = old, new

    def visit_Call(self, node: ast.Call) -> ast.AST:
        return self.new if node is self.old else self.generic_visit(node)


def _is_empty(node: ast.expr) -> bool:
    match node:
        case ast.Constant(value):
            return value is None or value == ""
        case ast.List(items):
            return not items
        case ast.Dict(keys):
            return not keys
    return False
