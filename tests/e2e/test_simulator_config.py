# SPDX-License-Identifier: Apache-2.0
"""What a simulated model server is told by a file, by a data set, and while it runs."""

import hashlib
import json
import sqlite3
import subprocess
import time

from conftest import BINARY, request
from simulators import pieces_of, simulate  # noqa: F401

CONFIG = "/admin/config"
FILE = """
model: from-file
served-model-name: [one, two]
max-num-seqs: 7
mode: echo
lora-modules:
- '{"name":"adapter"}'
fake-metrics:
  running-requests: 16
  loras:
  - '{"running":"adapter","waiting":"","timestamp":7}'
latencies:
  time-to-first-token: 20ms
enforce-eager: true
"""


def refused(*arguments, **environment):
    ended = subprocess.run([BINARY, "simulator", *arguments], capture_output=True, text=True, timeout=30, env=environment or None)
    assert ended.returncode == 2, ended
    return ended.stderr


# Scenario: a file of flags, with lists, maps and a block; two flags of it stand on the command line too.
# Guarantees: the command line goes first; else all of the file holds; what has no effect is named.
def test_a_file_of_flags(simulate, tmp_path):
    file = tmp_path / "flags.yaml"
    file.write_text(FILE)
    simulator = simulate(f"--config={file}", "--max-num-seqs=3")
    config = json.loads(request(simulator.url(CONFIG))[2])
    assert (config["model"], config["served-model-name"], config["max-num-seqs"], config["mode"]) == ("tiny", ["one", "two"], 3, "echo")
    assert (config["lora-modules"], config["time-to-first-token"], config["latency-calculator"]) == (["adapter"], "20ms", "constant")
    assert 'running_lora_adapters="adapter"} 7\n' in request(simulator.url("/metrics"))[2].decode()
    assert simulator.post("/v1/completions", {"model": "two", "prompt": "same words"})[2]["choices"][0]["text"] == "same words"
    assert [line["flags"] for line in simulator.lines if line["msg"] == "flags without effect here"] == ["--enforce-eager"]


# Guarantees: what can't be in a file, and flags whose effect would be missed, are refused with the place and what to do.
def test_files_and_flags_that_cannot_be(tmp_path):
    file = tmp_path / "flags.yaml"
    for text, told in (("prot: 1", "flags.yaml:1: \"prot\" is no flag of spanloom simulator; did you mean \"port\"?"), ("port: many", "flags.yaml: "),
                       ("seed: 1\nlatencies: {seed: 2}", "say it once")):
        file.write_text(text)
        assert told in refused("--model=m", f"--config={file}"), text
    assert "cannot read" in refused(f"--config={tmp_path}/nothing")
    for flag, told in (("--render-url=http://h", "stand-in for a tokenizer"), ("--omni", "text alone"), ("--engine=sglang", "--engine"),
                       ("--tool-call-extra-call-probability=101", "--tool-call-extra-call-probability")):
        assert told in refused("--model=m", flag), flag


# Scenario: latencies and failures are changed while the server runs; then something that cannot be.
# Guarantees: the next request takes the new time, or fails; a refused change changes nothing; other routes go on.
def test_changes_while_it_runs(simulate):
    simulator = simulate("--data-parallel-size=2")
    ask = lambda: simulator.post("/v1/completions", {"prompt": "a", "max_tokens": 2, "ignore_eos": True}, **{"X-data-parallel-rank": "1"})[0]  # noqa: E731
    status, _, answer = simulator.post(CONFIG, {"time-to-first-token": "300ms", "inter-token-latency": 100_000_000})
    assert (status, answer["time-to-first-token"], answer["inter-token-latency"], answer["latency-calculator"]) == (200, "300ms", "100ms", "constant")
    begin = time.monotonic()
    assert ask() == 200 and time.monotonic() - begin >= 0.4
    assert simulator.post(CONFIG, {"failure-injection-rate": 100, "failure-types": ["rate_limit"], "time-to-first-token": 0, "inter-token-latency": 0})[0] == 200
    assert ask() == 429 and request(simulator.url("/health"))[0] == 200
    for wrong, told in (({"failure-injection-rate": 0, "max-num-seqs": 1}, "max-num-seqs"), ({"failure-injection-rate": 0, "time-to-first-token": "-1s"}, "negative"), ({"fake-metrics": {}}, "--fake-metrics")):
        status, _, answer = simulator.post(CONFIG, wrong)
        assert status == 400 and told in answer["error"]["message"], wrong
    assert ask() == 429
    assert simulator.post(CONFIG, {"failure-injection-rate": 0})[0] == 200 and ask() == 200


# Scenario: a data set with an answer to one prompt, by its token ids; that prompt, another one, too little room, tokens that go on; a file that is not there.
# Guarantees: the prompt has its answer, token by token; another has any of the answers; nothing is downloaded.
def test_answers_of_a_data_set(simulate, tmp_path):
    file, prompt = tmp_path / "answers.sqlite3", [11, 22, 33]
    texts, ids = ["Par", "is", "."], [500, 501, 502]
    digest = hashlib.sha256(b"".join(token.to_bytes(4, "little") for token in prompt)).digest()
    with sqlite3.connect(file) as database:
        database.execute("CREATE TABLE answers (id INTEGER PRIMARY KEY AUTOINCREMENT, prompt_hash BLOB NOT NULL, gen_tokens JSON NOT NULL, n_gen_tokens INTEGER NOT NULL)")
        database.execute("INSERT INTO answers (prompt_hash, gen_tokens, n_gen_tokens) VALUES (?, ?, 3)", (digest, json.dumps({"strings": texts, "numbers": ids})))
    simulator = simulate(f"--dataset-path={file}", "--dataset-table-name=answers", "--dataset-in-memory")
    ask = lambda **more: simulator.post("/v1/completions", {"prompt": prompt, "max_tokens": 9, "return_token_ids": True, "logprobs": 0, **more})[2]["choices"][0]  # noqa: E731
    choice = ask()
    assert (choice["text"], choice["token_ids"], choice["finish_reason"], choice["logprobs"]["tokens"]) == ("Paris.", ids, "stop", texts)
    assert ask(prompt="another one")["text"] == "Paris."
    assert (ask(max_tokens=2)["text"], ask(max_tokens=2)["finish_reason"]) == ("Paris", "length")
    assert ask(ignore_eos=True)["text"].startswith("Paris.") and len(ask(ignore_eos=True)["token_ids"]) == 9
    streamed = pieces_of(simulator.post("/v1/completions", {"prompt": prompt, "stream": True})[2])
    assert [piece["choices"][0]["text"] for piece in streamed] == texts
    assert "no such table: llmd" in refused("--model=m", f"--dataset-path={file}")
    assert f"curl -Lo {tmp_path}/none http://h/x" in refused("--model=m", f"--dataset-path={tmp_path}/none", "--dataset-url=http://h/x")


# Guarantees: routes are those of the kind of model that it is said to be; without sleep there are none of it; strictness asks what a body is.
def test_routes_by_flags(simulate):
    generates = simulate("--runner=generate", "--no-enable-sleep-mode", "--strict")
    assert [generates.post(path, {"input": "a"})[0] for path in ("/v1/embeddings", "/pooling", "/sleep")] == [404] * 3
    body = {"prompt": "a", "max_tokens": 1}
    assert [generates.post("/v1/completions", body, **{"Content-Type": kind})[0] for kind in ("application/json; charset=utf-8", "text/plain")] == [200, 400]
    pools = simulate("--runner=pooling")
    assert pools.post("/v1/completions", body)[0] == 404 and pools.post("/v1/embeddings", {"input": "a"})[0] == 200
