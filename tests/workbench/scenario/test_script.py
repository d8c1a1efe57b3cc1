"""A scenario as a script: it is Python, it says what the scenario says, and recorded words stay words."""

from __future__ import annotations

import ast

from tests.workbench.scenario.tiny_host import PROMPT, UPSTREAM, generate_report, healthy_outcome
from workbench.scenario.compile import scenario_compile
from workbench.scenario.script import scenario_script


def test_it_reads_as_what_the_user_did() -> None:
    scenario = scenario_compile(generate_report(), outcomes=[healthy_outcome()], upstream=UPSTREAM)
    text = scenario_script(scenario)
    ast.parse(text)
    wanted = [
        "# Recorded: model answers 429 to 'POST /v1/complete', 2 times.",
        "page.goto(BASE + '/studio')",
        "page.get_by_label('Prompt', exact=True).fill('A bcde fgh')",
        "# The outcome that must appear, from 1 healthy sessions.",
        "with page.expect_response(lambda r: r.request.method == 'POST' and "
        "re.compile('/api/generate(\\\\?.*)?$').search(r.url) and 200 <= r.status < 300):",
        "page.get_by_test_id('generate').click()",
        "expect(page.get_by_test_id('app-1').first).to_be_visible(timeout=10400)",
    ]
    lines = [line.strip() for line in text.splitlines()]
    assert [line for line in wanted if line not in lines] == []
    assert [lines.index(line) for line in wanted] == sorted(lines.index(line) for line in wanted)


def test_recorded_words_never_become_code() -> None:
    evil = "'); import os; os.system('id') #\n\"\"\"\nimport os\n"
    actions = generate_report()["actions"]
    actions[1] |= {"value": evil, "element": {**PROMPT, "locators": [{"by": "text", "value": evil}]}}
    actions[2]["after"] = {}
    tree = ast.parse(scenario_script(scenario_compile(generate_report(actions=actions))))
    imported = [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
    assert imported == ["re"]
    assert evil in [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)]
