"""docs/state-machines.md draws what the tables say: all machines, every move, nothing more."""

import importlib
import re
from pathlib import Path

import pytest
from django.conf import settings

from core.transitions import Machine

APPS = ("notifications", "incidents", "flags", "healing", "research", "console")
DRAWINGS = Path(settings.BASE_DIR) / "docs" / "state-machines.md"


def machines():
    """Every Machine in every app's phases.py."""
    found = {}
    for app in APPS:
        if (Path(settings.BASE_DIR) / app / "phases.py").exists():
            module = importlib.import_module(f"{app}.phases")
            found |= {m.name: m for m in vars(module).values() if isinstance(m, Machine)}
    return found


def drawings():
    """Heading -> the arrows under it, as (from, to); [*] is where a life begins or ends."""
    sections = re.findall(
        r"^## (.+?)\n.*?^```mermaid\nstateDiagram-v2\n(.*?)^```", DRAWINGS.read_text(), re.M | re.S
    )
    return {
        name: [tuple(line.split(" --> ")) for line in map(str.strip, body.splitlines()) if line]
        for name, body in sections
    }


def test_every_machine_is_drawn_and_every_drawing_has_a_machine():
    assert len(machines()) >= 5
    assert set(drawings()) == set(machines())


@pytest.mark.parametrize("name", sorted(machines()))
def test_the_drawing_is_the_table(name):
    machine, arrows = machines()[name], drawings()[name]
    assert len(arrows) == len(set(arrows)), "an arrow is drawn twice"
    assert {arrow for arrow in arrows if "[*]" not in arrow} == machine.edges()
    assert [a for a, b in arrows if b == "[*]"] == [p for p in machine.moves if machine.is_terminal(p)]
    (begin,) = (b for a, b in arrows if a == "[*]")
    assert begin == next(iter(machine.moves)), "the first row of the table is where a life begins"


@pytest.mark.parametrize("name", sorted(machines()))
def test_every_phase_can_be_reached(name):
    machine = machines()[name]
    reached = {next(iter(machine.moves))}
    while True:
        more = {b for a, b in machine.edges() if a in reached} | reached
        if more == reached:
            break
        reached = more
    assert reached == set(machine.moves)
