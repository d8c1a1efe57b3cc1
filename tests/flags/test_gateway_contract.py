"""What every gateway engine does, asked of each of them with real processes behind it."""

import contextlib
import http.client
import json
import shutil
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from flags.gateway import GatewayDown, gateway_open
from tests.flags.conftest import RunningHAProxy, free_port, wait_for

TOKEN, OTHER = "t" * 43, "o" * 43


@pytest.fixture(params=["haproxy", "inprocess"])
def gateway(request):
    if request.param == "haproxy":
        request.getfixturevalue("running_haproxy")
        return gateway_open()
    return request.getfixturevalue("inprocess")


@pytest.fixture
def serve(tmp_path):
    """Starts a small host with this behaviour; returns its port."""
    processes = []

    def start(**behaviour):
        folder = tmp_path / f"build{len(processes)}"
        folder.mkdir()
        shutil.copy(Path(__file__).with_name("small_host.py"), folder)
        (folder / "behaviour.json").write_text(json.dumps(behaviour))
        port = free_port()
        processes.append(subprocess.Popen([sys.executable, "small_host.py", str(port)], cwd=folder))

        def answers():
            with socket.socket() as probe:
                return probe.connect_ex(("127.0.0.1", port)) == 0

        wait_for(answers)
        start.processes[port] = processes[-1]
        return port

    start.processes = {}
    yield start
    for process in processes:
        process.kill()
        process.wait()


@pytest.fixture
def two(gateway, serve):
    """Stable, and a candidate with a lease and TOKEN on it."""
    return set_up(gateway, serve)


@pytest.fixture
def haproxy_two(running_haproxy, serve):
    return set_up(gateway_open(), serve)


def set_up(gateway, serve):
    ports = serve(name="stable"), serve(name="candidate", hangs_on="/hang")
    gateway.stable_set(ports[0])
    gateway.add_release("rel_a", ports[1])
    gateway.assign(TOKEN, "rel_a")
    gateway.renew("rel_a", 60)
    return ports


def ask(gateway, path="/", token=None, method="GET", **headers):
    cookies = {"Cookie": f"theme=dark; kriptik_release={token}; x=1"} if token else {}
    with httpx.Client(trust_env=False, timeout=10) as client:
        return client.request(
            method, f"http://127.0.0.1:{gateway.port}{path}", headers={**cookies, **headers}
        )


def body(gateway, *arguments, **options):
    return ask(gateway, *arguments, **options).text


def test_a_token_leads_to_its_release_and_nothing_else_does(gateway, two):
    assert body(gateway, token=TOKEN) == "candidate rel_a"
    assert body(gateway) == "stable stable"
    assert body(gateway, token=OTHER) == "stable stable"
    assert body(gateway, token="candidate1") == "stable stable"


def test_a_header_that_the_client_sends_is_not_believed(gateway, two):
    assert body(gateway, **{"X-Kriptik-Release": "rel_a"}) == "stable stable"
    assert body(gateway, token=TOKEN, **{"X-Kriptik-Release": "stable"}) == "candidate rel_a"


def test_the_answer_says_who_gave_it(gateway, two):
    assert gateway.answered_by(TOKEN, "/") == "rel_a"
    assert gateway.answered_by(None, "/") == "stable"


def test_nobody_is_on_a_release_without_a_lease(gateway, serve):
    gateway.stable_set(serve(name="stable"))
    gateway.add_release("rel_a", serve(name="candidate"))
    gateway.assign(TOKEN, "rel_a")
    assert body(gateway, token=TOKEN) == "stable stable"


def test_a_lease_that_is_not_renewed_ends_by_itself(gateway, two):
    gateway.renew("rel_a", 0.2)
    assert body(gateway, token=TOKEN) == "candidate rel_a"
    wait_for(lambda: body(gateway, token=TOKEN) == "stable stable", 5)
    gateway.renew("rel_a", 60)
    assert body(gateway, token=TOKEN) == "candidate rel_a"


def test_everyone_can_be_sent_to_a_release_and_back(gateway, two):
    gateway.everyone("rel_a")
    assert body(gateway) == "candidate rel_a"
    assert body(gateway, token=OTHER) == "candidate rel_a"
    gateway.everyone(None)
    assert body(gateway) == "stable stable"


def test_everyone_is_leased_too(gateway, two):
    gateway.everyone("rel_a")
    gateway.renew("rel_a", 0.2)
    wait_for(lambda: body(gateway) == "stable stable", 5)


def test_unassigning_one_user_leaves_the_others(gateway, two):
    gateway.assign(OTHER, "rel_a")
    gateway.unassign(TOKEN)
    assert body(gateway, token=TOKEN) == "stable stable"
    assert body(gateway, token=OTHER) == "candidate rel_a"


def test_saying_it_twice_changes_nothing(gateway, two):
    for _ in range(2):
        gateway.add_release("rel_a", two[1])
        gateway.assign(TOKEN, "rel_a")
        gateway.everyone("rel_a")
        gateway.renew("rel_a", 60)
    seen = gateway.observed()
    assert list(seen.releases) == ["rel_a"]
    assert seen.releases["rel_a"].tokens == {TOKEN}
    assert seen.releases["rel_a"].up and seen.releases["rel_a"].everyone
    assert seen.releases["rel_a"].port == two[1] and seen.stable_port == two[0]
    assert 50 < seen.releases["rel_a"].lease_left_s <= 61
    for _ in range(2):
        gateway.remove("rel_a")
        gateway.unassign(TOKEN)
    assert gateway.observed().releases == {}


def test_the_next_request_after_routing_away_is_stables(gateway, two):
    gateway.route_away("rel_a")
    assert body(gateway, token=TOKEN).startswith("stable")
    gateway.remove("rel_a")
    assert body(gateway, token=TOKEN) == "stable stable"


