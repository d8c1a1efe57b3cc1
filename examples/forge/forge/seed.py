"""Three people with a history: `python -m forge.seed --data DIR`. Run again, it leaves them as they are.

- Ada (ada@forge.example) has built a few apps and comes back to build another.
- Ben (ben@forge.example) has spent most of his credits and wants to buy more.
- Chloe (chloe@forge.example) lost her phone yesterday and signed out everywhere; now she logs in again.

Nothing here breaks anything by hand: each step is what the application itself does when a person does it.
"""

import argparse
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

from forge.auth.sessions import session_mint, sessions_end_everywhere
from forge.auth.users import user_create, user_get
from forge.db import connect, create
from forge.studio.builds import build_add
from forge_services.composer import compose

PEOPLE = (
    # id, name, e-mail, password
    ("u1", "Ada", "ada@forge.example", "ada-builds-apps"),
    ("u2", "Ben", "ben@forge.example", "ben-builds-apps"),
    ("u3", "Chloe", "chloe@forge.example", "chloe-builds-apps"),
)
BUILDS = {
    "u1": ("A reading list for our book circle", "A landing page for a pottery class"),
    "u2": ("A sales dashboard for a bicycle shop", "A recipe box for quick weekday dinners"),
    "u3": ("A packing checklist for short trips",),
}


def seed(database: Path) -> list[str]:
    """Ids of the people who weren't there yet."""
    create(database)
    with closing(connect(database)) as db:
        return [user_id for user_id, *person in PEOPLE if _person(db, user_id, *person)]


def _person(db: sqlite3.Connection, user_id: str, name: str, email: str, password: str) -> bool:
    if user_get(db, user_id) is not None:
        return False
    user_create(db, user_id=user_id, name=name, email=email, password=password)
    session_mint(db, user_id)
    for prompt in BUILDS[user_id]:
        build_add(db, user_id, prompt, compose(prompt))
    if name == "Chloe":
        sessions_end_everywhere(db, user_id)
    return True


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="the directory that FORGE_DATA names")
    made = seed(parser.parse_args().data / "forge.db")
    sys.stdout.write(f"{len(made)} accounts made, {len(PEOPLE) - len(made)} there already\n")


if __name__ == "__main__":
    main()
