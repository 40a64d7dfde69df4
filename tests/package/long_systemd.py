# SPDX-License-Identifier: Apache-2.0
"""The package's units below a real systemd, in a Debian of their own: start, reload, crash, upgrade, stop, removal."""

import json
import re

import machine
import pytest
from conftest import run, wait_for
from test_deb import package  # noqa: F401 (fixture)

SERVE, COLLECTOR = "spanloom.service", "spanloom-collector.service"
STATE = "var/lib/private/spanloom"
TRACEGEN = ["tracegen", "--progress", "never", "--traces"]
DYNAMIC_USERS = range(61184, 65520)  # systemd's documentation of user ids


@pytest.fixture(scope="module")
def debian(package, tmp_path_factory):  # noqa: F811
    if machine.why_not():
        pytest.skip(machine.why_not())
    needed = [re.split(r"[ (]", part)[0] for part in run("dpkg-deb", "--field", package, "Depends").strip().split(", ")]
    started = machine.Machine(needed, tmp_path_factory.mktemp("machine") / "console")
    started.copy(package, "root/spanloom.deb")
    started.run("dpkg", "--install", "/root/spanloom.deb")
    yield started
    started.stop()


def is_healthy(debian):
    return debian.call("curl", "-sf", "http://127.0.0.1:13133").returncode == 0


def bring_up(debian, verb, unit):
    debian.run("systemctl", verb, unit)
    wait_for(lambda: is_healthy(debian))


@pytest.fixture
def serve(debian):
    bring_up(debian, "start", SERVE)
    yield debian
    debian.run("systemctl", "stop", SERVE)


def ask(debian, path):
    """The data of an answer of Jaeger's API; nothing while there is no answer."""
    answer = debian.call("curl", "-sf", f"http://127.0.0.1:16686/api/{path}")
    return json.loads(answer.stdout)["data"] if answer.returncode == 0 else []


def traces(debian, service):
    return {trace["traceID"] for trace in ask(debian, f"traces?service={service}&limit=500")}


def send(debian, count):
    """Sends traces; returns the name of a service that is in them."""
    debian.run("spanloom", *TRACEGEN, count)
    wait_for(lambda: ask(debian, "services"))
    return sorted(ask(debian, "services"))[0]


def test_installing_starts_nothing(debian):
    assert [debian.show(unit, "ActiveState") for unit in (SERVE, COLLECTOR)] == ["inactive", "inactive"]
    assert [debian.call("systemctl", "is-enabled", unit).stdout.strip() for unit in (SERVE, COLLECTOR)] == ["disabled", "disabled"]


# Scenario: spans, a restart, a reload, a kill -9.
# Guarantees: it runs as a user of its own with its state closed to others but root; every acknowledged trace is there after each; systemd brings it back.
def test_serve_keeps_its_traces(serve):
    main = lambda: int(serve.show(SERVE, "MainPID"))  # noqa: E731
    assert int(serve.run("stat", "-c", "%u", f"/proc/{main()}")) in DYNAMIC_USERS
    assert serve.run("stat", "-c", "%a", f"/{STATE}").strip() == "700"
    service = send(serve, 40)
    sent = traces(serve, service)
    assert sent
    assert "in use by" in serve.run("spanloom", "store", "stats", "--data-dir", "/var/lib/spanloom")

    before = main()
    serve.run("systemctl", "reload", SERVE)
    wait_for(lambda: "reload" in serve.journal(SERVE).lower())
    assert main() == before and traces(serve, service) == sent

    serve.run("systemctl", "restart", SERVE)
    wait_for(lambda: traces(serve, service) == sent)
    assert main() != before

    serve.run("systemctl", "kill", "--signal=KILL", SERVE)
    wait_for(lambda: serve.show(SERVE, "NRestarts") == "1" and traces(serve, service) == sent)


# Scenario: a reload with a file that has a typo, then the same on a start.
# Guarantees: the reload is refused and what ran goes on; the start fails; the journal names the key both times.
def test_a_wrong_file_is_refused(serve):
    file = serve.root / "etc/spanloom/serve.yaml"
    good = file.read_text()
    try:
        file.write_text(good.replace("data_dir", "data_dri"))
        serve.run("systemctl", "reload", SERVE)
        wait_for(lambda: "data_dri" in serve.journal(SERVE))
        assert serve.show(SERVE, "ActiveState") == "active" and is_healthy(serve)
        said = serve.journal(SERVE).count("data_dri")
        serve.call("systemctl", "restart", SERVE)
        wait_for(lambda: serve.show(SERVE, "ActiveState") != "active" and serve.journal(SERVE).count("data_dri") > said)
    finally:
        file.write_text(good)
        serve.call("systemctl", "reset-failed", SERVE)


# Guarantees: an upgrade replaces the running process, and its traces stay.
def test_an_upgrade_goes_on(serve):
    service = send(serve, 10)
    sent, before = traces(serve, service), serve.show(SERVE, "MainPID")
    serve.run("dpkg", "--install", "/root/spanloom.deb")
    wait_for(lambda: serve.show(SERVE, "MainPID") not in (before, "0") and traces(serve, service) == sent)


# Scenario: the collector of the package, whose backend is not there; it is stopped with spans in its queue.
# Guarantees: it takes spans, ends within the time of its unit, and says how many it did not deliver.
def test_collector_says_what_it_could_not_deliver(debian):
    bring_up(debian, "start", COLLECTOR)
    drop_in = debian.root / "etc/default/spanloom-collector"
    drop_in.write_text("SPANLOOM_DRAIN_TIMEOUT=1s\n")
    try:
        bring_up(debian, "restart", COLLECTOR)
        debian.run("spanloom", *TRACEGEN, 20)
        debian.run("systemctl", "stop", COLLECTOR)
        assert debian.show(COLLECTOR, "Result") in ("success", "exit-code")
        assert re.search(r"(?i)not delivered|undelivered|lost", debian.journal(COLLECTOR)), debian.journal(COLLECTOR)[-3000:]
    finally:
        drop_in.unlink()


# Guarantees: removal stops what runs and keeps the traces; purge takes them.
def test_removal_keeps_and_purge_takes(debian):
    bring_up(debian, "start", SERVE)
    debian.run("dpkg", "--remove", "spanloom")
    assert debian.show(SERVE, "ActiveState") == "inactive"
    assert list((debian.root / STATE).iterdir())
    debian.run("dpkg", "--purge", "spanloom")
    assert not (debian.root / STATE).exists() and not (debian.root / "etc/spanloom").exists()
