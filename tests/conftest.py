"""What every part's tests share."""

import pytest
from channels.layers import channel_layers
from django.db import connection

# The buggy programs that the repair engine is tried on; their tests fail, that is what they are for.
collect_ignore = ["workbench/repair_programs"]


@pytest.fixture(autouse=True)
def fresh_channel_layer():
    """A layer keeps locks of the event loop it was first used in; each test has a loop of its own."""
    channel_layers.backends.clear()
    yield
    channel_layers.backends.clear()


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup, django_db_blocker):
    """Drops the tables of waffle's own Flag, which our Flag replaces.

    waffle's migrations make them although the model is swapped out, so Django doesn't know them; and
    PostgreSQL truncates no table (after a test with real commits) that an unknown one refers to.
    """
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        for table in ("waffle_flag_users", "waffle_flag_groups", "waffle_flag"):
            cursor.execute(f"DROP TABLE IF EXISTS {table}")


def pytest_collection_modifyitems(items):
    """The stories first: they take longest, so the other worker has the rest meanwhile."""
    items.sort(key=lambda item: item.get_closest_marker("story") is None)
