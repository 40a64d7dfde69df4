# SPDX-License-Identifier: Apache-2.0
"""Completion in a real zsh and a real fish."""

import re
import shlex

from conftest import BINARY, commands, flags, program, run
from test_completion import typed


def fish(lines):
    """What fish offers behind each of `lines`, without the words of explanation."""
    script = f"{shlex.quote(str(BINARY))} completion fish | source\n" + "".join(f"complete -C {shlex.quote(line)}; echo ---\n" for line in lines)
    answers = run(program("fish", "fish"), "--no-config", "-c", script).split("---\n")
    return [{line.split("\t")[0] for line in answer.splitlines()} for answer in answers[:-1]]


# Guarantees: fish offers each flag that help shows, and each command.
def test_fish_offers_what_help_shows():
    paths = commands()
    for path, words in zip(paths, fish([" ".join(["spanloom", *path, "--"]) for path in paths])):
        assert flags(path) <= words, (path, flags(path) - words)
    for path, words in zip(paths, fish([" ".join(["spanloom", *path[:-1], ""]) for path in paths])):
        assert path[-1] in words, path


# Guarantees: fish offers choices and files.
def test_fish_offers_values(tmp_path, monkeypatch):
    (tmp_path / "config.yaml").touch()
    (tmp_path / "folder").mkdir()
    monkeypatch.chdir(tmp_path)
    choices, shells, file, folder, behind = fish(["spanloom serve --log-format ", "spanloom completion ", "spanloom serve --config ", "spanloom serve --data-dir ",
                                                  "spanloom store export --service check --form"])
    assert choices == {"text", "json"} and {"bash", "zsh", "fish"} <= shells and "config.yaml" in file and folder == {"folder/"} and behind == {"--format"}


# Scenario: a user of zsh types the beginning of commands, flags and values, and presses Tab.
# Guarantees: zsh writes the rest, or shows what may follow.
def test_zsh_completes_at_a_terminal(tmp_path):
    setup = f"fpath=({tmp_path} $fpath); autoload -Uz compinit; compinit -u -d {tmp_path}/dump; "
    (tmp_path / "_spanloom").write_text(run(BINARY, "completion", "zsh"))
    run(program("zsh", "zsh"), "-n", tmp_path / "_spanloom")
    for keys, wanted in (("spanloom routing-p\t--kv-conn\t", "--kv-connector"), ("spanloom serve --log-format=j\t", "--log-format=json"),
                         ("spanloom store ex\t--ser\t", "--service"), ("spanloom man tracege\t", "tracegen"), ("spanloom serve valida\t --no-sto\t", "--no-store-append")):
        shown = typed([program("zsh", "zsh"), "-f", "-i"], f"{setup}\n{keys}\n", wanted)
        assert wanted in re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]|\x07|.\x08", "", shown), (keys, shown)
