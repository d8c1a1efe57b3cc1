"""A file in the form that the templates want (UTF-8, no byte order mark, LF), and their edits put back."""

from __future__ import annotations

import bisect
import dataclasses
import io
import re
import tokenize
from collections.abc import Mapping

from workbench.repair.model import Edit

MAX_BYTES = 1_000_000
MAX_DEPTH = 600
"""Tokens that can nest in each other. The parsers recurse outside the sandbox, in C and Rust as well,
where too deep a program ends the whole process."""
MAX_BRACKETS = 100
NAMED = 10  # files that were left out and are named in a message
BOM = b"\xef\xbb\xbf"
LAYOUT = (tokenize.COMMENT, tokenize.NL, tokenize.INDENT, tokenize.ENCODING, tokenize.ENDMARKER)
F_STRING = re.compile(r"[rR]?[fF]")


class Unreadable(Exception):
    """A file that no edit is proposed for; the message says why."""


def left_out(skipped: Mapping[str, str]) -> list[str]:
    """A line for people about the files (path -> why) that no edit was proposed for; none without any."""
    lines = [f"{path} ({why})" for path, why in sorted(skipped.items())]
    more = [f"{len(lines) - NAMED} more"] if len(lines) > NAMED else []
    return [f"files left out: {', '.join([*lines[:NAMED], *more])}"] if lines else []


class Program:
    """One file. plain is its normal form, to which the offsets of proposed edits refer.

    Raises Unreadable for a file that is too large or too deep, or in an encoding other than UTF-8.
    """

    def __init__(self, content: bytes) -> None:
        if len(content) > MAX_BYTES:
            raise Unreadable(f"larger than {MAX_BYTES // 1_000_000} MB")
        self._before = len(BOM) if content.startswith(BOM) else 0
        text = content[self._before :]
        _require_utf8(content)
        self.plain = text.replace(b"\r\n", b"\n")
        self._returns = [match.start() - n for n, match in enumerate(re.finditer(rb"\r\n", text))]
        self._line_end = "\r\n" if 2 * len(self._returns) > self.plain.count(b"\n") else "\n"
        _require_shallow(self.plain)

    def placed(self, edit: Edit) -> Edit:
        """The edit of the plain form as one of the file itself."""
        also = tuple((self._at(start), self._at(end), self._text(text)) for start, end, text in edit.also)
        return dataclasses.replace(
            edit,
            start=self._at(edit.start),
            end=self._at(edit.end),
            text=self._text(edit.text),
            also=also,
        )

    def _at(self, offset: int) -> int:
        return self._before + offset + bisect.bisect_left(self._returns, offset)

    def _text(self, text: str) -> str:
        return text.replace("\n", self._line_end)


def _require_utf8(content: bytes) -> None:
    """Another encoding will do when the file holds nothing that it writes differently."""
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(content).readline)
        same = content.decode(encoding).removeprefix("\ufeff") == content.decode("utf-8-sig")
    except (SyntaxError, UnicodeDecodeError, LookupError) as failure:
        raise Unreadable("not readable as UTF-8") from failure
    if not same:
        raise Unreadable(f"in {encoding}, not UTF-8")


def _require_shallow(plain: bytes) -> None:
    depth = _Depth()
    try:
        for token in tokenize.tokenize(io.BytesIO(plain).readline):
            if depth.after(token) > MAX_DEPTH or depth.brackets > MAX_BRACKETS:
                raise Unreadable(f"nested too deeply at line {token.start[0]}")
    except (tokenize.TokenError, SyntaxError, ValueError) as failure:
        raise Unreadable("not valid Python") from failure


class _Depth:
    """An upper bound, from the tokens alone, of how deep the tree of a program is at a token.

    Whatever stands between two commas may nest. A lambda's or a comprehension's commas end nothing,
    and each elif lies within the one before.
    """

    def __init__(self) -> None:
        self._open = [0]  # tokens since the last comma, for every open bracket
        self._sticky = [False]
        self._elifs = [0]  # for every level of indentation

    @property
    def brackets(self) -> int:
        return len(self._open) + len(self._elifs) - 2

    def after(self, token: tokenize.TokenInfo) -> int:
        """Take one token; the depth there."""
        self._count(token)
        return sum(self._open) + 2 * sum(self._elifs)

    def _count(self, token: tokenize.TokenInfo) -> None:
        text = token.string
        if token.type == tokenize.INDENT:
            self._elifs.append(0)
        elif token.type == tokenize.DEDENT:
            self._elifs.pop()
        elif token.type == tokenize.NEWLINE or text == ";":
            self._open, self._sticky = [0], [False]
        elif token.type in LAYOUT:
            return
        elif text == "," and not self._sticky[-1]:
            self._open[-1] = 0
        else:
            self._deeper(token)

    def _deeper(self, token: tokenize.TokenInfo) -> None:
        text = token.string
        if len(self._open) == 1 and self._open[0] == 0 and text != "else":
            self._elifs[-1] = self._elifs[-1] + 1 if text == "elif" else 0
        self._open[-1] += _fields(text) if token.type == tokenize.STRING else 1
        self._sticky[-1] = self._sticky[-1] or text in ("lambda", "for")
        if text in ("(", "[", "{"):
            self._open.append(0)
            self._sticky.append(False)
        elif text in (")", "]", "}") and len(self._open) > 1:
            self._open.pop()
            self._sticky.pop()


def _fields(literal: str) -> int:
    """1 for a plain string; for an f-string the signs of the busiest field, each of which may nest."""
    if not F_STRING.match(literal):
        return 1
    depth = signs = most = 0
    for sign in re.findall(r"[^\w\s]|not|if|lambda|for", literal.replace("{{", "").replace("}}", "")):
        depth += (sign == "{") - (sign == "}")
        signs = signs + 1 if depth > 0 else 0
        most = max(most, signs)
    return 1 + most
