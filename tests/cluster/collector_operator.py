# SPDX-License-Identifier: Apache-2.0
"""Plays the OpenTelemetry Operator: makes of each OpenTelemetryCollector the objects that its v0.145.0 was seen to make, owned by the resource."""

import hashlib
import json
import pathlib
import threading

import yaml

from api import ApiError

HERE = pathlib.Path(__file__).resolve().parent
CRD = yaml.safe_load((HERE / "crds/opentelemetrycollectors.yaml").read_text())
RESOURCES = "/apis/opentelemetry.io/v1beta1"
APPLY = "application/apply-patch+yaml"
VERSION = "0.145.0"
DEFAULT_IMAGE = f"ghcr.io/open-telemetry/opentelemetry-collector-releases/opentelemetry-collector:{VERSION}"
PATHS = {"Deployment": "/apis/apps/v1", "Service": "/api/v1", "ConfigMap": "/api/v1", "ServiceAccount": "/api/v1"}


def port_of(endpoint):
    return int(endpoint.rsplit(":", 1)[1])


def receiver_ports(config):
    """The ports that the operator derives from a configuration's OTLP receiver."""
    protocols = config["receivers"]["otlp"]["protocols"]
    return [{"name": f"otlp-{name}", "port": port_of(protocols[name]["endpoint"]), "appProtocol": name} for name in ("grpc", "http") if name in protocols]


class Resource:
    """What one OpenTelemetryCollector stands for."""

    def __init__(self, item):
        self.item, self.spec = item, item["spec"]
        self.name, self.namespace = f"{item['metadata']['name']}-collector", item["metadata"]["namespace"]
        self.selector = {"app.kubernetes.io/component": "opentelemetry-collector", "app.kubernetes.io/instance": f"{self.namespace}.{item['metadata']['name']}",
                         "app.kubernetes.io/managed-by": "opentelemetry-operator", "app.kubernetes.io/part-of": "opentelemetry"}
        self.labels = {**self.selector, "app.kubernetes.io/name": self.name, "app.kubernetes.io/version": "latest"}
        order = ["receivers", "exporters", "processors", "connectors", "extensions", "service"]
        self.config = yaml.safe_dump({key: self.spec["config"][key] for key in order if key in self.spec["config"]}, sort_keys=False)
        self.digest = hashlib.sha256(self.config.encode()).hexdigest()
        self.image = self.spec.get("image", DEFAULT_IMAGE)

    def objects(self):
        otlp = receiver_ports(self.spec["config"])
        return [
            self._object("ServiceAccount", self.name),
            self._object("ConfigMap", f"{self.name}-{self.digest[:8]}", data={"collector.yaml": self.config}),
            self._service(self.name, otlp),
            self._service(f"{self.name}-headless", otlp, clusterIP="None"),
            self._service(f"{self.name}-monitoring", [{"name": "monitoring", "port": 8888}]),
            self._object("Deployment", self.name, spec=self._deployment(otlp)),
        ]

    def _object(self, kind, name, **rest):
        owner = {"apiVersion": self.item["apiVersion"], "kind": self.item["kind"], "name": self.item["metadata"]["name"], "uid": self.item["metadata"]["uid"],
                 "controller": True, "blockOwnerDeletion": True}
        version = "apps/v1" if kind == "Deployment" else "v1"
        return {"apiVersion": version, "kind": kind, "metadata": {"name": name, "namespace": self.namespace, "labels": self.labels, "ownerReferences": [owner]}, **rest}

    def _service(self, name, ports, **rest):
        return self._object("Service", name, spec={"selector": self.selector, "ports": [{"targetPort": port["port"], "protocol": "TCP", **port} for port in ports], **rest})

    def _deployment(self, otlp):
        annotations = {"opentelemetry-operator-config/sha256": self.digest, "prometheus.io/scrape": "true", "prometheus.io/port": "8888", "prometheus.io/path": "/metrics"}
        pod = {"serviceAccountName": self.name, "containers": [self._container(otlp)],
               "volumes": [{"name": "otc-internal", "configMap": {"name": f"{self.name}-{self.digest[:8]}", "items": [{"key": "collector.yaml", "path": "collector.yaml"}]}}]}
        for theirs, ours in (("securityContext", "podSecurityContext"), ("terminationGracePeriodSeconds", "terminationGracePeriodSeconds")):
            if ours in self.spec:
                pod[theirs] = self.spec[ours]
        return {"replicas": self.spec["replicas"], "selector": {"matchLabels": self.selector}, "template": {"metadata": {"labels": self.labels, "annotations": annotations}, "spec": pod}}

    def _container(self, otlp):
        container = {
            "name": "otc-container", "image": self.image, "imagePullPolicy": "IfNotPresent", "args": ["--config=/conf/collector.yaml"],
            "ports": [{"name": port["name"], "containerPort": port["port"], "protocol": "TCP"} for port in [{"name": "metrics", "port": 8888}, *otlp]],
            "env": [{"name": "POD_NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}, *(
                {"name": name, "valueFrom": {"resourceFieldRef": {"containerName": "otc-container", "resource": f"limits.{resource}"}}} for name, resource in (("GOMEMLIMIT", "memory"), ("GOMAXPROCS", "cpu")))],
            "volumeMounts": [{"name": "otc-internal", "mountPath": "/conf"}]}
        health = self.spec["config"].get("extensions", {}).get("health_check")
        if health is not None:
            probe = {"httpGet": {"path": "/", "port": port_of(health["endpoint"])}}
            container |= {"livenessProbe": probe, "readinessProbe": probe}
        return container | {key: self.spec[key] for key in ("resources", "securityContext") if key in self.spec}


class Operator:
    """Acts on resources from its making until `stop`."""

    def __init__(self, api):
        self._api, self._over, self._generations = api, threading.Event(), {}
        self.errors = []
        self._thread = threading.Thread(target=self._follow, daemon=True)
        self._thread.start()

    def _follow(self):
        for kind, item in self._api.follow(f"{RESOURCES}/opentelemetrycollectors", self._over.is_set):
            if kind in ("ADDED", "MODIFIED") and self._generations.get(item["metadata"]["uid"]) != item["metadata"]["generation"]:
                self._generations[item["metadata"]["uid"]] = item["metadata"]["generation"]
                try:
                    self._reconcile(Resource(item))
                except ApiError as error:
                    self.errors.append(str(error))

    def _reconcile(self, resource):
        for item in resource.objects():
            self._apply(item)
        status = {"status": {"image": resource.image, "version": VERSION, "scale": {"replicas": resource.spec["replicas"]}}}
        self._api.call("PATCH", f"{RESOURCES}/namespaces/{resource.namespace}/opentelemetrycollectors/{resource.item['metadata']['name']}/status", status, "application/merge-patch+json")

    def _apply(self, item):
        path = f"{PATHS[item['kind']]}/namespaces/{item['metadata']['namespace']}/{item['kind'].lower()}s/{item['metadata']['name']}"
        found = self._api.find(path)
        if found and item["kind"] == "Deployment" and found["spec"]["selector"] != item["spec"]["selector"]:
            self._api.call("DELETE", path)  # a selector cannot be changed
        self._api.call("PATCH", f"{path}?fieldManager=opentelemetry-operator&force=true", json.loads(json.dumps(item)), APPLY)

    def stop(self):
        """From the next event on it does nothing more."""
        self._over.set()
