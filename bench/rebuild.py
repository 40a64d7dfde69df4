#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How long a warm incremental build of the binary takes after a change to one source file.

Each file gets a comment appended, the binary is built, and the file is put back. ccache is off for the measured build: a real
change is never in the cache.

usage: ./dev bench rebuild [FILE...]
"""

import os
import pathlib
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
TYPICAL = ["src/query/jaeger/trace_json.cc", "src/otlp/views.cc", "src/pipeline/receivers/otlp.cc", "src/store/memory/memory_store.cc", "src/net/server.cc", "src/app/serve.cc"]


def build():
    begin = time.monotonic()
    subprocess.run(["ninja", "-C", str(ROOT / "build/release"), "--quiet", "spanloom"], check=True, env={**os.environ, "CCACHE_DISABLE": "1"})
    return time.monotonic() - begin


def main():
    build()
    for name in sys.argv[1:] or TYPICAL:
        path = ROOT / name
        original = path.read_text()
        try:
            path.write_text(original + "// changed\n")
            seconds = build()
        finally:
            path.write_text(original)
        print(f"{name}: {seconds:.1f} s (to reach: 15)", flush=True)
    build()


if __name__ == "__main__":
    main()
