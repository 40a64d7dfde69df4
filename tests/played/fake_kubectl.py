#!/usr/bin/env -S python3 -S -E
# SPDX-License-Identifier: Apache-2.0
"""Plays kubectl against a cluster that is a JSON file, $FAKE_CLUSTER; each call is a line of $FAKE_CLUSTER.calls.

What the file may say, all of it optional: `server` (down, unknown-user), `namespaces`, `unseen_namespaces` (reading one is forbidden), `terminating_namespaces`, `crd`,
`unseen_crds`, `elsewhere` (namespaces of the objects of ours in the whole cluster; without it nobody may list them), `operator` (acts on the custom resource), `may_not` (["create services"]), `objects` ({"Kind/name": labels}), `pods`, `events`, `logs`,
`not_ready` (["statefulset/jaeger"]), `forward` ({service: port, or {its port: port}}), `mounts` ({path in a pod: folder}), `fail` ({"delete": text}), `silent` (verbs that never end), `refused` ({"Kind/name": what apply says of it}). Real: kustomize; programs that
`exec` starts, on this machine, with `mounts` replaced; forwarding, where a port of this machine is named. The port $FAKE_KUBELET is told of each change, and answered when its pods run (pods.py).
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
         CRD: "OpenTelemetryCollector", "pod": "Pod", "pvc": "PersistentVolumeClaim", "secret": "Secret"}


def cluster():
    with open(FILE) as file:
        return json.load(file)


def save(state):
    with open(FILE, "w") as file:
        json.dump(state, file)
    if "FAKE_KUBELET" in os.environ:
        import socket  # here, as most calls do without, and there are many
        with socket.create_connection(("127.0.0.1", int(os.environ["FAKE_KUBELET"]))) as kubelet, kubelet.makefile() as answer:
            complaint = answer.read()
        if complaint:
            fail(complaint)


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
        return print("Terminating" if words[1] in state.get("terminating_namespaces", []) else "Active", end="")
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
    if what == "configmap":
        return print(entry_of(state, words[1], options["o"]), end="")
    if "all-namespaces" in options:
        if "elsewhere" not in state:
            fail('Error from server (Forbidden): services is forbidden: User "dev" cannot list resource "services" in API group "" at the cluster scope')
        return print(jsonpath(options["o"].removeprefix("jsonpath="), {"items": [{"metadata": {"namespace": name}} for name in state["elsewhere"]]}), end="")
    kinds = {kind_of(word) for word in what.split(",")}
    if "managed-by=Helm" in options.get("l", ""):
        objects = [item for item in objects_of(state, kinds) if item["metadata"]["labels"].get("app.kubernetes.io/managed-by") == "Helm"]
        return print(jsonpath(options["o"].removeprefix("jsonpath="), {"items": objects}), end="")
    return print(jsonpath(options["o"].removeprefix("jsonpath="), {"items": list(objects_of(state, kinds))}), end="")


def entry_of(state, name, template):
    """An entry of a ConfigMap as it was applied: jsonpath={.data.KEY}."""
    text = state.get("texts", {}).get(f"ConfigMap/{name}") or fail(f'Error from server (NotFound): configmaps "{name}" not found')
    key = re.fullmatch(r"jsonpath=\{\.data\.(.+)\}", template)[1].replace("\\.", ".")
    found = re.search(rf"^  {re.escape(key)}: \|\n((?:    .*\n|\n)*)", text, re.M)
    return re.sub(r"^    ", "", found[1], flags=re.M)


def documents(everything):
    """(kind, name, labels, text) of each object in what kustomize wrote, in its regular layout."""
    for text in (everything + "\n").replace("\n---\n", "\n\0").split("\0"):
        if not re.search(r"^kind: ", text, re.M):
            continue
        head = re.search(r"^metadata:\n((?:  .*\n)*)", text, re.M)[1]
        labels = dict(re.findall(r'^    ([\w./-]+): "?([^"\n]*)"?$', head.split("  labels:\n")[1].split("  name:")[0], re.M)) if "  labels:\n" in head else {}
        yield re.search(r"^kind: (\w+)", text, re.M)[1], re.search(r"^  name: (\S+)", head, re.M)[1], labels, text


def asked_for(options):
    """The objects of -f FILE, -f - or -k FOLDER."""
    if "k" in options:
        with os.popen(f"'{os.environ['REAL_KUBECTL']}' kustomize '{options['k']}'") as rendering:
            text = rendering.read()
        return text or fail(f"error: {options['k']} cannot be put together")
    if options["f"] == "-":
        return sys.stdin.read()
    try:
        with open(options["f"]) as file:
            return file.read()
    except OSError:
        return fail(f'error: the path "{options["f"]}" does not exist')


def apply(state, words, options):
    objects = state.setdefault("objects", {})
    dry = f" ({options['dry-run']} dry run)" if "dry-run" in options else ""
    asked = asked_for(options)
    with open(FILE + ".applied.yaml", "w") as copy:
        copy.write(asked)
    for kind, name, labels, text in documents(asked):
        if f"{kind}/{name}" in state.get("refused", {}):
            continue
        print(f"{shown(kind, name)} {'configured' if f'{kind}/{name}' in objects else 'created'}{dry}")
        if dry:
            continue
        objects[f"{kind}/{name}"] = labels
        if "FAKE_KUBELET" in os.environ:
            state.setdefault("texts", {})[f"{kind}/{name}"] = text
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
        if "k" in options or "f" in options:
            names = [f"{kind}/{name}" for kind, name, _, _ in documents(asked_for(options))]
        else:
            pairs = ["/".join(words)] if "/" not in words[0] else words
            names = [f"{kind_of(word.split('/')[0])}/{word.split('/')[1]}" for word in pairs]
        missing = [identity for identity in names if identity not in objects]
        if missing and "ignore-not-found" not in options:
            fail(f'Error from server (NotFound): {missing[0]} not found')
        names = [identity for identity in names if identity in objects]
    for identity in names:
        print(f'{shown(*identity.split("/")).replace("/", " ", 1).replace(" ", chr(32) + chr(34))}" deleted' + (" (server dry run)" if "dry-run" in options else ""))
        if "dry-run" in options:
            continue
        del objects[identity]
        state.get("texts", {}).pop(identity, None)
        if identity == "OpenTelemetryCollector/otel" and state.get("operator"):
            for made in ("Deployment/otel-collector", "Service/otel-collector"):
                objects.pop(made, None)


def port_forward(state, words):
    service, port = words[0].removeprefix("service/").removeprefix("svc/"), words[1].split(":")[-1]
    target = state.get("forward", {}).get(service)
    target = target.get(port) if isinstance(target, dict) else target
    if target is None:
        fail(f'error: timed out waiting for the condition on service "{service}"')
    if words[1].startswith(":"):
        print(f"Forwarding from 127.0.0.1:{target} -> {port}", flush=True)
        signal.pause()
    relay(words[1].split(":")[0], port, target)


def relay(local, port, target):
    import socket
    import threading
    with socket.create_server(("127.0.0.1", int(local))) as listener:
        print(f"Forwarding from 127.0.0.1:{local} -> {port}", flush=True)
        while True:
            near, far = listener.accept()[0], socket.create_connection(("127.0.0.1", target))
            for source, sink in ((near, far), (far, near)):
                threading.Thread(target=pump, args=(source, sink), daemon=True).start()


def pump(source, sink):
    while data := source.recv(65536):
        sink.sendall(data)
    sink.shutdown(1)  # no more to be written


def execute(state, words, options):
    pod = next((pod for pod in state.get("pods", []) if pod["metadata"]["name"] == words[0]), None)
    if pod is None:
        fail(f'Error from server (NotFound): pods "{words[0]}" not found')
    command = list(options["command"])
    for path, folder in state.get("mounts", {}).items():
        command = [word.replace(path, folder) if word.startswith(path) else word for word in command]
    os.environ["TMPDIR"] = pod["temporary"]
    os.execvp(command[0], command)


def create(state, words, options):
    kind, name = words[0], words[-1]
    if kind == "namespace":
        state.setdefault("namespaces", []).append(name)
    else:
        files = {}
        for entry in options["from-file"].split(","):
            path = entry.split("=")[-1]
            try:
                with open(path) as file:
                    files[entry.split("=")[0]] = file.read()
            except OSError:
                fail(f"error: error reading {path}: no such file or directory")
        state.setdefault("objects", {})[f"{kind_of(kind)}/{name}"] = {}
        state.setdefault("texts", {})[f"{kind_of(kind)}/{name}"] = json.dumps({"kind": kind_of(kind), "metadata": {"name": name}, "stringData": files})
    print(f"{kind}/{name} created")


def kustomize(folder):
    """The real kubectl's answer; what install-tracing.sh puts together is kept in $FAKE_CACHE for the next one who asks the same."""
    if not os.path.exists(f"{folder}/manifests"):
        os.execv(os.environ["REAL_KUBECTL"], ["kubectl", "kustomize", folder])
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
    with_value = {"--namespace", "-n", "-o", "-f", "-k", "-l", "--field-selector", "--address", "--raw"}
    while rest:
        word = rest.pop(0)
        if word == "--":
            options["command"], rest = rest, []
        elif word in with_value:
            options[word.lstrip("-")] = rest.pop(0)
        elif word.startswith("--"):
            key, _, value = word[2:].partition("=")
            options[key] = f"{options[key]},{value}" if key == "from-file" and key in options else value
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
    if verb in state.get("silent", []):
        signal.pause()
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
        create(state, words, options)
        save(state)
    elif verb in ("apply", "delete"):
        (apply if verb == "apply" else delete)(state, words, options)
        save(state)
        if verb == "apply" and state.get("refused"):
            fail("\n".join(state["refused"].values()))
    elif verb == "rollout":
        if words[0] == "restart":
            state["restarted"] = [*state.get("restarted", []), words[1]]
            save(state)
            print(f"{shown(*[kind_of(words[1].split('/')[0]), words[1].split('/')[1]])} restarted")
        sys.exit(1 if words[1] in state.get("not_ready", []) else 0)
    elif verb == "logs":
        logs(state, words, options)
    elif verb == "port-forward":
        port_forward(state, words)
    elif verb == "exec":
        execute(state, words, options)
    else:
        fail(f"error: unknown command {verb!r}")
    return None


if __name__ == "__main__":
    main()
