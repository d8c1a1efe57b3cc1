"""Drops the tables of waffle's own flag, which our flags.Flag replaces.

waffle creates them although its model is swapped out; nothing knows them then, and on PostgreSQL their
foreign keys keep Django from emptying auth_user ("cannot truncate a table referenced in a foreign key").
Here and not in flags, because auth_user and its tables are this app's concern.
"""

from django.db import migrations

TABLES = ["waffle_flag_groups", "waffle_flag_users", "waffle_flag"]


class Migration(migrations.Migration):
    dependencies = [
        ("console", "0001_initial"),
        ("flags", "0001_initial"),
        ("waffle", "0004_update_everyone_nullbooleanfield"),
    ]

    operations = [
        migrations.RunSQL(f"DROP TABLE IF EXISTS {table}", reverse_sql=migrations.RunSQL.noop)
        for table in TABLES
    ]
