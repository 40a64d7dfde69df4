# SPDX-License-Identifier: Apache-2.0
"""The store's crash and damage tests (store_columnar_test), from many seeds and with each byte of a small store changed in turn. Long tier."""

import os
import subprocess

from conftest import BINARY

SEEDS = os.environ.get("SPANLOOM_CRASH_SEEDS", "40")


def test_every_crash_and_every_damage():
    command = [str(BINARY.parent / "store_columnar_test"), "--gtest_filter=*Crash*:*Damage*"]
    done = subprocess.run(command, env={**os.environ, "SPANLOOM_CRASH_SEEDS": SEEDS}, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-4000:]
