#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How long `spanloom serve` takes from exec to ready, and what it holds when idle.

usage: ./dev bench start [--runs N]
"""

import argparse
import signal
import statistics
import subprocess
import sys
import tempfile
import time

from peers.servers import FREE_PORTS, SPANLOOM, cpu_seconds, memory_kib

SETTLE_SECONDS = 1.0  # idle means: nothing left to do after the start


def one_run(data_dir):
    """(milliseconds from exec to ready, VmRSS KiB, RssAnon KiB, CPU seconds until ready and idle)"""
    begin = time.monotonic()
    process = subprocess.Popen([SPANLOOM, "serve", f"--data-dir={data_dir}", *FREE_PORTS], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    for line in process.stderr:
        if " ready " in line:
            break
    else:
        sys.exit("serve ended before it was ready")
    ready_ms = (time.monotonic() - begin) * 1000
    time.sleep(SETTLE_SECONDS)
    rss, anonymous = (memory_kib(process.pid, field) for field in ("VmRSS", "RssAnon"))
    cpu = cpu_seconds(process.pid)
    process.send_signal(signal.SIGTERM)
    process.communicate()
    if process.returncode != 0:
        sys.exit(f"serve ended with {process.returncode}")
    return ready_ms, rss, anonymous, cpu


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=9)
    with tempfile.TemporaryDirectory() as data_dir:
        runs = [one_run(data_dir) for _ in range(parser.parse_args().runs)]
    for name, values, unit, limit in zip(
            ("start to ready", "idle VmRSS", "idle RssAnon", "CPU until idle"), zip(*runs), ("ms", "KiB", "KiB", "s"), (100, 25 << 10, None, None)):
        print(f"{name}: median {statistics.median(values):.3g} {unit} (min {min(values):.3g}, max {max(values):.3g}, {len(values)} runs"
              + (f"; to reach: {limit})" if limit else ")"))


if __name__ == "__main__":
    main()
