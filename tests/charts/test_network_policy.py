# SPDX-License-Identifier: Apache-2.0
"""Who reaches the pods of the chart `spanloom` where its NetworkPolicy holds."""

import pytest

from conftest import CHARTS, render
from network_policy import open_ports, pods

NAMESPACES = {"from": {"team": "models"}, "scrapeFrom": {"team": "monitoring"}}


@pytest.fixture(scope="module", params=["allInOne", "split"])
def objects(request):
    policy = {"enabled": True, **{key: [{"namespaceSelector": {"matchLabels": labels}}] for key, labels in NAMESPACES.items()}}
    return render(CHARTS / "spanloom", {"mode": request.param, "networkPolicy": policy}).objects


# Scenario: a pod of the release's namespace; one of a namespace that `from` names, one that `scrapeFrom` names, one that nobody names.
# Guarantees: the first reaches all that pods are told of, the second what takes spans and answers questions, the third the metrics, the last nothing. Nobody reaches the port of probes.
def test_who_reaches_what(objects):
    assert pods(objects)
    for labels in pods(objects):
        everything = open_ports(objects, labels, {"llm-d.ai/role": "decode"})
        assert {"otlp-grpc", "otlp-http", "metrics"} <= everything <= {"otlp-grpc", "otlp-http", "metrics", "ui"}
        assert open_ports(objects, labels, {}, other_namespace=NAMESPACES["from"]) == everything - {"metrics"}
        assert open_ports(objects, labels, {}, other_namespace=NAMESPACES["scrapeFrom"]) == {"metrics"}
        assert open_ports(objects, labels, labels, other_namespace={"team": "others"}) == set()


def test_without_further_peers_only_the_namespace_is_let_in():
    objects = render(CHARTS / "spanloom", {"networkPolicy": {"enabled": True}}).objects
    assert all(open_ports(objects, labels, {}, other_namespace={}) == set() for labels in pods(objects))
    assert all("otlp-grpc" in open_ports(objects, labels, {}) for labels in pods(objects))
