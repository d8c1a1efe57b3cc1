"""How large a number expression can get, and whether it has no effect. Pure."""

import ast
import math
from collections.abc import Mapping, Set

_PLAIN = (
    ast.Constant
    | ast.Compare
    | ast.BoolOp
    | ast.IfExp
    | ast.operator
    | ast.cmpop
    | ast.boolop
    | ast.expr_context
)


def upper(node: ast.expr, known: Mapping[str, float | None]) -> float | None:
    """The most that this can be when each name is between 0 and its bound; None when nothing bounds it."""
    match node:
        case ast.Constant(bool()):
            return None
        case ast.Constant(int() | float() as number):
            return float(number) if number >= 0 else None
        case ast.Name(name):
            return known.get(name)
        case ast.IfExp(_, a, b):
            return _largest(upper(a, known), upper(b, known))
        case ast.BinOp(left, op, right):
            return _combined(op, upper(left, known), upper(right, known))
        case ast.Call(ast.Name("min"), [*args], []):
            bounds = [u for u in (upper(a, known) for a in args) if u is not None]
            return min(bounds, default=None)
        case ast.Call(ast.Name("max"), [*args], []):
            return _largest(*(upper(a, known) for a in args))
        case ast.Call(ast.Name("float" | "int"), [inner], []):
            return upper(inner, known)
    return None


def harmless(node: ast.expr, names: Set[str], answer: str) -> bool:
    """Whether this only reads: these names, the answer's status and headers, and plain arithmetic."""
    return all(_harmless_node(n, names, answer) for n in ast.walk(node))


def _harmless_node(node: ast.AST, names: Set[str], answer: str) -> bool:
    match node:
        case ast.Name(name):
            return name in names or name in ("min", "max", "float", "int", answer)
        case ast.Attribute(ast.Name(name), attr):
            return (name == answer and attr in ("headers", "status_code", "status")) or attr == "isdigit"
        case ast.Attribute(ast.Attribute(ast.Name(name), "headers"), "get"):
            return name == answer
        case ast.Call(ast.Name("min" | "max" | "float" | "int"), _, []):
            return True
        case ast.Call(ast.Attribute(ast.Name(), "isdigit"), [], []):
            return True
        case ast.Call(ast.Attribute(ast.Attribute(ast.Name(), "headers"), "get"), [*args], []):
            return all(isinstance(a, ast.Constant) for a in args)
        case ast.BinOp(_, ast.Add() | ast.Mult() | ast.Pow(), _):
            return True
    return isinstance(node, _PLAIN)


def _largest(*bounds: float | None) -> float | None:
    found = [b for b in bounds if b is not None]
    return max(found) if found and len(found) == len(bounds) else None


def _combined(op: ast.operator, a: float | None, b: float | None) -> float | None:
    if a is None or b is None:
        return None
    if isinstance(op, ast.Add):
        return a + b
    if isinstance(op, ast.Mult):
        return a * b
    if isinstance(op, ast.Pow):
        # Below 1 a power shrinks, so 1 bounds it.
        return math.pow(max(a, 1.0), b) if a <= 10 and b <= 10 else None
    return None
