"""The bounded retry, recognised by its syntax tree: take the loop away, and the old function must be left.

waited = 0                              # optional: what bounds the sum of the waits
for NAME in range(2..5):                # or a literal tuple of numbers
    ANSWER = CALL                       # the call as it was
    if ANSWER.status_code not in (429, 503): break
    ...                                 # numbers worked out from the headers and the counters
    if NAME == 4 or waited + pause > 20: break
    time.sleep(BOUNDED)
    waited += pause
"""

import ast
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass, field

from healing.policy.bounds import harmless, upper

MAX_TRIES = 5
MAX_TOTAL_WAIT_S = 20.0
TEMPORARY = frozenset({429, 503})
Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass
class _Reading:
    """What was read of the loop so far."""

    answer: str
    counter: str
    values: Sequence[float]
    sums: frozenset[str]  # names that begin at 0 before the loop
    names: set[str] = field(default_factory=set)  # names of the loop's own
    checked: bool = False
    guard: tuple[str, str, float] | None = None  # (sum, pause, limit)
    waits: list[ast.expr] = field(default_factory=list)
    counted: list[tuple[str, str]] = field(default_factory=list)  # (sum, pause) of `sum += pause`
    bounds: list[dict[str, float | None]] = field(default_factory=list)  # one per round


def retry_problem(was: Function, now: Function) -> str | None:
    """Why this isn't a bounded retry of one call and nothing else; None when it is."""
    if not isinstance(now, ast.FunctionDef):
        return "only plain functions"
    copy = deepcopy(now)
    kept = {ast.dump(node) for node in ast.walk(was) if isinstance(node, ast.For)}
    fresh = [
        (block, i)
        for block, i in blocks(copy)
        if isinstance(block[i], ast.For) and ast.dump(block[i]) not in kept
    ]
    if len(fresh) != 1:
        return f"{len(fresh)} new loops"
    block, index = fresh[0]
    loop = block[index]
    assert isinstance(loop, ast.For)
    start = index
    while start > 0 and _zero(block[start - 1]):
        start -= 1
    sums = frozenset(_zero(s) for s in block[start:index])
    reading = _read(loop, sums)
    if isinstance(reading, str):
        return reading
    return _undone_differs(was, copy, block, start, index, reading)


def _undone_differs(
    was: Function, copy: Function, block: list[ast.stmt], start: int, index: int, reading: _Reading
) -> str | None:
    """Puts the call back where the loop is and compares with the old function."""
    loop = block[index]
    assert isinstance(loop, ast.For)
    call = loop.body[0]
    assert isinstance(call, ast.Assign)
    before = _names(was)
    if (reading.names | reading.sums | {reading.counter}) & before:
        return "the loop reuses a name of the function"
    if reading.answer in before:
        block[start : index + 1] = [call]
    else:
        # `return CALL` became the loop and `return ANSWER`.
        match block[index + 1 : index + 2]:
            case [ast.Return(ast.Name(name))] if name == reading.answer:
                block[start : index + 2] = [ast.Return(value=call.value)]
            case _:
                return "the loop's answer is a new name that isn't returned at once"
    return None if ast.dump(copy) == ast.dump(was) else "without the loop it is another function"


def _read(loop: ast.For, sums: frozenset[str]) -> _Reading | str:
    values = _counted(loop.iter)
    if not isinstance(loop.target, ast.Name) or loop.orelse:
        return "not a plain counted loop"
    if values is None or not 1 < len(values) <= MAX_TRIES:
        return f"the loop is not bounded by a literal of 2 to {MAX_TRIES}"
    match loop.body[0]:
        case ast.Assign([ast.Name(answer)], ast.Call()):
            reading = _Reading(answer, loop.target.id, values, sums)
        case _:
            return "the loop doesn't begin with one call that is assigned to a name"
    reading.bounds = [{reading.counter: value} for value in values]
    for statement in loop.body[1:]:
        if not _statement(statement, reading):
            return f"line {statement.lineno} does something else than check for 429 or 503 and wait"
    return _bounded(reading) or reading


def _statement(statement: ast.stmt, reading: _Reading) -> bool:
    known = reading.names | reading.sums | {reading.counter}
    match statement:
        case ast.If(test, [ast.Break()], []) if not reading.checked:
            reading.checked = _status_test(test, reading)
            return reading.checked
        case _ if not reading.checked:
            return False
        case ast.Assign([ast.Name(name)], value) if name not in reading.sums and not reading.waits:
            reading.names.add(name)
            for bounds in reading.bounds:
                bounds[name] = upper(value, bounds)
            return name not in (reading.answer, reading.counter) and harmless(value, known, reading.answer)
        case ast.If(test, [ast.Break()], []) if not reading.waits:
            reading.guard = _guard(test) or reading.guard
            return harmless(test, known, reading.answer)
        case ast.Expr(ast.Call(ast.Attribute(ast.Name("time"), "sleep"), [seconds], [])) if not reading.waits:
            reading.waits.append(seconds)
            return harmless(seconds, known, reading.answer)
        case ast.AugAssign(ast.Name(total), ast.Add(), ast.Name(pause)) if reading.waits:
            reading.counted.append((total, pause))
            return total in reading.sums and pause in reading.names
    return False


