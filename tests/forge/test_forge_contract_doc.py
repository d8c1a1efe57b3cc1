"""The examples in docs/host-contract.md work against a real host."""

import json
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

from hostkit.identity import identity_claims
from hostkit.signing import signature

from .conftest import FORGE, ROOT, SECRET, Forge

DOC = (ROOT / "docs" / "host-contract.md").read_text()
SCRIPTS = re.findall(r"```bash\n(.*?)```", DOC, re.DOTALL)


def run(script: str, **variables: str) -> str:
    for tool in ("bash", "openssl", "curl"):
        if shutil.which(tool) is None:
            pytest.skip(f"the documented example needs {tool}")
    env = {"PATH": "/usr/bin:/bin", "SECRET": SECRET, **variables}
    done = subprocess.run(["bash", "-euc", script], env=env, check=True, capture_output=True, text=True)
    return done.stdout


def test_the_signed_request_is_answered(forge: Forge):
    answer = json.loads(run(SCRIPTS[0], BASE=forge.url))
    assert (answer["user"], answer["plan"]) == ("u1", "starter")


def test_the_same_request_with_another_secret_is_refused(forge: Forge):
    answer = json.loads(run(SCRIPTS[0], BASE=forge.url, SECRET="another"))
    assert answer["error"]["code"] == "bad_signature"


def test_the_identity_made_with_openssl_is_valid():
    assert identity_claims(SECRET, "forge", run(SCRIPTS[1], SLUG="forge").strip())["sub"] == "u1"


def test_the_fixed_values_are_right():
    value = signature(
        "whsec_example",
        timestamp="1790000000",
        nonce="00112233445566778899aabbccddeeff",
        method="POST",
        path="/__kriptik__/v1/describe",
        body=b'{"user":"u1"}',
    )
    assert value in DOC


def test_the_manifest_of_the_docs_is_the_one_that_forge_ships():
    shipped = tomllib.loads((FORGE / "kriptik.toml").read_text())
    block = re.search(r"```toml\n(.*?)```", DOC, re.DOTALL)
    assert block
    documented = tomllib.loads(block[1])
    assert documented.keys() == shipped.keys()
    assert documented["host"] == shipped["host"]
    assert documented["services"]["model"] == shipped["services"]["model"]
    assert documented["account"] == shipped["account"]
    assert documented["actions"]["refresh_session"] == shipped["actions"]["refresh_session"]
    assert set(documented["policy"]["protected"]) <= set(shipped["policy"]["protected"])


def test_every_refusal_of_hostkit_is_in_the_contract():
    source = "".join(path.read_text() for path in Path(ROOT / "hostkit").glob("*.py"))
    raised = set(re.findall(r'(?:HostKitError|RequestRefused)\(\s*"([a-z_]+)"', source))
    assert raised >= {"bad_signature", "unknown_op", "invalid_field"}
    assert {code for code in raised if f"`{code}`" not in DOC} <= {
        "not_connected",
        "not_found",
        "method_not_allowed",
        "anonymous",
    }