def test_a_read_that_hangs_on_the_candidate_is_severed_and_answered_by_stable(gateway, two):
    answers = []
    asking = threading.Thread(target=lambda: answers.append(body(gateway, "/hang", TOKEN)), daemon=True)
    asking.start()
    wait_for(lambda: gateway.observed().releases["rel_a"].sessions == 1)
    gateway.route_away("rel_a")
    assert gateway.sever("rel_a") == 1
    wait_for(lambda: gateway.observed().releases["rel_a"].sessions == 0)
    asking.join(5)
    assert answers and answers[0].startswith("stable")


def test_an_open_stream_stays_where_it_is_until_it_is_severed(running_haproxy, haproxy_two):
    gateway = gateway_open()
    with stream(gateway, TOKEN) as lines:
        assert next(lines) == "data: candidate"
        gateway.route_away("rel_a")
        assert next(lines) == "data: candidate", "routing alone moves no open stream"
        assert gateway.sever("rel_a") == 1
        rest = []
        with contextlib.suppress(httpx.HTTPError):
            rest = list(lines)
        assert set(rest) <= {"data: candidate"}, "it ends; before, it went on for ever"


def test_severing_closes_nobody_elses_stream(running_haproxy, haproxy_two):
    gateway = gateway_open()
    with stream(gateway) as lines:
        assert next(lines) == "data: stable"
        gateway.sever("rel_a")
        gateway.remove("rel_a")
        assert [next(lines) for _ in range(10)] == ["data: stable"] * 10


@contextlib.contextmanager
def stream(gateway, token=None):
    cookies = {"Cookie": f"kriptik_release={token}"} if token else {}
    url = f"http://127.0.0.1:{gateway.port}/stream"
    with (
        httpx.Client(trust_env=False, timeout=5, headers=cookies) as client,
        client.stream("GET", url) as answer,
    ):
        yield (line for line in answer.iter_lines() if line)


def test_stable_answers_reads_that_the_dead_candidate_can_not(gateway, two, serve):
    serve.processes[two[1]].kill()
    serve.processes[two[1]].wait()
    answer = ask(gateway, token=TOKEN)
    assert answer.status_code == 200 and answer.text.startswith("stable")
    assert answer.headers["X-Kriptik-Release"] == "stable"


def test_a_write_is_never_sent_twice(gateway, serve):
    gateway.stable_set(serve(name="stable"))
    gateway.add_release("rel_a", serve(name="candidate", dies_on="/buy"))
    gateway.assign(TOKEN, "rel_a")
    gateway.renew("rel_a", 60)
    assert ask(gateway, "/buy", TOKEN, method="POST").status_code == 502


def test_stable_moves_without_a_lost_request(gateway, serve):
    gateway.stable_set(serve(name="old"))
    new = serve(name="new")
    answers = []
    for number in range(60):
        if number == 20:
            gateway.stable_set(new)
        answers.append(ask(gateway).text.split()[0])
    assert answers == ["old"] * 20 + ["new"] * 40


def test_a_command_about_an_unknown_release_is_refused(gateway, two):
    with pytest.raises(GatewayDown, match="does not know"):
        gateway.assign(OTHER, "rel_gone")
    gateway.route_away("rel_gone")
    assert gateway.sever("rel_gone") == 0
    gateway.remove("rel_gone")


def test_a_gateway_without_anything_behind_it_says_so(gateway):
    gateway.stable_set(free_port())
    with pytest.raises(GatewayDown, match="No release answered"):
        gateway.answered_by(None, "/")


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_no_read_is_lost_when_the_candidate_is_killed_under_load(running_haproxy, serve, method):
    gateway = gateway_open()
    gateway.stable_set(serve(name="stable"))
    port = serve(name="candidate", slow_ms=5)
    gateway.add_release("rel_a", port)
    gateway.assign(TOKEN, "rel_a")
    gateway.renew("rel_a", 60)
    began = time.monotonic()

    def keep_asking(_):
        seen = []
        while time.monotonic() - began < 1.5:
            connection = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=5)
            connection.request(method, "/", headers={"Cookie": f"kriptik_release={TOKEN}"})
            seen.append(connection.getresponse().status)
            connection.close()
        return seen

    with ThreadPoolExecutor(4) as pool:
        workers = [pool.submit(keep_asking, n) for n in range(4)]
        wait_for(lambda: time.monotonic() - began > 0.7)
        serve.processes[port].kill()
        statuses = [status for worker in workers for status in worker.result()]
    assert len(statuses) > 40
    assert set(statuses) == {200}


def test_haproxy_boots_with_everyone_on_the_last_stable(running_haproxy, serve):
    gateway = gateway_open()
    gateway.stable_set(serve(name="stable"))
    gateway.add_release("rel_a", serve(name="candidate"))
    gateway.assign(TOKEN, "rel_a")
    gateway.renew("rel_a", 60)
    assert body(gateway, token=TOKEN) == "candidate rel_a"
    running_haproxy.kill()
    with pytest.raises(GatewayDown, match="admin socket"):
        gateway.ensure()
    running_haproxy.start()
    assert body(gateway, token=TOKEN) == "stable stable"
    assert gateway.observed().releases == {}


def test_haproxy_works_in_a_folder_that_is_too_deep_for_a_socket(settings, tmp_path, var):
    settings.VAR_DIR = tmp_path / ("deep" * 30)
    running = RunningHAProxy(settings)
    running.start()
    running.kill()


def test_the_slots_run_out_with_a_clear_word(running_haproxy):
    gateway = gateway_open()
    for number in range(4):
        gateway.add_release(f"rel_{number}", 1000 + number)
    with pytest.raises(GatewayDown, match="All 4 slots"):
        gateway.add_release("rel_more", 2000)
