"""How the console looks: unfold's settings, read by kriptik_ops.settings as UNFOLD.

Primary is the overlay's amber, one step darker where white text stands on it (contrast 5:1).
"""

from typing import Any

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse_lazy


def _style(_: HttpRequest) -> str:
    return static("console/console.css")


def _script(_: HttpRequest) -> str:
    return static("console/console.js")


def _icon(_: HttpRequest) -> str:
    return static("console/mark.svg")


def _item(title: str, icon: str, view: str) -> dict[str, Any]:
    return {"title": title, "icon": icon, "link": reverse_lazy(f"admin:{view}")}


UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "KripTik Ops",
    "SITE_HEADER": "KripTik Ops",
    "SITE_SUBHEADER": "Manager's Console",
    "SITE_URL": None,
    "SITE_ICON": _icon,
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": _icon}],
    "SHOW_HISTORY": False,
    "SHOW_VIEW_ON_SITE": False,
    "BORDER_RADIUS": "8px",
    "STYLES": [_style],
    "SCRIPTS": [_script],
    "COLORS": {
        "primary": {
            "50": "oklch(98.7% .022 95.277)",
            "100": "oklch(96.2% .059 95.617)",
            "200": "oklch(92.4% .12 95.746)",
            "300": "oklch(87.9% .169 91.605)",
            "400": "oklch(82.8% .189 84.429)",
            "500": "oklch(76.9% .188 70.08)",
            "600": "oklch(55.5% .163 48.998)",
            "700": "oklch(47.3% .137 46.201)",
            "800": "oklch(41.4% .112 45.904)",
            "900": "oklch(34% .09 45.8)",
            "950": "oklch(27.9% .077 45.635)",
        }
    },
    "SIDEBAR": {
        "show_search": False,
        "show_all_applications": False,
        "navigation": [
            {
                "title": "Now",
                "items": [
                    _item("Home", "home", "index"),
                    _item("Incidents", "emergency", "incidents_incident_changelist"),
                    _item("Heal runs", "healing", "healing_healrun_changelist"),
                    _item("Rollouts", "rocket_launch", "flags_rollout_changelist"),
                    _item("Alerts", "notifications", "notifications_owneralert_changelist"),
                    _item("Proposals", "lightbulb", "research_proposal_changelist"),
                ],
            },
            {
                "title": "Code",
                "items": [
                    _item("Fixes", "difference", "healing_fix_changelist"),
                    _item("Patterns", "pattern", "healing_pattern_changelist"),
                    _item("Releases", "deployed_code", "flags_release_changelist"),
                    _item("Flags", "flag", "flags_flag_changelist"),
                ],
            },
            {
                "title": "Set up",
                "items": [
                    _item("Hosts", "dns", "incidents_host_changelist"),
                    _item("Sources", "rss_feed", "research_source_changelist"),
                    _item("Deliveries", "outgoing_mail", "notifications_delivery_changelist"),
                ],
            },
            {
                "title": "Watch",
                "items": [
                    _item("Audit log", "history", "console_auditentry_changelist"),
                    _item("Sessions", "devices", "console_ownersession_changelist"),
                ],
            },
        ],
    },
}
