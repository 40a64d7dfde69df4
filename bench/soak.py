#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A whole `spanloom serve` at its full rate for minutes on end, with questions and retention: what grows, and should not.

usage: ./dev bench soak [--minutes N] [--mib N] [--directory DIR]

The load is `spanloom tracegen --shape load`, without a pause; the store keeps as many MiB as it is told, so that traces go as fast as they come. Each
period ends with a line: what the process holds, and how long questions over HTTP took beside the load, on the same cores.
"""

import argparse
import json
import pathlib
import statistics
import tempfile
import time
import urllib.request

from peers.on_disk import OnDisk, disk_bytes, say

PERIOD_SECONDS = 30
QUESTION_SECONDS = 1.0  # between two rounds of questions
TRACES_A_RUN = 200_000  # of one tracegen


class Questions:
    """What is asked, and how long the answers took: milliseconds by question."""

    def __init__(self, server):
        self.url, self.times = f"http://{server.page}", {}

    def ask(self, name, path):
        begin = time.monotonic()
        answer = json.load(urllib.request.urlopen(self.url + path, timeout=60))["data"]
        self.times.setdefault(name, []).append((time.monotonic() - begin) * 1000)
        return answer

    def round(self):
        services = self.ask("services", "/api/services")
        found = self.ask("newest 20", f"/api/traces?service={services[0]}&limit=20&lookback=1h")
        if found:
            self.ask("by id", f"/api/traces/{found[0]['traceID']}")

    def medians(self):
        medians = {name: statistics.median(times) for name, times in self.times.items()}
        self.times = {}
        return medians


class Load:
    """tracegen, again and again."""

    def __init__(self, server):
        self.server, self.spans, self.lost, self.process = server, 0, 0, None

    def keep_on(self):
        if self.process is not None and self.process.poll() is None:
            return
        self.take()
        self.process = self.server.begin_sending(f"--traces={TRACES_A_RUN}", "--spread=10s")

    def take(self):
        """Waits for the run under way, and counts what it sent."""
        if self.process is None:
            return
        report = json.loads(self.process.communicate()[0])
        self.spans += report["acknowledged_spans"]
        self.lost += report["lost_spans"]
        self.process = None


def period(server, load, questions, directory):
    begin, spans = time.monotonic(), load.spans
    cpu = server.cpu_seconds()
    while time.monotonic() - begin < PERIOD_SECONDS:
        load.keep_on()
        questions.round()
        time.sleep(QUESTION_SECONDS)
    seconds = time.monotonic() - begin
    state = {"spans/s": (load.spans - spans) / seconds, "CPU %": (server.cpu_seconds() - cpu) / seconds * 100,
             "anonymous MiB": server.memory_mib("RssAnon"), "files open": len(list(pathlib.Path(f"/proc/{server.process.pid}/fd").iterdir())),
             "disk MiB": disk_bytes(directory) / 2**20}
    state |= {f"{name} ms": median for name, median in questions.medians().items()}
    print("  ".join(f"{name} {value:,.0f}" if value >= 100 else f"{name} {value:.1f}" for name, value in state.items()), flush=True)
    return state


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--mib", type=int, default=2048)
    parser.add_argument("--directory", help="where the store lies for the time; on the disk that is meant")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.directory) as directory:
        server = OnDisk(directory, f"--set=exporters.spanloom_store.retention.mib_max={arguments.mib}")
        load, questions = Load(server), Questions(server)
        load.keep_on()
        time.sleep(QUESTION_SECONDS)
        states = [period(server, load, questions, directory) for _ in range(max(4, round(arguments.minutes * 60 / PERIOD_SECONDS)))]
        load.take()
        say("spans acknowledged", load.spans / 1e6, "million")
        say("spans lost", load.lost, "")
        settled = states[len(states) // 4:]  # the store is full then
        for name in states[-1]:
            half = len(settled) // 2
            first, last = (statistics.median(state[name] for state in part) for part in (settled[:half], settled[half:]))
            print(f"{name}: median of the first half {first:,.1f}, of the second {last:,.1f}")
        server.wait_until_idle()
        say("memory at rest, anonymous", server.memory_mib("RssAnon"), "MiB")
        server.end()


if __name__ == "__main__":
    main()
