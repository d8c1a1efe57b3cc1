"""Whether code only reads and works things out, by a short list of what is known to do so. Pure."""

import ast
from collections.abc import Iterable, Set

_PURE_CALLS = frozenset(
    {"len", "str", "repr", "int", "float", "list", "dict", "tuple", "set", "frozenset", "sorted", "reversed"}
    | {"enumerate", "zip", "range", "min", "max", "abs", "round", "isinstance"}
)
# Methods of texts and dicts. Not among them: what files, clients or query sets call the same.
_PURE_METHODS = frozenset(
    {"strip", "lstrip", "rstrip", "lower", "upper", "title", "casefold", "split", "rsplit", "splitlines"}
    | {"partition", "startswith", "endswith", "isdigit", "join", "format", "items", "keys", "values"}
)
_EFFECTS = (
    ast.Raise
    | ast.Assert
    | ast.Await
    | ast.Yield
    | ast.YieldFrom
    | ast.Delete
    | ast.Global
    | ast.Nonlocal
    | ast.Import
    | ast.ImportFrom
    | ast.With
    | ast.AsyncWith
    | ast.AsyncFor
    | ast.AugAssign  # may change a list in place
)


def effect_in(statements: Iterable[ast.AST], modules: Set[str], *, but: ast.AST | None = None) -> str | None:
    """What in these statements could have an effect or refuse; None when nothing could.

    `modules` are the names that imports bind: a method of one is a function we know nothing of.
    `but` is one call that is known to be pure.
    """
    for statement in statements:
        for node in ast.walk(statement):
            if isinstance(node, _EFFECTS):
                return f"line {node.lineno}"
            if isinstance(node, ast.Attribute | ast.Subscript) and not isinstance(node.ctx, ast.Load):
                return f"line {node.lineno}"
            if isinstance(node, ast.Call) and node is not but and not _is_pure(node, modules):
                return f"the call in line {node.lineno}"
    return None


def _is_pure(call: ast.Call, modules: Set[str]) -> bool:
    match call.func:
        case ast.Name(name):
            # A function given to `sorted` or `max` would be called: only plain arguments.
            return name in _PURE_CALLS and name not in modules and not call.keywords
        case ast.Attribute(ast.Name(root)) if root in modules:
            return False
        case ast.Attribute(_, "get"):
            return _is_dict_get(call)
        case ast.Attribute(_, method):
            return method in _PURE_METHODS
    return False


def _is_dict_get(call: ast.Call) -> bool:
    """`.get("word")`: a client's `get` has an address there."""
    match call:
        case ast.Call(_, [ast.Constant(str() as key), *rest], []):
            return len(rest) < 2 and "/" not in key
    return False
