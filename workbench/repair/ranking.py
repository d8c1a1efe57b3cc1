"""The order in which edits are tried, and which of several that pass is the fix."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterable, Iterator, Mapping

from workbench.repair.model import Edit


def edits_ranked(edits: Iterable[Edit]) -> list[Edit]:
    """Best first; of equals the shorter change, then the earlier place, so that the order is always
    the same.
    """
    return sorted(edits, key=lambda edit: (-edit.score, len(edit.text), edit.path, edit.start, edit.text))


class EditFilter:
    """Lets through an edit once: whatever gives a program that was seen before, or none at all, stays out."""

    def __init__(self, contents: Mapping[str, bytes]) -> None:
        self._contents = contents
        self._pieces = {path: _top_level(content) for path, content in contents.items()}
        self._seen: set[tuple[str, int, str]] = set()
        for path, pieces in self._pieces.items():
            for start, end in pieces:
                if (dump := _dump(contents[path][start:end])) is not None:
                    self._seen.add((path, start, dump))

    def pass_on(self, edits: Iterable[Edit]) -> Iterator[Edit]:
        for edit in edits:
            piece = self._piece(edit)
            content = self._contents[edit.path]
            start, end = piece
            changed = content[start : edit.start] + edit.text.encode() + content[edit.end : end]
            dump = _dump(changed)
            if dump is None or (edit.path, start, dump) in self._seen:
                continue
            self._seen.add((edit.path, start, dump))
            yield edit

    def _piece(self, edit: Edit) -> tuple[int, int]:
        for start, end in self._pieces[edit.path]:
            if start <= edit.start and edit.end <= end:
                return start, end
        return 0, len(self._contents[edit.path])


def survivor_order(edit: Edit) -> tuple[float, int]:
    """Sort key of edits that all pass: the likelier template first, then the smaller change."""
    return -edit.score, len(edit.text)


def _top_level(content: bytes) -> list[tuple[int, int]]:
    """Byte spans of the statements at the top of a file (comparing one is cheaper than comparing
    the file).
    """
    try:
        body = ast.parse(content).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []
    starts = [0]
    for line in content.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    spans = []
    for node in body:
        first = min([node.lineno, *(decorator.lineno for decorator in getattr(node, "decorator_list", []))])
        assert node.end_lineno is not None
        spans.append((starts[first - 1], starts[min(node.end_lineno, len(starts) - 1)]))
    return spans


def _dump(code: bytes) -> str | None:
    """What the code means to the compiler, without places; None when it is no program."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(code)
            compile(tree, "<edit>", "exec")
            return ast.dump(tree)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
