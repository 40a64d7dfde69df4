# SPDX-License-Identifier: Apache-2.0
"""install-tracing.sh for users with few rights, against RBAC itself; and for servers and namespaces that are not as they should be."""

import pytest

from conftest import objects
from control_plane import free_port, wait_for
from test_script import ALL_IN_ONE, DEPLOYED, VERIFIED

KINDS = [{"apiGroups": [""], "resources": ["services", "configmaps", "persistentvolumeclaims"], "verbs": ["*"]}, {"apiGroups": ["apps"], "resources": ["deployments", "statefulsets"], "verbs": ["*"]},
         {"apiGroups": [""], "resources": ["pods", "pods/log", "events"], "verbs": ["get", "list", "watch"]}]
FORWARD = [{"apiGroups": [""], "resources": ["pods/portforward"], "verbs": ["create"]}]


@pytest.fixture
def dev(cluster):
    return cluster.user("dev-token")


# Scenario: ClusterRole admin, or edit, in the namespace alone, whose user may read neither namespaces nor CRDs.
# Guarantees: the whole way works: install, wait, find the span, uninstall.
@pytest.mark.parametrize("role", ["admin", "edit"])
def test_rights_in_one_namespace_are_enough(cluster, made_namespace, dev, role):
    cluster.bind(made_namespace, "dev", role)
    result = dev.script(made_namespace, "--storage=2Gi")
    assert VERIFIED.search(result.stdout) and "Creating namespace" not in result.stdout and result.stderr == ""
    dev.script(made_namespace, "-u", "--purge")
    wait_for(lambda: objects(cluster, made_namespace) == set())


# Scenario: exactly the rights that the script says it needs, and all but one of them.
# Guarantees: with them it goes through; the missing one is named before anything is changed.
def test_each_missing_right_is_named(cluster, made_namespace, dev):
    cluster.allow(made_namespace, "dev", "all", KINDS + FORWARD)
    assert VERIFIED.search(dev.script(made_namespace).stdout)
    dev.script(made_namespace, "-u")
    for resource in ("services", "configmaps", "statefulsets"):
        rules = [{**rule, "resources": [name for name in rule["resources"] if name != resource]} for rule in KINDS]
        rules.append({"apiGroups": ["", "apps"], "resources": [resource], "verbs": ["get", "list", "watch"]})
        cluster.allow(made_namespace, "dev", "all", rules)
        shown = "statefulsets.apps" if resource == "statefulsets" else resource
        assert dev.script(made_namespace, code=1).stderr == f"[ERROR] You may not create {shown} in namespace '{made_namespace}'. (kubectl auth can-i create {shown} -n {made_namespace} says no.)\n"
    assert objects(cluster, made_namespace) == set()


def test_without_the_right_to_forward_it_is_not_verified(cluster, made_namespace, dev):
    cluster.allow(made_namespace, "dev", "all", KINDS)
    result = dev.script(made_namespace)
    assert f"Not verified: you may not forward ports in namespace '{made_namespace}' (create pods/portforward)." in result.stderr and DEPLOYED in result.stdout


# Scenario: a user without any right, one who may look only, and one without a name.
# Guarantees: what is missing is named, and nothing is changed.
def test_strangers_are_told_what_they_may_not(cluster, made_namespace):
    stranger = cluster.user("stranger-token")
    message = f"You may not create services configmaps statefulsets.apps in namespace '{made_namespace}'."
    assert message in stranger.script(made_namespace, code=1).stderr
    cluster.bind(made_namespace, "stranger", "view")
    assert message in stranger.script(made_namespace, code=1).stderr
    services = f"/api/v1/namespaces/{made_namespace}/services"
    cluster.api.create(services, {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "jaeger-collector", "labels": {"app.kubernetes.io/part-of": "llm-d-tracing"}}, "spec": {"ports": [{"port": 4317}]}})
    refused = stranger.script(made_namespace, "-u", code=1)
    assert "[OK]" not in refused.stdout and objects(cluster, made_namespace) == {"service/jaeger-collector"}
    cluster.api.call("DELETE", f"{services}/jaeger-collector")
    nobody = cluster.user("no-such-token").script(made_namespace, code=1)
    assert nobody.stderr.startswith("[ERROR] The API server does not know you: ")
    assert objects(cluster, made_namespace) == set()


# Scenario: the namespace is not there, and the user may see that, or not, but not make it.
# Guarantees: it is said, with the command for an administrator; the guide's script says something else.
def test_a_namespace_that_may_not_be_made(cluster, namespace, dev):
    assert f"You may not create services configmaps statefulsets.apps in namespace '{namespace}'." in dev.script(namespace, code=1).stderr
    with cluster.allowed_everywhere("dev", [{"apiGroups": [""], "resources": ["namespaces"], "verbs": ["get", "list"]}]):
        assert (f"[ERROR] Namespace '{namespace}' does not exist, and you may not create namespaces. Ask an administrator for: kubectl create namespace {namespace}\n"
                == dev.script(namespace, code=1).stderr)
    assert cluster.api.find(f"/api/v1/namespaces/{namespace}") is None


# Scenario: a namespace that is being deleted, but has something that holds it up.
# Guarantees: it is said at once, and nothing is made; -u works.
def test_a_namespace_that_is_being_deleted(cluster, made_namespace, admin):
    path = f"/api/v1/namespaces/{made_namespace}/configmaps"
    cluster.api.create(path, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "held", "finalizers": ["tests/held"]}})
    admin.script(made_namespace, "--no-wait")
    cluster.api.call("DELETE", f"/api/v1/namespaces/{made_namespace}")
    try:
        result = admin.script(made_namespace, code=1)
        assert result.stderr == f"[ERROR] Namespace '{made_namespace}' is being deleted. Wait until it is gone, or use another one. (kubectl get namespace {made_namespace} -o yaml says what holds it up.)\n"
        assert "deployed successfully" not in result.stdout
        admin.script(made_namespace, "-u")
    finally:
        cluster.api.call("PATCH", f"{path}/held", {"metadata": {"finalizers": None}}, "application/merge-patch+json")
    wait_for(lambda: cluster.api.find(f"/api/v1/namespaces/{made_namespace}") is None)
    assert VERIFIED.search(admin.script(made_namespace).stdout)
    assert objects(cluster, made_namespace) == ALL_IN_ONE


@pytest.mark.parametrize("options", [[], ["-u"]])
def test_a_server_that_does_not_answer(cluster, namespace, options, tmp_path):
    user = cluster.user()
    cluster.plane.kubeconfig("admin-token", tmp_path / "config", free_port())
    user.environment["KUBECONFIG"] = str(tmp_path / "config")
    result = user.script(namespace, *options, code=1)
    assert result.stderr.startswith("[ERROR] The API server does not answer (context 'test'): ") and "refused" in result.stderr
