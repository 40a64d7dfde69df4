# SPDX-License-Identifier: Apache-2.0
"""The volumes and variables of a pod, as a kubelet makes them from the API server's objects."""

import base64
import math
import os
import re

from network import API_SERVER


class NotThere(Exception):
    """An object that a pod needs and that is not there (yet): in the kubelet's words."""


class Contents:
    """Reads what the pod `item` needs."""

    def __init__(self, api, item, claim_folder):
        self._api, self._item, self._claim_folder = api, item, claim_folder
        self._namespace = item["metadata"]["namespace"]

    def _object(self, kind, name):
        found = self._api.find(f"/api/v1/namespaces/{self._namespace}/{kind}s/{name}")
        if found is None:
            raise NotThere(f'{kind} "{name}" not found')
        return found

    def _entries(self, kind, name):
        found = self._object(kind, name)
        if kind == "secret":
            return {key: base64.b64decode(value) for key, value in (found.get("data") or {}).items()}
        return {key: value.encode() for key, value in (found.get("data") or {}).items()}

    # ------------------------------------------------------------------------------------------------------------ volumes

    def volume(self, volume, folder):
        """Writes a volume below `folder`; returns where it is. Raises NotThere."""
        if "persistentVolumeClaim" in volume:
            return self._claim_folder(self._namespace, volume["persistentVolumeClaim"]["claimName"])
        target = folder / volume["name"]
        target.mkdir(parents=True, exist_ok=True)
        if "configMap" in volume:
            self._write(target, "configmap", volume["configMap"]["name"], volume["configMap"])
        elif "secret" in volume:
            self._write(target, "secret", volume["secret"]["secretName"], volume["secret"])
        elif "projected" in volume:
            for source in volume["projected"]["sources"]:
                self._project(target, source)
        self._give_away(target, "emptyDir" in volume)
        return target

    def _write(self, target, kind, name, source):
        try:
            entries = self._entries(kind, name)
        except NotThere:
            if source.get("optional"):
                return
            raise
        paths = {entry["key"]: entry["path"] for entry in source["items"]} if "items" in source else {key: key for key in entries}
        for key, path in paths.items():
            (target / path).write_bytes(entries[key])

    def _project(self, target, source):
        if "serviceAccountToken" in source:
            (target / source["serviceAccountToken"]["path"]).write_text(self._account_token(source["serviceAccountToken"]))
        elif "configMap" in source:
            self._write(target, "configmap", source["configMap"]["name"], source["configMap"])
        elif "secret" in source:
            self._write(target, "secret", source["secret"]["name"], source["secret"])
        elif "downwardAPI" in source:
            for entry in source["downwardAPI"]["items"]:
                (target / entry["path"]).write_text(self._field(entry["fieldRef"]["fieldPath"]))

    def _account_token(self, source):
        metadata = self._item["metadata"]
        request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest",
                   "spec": {"expirationSeconds": source.get("expirationSeconds", 3600), "audiences": [source["audience"]] if "audience" in source else [],
                            "boundObjectRef": {"apiVersion": "v1", "kind": "Pod", "name": metadata["name"], "uid": metadata["uid"]}}}
        account = self._item["spec"].get("serviceAccountName", "default")
        return self._api.call("POST", f"/api/v1/namespaces/{self._namespace}/serviceaccounts/{account}/token", request)["status"]["token"]

    def _give_away(self, target, writable):
        """To the pod's group, as a kubelet does with fsGroup."""
        group = self._item["spec"].get("securityContext", {}).get("fsGroup")
        if os.getuid() == 0 and group:
            os.chown(target, -1, group)
        target.chmod(0o2777 if writable else 0o755)

    # ---------------------------------------------------------------------------------------------------------- variables

    def environment(self, container):
        """The variables of a container, and what of them its arguments may name. Raises NotThere."""
        values = {"KUBERNETES_SERVICE_HOST": API_SERVER, "KUBERNETES_SERVICE_PORT": "443", "HOSTNAME": self._item["metadata"]["name"], "HOME": "/"}
        for entry in container.get("env", []):
            value = self._value_of(entry["valueFrom"], container) if "valueFrom" in entry else expanded(entry.get("value", ""), values)
            if value is not None:
                values[entry["name"]] = value
        return values

    def _value_of(self, source, container):
        if "fieldRef" in source:
            return self._field(source["fieldRef"]["fieldPath"])
        if "resourceFieldRef" in source:
            what, name = source["resourceFieldRef"]["resource"].split(".")
            return str(bytes_of(container.get("resources", {}).get(what, {}).get(name, "0")))
        kind, reference = next((kind, source[f"{key}KeyRef"]) for kind, key in (("configmap", "configMap"), ("secret", "secret")) if f"{key}KeyRef" in source)
        try:
            entries = self._entries(kind, reference["name"])
        except NotThere:
            if reference.get("optional"):
                return None
            raise
        if reference["key"] not in entries:
            if reference.get("optional"):
                return None
            raise NotThere(f'couldn\'t find key {reference["key"]} in {kind} {self._namespace}/{reference["name"]}')
        return entries[reference["key"]].decode()

    def _field(self, path):
        if path == "status.podIP":
            return self._item["status"]["podIP"]
        value = self._item
        keyed = re.fullmatch(r"metadata\.(labels|annotations)\['(.+)'\]", path)
        for key in ["metadata", keyed[1], keyed[2]] if keyed else path.split("."):
            value = value.get(key, {})
        return value if isinstance(value, str) else ""


def expanded(text, values):
    """$(NAME) is the variable's value, if it is known; $$ is a dollar."""
    return re.sub(r"\$\$|\$\(([\w.-]+)\)", lambda found: "$" if found[0] == "$$" else values.get(found[1], found[0]), text)


def bytes_of(quantity):
    """A quantity of memory in bytes, or of processors in whole ones, rounded up."""
    number, unit = re.fullmatch(r"([\d.]+)([a-zA-Z]*)", str(quantity)).groups()
    factor = {"": 1, "m": 0.001, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "Ki": 1 << 10, "Mi": 1 << 20, "Gi": 1 << 30, "Ti": 1 << 40}[unit]
    return math.ceil(float(number) * factor)
