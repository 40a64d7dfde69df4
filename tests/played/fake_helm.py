# SPDX-License-Identifier: Apache-2.0
"""Plays helm with the real engine: `install`, `upgrade`, `rollback`, `uninstall`, `test`, `template`, `plugin install`, `dependency build`.

What a chart renders goes to kubectl. Releases are kept in $FAKE_RELEASES; $FAKE_CHARTS says which folders stand for charts that are elsewhere
({"llm-d-modelservice/llm-d-modelservice": FOLDER}). Run by the Python environment of the tests.
"""

import json
import os
import pathlib
import subprocess
import sys

import yaml
from helm_python.chart import Chart
from helm_python.errors import HelmError

RELEASES = pathlib.Path(os.environ["FAKE_RELEASES"])
FLAGS = {"-n": "namespace", "-f": "values", "--set": "set", "--post-renderer": "renderer", "--post-renderer-args": "renderer_arguments"}
SWITCHES = {"--install", "--reuse-values"}


def parse(arguments):
    words, options, rest = [], {}, list(arguments)
    while rest:
        word = rest.pop(0)
        name, _, value = word.partition("=")
        if name in FLAGS:
            options.setdefault(FLAGS[name], []).append(value if "=" in word else rest.pop(0))
        elif word in SWITCHES:
            options[word] = True
        elif word.startswith("-"):
            sys.exit(f"Error: unknown flag: {word}")
        else:
            words.append(word)
    return words, options


def merged(under, over):
    if not isinstance(under, dict) or not isinstance(over, dict):
        return over
    return {**under, **{key: merged(under.get(key), value) for key, value in over.items()}}


def values_of(options, before):
    values = before if "--reuse-values" in options else {}
    for name in options.get("values", []):
        values = merged(values, yaml.safe_load(pathlib.Path(name).read_text()) or {})
    for entry in options.get("set", []):
        path, _, value = entry.partition("=")
        value = yaml.safe_load(value)
        for key in reversed(path.split(".")):
            value = {key: value}
        values = merged(values, value)
    return values


def rendered(chart, values, name, options):
    folder = json.loads(os.environ.get("FAKE_CHARTS", "{}")).get(chart, chart)
    files = Chart.load(folder).render(values, name=name, namespace=options.get("namespace", ["default"])[0])
    notes = "".join(text for path, text in files.items() if path.endswith("NOTES.txt"))
    documents = [text for path, text in sorted(files.items()) if not path.endswith("NOTES.txt")]
    objects = [entry for text in documents for entry in yaml.safe_load_all(text) if entry]
    hooks = [entry for entry in objects if "helm.sh/hook" in entry["metadata"].get("annotations", {})]
    manifest = "---\n".join(yaml.safe_dump(entry) for entry in objects if entry not in hooks)
    if "renderer" in options:
        manifest = post_rendered(manifest, options)
    return manifest, notes, hooks


def post_rendered(manifest, options):
    plugins = RELEASES.with_suffix(".plugins")
    program = options["renderer"][0]
    if plugins.exists() and program in plugins.read_text().split():
        program = next(str(pathlib.Path(folder) / program) for folder in plugins.read_text().split() if (pathlib.Path(folder) / program).exists())
    done = subprocess.run([program, *options.get("renderer_arguments", [])], input=manifest, stdout=subprocess.PIPE, text=True)
    return done.stdout if done.returncode == 0 else sys.exit(f"Error: post-renderer {program} failed")


def apply(manifest):
    if subprocess.run(["kubectl", "apply", "-f", "-"], input=manifest, text=True, stdout=subprocess.DEVNULL).returncode:
        sys.exit("Error: the objects were not taken")


def install(words, options, known, again):
    name, chart = words
    if (name in known) != again and "--install" not in options:
        sys.exit(f"Error: release {name!r} is {'not there' if again else 'there already'}")
    values = values_of(options, known[name][-1]["values"] if name in known else {})
    manifest, notes, hooks = rendered(chart, values, name, options)
    apply(manifest)
    known.setdefault(name, []).append({"values": values, "manifest": manifest, "hooks": hooks})
    print(f"Release \"{name}\" has been {'upgraded' if len(known[name]) > 1 else 'installed'}. Happy Helming!\nREVISION: {len(known[name])}")
    print("NOTES:\n" + notes if notes else "", end="")


def rollback(words, known):
    history = known[words[0]]
    back = history[int(words[1]) - 1] if len(words) > 1 else history[-2]
    apply(back["manifest"])
    history.append(back)
    print("Rollback was a success! Happy Helming!")


def uninstall(words, known):
    manifest = known.pop(words[0])[-1]["manifest"]
    subprocess.run(["kubectl", "delete", "-f", "-"], input=manifest, text=True, check=True, stdout=subprocess.DEVNULL)
    print(f'release "{words[0]}" uninstalled')


def test(words, known):
    """The pod's own script, here: Services that it asks are those of the cluster that is played."""
    forwards = json.loads(pathlib.Path(os.environ["FAKE_CLUSTER"]).read_text())["forward"]
    for pod in known[words[0]][-1]["hooks"]:
        container = pod["spec"]["containers"][0]
        environment = {entry["name"]: entry["value"] for entry in container["env"]}
        for service, ports in forwards.items():
            for port, target in ports.items():
                environment = {key: value.replace(f"{service}:{port}", f"127.0.0.1:{target}") for key, value in environment.items()}
        code = subprocess.run([*container["command"], *container["args"]], env={**os.environ, **environment}, timeout=60).returncode
        print(f"TEST SUITE: {pod['metadata']['name']}\nPhase: {'Failed' if code else 'Succeeded'}")
        if code:
            sys.exit("Error: 1 error occurred")


def main():
    words, options = parse(sys.argv[1:])
    verb = words.pop(0)
    known = json.loads(RELEASES.read_text()) if RELEASES.exists() else {}
    if verb in ("install", "upgrade"):
        install(words, options, known, verb == "upgrade")
    elif verb == "template":
        print(rendered(words[1], values_of(options, {}), words[0], options)[0])
    elif verb in ("rollback", "uninstall", "test"):
        if words[0] not in known:
            sys.exit("Error: release: not found")
        {"rollback": rollback, "uninstall": uninstall, "test": test}[verb](words, known)
    elif (verb, words[0]) == ("plugin", "install"):
        plugin = yaml.safe_load((pathlib.Path(words[1]) / "plugin.yaml").read_text())
        RELEASES.with_suffix(".plugins").write_text(f"{plugin['name']} {pathlib.Path(words[1]).resolve()}")
        print(f"Installed plugin: {plugin['name']}")
    else:
        sys.exit(f"Error: unknown command {verb!r}")
    RELEASES.write_text(json.dumps(known))


if __name__ == "__main__":
    try:
        main()
    except (HelmError, OSError) as error:
        sys.exit(f"Error: {error}")
