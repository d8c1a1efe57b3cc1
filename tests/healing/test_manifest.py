"""Every refusal of kriptik.toml names the key and says what to write there."""

from datetime import timedelta

import pytest

from healing.errors import ManifestError
from healing.manifest import manifest_parse

GOOD = """
[host]
name = "forge"
start = "python -m forge --port {port}"
health = "/healthz"
test = "python -m pytest -q tests"
setup = ""
log = "stdout"
data_env = "FORGE_DATA"
[services.model]
env = "FORGE_MODEL_URL"
start = "python -m forge_services.model --port {port}"
[account]
clone = "hostkit"
login = "hostkit"
describe = "hostkit"
[policy]
editable = ["forge/**"]
protected = ["forge/billing/**"]
autonomy = "auto"
[actions.resync_credits]
for = ["BILLING_ISSUE", "DATA_INCONSISTENCY"]
verify = "credits_match_ledger"
inverse = "restore_credits"
cooldown = "2m"
[actions.refresh_session]
for = ["AUTH_ISSUE"]
verify = "session_usable"
inverse = "restore_session"
[actions.refresh_session.ask]
text = "May we refresh your session?"
choices = {yes = "Yes", no = "No"}
proceed = ["yes"]
"""


def test_a_full_manifest_becomes_a_typed_object():
    manifest = manifest_parse(GOOD)
    assert manifest.host.data_env == "FORGE_DATA"
    assert manifest.services["model"].env == "FORGE_MODEL_URL"
    assert manifest.actions["resync_credits"].for_ == ("BILLING_ISSUE", "DATA_INCONSISTENCY")
    assert manifest.actions["resync_credits"].cooldown == timedelta(minutes=2)
    assert manifest.actions["refresh_session"].ask.proceed == ("yes",)
    assert manifest.policy.autonomy == "auto"


def test_nothing_can_change_a_parsed_manifest():
    with pytest.raises(ValueError, match="frozen"):
        manifest_parse(GOOD).policy.autonomy = "observe"


@pytest.mark.parametrize(
    ("old", "new", "key", "remedy"),
    [
        ('data_env = "FORGE_DATA"', "", "host.data_env", "data_env = "),
        ('data_env = "FORGE_DATA"', 'data_env = "forge data"', "host.data_env", "data_env = "),
        ("python -m forge --port {port}", "python -m forge", "host", "{port}"),
        ("forge_services.model --port {port}", "forge_services.model", "services.model", "{port}"),
        ("python -m forge --port", "python 'forge --port", "host.start", "start = "),
        ("python -m pytest -q tests", "pytest 'tests", "host.test", "quotes closed"),
        ('setup = ""', 'setup = "npm \'ci"', "host.setup", "quotes closed"),
        ("forge_services.model --port", "'model --port", "services.model.start", "start = "),
        ('health = "/healthz"', 'health = "healthz"', "host.health", "/healthz"),
        ('log = "stdout"', 'log = "file"', "host.log", "stdout"),
        ('env = "FORGE_MODEL_URL"', "", "services.model.env", "FORGE_MODEL_URL"),
        ('clone = "hostkit"', 'clone = "rm -rf /"', "account.clone", "hostkit"),
        ('autonomy = "auto"', 'autonomy = "yolo"', "policy.autonomy", "propose"),
        ('editable = ["forge/**"]', 'editable = ["../etc/**"]', "policy.editable", "inside the repository"),
        ('editable = ["forge/**"]', 'editable = ["/etc/**"]', "policy.editable", "inside the repository"),
        ('protected = ["forge/billing/**"]', "protected = [3]", "policy.protected", "path patterns"),
        ('"BILLING_ISSUE", "DATA', '"BILLING", "DATA', "actions.resync_credits.for", "BILLING_ISSUE"),
        ('verify = "credits_match_ledger"', "", "actions.resync_credits.verify", "invariant"),
        ('inverse = "restore_credits"', 'inverse = "Restore!"', "actions.resync_credits.inverse", "undoes"),
        ('cooldown = "2m"', 'cooldown = "soon"', "actions.resync_credits.cooldown", "60s"),
        (', no = "No"', "", "actions.refresh_session.ask.choices", "two"),
        ('proceed = ["yes"]', 'proceed = ["maybe"]', "actions.refresh_session.ask", "choices"),
        ('name = "forge"', 'nmae = "forge"', "host.nmae", "unknown"),
        ("[actions.resync_credits]", "[actions.Resync]", "actions.Resync", "lower_case"),
        ("[host]", "[hots]", "host", "[host]"),
    ],
)
def test_each_error_names_the_key_and_the_remedy(old, new, key, remedy):
    assert old in GOOD
    with pytest.raises(ManifestError) as refused:
        manifest_parse(GOOD.replace(old, new, 1))
    line = next(
        (p for p in refused.value.problems if p.startswith(key + ":") or p.startswith(key + ".")), None
    )
    assert line is not None, refused.value.problems
    assert remedy in line


@pytest.mark.parametrize("text", ["", "   \n", "[host", "= 3", "x = " + "[" * 5000])
def test_text_that_is_no_toml_is_refused_with_a_remedy(text):
    with pytest.raises(ManifestError, match="Remedy"):
        manifest_parse(text)


def test_all_problems_are_told_at_once():
    broken = GOOD.replace('autonomy = "auto"', 'autonomy = "yolo"').replace(
        'cooldown = "2m"', 'cooldown = "x"'
    )
    with pytest.raises(ManifestError) as refused:
        manifest_parse(broken)
    assert len(refused.value.problems) == 2
