# SPDX-License-Identifier: Apache-2.0
"""Plays kube-proxy and the cluster's DNS: at the address of each Service its ports lead to a ready pod, as its EndpointSlices say, and refuse connections while
there is none; and the hosts file that pods see has its name.
"""

import itertools
import os
import threading

from relay import Relay


class Services:
    """Follows Services and EndpointSlices until `stop`."""

    def __init__(self, api, loop, folder):
        self._api, self._loop = api, loop
        self.hosts = folder / "hosts"  # a file for each namespace
        self.hosts.mkdir()
        self._turns = itertools.count()
        self._services, self._slices, self._relays = {}, {}, {}
        self._lock, self._over = threading.RLock(), False
        for target, path in ((self._on_service, "/api/v1/services"), (self._on_slice, "/apis/discovery.k8s.io/v1/endpointslices")):
            threading.Thread(target=self._follow, args=(path, target), daemon=True).start()

    def _follow(self, path, act):
        for kind, item in self._api.follow(path, lambda: self._over):
            with self._lock:
                act(kind, item)
                self._admit()
                self._write_hosts()

    def _admit(self):
        for key, relays in self._relays.items():
            for (_, name, _), relay in zip(openings(self._services[key]), relays):
                relay.admit(bool(self.endpoints(*key, name)))

    def address_of(self, namespace, name):
        """The address of a Service that is there."""
        with self._lock:
            return self._services[namespace, name]["spec"]["clusterIP"]

    def _on_service(self, kind, item):
        if kind == "LISTED":
            there = {(one["metadata"]["namespace"], one["metadata"]["name"]) for one in item}
            for key in self._services.keys() - there:
                self._forget(key)
            return
        key = (item["metadata"]["namespace"], item["metadata"]["name"])
        if kind == "DELETED":
            self._forget(key)
            return
        if key in self._services and openings(self._services[key]) == openings(item):
            self._services[key] = item
            return
        self._forget(key)
        self._services[key] = item
        if key != ("default", "kubernetes"):  # the node opens that one
            self._relays[key] = [Relay(self._loop, lambda name=name: self.endpoint(*key, name), address, port, is_open=False) for address, name, port in openings(item)]

    def _forget(self, key):
        self._services.pop(key, None)
        for relay in self._relays.pop(key, []):
            relay.close()

    def _on_slice(self, kind, item):
        if kind == "LISTED":
            self._slices = {one["metadata"]["uid"]: one for one in item}
        elif kind == "DELETED":
            self._slices.pop(item["metadata"]["uid"], None)
        else:
            self._slices[item["metadata"]["uid"]] = item

    def endpoints(self, namespace, name, port_name=None):
        """(address, port) of each ready pod behind a Service; the port is None without `port_name`."""
        found = []
        for one in list(self._slices.values()):  # without the lock: it is asked by relays, for which a holder of the lock may wait
            if one["metadata"]["namespace"] == namespace and one["metadata"].get("labels", {}).get("kubernetes.io/service-name") == name:
                port = next((port["port"] for port in one.get("ports") or [] if port_name is not None and port.get("name", "") == port_name), None)
                found += [(address, port) for endpoint in one.get("endpoints") or [] if endpoint["conditions"].get("ready") for address in endpoint["addresses"]]
        return found if port_name is None else [one for one in found if one[1] is not None]

    def endpoint(self, namespace, name, port_name):
        found = self.endpoints(namespace, name, port_name)
        return found[next(self._turns) % len(found)] if found else None

    def _write_hosts(self):
        """Again, under other names first, so that a reader sees the old or the new ones."""
        lines = {}
        for namespace, name in self._services:
            headless = self._services[namespace, name]["spec"].get("clusterIP") == "None"
            addresses = [address for address, _ in self.endpoints(namespace, name)] if headless else [self.address_of(namespace, name)]
            for address in addresses:
                lines.setdefault(namespace, []).append((address, f"{name}.{namespace}.svc.cluster.local {name}.{namespace}.svc {name}.{namespace}", name))
        everywhere = "127.0.0.1 localhost\n" + "".join(f"{address} {long}\n" for entries in lines.values() for address, long, _ in entries)
        for namespace in lines:
            self.write_hosts_of(namespace, everywhere + "".join(f"{address} {short}\n" for address, _, short in lines[namespace]))

    def write_hosts_of(self, namespace, text):
        new = self.hosts / f".{namespace}"
        new.write_text(text)
        os.replace(new, self.hosts / namespace)

    def hosts_of(self, namespace):
        """Makes sure that there is a file for a namespace."""
        with self._lock:
            if not (self.hosts / namespace).exists():
                self.write_hosts_of(namespace, "127.0.0.1 localhost\n")

    def stop(self):
        self._over = True
        with self._lock:
            for key in list(self._services):
                self._forget(key)


def openings(service):
    """(address, name of the port, port) of all that is open for a Service."""
    address = service["spec"].get("clusterIP", "None")
    return [(address, port.get("name", ""), port["port"]) for port in service["spec"].get("ports", [])] if address != "None" else []
