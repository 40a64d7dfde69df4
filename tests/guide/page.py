# SPDX-License-Identifier: Apache-2.0
"""Reads a page, and types what it says to type.

A block ```console has commands behind `$ `, which go on where a line ends with `\\`; other lines are what the command before them prints: `...` stands
for any text, or alone for any lines; a command without lines below it may print what it likes. A block ```yaml FILE is what the user writes into FILE:
it is merged into what is there. Other blocks are not typed.

What is typed is what is printed, but for this:
  * a port of this machine (`localhost:16686`, the first of `16686:16686`, what `doctor live` asks if nobody says) becomes a free one, the same all along;
  * directories of the page's machine (`/var/lib/`, `/backup/`) become folders of the test, but in what is done in a pod or is a chart's value;
  * `spanloom doctor` may end with 1, which says that it found something, where the page shows what;
  * `kubectl port-forward` and `spanloom serve` go on until the page's end, or until a later one takes their place: the next command comes once they are ready.
"""

import dataclasses
import os
import pathlib
import re
import socket
import subprocess

import yaml

from processes import wait_for

LASTS = re.compile(r"^(kubectl port-forward|spanloom (serve|collector) (?!.*(validate|print-config)))")
READY = re.compile(r"^Forwarding from|is ready", re.M)
DOCTOR_ASKS = {"--backend": 16686, "--metrics": 8888}


@dataclasses.dataclass
class Step:
    line: int
    section: str
    command: str = ""  # or
    file: str = ""
    text: str = ""  # what is printed by the command, or written into the file


def steps(text):
    """The steps of a page, in order."""
    found, section, lines = [], "", iter(enumerate(text.splitlines(), 1))
    for number, line in lines:
        section = line.lstrip("# ") if line.startswith("#") else section
        if not line.startswith("```"):
            continue
        language, _, name = line[3:].partition(" ")
        block = []
        for inner, content in lines:
            if content.startswith("```"):
                break
            block.append((inner, content))
        if language == "console":
            found += commands(block, section)
        elif language == "yaml" and name:
            found.append(Step(number, section, file=name, text="\n".join(content for _, content in block)))
    return found


def commands(block, section):
    found, goes_on = [], False
    for number, line in block:
        if goes_on:
            found[-1].command += "\n" + line
        elif line.startswith("$ "):
            found.append(Step(number, section, command=line[2:]))
        else:
            found[-1].text += line + "\n"
            continue
        goes_on = line.endswith("\\")
    return found


def merged(under, over):
    if not isinstance(under, dict) or not isinstance(over, dict):
        return over
    return {**under, **{key: merged(under.get(key), value) for key, value in over.items()}}


def matches(printed, said):
    """Whether a program said what a page prints."""
    pattern = ""
    for line in printed.splitlines():
        pattern += r"(?:.*\n)*?" if line == "..." else ".*?".join(re.escape(part) for part in line.split("...")) + r"\n"
    return re.fullmatch(pattern, said) is not None


class Reader:
    """Types the steps of one page in a folder. Sequence-bound; `stop` ends what goes on."""

    def __init__(self, folder, environment, directories):
        self.folder, self.environment, self.directories = folder, environment, directories
        self.ports = {}  # {port of the page: port of this machine}
        self.lasting = {}  # {command: process}

    def free(self, port):
        if port not in self.ports:
            with socket.create_server(("127.0.0.1", 0)) as listener:
                self.ports[port] = str(listener.getsockname()[1])
        return self.ports[port]

    def typed(self, command):
        if command.startswith("spanloom doctor live"):
            command += "".join(f" {option}=localhost:{port}" for option, port in DOCTOR_ASKS.items() if option not in command)
        command = re.sub(r"\b(localhost|127\.0\.0\.1):(\d+)", lambda found: f"{found[1]}:{self.free(found[2])}", command)
        if command.startswith("kubectl port-forward"):
            command = re.sub(r"(?<= )(?:(\d+):)?(\d+)$", lambda found: f"{self.free(found[1] or found[2])}:{found[2]}", command)
        for name, folder in self.directories.items() if not command.startswith(("kubectl", "helm")) else ():
            command = re.sub(rf"(?<![\w/.-]){re.escape(name)}", str(folder), command)
        return command

    def printed(self, said):
        """What a program said, with the page's ports."""
        for theirs, ours in self.ports.items():
            said = re.sub(rf"\b{ours}\b", theirs, said)
        return said

    def do(self, step):
        if step.file:
            return self.write(step)
        command = ["bash", "-euo", "pipefail", "-c", self.typed(step.command)]
        if LASTS.match(step.command):
            return self.begin(step, command)
        done = subprocess.run(command, cwd=self.folder, env=self.environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300)
        said = self.printed(done.stdout)
        may_find = step.text and "spanloom doctor" in step.command
        assert done.returncode == 0 or (may_find and done.returncode == 1), f"line {step.line}: `{step.command}` ends with {done.returncode}:\n{said}"
        assert not step.text or matches(step.text, said), f"line {step.line}: `{step.command}` prints\n{said}\nnot\n{step.text}"
        return None

    def write(self, step):
        path = self.folder / step.file
        path.parent.mkdir(parents=True, exist_ok=True)
        text = step.text + "\n"
        if path.exists():
            text = yaml.safe_dump(merged(yaml.safe_load(path.read_text()), yaml.safe_load(text)), sort_keys=False)
        path.write_text(text)

    def begin(self, step, command):
        self.end(step.command)
        log = self.folder / f"line-{step.line}.log"
        process = subprocess.Popen(["bash", "-c", "exec " + command[-1]], cwd=self.folder, env=self.environment, stdin=subprocess.DEVNULL, stdout=log.open("w"), stderr=subprocess.STDOUT)
        self.lasting[step.command] = process
        wait_for(lambda: READY.search(log.read_text()) or process.poll() is not None)
        assert process.poll() is None, f"line {step.line}: `{step.command}` ends:\n{log.read_text()}"

    def end(self, command):
        process = self.lasting.pop(command, None)
        if process:
            process.terminate()
            process.wait(60)

    def stop(self):
        for command in list(self.lasting):
            self.end(command)
