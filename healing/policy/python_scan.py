"""What a Python change adds and takes away, read from the syntax trees of both sides. Pure."""

import ast
import re
from collections import Counter
from collections.abc import Iterator, Set

# Without effects outside of the process: the owner may allow them. Any other new import is refused.
HARMLESS_IMPORTS = frozenset(
    {"time", "math", "datetime", "decimal", "fractions", "functools", "itertools", "contextlib", "typing"}
    | {"collections", "collections.abc", "dataclasses", "enum", "operator", "string", "json", "random", "re"}
)
_BANNED_CALLS = frozenset(
    {
        "eval",
        "exec",
        "compile",
        "__import__",
        "globals",
        "locals",
        "vars",
        "setattr",
        "delattr",
        "open",
        "input",
    }
    | {"breakpoint", "exit", "quit", "memoryview", "getattr", "hasattr", "type", "super", "print"}
)
_BANNED_ROOTS = frozenset(
    {"os", "sys", "subprocess", "shutil", "socket", "pickle", "marshal", "shelve", "ctypes", "importlib"}
    | {
        "requests",
        "httpx",
        "urllib",
        "urllib3",
        "aiohttp",
        "http",
        "ftplib",
        "smtplib",
        "telnetlib",
        "paramiko",
    }
    | {"builtins", "signal", "threading", "multiprocessing", "asyncio", "tempfile", "pathlib", "yaml", "pty"}
    | {
        "inspect",
        "gc",
        "code",
        "codecs",
        "runpy",
        "webbrowser",
        "xmlrpc",
        "ssl",
        "hashlib",
        "hmac",
        "secrets",
    }
    | {
        "jwt",
        "logging",
        "warnings",
        "platform",
        "zipfile",
        "tarfile",
        "glob",
        "io",
        "tokenize",
        "base64",
        "zlib",
    }
)
_BANNED_METHODS = frozenset(
    {"system", "popen", "execute", "executemany", "executescript", "render_template_string", "from_string"}
    | {
        "raw",
        "extra",
        "mark_safe",
        "write",
        "write_text",
        "write_bytes",
        "unlink",
        "rmtree",
        "remove",
        "chmod",
    }
    | {"loads", "load", "send_file", "redirect", "set_cookie", "delete_cookie", "fork", "kill", "connect"}
    | {"set_password", "check_password", "login_user", "logout_user", "filterwarnings", "disable", "setLevel"}
)
# Read without a call these are plain data of many objects.
_DATA_ATTRIBUTES = frozenset({"raw", "extra", "load", "disable"})
# Of a banned module: what a handler or a comparison names.
_HARMLESS_PART = re.compile(r"(Error|Exception|Timeout|Expired|Warning)$|^(exceptions|codes)$")
# Words of a protection: taking one away, or writing one anew, is the owner's business.
_GUARDING = re.compile(
    r"auth(?!or)|permission|require|verif|csrf|sanit|escap|valid|login|logged|admin|owner|role|allow|forbid|deny"
    r"|token|secret|password|signature|is_staff|superuser|rate_?limit|throttl|check|guard|protect|abort",
    re.I,
)


def python_problems(old: str, new: str) -> Iterator[str]:
    """Every reason to refuse this change of a Python file; text that doesn't parse is one."""
    try:
        before, after = ast.parse(old), ast.parse(new)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        yield "the file is no valid Python"
        return
    added, removed = _surplus(after, before), _surplus(before, after)
    yield from _use_problems(added, imported_names(after))
    for fact in sorted(added):
        if problem := _added_problem(*fact):
            yield problem
    for kind, name in sorted(removed):
        if kind == "decorator":
            yield f"the decorator {name} is taken away"
        elif kind in ("call", "name", "raise") and _GUARDING.search(name):
            yield f"the protection {name} is taken away"
        elif kind == "assert":
            yield "an assertion is taken away"


def python_doubts(old: str, new: str) -> Iterator[str]:
    """Reasons why only the owner may let this change pass."""
    try:
        before, after = ast.parse(old), ast.parse(new)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    for kind, name in sorted(_surplus(after, before)):
        if kind == "import":
            yield f"a new import: {name}"
        elif kind == "handler":
            yield f"a new handler for {name}"
        elif kind == "call" and name.split(".")[0] in ("re", "datetime", "date", "random"):
            yield f"a new call of {name}"


def module_imports(tree: ast.Module) -> Counter[str]:
    return Counter(name for kind, name in facts(tree).elements() if kind == "import")


