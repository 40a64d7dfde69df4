# SPDX-License-Identifier: Apache-2.0
"""Completion in a real bash, and the manual pages: both cover all that help shows."""

import os
import pty
import re
import select
import shlex
import subprocess
import time

import pytest
from conftest import BINARY, commands, flags, program, run


def complete(*lines):
    """What bash offers behind each of `lines`, whose last word may be begun."""
    script = "source <(%s completion bash)\n" % shlex.quote(str(BINARY))
    for line in lines:
        words = [word for part in line.split(" ") for word in re.split(r"(=)", part) if word or "=" not in part]  # as readline takes them apart
        if line.endswith("="):
            words = words[:-1] if words[-1] == "" else words
        script += "COMP_WORDS=(%s); COMP_CWORD=%d; COMPREPLY=(); _spanloom; printf '%%s\\n' \"${COMPREPLY[@]}\"; echo ---\n" % (" ".join(map(shlex.quote, words)), len(words) - 1)
    answers = run("bash", "--norc", "--noprofile", "-c", script).split("---\n")
    return [set(answer.split()) for answer in answers[:-1]]


# Scenario: every command that help names, a flag begun behind it.
# Guarantees: each flag that its help shows is offered; each command is offered behind the one it belongs to.
def test_bash_offers_what_help_shows():
    paths = commands()
    assert len(paths) > 20 and ("store", "check") in paths and ("collector", "print-config") in paths
    offered = complete(*(" ".join(["spanloom", *path, "--"]) for path in paths))
    for path, words in zip(paths, offered):
        shown = {name for name in flags(path) if name.startswith("--")}
        assert shown and shown <= words, (path, shown - words)
    offered = complete(*(" ".join(["spanloom", *path[:-1], ""]) for path in paths))
    for path, words in zip(paths, offered):
        assert path[-1] in words, path


# Scenario: values of flags, behind a space and behind "=", begun or not; a value that is called like a command; a command below a command.
# Guarantees: choices and files are offered, and nothing where anything may stand; flags of the outer command are offered where they are taken.
def test_bash_offers_values(tmp_path, monkeypatch):
    (tmp_path / "folder").mkdir()
    (tmp_path / "config.yaml").touch()
    monkeypatch.chdir(tmp_path)
    asked = {"spanloom serve --log-format ": {"text", "json"}, "spanloom serve --log-format=": {"text", "json"}, "spanloom serve --log-format=j": {"json"},
             "spanloom serve --config c": {"config.yaml"}, "spanloom serve --data-dir ": {"folder"}, "spanloom serve --listen ": set(),
             "spanloom completion ": {"bash", "zsh", "fish"}, "spanloom man rout": {"routing-proxy"}, "spanloom store import ": {"folder", "config.yaml"},
             "spanloom tracegen --shape llmd-": {"llmd-prefix", "llmd-head"}, "spanloom store --unknown chec": {"check"}, "spanloom stor": {"store"}}
    for (line, wanted), offered in zip(asked.items(), complete(*asked)):
        assert offered == wanted, line
    after_value, inner = complete("spanloom store export --service check --fo", "spanloom serve validate --conf")
    assert after_value == {"--format"} and inner == {"--config"}


def typed(command, keys, wanted, seconds=30):
    """What a shell on a terminal shows after `keys`, as soon as `wanted` is there."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ.update(TERM="dumb", PS1="> ", PATH=f"{BINARY.parent}:{os.environ['PATH']}")
        os.execvp(command[0], command)
    shown, deadline = "", time.monotonic() + seconds
    try:
        os.write(terminal, keys.encode())
        while wanted not in shown and time.monotonic() < deadline:
            if select.select([terminal], [], [], 0.1)[0]:
                shown += os.read(terminal, 4096).decode(errors="replace")
    finally:
        os.kill(pid, 9)
        os.waitpid(pid, 0)
        os.close(terminal)
    return shown


# Scenario: a user types the beginning of a command and presses Tab.
# Guarantees: bash writes the rest.
def test_bash_completes_at_a_terminal():
    keys = f"source <({BINARY} completion bash); echo rea''dy\nspanloom routing-p\t --kv-conn\t\n"
    assert "--kv-connector" in typed(["bash", "--norc", "--noprofile", "-i"], keys, "--kv-connector")


# Guarantees: all pages are there and are what `man` prints; no page has an error or a warning.
def test_manual_pages(tmp_path):
    run(BINARY, "man", "--out", tmp_path)
    names = {path[0] for path in commands()}
    assert {page.name for page in tmp_path.iterdir()} == {"spanloom.1", *(f"spanloom-{name}.1" for name in names)}
    lint = subprocess.run([program("mandoc", "mandoc"), "-Tlint", "-Wwarning", *sorted(tmp_path.iterdir())], capture_output=True, text=True)
    assert lint.returncode == 0, lint.stdout
    for path in commands():
        if len(path) == 1:
            assert run(BINARY, "man", path[0]) == (tmp_path / f"spanloom-{path[0]}.1").read_text()
    assert run(BINARY, "man") == (tmp_path / "spanloom.1").read_text()


# Scenario: the pages as a reader sees them.
# Guarantees: each names all flags of its command and of the commands below it, and what help says of them.
@pytest.mark.parametrize("name", ["serve", "collector", "routing-proxy", "simulator", "store", "tracegen", "doctor"])
def test_a_page_says_what_help_says(name, tmp_path):
    page = tmp_path / "page.1"
    page.write_text(run(BINARY, "man", name))
    text = run(program("mandoc", "mandoc"), "-Tascii", "-Owidth=300", page)
    text = re.sub(r".\x08", "", text)
    for path in [path for path in commands() if path[0] == name]:
        missing = {flag for flag in flags(path) if not re.search(rf"{flag}\b", text)}
        assert not missing, path
    if name == "serve":
        assert "One of text, json." in text and "SPANLOOM_LISTEN" in text


# Guarantees: what is not a command, a shell or a folder is refused with what there is.
def test_refusals(tmp_path):
    for arguments, said in ((["man", "no-such"], "serve"), (["completion", "tcsh"], "fish"), (["man", "--out", str(tmp_path / "none")], "none"), (["completion"], "SHELL"),
                            (["--log-format=json", "serve"], "")):
        result = subprocess.run([str(BINARY), *arguments], capture_output=True, text=True)
        assert result.returncode == 2 and said in result.stdout + result.stderr, (arguments, result)
