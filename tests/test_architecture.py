"""What import-linter can't see: string foreign keys, relations, and tasks called by name."""

import re
import subprocess
from pathlib import Path

import pytest
from celery import current_app
from django.apps import apps
from django.conf import settings

LAYERS = ["notifications", "incidents", "flags", "healing", "research", "console", "kriptik_ops"]
ROOT = Path(settings.BASE_DIR)


def rank(app: str) -> int:
    return LAYERS.index(app)


def test_no_relation_points_upward():
    upward = [
        f"{model._meta.label}.{field.name} -> {field.related_model._meta.label}"
        for app in LAYERS
        for model in apps.get_app_config(app).get_models()
        for field in model._meta.get_fields()
        if field.is_relation and field.concrete and field.related_model._meta.app_label in LAYERS
        if rank(field.related_model._meta.app_label) > rank(app)
    ]
    assert upward == []


@pytest.mark.parametrize("app", LAYERS[:-1])
def test_no_task_or_app_above_is_called_by_name(app):
    above = "|".join(LAYERS[rank(app) + 1 : -1]) or "nothing"
    call = re.compile(
        rf"""(?:send_task|signature|import_string|import_module|get_model|get_app_config)\(\s*["'](?:{above})\b"""
    )
    found = [
        f"{path.relative_to(ROOT)}: {match.group()}"
        for path in (ROOT / app).rglob("*.py")
        if (match := call.search(path.read_text()))
    ]
    assert found == []


def test_every_beat_entry_names_a_task_that_exists():
    current_app.loader.import_default_modules()
    scheduled = {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()}
    assert scheduled <= set(current_app.tasks), "a beat entry names a task that no app defines"


def test_every_task_is_named_after_its_app():
    current_app.loader.import_default_modules()
    ours = [t for t in current_app.tasks.values() if t.__module__.split(".")[0] in LAYERS]
    assert ours, "no task was found: the check would pass on nothing"
    assert [t.name for t in ours if not t.name.startswith(t.__module__.split(".")[0] + ".")] == []


def test_the_page_says_of_every_dependency_why_it_is_here():
    section = (ROOT / "docs/architecture.md").read_text().split("## Why each dependency is here\n", 1)[1]
    table = re.search(r"(?:^\|.*\n)+", section, re.MULTILINE)
    assert table is not None
    told = {name for row in table[0].splitlines() for name in row.split("|")[1].strip().split(", ")}
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    needed = {line.split("[")[0] for line in lines if line and not line.startswith(("#", "-"))}
    assert needed - told == set(), "not in the table, or the table is broken in two"


@pytest.mark.parametrize("package", ["sdk", "console/frontend"])
def test_make_check_checks_the_types_of_all_typescript(package):
    plan = subprocess.run(
        ["make", "--dry-run", "check"], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )
    assert f"cd {package} && npm run --silent check" in plan.stdout.splitlines()
