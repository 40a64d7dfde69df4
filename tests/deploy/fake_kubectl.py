#!/usr/bin/env -S python3 -S -E
# SPDX-License-Identifier: Apache-2.0
"""Plays kubectl against a cluster that is a JSON file, $FAKE_CLUSTER; each call is a line of $FAKE_CLUSTER.calls.

What the file may say, all of it optional: `server` (down, unknown-user), `namespaces`, `unseen_namespaces` (reading one is forbidden), `crd`,
`unseen_crds`, `operator` (acts on the custom resource), `may_not` (["create services"]), `objects` ({"Kind/name": labels}), `pods`, `events`, `logs`,
`not_ready` (["statefulset/jaeger"]), `forward` ({service: port}), `fail` ({"delete": text}). Real: kustomize.
"""

import json
import os
import re
import shlex
import signal
import sys
import zlib

FILE = os.environ["FAKE_CLUSTER"]
CRD = "opentelemetrycollectors.opentelemetry.io"
GROUPS = {"Deployment": "deployment.apps", "StatefulSet": "statefulset.apps", "OpenTelemetryCollector": "opentelemetrycollector.opentelemetry.io"}
KINDS = {"deployment": "Deployment", "statefulset": "StatefulSet", "service": "Service", "configmap": "ConfigMap", "persistentvolumeclaim": "PersistentVolumeClaim",
         CRD: "OpenTelemetryCollector", "pod": "Pod"}


def cluster():
    with open(FILE) as file:
        return json.load(file)


def save(state):
    with open(FILE, "w") as file:
        json.dump(state, file)


def fail(text):
    sys.stderr.write(text + "\n")
    sys.exit(1)


def kind_of(word):
    return KINDS.get(word) or KINDS[word.removesuffix("s")]


def shown(kind, name):
    return f"{GROUPS.get(kind, kind.lower())}/{name}"


def value_at(value, path):
    """The values at a jsonpath such as .a.b[0].c[?(@.type=="X")].d; dots of a key stand behind a backslash."""
    values = [value]
    for key, index, field, wanted in re.findall(r'\.((?:[^.\[\\]|\\.)+)|\[(\d+)\]|\[\?\(@\.(\w+)=="([^"]*)"\)\]', path):
        if key:
            values = [one[key.replace("\\.", ".")] for one in values if isinstance(one, dict) and key.replace("\\.", ".") in one]
        elif index:
            values = [one[int(index)] for one in values if isinstance(one, list) and int(index) < len(one)]
        else:
            values = [item for one in values for item in one if item.get(field) == wanted]
    return values


def jsonpath(template, value):
    """What kubectl prints for a template of paths, texts, and one range over .items[*]; test_jsonpath.py holds it against the real one."""
    loop = re.fullmatch(r"\{range \.items\[\*\]\}(.*)\{end\}", template, re.S)
    if loop:
        return "".join(jsonpath(loop[1], item) for item in value["items"])
    out = []
    for text, path in re.findall(r'\{"([^"]*)"\}|\{(\.[^}]*)\}', template):
        out.append(text.replace("\\n", "\n") if text else " ".join(str(one) for one in value_at(value, path)))
    return "".join(out)


def objects_of(state, kinds):
    for identity, labels in state.get("objects", {}).items():
        kind, name = identity.split("/")
        if kind in kinds:
            yield {"kind": kind, "metadata": {"name": name, "labels": labels}}


def get(state, words, options):
    what = words[0]
    if options.get("raw"):
        return print('{"major": "1"}')
    if what == "namespace":
        if words[1] in state.get("unseen_namespaces", []):
            fail(f'Error from server (Forbidden): namespaces "{words[1]}" is forbidden: User "dev" cannot get resource "namespaces" in API group "" in the namespace "{words[1]}"')
        if words[1] not in state.get("namespaces", []):
            fail(f'Error from server (NotFound): namespaces "{words[1]}" not found')
        return print(f"namespace/{words[1]}")
    if what == "crd":
        if state.get("unseen_crds"):
            fail(f'Error from server (Forbidden): customresourcedefinitions.apiextensions.k8s.io "{CRD}" is forbidden: User "dev" cannot get resource')
        if not state.get("crd"):
            fail(f'Error from server (NotFound): customresourcedefinitions.apiextensions.k8s.io "{CRD}" not found')
        return print(f"customresourcedefinition.apiextensions.k8s.io/{CRD}")
    if what in ("pods", "pod"):
        pods = state.get("pods", [])
        if len(words) > 1:
            return print(jsonpath(options["o"].removeprefix("jsonpath="), next(pod for pod in pods if pod["metadata"]["name"] == words[1])), end="")
        return print(jsonpath(options["o"].removeprefix("jsonpath="), {"items": pods}), end="")
    if what == "events":
        return print(jsonpath(options["o"].removeprefix("jsonpath="), {"items": state.get("events", [])}), end="")
    if "/" in what:
        kind, name = kind_of(what.split("/")[0]), what.split("/")[1]
        if f"{kind}/{name}" in state.get("objects", {}):
            print(shown(kind, name))
        return None
    kinds = {kind_of(word) for word in what.split(",")}
    return print(jsonpath(options["o"].removeprefix("jsonpath="), {"items": list(objects_of(state, kinds))}), end="")


