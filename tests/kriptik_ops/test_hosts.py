import pytest

from incidents.services import host_add
from kriptik_ops import hosts

MANIFEST = '[host]\nname = "X"\nstart = "python -m http.server {port}"\nhealth = "/"\ndata_env = "X_DATA"\n'


@pytest.mark.django_db
def test_a_host_that_does_not_start_and_a_second_host_are_one_line_each(tmp_path):
    for name in ("Shop", "Blog"):
        host_add(
            name=name,
            slug=name.lower(),
            base_url="http://127.0.0.1:1",
            origins=["http://127.0.0.1:1"],
            git_dir=str(tmp_path / "no-repository"),
            manifest_toml=MANIFEST,
        )
    said = []
    hosts.start_all(said.append)
    assert said[0] == "Blog is not started: one installation runs one host, Shop."
    assert said[1].startswith("Shop is not running: ")
    assert len(said) == 2
