# SPDX-License-Identifier: Apache-2.0
"""Who reaches the pods of deploy/ where its NetworkPolicy holds."""

import os

import pytest
import yaml

from manifests import DEPLOY, kustomized, overlay
from network_policy import open_ports, pods

# What sends in llm-d: model servers, whose pods hold the routing proxy too, and the inference scheduler.
SENDERS = [{"llm-d.ai/role": "decode", "llm-d.ai/inference-serving": "true"}, {"llm-d.ai/role": "prefill"}, {"inferencepool": "gaie-epp"}]


@pytest.fixture(scope="module")
def production():
    return overlay("production")


# Scenario: each sender of the namespace, and each of our own pods: the collector on its way to the store.
# Guarantees: all reach what takes spans and answers questions; nobody reaches a port that nobody was told of.
def test_the_namespace_sends_and_asks(production):
    assert pods(production)
    for labels in pods(production):
        for sender in [*SENDERS, labels]:
            reached = open_ports(production, labels, sender)
            assert {"otlp-grpc", "otlp-http", "metrics"} <= reached <= {"otlp-grpc", "otlp-http", "metrics", "ui"}
    assert any("ui" in open_ports(production, labels, SENDERS[0]) for labels in pods(production))


# Scenario: a pod of another namespace, with the labels of ours; the same where the namespace is marked as one that scrapes.
# Guarantees: nothing is open; then the metrics are, and nothing else.
def test_another_namespace_reaches_at_most_the_metrics(production):
    for labels in pods(production):
        assert open_ports(production, labels, labels, other_namespace={}) == set()
        assert open_ports(production, labels, {}, other_namespace={"spanloom-scrapes": "true"}) == {"metrics"}


# Scenario: the policy together with the metrics of spans, which have a port of their own.
# Guarantees: whoever scrapes reaches that port where there is one; a namespace without the mark does not.
def test_metrics_of_spans_are_scraped_too(tmp_path):
    deploy = os.path.relpath(DEPLOY, tmp_path)
    kustomization = {"resources": [f"{deploy}/manifests"], "components": [f"{deploy}/components/{name}" for name in ("span-metrics", "network-policy")]}
    (tmp_path / "kustomization.yaml").write_text(yaml.safe_dump(kustomization))
    objects = list(yaml.safe_load_all(kustomized(tmp_path)))
    scraped = [open_ports(objects, labels, {}, other_namespace={"spanloom-scrapes": "true"}) for labels in pods(objects)]
    assert sorted(scraped, key=len) == [{"metrics"}, {"metrics", "span-metrics"}]
    assert all(open_ports(objects, labels, {}, other_namespace={}) == set() for labels in pods(objects))


# Scenario: an overlay without the component.
# Guarantees: the pods are open, so that what is closed above is closed by the policy.
def test_without_the_policy_everybody_reaches_everything():
    objects = overlay("all-in-one")
    assert {"otlp-grpc", "otlp-http", "ui"} <= open_ports(objects, pods(objects)[0], {}, other_namespace={})
