"""The repair engine on small programs with one fault each, and on what it must not do."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from workbench.repair import CheckResult, CommandCheck, Hints, RepairResult, repair_search
from workbench.repair.command import command_parse
from workbench.repair.localise import editable_files, frames_in
from workbench.repair.program import Program
from workbench.sandbox import sandbox_open
from workbench.workspace import tree_collect, tree_copy

PROGRAMS = Path(__file__).with_name("repair_programs")
PATH = f"{Path(sys.executable).parent}{os.pathsep}/usr/bin:/bin"
# Without the plugins that happen to be installed here pytest starts several times faster.
COMMAND = "PYTEST_DISABLE_PLUGIN_AUTOLOAD=1 python -m pytest -q test_program.py"


def repair(tree: Path, scratch: Path, command: str = COMMAND, **options: object) -> RepairResult:
    scratch.mkdir(exist_ok=True)
    check = CommandCheck(sandbox_open(), command, path=PATH, scratch=scratch)
    return repair_search(tree, check, scratch=scratch, **{"budget_s": 100, **options})  # type: ignore[arg-type]


@pytest.mark.sandbox
@pytest.mark.parametrize("program", sorted(path.name for path in PROGRAMS.iterdir() if path.is_dir()))
def test_it_fixes_a_small_program(program: str, tmp_path: Path) -> None:
    tree_copy(PROGRAMS / program, tmp_path / "tree")
    before = tree_collect(tmp_path / "tree")
    result = repair(tmp_path / "tree", tmp_path / "scratch")
    assert result.status == "fixed", result.message
    assert list(result.changes) == ["program.py"]
    assert tree_collect(tmp_path / "tree") == before
    (tmp_path / "tree" / "program.py").write_bytes(result.changes["program.py"])
    check = CommandCheck(sandbox_open(), COMMAND, path=PATH, scratch=tmp_path / "scratch")
    assert check(tmp_path / "tree").passed
    assert list((tmp_path / "scratch").iterdir()) == []


@pytest.mark.sandbox
@pytest.mark.parametrize(
    "command", ["python test_program.py", "python -m unittest -q test_program", "sh check.sh"]
)
def test_it_works_with_other_commands_than_pytest(command: str, tmp_path: Path) -> None:
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree/program.py").write_text("def double(x):\n    return x + 2\n")
    (tmp_path / "tree/test_program.py").write_text(
        "import unittest\nfrom program import double\n\n"
        "class Test(unittest.TestCase):\n    def test(self):\n        self.assertEqual(double(5), 10)\n\n"
        "if __name__ == '__main__':\n    unittest.main()\n"
    )
    (tmp_path / "tree/check.sh").write_text("python test_program.py\n")
    result = repair(tmp_path / "tree", tmp_path / "scratch", command)
    assert (result.status, result.changes) == ("fixed", {"program.py": b"def double(x):\n    return x * 2\n"})


@pytest.mark.sandbox
def test_a_command_that_passes_has_nothing_to_repair(tmp_path: Path) -> None:
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree/program.py").write_text("value = 1\n")
    result = repair(tmp_path / "tree", tmp_path / "scratch", "python -c 'import program'")
    assert (result.status, result.message) == (
        "error",
        "the check passes already: there is nothing to repair",
    )


@pytest.mark.sandbox
def test_what_no_edit_repairs_is_not_fixed(tmp_path: Path) -> None:
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree/program.py").write_text("value = 1\n")
    result = repair(
        tmp_path / "tree", tmp_path / "scratch", "python -c 'import program; raise SystemExit(1)'"
    )
    assert result.status == "not_fixed"
    assert result.tried == len(result.attempts) > 0


def test_tests_are_never_edited() -> None:
    paths = [
        "app.py",
        "pkg/core.py",
        "test_app.py",
        "pkg/core_test.py",
        "conftest.py",
        "check.py",
        "notes.txt",
    ]
    command = ["python", "check.py", "pkg/core.py::x"]
    assert editable_files(paths, ["**/*.py"], command) == ["app.py"]
    assert editable_files(paths, ["pkg/*.py"]) == ["pkg/core.py"]
    assert editable_files(paths, ["test_*.py"]) == []


BUSY = """import requests