def documents(path):
    """(kind, name, labels) of each object in what kustomize wrote, in its regular layout."""
    with open(path) as file:
        for text in (file.read() + "\n").replace("\n---\n", "\n\0").split("\0"):
            head = re.search(r"^metadata:\n((?:  .*\n)*)", text, re.M)[1]
            labels = dict(re.findall(r'^    ([\w./-]+): "?([^"\n]*)"?$', head.split("  labels:\n")[1].split("  name:")[0], re.M)) if "  labels:\n" in head else {}
            yield re.search(r"^kind: (\w+)", text, re.M)[1], re.search(r"^  name: (\S+)", head, re.M)[1], labels


def apply(state, words, options):
    objects = state.setdefault("objects", {})
    dry = f" ({options['dry-run']} dry run)" if "dry-run" in options else ""
    with open(options["f"]) as source, open(FILE + ".applied.yaml", "w") as copy:
        copy.write(source.read())
    for kind, name, labels in documents(options["f"]):
        print(f"{shown(kind, name)} {'configured' if f'{kind}/{name}' in objects else 'created'}{dry}")
        if dry:
            continue
        objects[f"{kind}/{name}"] = labels
        if kind == "OpenTelemetryCollector" and state.get("operator"):
            for made in ("Deployment/otel-collector", "Service/otel-collector"):
                objects[made] = {"app.kubernetes.io/managed-by": "opentelemetry-operator"}


def delete(state, words, options):
    objects = state.setdefault("objects", {})
    if "l" in options:
        kinds = {kind_of(word) for word in words[0].split(",")}
        names = [identity for identity, labels in objects.items() if identity.split("/")[0] in kinds
                 and labels.get("app.kubernetes.io/part-of") == "llm-d-tracing" and labels.get("app.kubernetes.io/managed-by") != "Helm"]
        if not names:
            print("No resources found")
    else:
        names = [f"{kind_of(word.split('/')[0])}/{word.split('/')[1]}" for word in words]
        names = [identity for identity in names if identity in objects]
    for identity in names:
        print(f'{shown(*identity.split("/")).replace("/", " ", 1).replace(" ", chr(32) + chr(34))}" deleted' + (" (server dry run)" if "dry-run" in options else ""))
        if "dry-run" in options:
            continue
        del objects[identity]
        if identity == "OpenTelemetryCollector/otel" and state.get("operator"):
            for made in ("Deployment/otel-collector", "Service/otel-collector"):
                objects.pop(made, None)


def port_forward(state, words):
    service, port = words[0].removeprefix("service/"), words[1].lstrip(":")
    if service not in state.get("forward", {}):
        fail(f'error: timed out waiting for the condition on service "{service}"')
    print(f"Forwarding from 127.0.0.1:{state['forward'][service]} -> {port}", flush=True)
    signal.pause()


def kustomize(folder):
    """The real kubectl's answer, kept in $FAKE_CACHE for the next one who asks the same."""
    with open(f"{folder}/kustomization.yaml") as file:
        asked = file.read() + ",".join(sorted(os.listdir(f"{folder}/manifests")))
    kept = f"{os.environ['FAKE_CACHE']}/{zlib.crc32(asked.encode()):08x}.yaml"
    if not os.path.exists(kept):
        code = os.system(f"'{os.environ['REAL_KUBECTL']}' kustomize '{folder}' >'{kept}.new'")
        if code:
            sys.exit(1)
        os.rename(f"{kept}.new", kept)
    with open(kept) as file:
        sys.stdout.write(file.read())


def logs(state, words, options):
    if "previous" in options and not state.get("crashed", True):
        fail("Error from server (BadRequest): previous terminated container not found")
    print(state.get("logs", {}).get(words[0], ""))


def parse(arguments):
    words, options, rest = [], {}, list(arguments)
    with_value = {"--namespace", "-o", "-f", "-l", "--field-selector", "--address", "--raw"}
    while rest:
        word = rest.pop(0)
        if word in with_value:
            options[word.lstrip("-")] = rest.pop(0)
        elif word.startswith("--"):
            key, _, value = word[2:].partition("=")
            options[key] = value
        else:
            words.append(word)
    return words, options


def main():
    words, options = parse(sys.argv[1:])
    if words[0] == "kustomize":
        return kustomize(words[1])
    with open(FILE + ".calls", "a") as calls:
        calls.write(shlex.join(sys.argv[1:]) + "\n")
    state = cluster()
    verb = words.pop(0)
    if verb == "config":
        return print("test")
    if state.get("server") == "down":
        fail("The connection to the server 127.0.0.1:1 was refused - did you specify the right host or port?")
    if state.get("server") == "unknown-user":
        fail("error: You must be logged in to the server (Unauthorized)")
    if verb in state.get("fail", {}):
        fail(state["fail"][verb])
    if verb == "get":
        get(state, words or [""], options)
    elif verb == "auth":
        asked = " ".join([*words[1:], *([options["subresource"]] if "subresource" in options else [])])
        print("no" if asked in state.get("may_not", []) else "yes")
        sys.exit(1 if asked in state.get("may_not", []) else 0)
    elif verb == "api-resources":
        print(CRD if state.get("crd") else "", end="\n")
    elif verb == "create":
        state.setdefault("namespaces", []).append(words[1])
        print(f"namespace/{words[1]} created")
        save(state)
    elif verb in ("apply", "delete"):
        (apply if verb == "apply" else delete)(state, words, options)
        save(state)
    elif verb == "rollout":
        sys.exit(1 if words[1] in state.get("not_ready", []) else 0)
    elif verb == "logs":
        logs(state, words, options)
    elif verb == "port-forward":
        port_forward(state, words)
    else:
        fail(f"error: unknown command {verb!r}")
    return None


if __name__ == "__main__":
    main()
