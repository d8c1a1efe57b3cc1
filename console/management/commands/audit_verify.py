"""`manage.py audit_verify`: is the audit log as it was written?"""

from typing import Any

from django.core.management.base import BaseCommand

from console.audit import audit_verify


class Command(BaseCommand):
    help = "Checks the audit log's chain. Exit code 1 and the first bad entry when it does not hold."

    def handle(self, *args: Any, **options: Any) -> None:
        report = audit_verify()
        if report.broken_at is None:
            self.stdout.write(f"ok: {report.checked} entries, {report.reason}")
            return
        self.stderr.write(f"BROKEN at {report.broken_at}: {report.reason}")
        raise SystemExit(1)
