# SPDX-License-Identifier: Apache-2.0
"""Our server with a store on disk, as a whole process under load."""

import json
import os
import pathlib
import signal
import subprocess
import sys
import time

from peers.servers import FREE_PORTS, SPANLOOM, cpu_seconds, memory_kib

IDLE_SECONDS = 5.0  # without CPU: nothing is left to do; an idle store writes its head after 1 to 3 s
IDLE_TICKS_MAX = 2


class OnDisk:
    """A server on `directory`, ready; how long that took is `ready_ms`."""

    def __init__(self, directory, *arguments):
        begin = time.monotonic()
        command = [SPANLOOM, "serve", "--log-format=json", f"--data-dir={directory}", *FREE_PORTS, *arguments]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        self.grpc = self.page = None
        for text in self.process.stderr:
            line = json.loads(text)
            if line["msg"] == "listening" and line["server"] == "otlp/grpc":
                self.grpc = line["endpoint"]
            if line["msg"] == "listening" and line["server"] == "spanloom_query":
                self.page = line["endpoint"]
            if "ready" in line["msg"]:
                break
        else:
            sys.exit("serve ended before it was ready")
        self.ready_ms = (time.monotonic() - begin) * 1000

    def cpu_seconds(self):
        return cpu_seconds(self.process.pid)

    def memory_mib(self, field):
        return memory_kib(self.process.pid, field) / 1024

    def begin_sending(self, *arguments):
        """tracegen, whose report will be on its standard output."""
        command = [SPANLOOM, "tracegen", "--shape=load", f"--endpoint={self.grpc}", "--report=json", "--progress=never", *arguments]
        return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)

    def send(self, *arguments):
        """tracegen's report; ends the benchmark if a span was lost."""
        sending = self.begin_sending(*arguments)
        report = sending.communicate()[0]
        if sending.returncode != 0:
            sys.exit(f"spans were lost: {report}")
        return json.loads(report)

    def wait_until_idle(self):
        before = -1.0
        while (now := self.cpu_seconds()) - before > IDLE_TICKS_MAX / os.sysconf("SC_CLK_TCK"):
            before = now
            time.sleep(IDLE_SECONDS)

    def end(self, sign=signal.SIGTERM):
        self.process.send_signal(sign)
        self.process.wait()
        self.process.stderr.close()


def say(what, value, unit, goal=None):
    print(f"{what}: {value:.3g} {unit}" + (f"; to reach: {goal}" if goal else ""), flush=True)


def disk_bytes(directory):
    return sum(file.stat().st_size for file in pathlib.Path(directory).rglob("*") if file.is_file())