def log(text):
    return requests.post("http://log", json={"text": text}, timeout=5)


def generate(prompt):
    answer = requests.post("http://model/v1/generate", json={"prompt": prompt}, timeout=5)
    answer.raise_for_status()
    return answer.json()
"""


def test_a_busy_service_leads_straight_to_a_bounded_retry(tmp_path: Path) -> None:
    """The recorded 429 is the hint; the check stands for a replay of the scenario."""
    (tmp_path / "tree").mkdir()
    (tmp_path / "scratch").mkdir()
    (tmp_path / "tree/app.py").write_text(BUSY)

    class Answer:
        def __init__(self, status: int) -> None:
            self.status_code, self.headers = status, {"Retry-After": "0"} if status == 429 else {}

        def raise_for_status(self) -> None:
            if self.status_code != 200:
                raise RuntimeError(self.status_code)

        def json(self) -> str:
            return "done"

    def check(tree: Path) -> CheckResult:
        answers = [429, 429, 200]

        class Requests:
            @staticmethod
            def post(url: str, **options: object) -> Answer:
                return Answer(answers.pop(0) if "generate" in url else 200)

        sys.modules["requests"], kept = Requests, sys.modules.get("requests")  # type: ignore[assignment]
        try:
            space: dict[str, object] = {}
            exec(compile((tree / "app.py").read_text(), "app.py", "exec"), space)
            return CheckResult(space["generate"]("x") == "done", "")  # type: ignore[operator]
        except RuntimeError as failure:
            return CheckResult(False, str(failure))
        finally:
            sys.modules.pop("requests")
            if kept:
                sys.modules["requests"] = kept

    upstream = [
        {"service": "model", "method": "POST", "path": "/v1/generate", "status": 429, "retry_after": 1}
    ]
    result = repair_search(
        tmp_path / "tree",
        check,
        hints=Hints(upstream=upstream),
        budget_s=30,
        workers=1,
        scratch=tmp_path / "scratch",
    )
    assert (result.status, result.template, result.tried) == ("fixed", "network_retry", 1)
    fixed = result.changes["app.py"].decode()
    assert fixed.startswith("import requests\nimport time\n")
    assert "Retry-After" in fixed and fixed.count("for attempt in range") == 1


@pytest.mark.parametrize(
    ("command", "kind", "target"),
    [
        ("python -m pytest -q x.py", "pytest", "pytest"),
        ("python3 -B -W error -m unittest x", "module", "unittest"),
        ("A=1 python script.py --flag", "script", "script.py"),
        ("python -c 'import x; x.y()'", "code", "import x; x.y()"),
        ("cd sub && python -m pytest", "shell", "cd sub && python -m pytest"),
        ("make test", "shell", "make test"),
    ],
)
def test_a_command_is_understood(command: str, kind: str, target: str) -> None:
    parsed = command_parse(command, PATH)
    assert (parsed.kind, parsed.target) == (kind, target)


@pytest.mark.parametrize("command", ["", "   ", "python 'x"])
def test_a_command_that_is_none_is_refused(command: str) -> None:
    with pytest.raises(ValueError, match="test command"):
        command_parse(command, PATH)


def test_stack_frames_are_found_in_the_output() -> None:
    output = (
        'File "/work/tree/pkg/a.py", line 7, in f\n  File "/usr/lib/x.py", line 3\npkg/b.py:12: KeyError\n'
    )
    assert frames_in(output, ["pkg/a.py", "pkg/b.py"]) == [("pkg/a.py", 7), ("pkg/b.py", 12)]


def test_a_budget_must_be_positive(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="budget"):
        repair_search(tmp_path, lambda tree: CheckResult(False, ""), budget_s=0, scratch=tmp_path)


@pytest.mark.sandbox
def test_the_budget_bounds_the_first_run_of_the_command_too(tmp_path: Path) -> None:
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree/program.py").write_text("value = 1\n")
    result = repair(tmp_path / "tree", tmp_path / "scratch", "sleep 300", budget_s=2)
    assert (result.status, result.message) == (
        "not_fixed",
        "the command did not end within the budget of 2 s",
    )
    assert 2 <= result.seconds < 20  # a busy machine is slow to start and to end a sandbox
    assert list((tmp_path / "scratch").iterdir()) == []


@pytest.mark.sandbox
@pytest.mark.parametrize(
    "command", ["nosuchcommand -q", "/no/such/python test_program.py", "python no_such_test.py"]
)
def test_a_command_that_does_not_exist_is_refused_before_any_edit(command: str, tmp_path: Path) -> None:
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree/program.py").write_text("value = 1\n")
    result = repair(tmp_path / "tree", tmp_path / "scratch", command)
    assert (result.status, result.tried) == ("error", 0)
    assert result.message.startswith("the command can't be run: ")
    assert command.split()[0] in result.message or command.split()[1] in result.message


DOUBLE = b"def double(x):\n    # caf\xc3\xa9\n    return x + 2\n"


def double_is_right(tree: Path) -> CheckResult:
    space: dict[str, object] = {}
    exec(compile((tree / "program.py").read_bytes(), "program.py", "exec"), space)
    return CheckResult(space["double"](5) == 10, "")  # type: ignore[operator]


def repair_double(tmp_path: Path, **files: bytes) -> RepairResult:
    (tmp_path / "tree").mkdir()
    (tmp_path / "scratch").mkdir()
    for name, content in files.items():
        (tmp_path / f"tree/{name}.py").write_bytes(content)
    return repair_search(tmp_path / "tree", double_is_right, workers=1, scratch=tmp_path / "scratch")


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_byte_order_mark_and_line_ends_stay(mark: bytes, end: bytes, tmp_path: Path) -> None:
    result = repair_double(tmp_path, program=mark + DOUBLE.replace(b"\n", end))
    fixed = mark + DOUBLE.replace(b"x + 2", b"x * 2").replace(b"\n", end)
    assert (result.status, result.changes) == ("fixed", {"program.py": fixed})


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"x = " + b" + ".join([b"1"] * 1500), "nested too deeply at line 1"),
        (b"x = " + b" + ".join([b"1"] * 8000), "nested too deeply at line 1"),
        (b"x = " + b"-" * 500 + b"1", "nested too deeply"),
        (b"if 1:\n  pass\n" + b"elif 1:\n  pass\n" * 2000, "nested too deeply at line"),
        (b"x = f'{" + b"+".join([b"1"] * 8000) + b"}'\n", "nested too deeply at line 1"),
        (b"x = [" + b"1,\n" * 400_000 + b"]\n", "larger than 1 MB"),
        (b"name = 'caf\xe9'\n", "not readable as UTF-8"),
        (b"# coding: latin-1\nname = 'caf\xe9'\n", "not readable as UTF-8"),
        (b"# coding: no-such\n", "not readable as UTF-8"),
    ],
    ids=["1500 terms", "8000 terms", "500 signs", "elif", "f-string", "large", "bytes", "latin-1", "unknown"],
)
def test_a_file_that_can_not_be_parsed_is_left_out_and_named(
    content: bytes, reason: str, tmp_path: Path
) -> None:
    result = repair_double(tmp_path, program=DOUBLE, strange=content)
    assert (result.status, list(result.changes)) == ("fixed", ["program.py"])
    assert result.message.startswith("files left out: strange.py (")
    assert reason in result.message


def test_a_long_list_is_not_deep() -> None:
    table = b"table = [" + b'{"a": (1, 2), "b": [3, f"{x}: {y}"]},\n' * 500 + b"]\n"
    assert Program(table).plain == table