def facts(tree: ast.AST) -> Counter[tuple[str, str]]:
    """Everything worth counting in a tree: (kind, name)."""
    found = Counter(fact for node in ast.walk(tree) for fact in _facts_of(node))
    bases = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    loads = (n for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load))
    return found + Counter(("bare", node.id) for node in loads if id(node) not in bases)


def _surplus(a: ast.AST, b: ast.AST) -> set[tuple[str, str]]:
    return set(facts(a) - facts(b))


def _facts_of(node: ast.AST) -> Iterator[tuple[str, str]]:
    if isinstance(node, ast.Import | ast.ImportFrom):
        return _import_facts(node)
    if isinstance(node, ast.Call):
        keywords = [("keyword", f"{k.arg}={_constant(k.value)}") for k in node.keywords]
        return iter([("call", dotted(node.func)), *keywords])
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        decorators = [("decorator", dotted(d)) for d in node.decorator_list]
        return iter([("definition", node.name), *decorators])
    return iter(_plain_facts(node))


def _import_facts(node: ast.Import | ast.ImportFrom) -> Iterator[tuple[str, str]]:
    if isinstance(node, ast.Import):
        yield from (("import", alias.name) for alias in node.names)
        return
    yield "import", "." * node.level + (node.module or "")
    yield from (("imported", alias.name) for alias in node.names)


def _plain_facts(node: ast.AST) -> list[tuple[str, str]]:
    match node:
        case ast.Attribute(_, attr, ast.Load()):
            return [("attribute", attr), ("load", dotted(node))]
        case ast.Attribute(_, attr):
            return [("attribute", attr)]
        case ast.Name(name):
            return [("name", name)]
        case ast.ExceptHandler(kind):
            return [("handler", dotted(kind) if kind else "everything")]
        case ast.Raise(error):
            return [("raise", dotted(error) if error else "again")]
        case ast.Assert():
            return [("assert", "")]
        case ast.Global(names) | ast.Nonlocal(names):
            return [("global", name) for name in names]
    return []


def dotted(node: ast.AST) -> str:
    """`a.b.c` of a name, an attribute or a call of one; "?" for anything computed."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    if isinstance(node, ast.Call):
        return dotted(node.func)
    return "?"


def _added_problem(kind: str, name: str) -> str | None:
    if kind == "import" and name not in HARMLESS_IMPORTS:
        return f"a new import: {name}"
    if kind == "call":
        return _call_problem(name)
    if kind in ("attribute", "name") and name.startswith("__") and name not in ("__name__", "__doc__"):
        return f"a new use of {name}"
    if kind == "decorator":
        return f"a new decorator: {name}"
    if kind == "global":
        return f"a new global {name}"
    if kind == "imported" and (name == "*" or name.startswith("_")):
        return f"a new import of {name}"
    if kind == "keyword" and name.split("=")[0] in (
        "verify",
        "shell",
        "debug",
        "safe",
        "autoescape",
        "secure",
    ):
        return f"a new argument {name}"
    if kind in ("attribute", "name") and name in ("environ", "getenv", "secret_key", "SECRET_KEY"):
        return f"a new use of {name}"
    return None


def _call_problem(name: str) -> str | None:
    parts = name.split(".")
    if name == "?":
        return "a new call of something computed"
    if len(parts) == 1 and name in _BANNED_CALLS:
        return f"a new call of {name}"
    if parts[0] in _BANNED_ROOTS and len(parts) > 1:
        return f"a new call of {name}"
    if parts[-1] in _BANNED_METHODS:
        return f"a new call of {name}"
    return None


def _use_problems(added: Set[tuple[str, str]], imported: Set[str]) -> Iterator[str]:
    """Banned functions that are read, not called: under another name somebody would call them later."""
    called = {name for kind, name in added if kind == "call"}
    for kind, name in sorted(added):
        if name in called:
            continue
        root, _, rest = name.partition(".")
        last = name.rpartition(".")[2]
        if kind == "bare":
            module = name in imported and (name in _BANNED_ROOTS or name in _BANNED_METHODS)
            banned = module or name in _BANNED_CALLS
        elif kind == "load":
            of_module = root in _BANNED_ROOTS and not all(_HARMLESS_PART.search(p) for p in rest.split("."))
            banned = of_module or last in _BANNED_METHODS - _DATA_ATTRIBUTES
        else:
            continue
        if banned:
            yield f"a new use of {name}"


def imported_names(tree: ast.AST) -> set[str]:
    """The names that imports bind, anywhere in the tree."""
    return {
        alias.asname or alias.name.partition(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }


def _constant(node: ast.AST) -> str:
    return repr(node.value) if isinstance(node, ast.Constant) else "?"