def _bounded(reading: _Reading) -> str | None:
    """Why the waits aren't bounded."""
    if not reading.checked or len(reading.waits) != 1:
        return "the loop doesn't check once and wait once in a round"
    (wait,) = reading.waits
    each = [upper(wait, bounds) for bounds in reading.bounds]
    known = [w for w in each if w is not None]
    if len(known) != len(each):
        return "a wait is not bounded by a literal"
    if sum(known) <= MAX_TOTAL_WAIT_S:
        return None
    if reading.guard and isinstance(wait, ast.Name):
        total, pause, limit = reading.guard
        if total in reading.sums and pause == wait.id and reading.counted == [(total, pause)]:
            return None if limit <= MAX_TOTAL_WAIT_S else f"it may wait {limit:.0f} s"
    return f"it may wait {sum(known):.0f} s, more than {MAX_TOTAL_WAIT_S:.0f}"


def _guard(test: ast.expr) -> tuple[str, str, float] | None:
    """`waited + pause > LIMIT`, alone or as one part of an `or`."""
    parts = test.values if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.Or) else [test]
    for part in parts:
        match part:
            case ast.Compare(
                ast.BinOp(ast.Name(total), ast.Add(), ast.Name(pause)),
                [ast.Gt() | ast.GtE()],
                [ast.Constant(int() | float() as limit)],
            ):
                return total, pause, float(limit)
    return None


def _status_test(test: ast.expr, reading: _Reading) -> bool:
    """`ANSWER.status_code not in (429, 503)`, perhaps `or NAME == 2`: leave in the last round."""
    parts = test.values if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.Or) else [test]
    statuses = [p for p in parts if _is_status(p, reading.answer)]
    counts = [p for p in parts if _is_count(p, reading.counter)]
    return len(statuses) == 1 and len(statuses) + len(counts) == len(parts)


def _is_status(test: ast.expr, answer: str) -> bool:
    match test:
        case ast.Compare(
            ast.Attribute(ast.Name(name), "status_code" | "status"), [ast.NotIn() | ast.NotEq()], [right]
        ) if name == answer:
            try:
                value = ast.literal_eval(right)
            except (ValueError, TypeError, SyntaxError):
                return False
            wanted = set(value) if isinstance(value, tuple | list | set) else {value}
            return bool(wanted) and wanted <= TEMPORARY
    return False


def _is_count(test: ast.expr, counter: str) -> bool:
    match test:
        case ast.Compare(ast.Name(name), [ast.Eq() | ast.GtE() | ast.Gt()], [ast.Constant(int())]):
            return name == counter
    return False


def _counted(iterable: ast.expr) -> list[float] | None:
    """The loop variable's values, when they are literal and not negative."""
    match iterable:
        case ast.Call(ast.Name("range"), [ast.Constant(int(stop))], []) if not isinstance(stop, bool):
            return [float(i) for i in range(min(stop, MAX_TRIES + 1))]
        case ast.Tuple(items) | ast.List(items):
            found = [i.value for i in items if isinstance(i, ast.Constant) and type(i.value) in (int, float)]
            numbers = [float(v) for v in found if isinstance(v, int | float)]
            return numbers if len(numbers) == len(items) else None
    return None


def _zero(statement: ast.stmt) -> str:
    """The name in `NAME = 0`, "" for anything else."""
    match statement:
        case ast.Assign([ast.Name(name)], ast.Constant(int() | float() as number)) if number == 0:
            return name if not isinstance(number, bool) else ""
    return ""


def _names(function: Function) -> set[str]:
    found = {n.id for n in ast.walk(function) if isinstance(n, ast.Name)}
    return found | {a.arg for a in ast.walk(function) if isinstance(a, ast.arg)}


def blocks(function: ast.AST) -> list[tuple[list[ast.stmt], int]]:
    """Every (list of statements, index) inside a function."""
    found = []
    for node in ast.walk(function):
        for name in ("body", "orelse", "finalbody"):
            block = getattr(node, name, None)
            if isinstance(block, list):
                found += [(block, i) for i in range(len(block)) if isinstance(block[i], ast.stmt)]
    return found
