#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Builds and runs every test of a tier. Each step is timed; the last line is `N passed, N failed, N skipped`.

A step is one test binary, the page's tests, a file of end-to-end tests, of tests of deploy/, of packages or of the pages for its users, or one fuzz target on its corpus. Two run at a time: many wait more than they compute. The slowest ten are printed.
"""

import argparse
import concurrent.futures
import json
import os
import pathlib
import shutil
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree

ROOT = pathlib.Path(__file__).resolve().parent.parent
RESULTS = ROOT / "build/test-results"
PYTHON = ROOT / "build/venv/bin/python"
STEP_SECONDS_MAX = 1800  # a step that takes longer hangs; guess
LANES = 2  # steps at a time, as many as the machine that STYLE counts on has cores
SANITIZER_ENV = {
    "ASAN_OPTIONS": "detect_leaks=1:strict_string_checks=1:detect_stack_use_after_return=1",
    "UBSAN_OPTIONS": "print_stacktrace=1",
    "TSAN_OPTIONS": f"halt_on_error=1:suppressions={ROOT / 'tests/tsan_suppressions.txt'}",
}


class Outcome:
    """Counts, and the lines that a reader of the run is to see with them."""

    def __init__(self, passed=0, failed=0, skipped=0):
        self.passed, self.failed, self.skipped, self.lines = passed, failed, skipped, []

    def __iadd__(self, other):
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped
        return self


def call(command, log, cwd=ROOT, env=None):
    """Runs a command with its output in `log`; returns its exit code, or -1 if it took too long."""
    with open(log, "wb") as output:
        try:
            return subprocess.run(command, cwd=cwd, env={**os.environ, **(env or {})}, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, timeout=STEP_SECONDS_MAX).returncode
        except subprocess.TimeoutExpired:
            output.write(f"\nstopped after {STEP_SECONDS_MAX} s\n".encode())
            return -1


def junit(path):
    """Counts of a JUnit file; a file that is not there counts as nothing."""
    outcome = Outcome()
    if not path.exists():
        return outcome
    for case in ElementTree.parse(path).iter("testcase"):
        if case.find("failure") is not None or case.find("error") is not None:
            outcome.failed += 1
        elif case.find("skipped") is not None or case.get("status") == "notrun":
            outcome.skipped += 1
            reason = case.find("skipped").get("message") if case.find("skipped") is not None else None
            outcome.lines.append(f"skipped: {case.get('classname')}.{case.get('name')}" + (f" ({reason})" if reason else ""))
        else:
            outcome.passed += 1
    return outcome


def judged(outcome, code, log):
    """A step that ended badly without a failed case, or that ran nothing, has failed as a whole."""
    if code != 0 and outcome.failed == 0 or outcome.passed + outcome.failed + outcome.skipped == 0:
        outcome.failed += 1
    if outcome.failed:
        text = log.read_text(errors="replace").splitlines()
        outcome.lines += [*text[-60:], f"the whole output: {log.relative_to(ROOT)}"]
    return outcome


def build(preset, targets=()):
    folder = ROOT / "build" / preset
    if not (folder / "build.ninja").exists():
        subprocess.run(["cmake", "--preset", preset], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["ninja", "-C", str(folder), "--quiet", *targets], check=True)


def unit_step(preset, binary):
    def run():
        log, xml = RESULTS / f"{binary.name}.log", RESULTS / f"{binary.name}.xml"
        env = dict(SANITIZER_ENV, SPANLOOM_PRESET=preset)
        code = call([str(binary), f"--gtest_output=xml:{xml}"], log, env=env)
        return judged(junit(xml), code, log)
    return run


def page_step(node):
    def run():
        log, xml = RESULTS / "page.log", RESULTS / "page.xml"
        env = {"PATH": f"{node}:{os.environ['PATH']}"}
        command = ["node", str(ROOT / "ui/node_modules/vitest/vitest.mjs"), "run", "--reporter=junit", f"--outputFile={xml}"]
        code = call(command, log, cwd=ROOT / "ui", env=env)
        return judged(junit(xml), code, log)
    return run


def e2e_step(preset, node, file):
    def run():
        name = f"{file.parent.name}-{file.stem}"  # two folders may have a file of the same name
        log, xml = RESULTS / f"{name}.log", RESULTS / f"{name}.xml"
        env = dict(SANITIZER_ENV, SPANLOOM_BINARY=str(ROOT / "build" / preset / "bin/spanloom"), SPANLOOM_NODE=str(pathlib.Path(node) / "node"))
        command = [str(PYTHON), "-m", "pytest", "-q", "-p", "no:cacheprovider", str(file), f"--junitxml={xml}"]
        code = call(command, log, env=env)
        return judged(junit(xml), code, log)
    return run


def vllm_step(preset):
    """All of tests/vllm in one go: starting a real vLLM takes longer than asking it."""
    def run():
        log, xml = RESULTS / "vllm.log", RESULTS / "vllm.xml"
        env = dict(SANITIZER_ENV, SPANLOOM_BINARY=str(ROOT / "build" / preset / "bin/spanloom"), PYTHONPATH=f"{ROOT / 'tests/vllm'}:{ROOT / 'tests/e2e'}")
        command = [str(PYTHON), "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "stacks", str(ROOT / "tests/vllm"), f"--junitxml={xml}"]
        code = call(command, log, env=env)
        outcome = judged(junit(xml), code, log)
        outcome.lines += differences()
        return outcome
    return run


def cluster_step(preset):
    """All of tests/cluster in one go: they share a cluster."""
    def run():
        log, xml = RESULTS / "cluster.log", RESULTS / "cluster.xml"
        env = dict(SANITIZER_ENV, SPANLOOM_BINARY=str(ROOT / "build" / preset / "bin/spanloom"))
        command = [str(PYTHON), "-m", "pytest", "-q", "-p", "no:cacheprovider", str(ROOT / "tests/cluster"), "--durations=10", f"--junitxml={xml}"]
        code = call(command, log, env=env)
        outcome = judged(junit(xml), code, log)
        if (RESULTS / "cluster.json").exists():
            outcome.lines.append(f"the cluster: {(RESULTS / 'cluster.json').read_text().strip()}")
        return outcome
    return run


def differences():
    """What the simulator does otherwise than the real server, green or not; what it no longer does can leave the list."""
    found, known = RESULTS / "vllm/differences.txt", ROOT / "tests/vllm/known_differences.txt"
    if not found.exists():
        return []
    lines = list(dict.fromkeys(found.read_text().splitlines()))
    seen = {line.split(": vLLM: ")[0] for line in lines}
    gone = [line for line in known.read_text().splitlines() if line and not line.startswith("#") and line not in seen]
    return [f"differs: {line}" for line in lines] + [f"differs no longer, take it off {known.relative_to(ROOT)}: {line}" for line in gone]


def fuzz_step(target, seconds):
    def run():
        log = RESULTS / f"{target}.log"
        corpus = fuzz_corpora()[target]
        found = ROOT / "build/fuzz-found" / target  # new inputs go here, never into the repository
        found.mkdir(parents=True, exist_ok=True)
        command = [str(ROOT / "build/fuzz/bin" / target), str(found), str(corpus), f"-max_total_time={seconds}", "-timeout=10", "-rss_limit_mb=2048", f"-artifact_prefix={found}/"]
        code = call(command, log)
        return judged(Outcome(passed=int(code == 0), failed=int(code != 0)), code, log)
    return run


def fuzz_corpora():
    """{target: corpus folder}: tests/corpus/FOLDER/NAME belongs to NAME_fuzz."""
    return {f"{path.name}_fuzz": path for path in sorted((ROOT / "tests/corpus").glob("*/*")) if path.is_dir()}


def fuzz_targets(wanted):
    names = list(fuzz_corpora())
    if wanted and wanted not in names:
        sys.exit(f"no fuzz target {wanted}; there are: {', '.join(names)}")
    return [name for name in names if not wanted or name == wanted]


def plan(options):
    """(name, function) of each step, in order."""
    alone = {"vllm": vllm_step, "cluster": cluster_step}
    if options.tier in alone:
        return [step for step in [(options.tier, alone[options.tier](options.preset))] if options.only in step[0]]
    seconds = options.fuzz_seconds or (60 if options.tier == "long" else 2)
    steps = []
    bins = ROOT / "build" / options.preset / "bin"
    for name in sorted(declared_tests()):
        steps.append((name, unit_step(options.preset, bins / name)))
    steps.append(("page", page_step(options.node)))
    for file in tier_files("e2e", options.tier):
        steps.append((file.stem.replace("test_", "e2e-").replace("long_", "long-"), e2e_step(options.preset, options.node, file)))
    for file in sorted((ROOT / "tests/charts").glob("test_*.py")):
        steps.append((file.stem.replace("test_", "charts-"), e2e_step(options.preset, options.node, file)))
    for file in sorted((ROOT / "tests/deploy").glob("test_*.py")):
        steps.append((file.stem.replace("test_", "deploy-"), e2e_step(options.preset, options.node, file)))
    for file in sorted((ROOT / "tests/guide").glob("test_*.py")):
        steps.append((file.stem.replace("test_", "guide-"), e2e_step(options.preset, options.node, file)))
    # What is packaged is never a sanitizer's build.
    for file in tier_files("package", options.tier) if options.preset == "dev" else []:
        steps.append((file.stem.replace("test_", "package-").replace("long_", "long-package-"), e2e_step(options.preset, options.node, file)))
    for target in fuzz_targets(options.fuzz_target):
        steps.append((f"fuzz-{target.removesuffix('_fuzz')}", fuzz_step(target, seconds)))
    return [step for step in steps if options.only in step[0]]


def tier_files(name, tier):
    """Of a folder of tests/: test_*.py; in the long tier long_*.py too, whose peers must be had or built, or take their time."""
    folder = ROOT / "tests" / name
    return sorted(folder.glob("test_*.py")) + (sorted(folder.glob("long_*.py")) if tier == "long" else [])


def declared_tests():
    """Names of the test binaries, read from the folders' CMakeLists.txt."""
    names = []
    for path in (ROOT / "src").rglob("CMakeLists.txt"):
        text = path.read_text()
        for part in text.split("spanloom_library(")[1:]:
            if "TESTS" in part.split(")")[0].split():
                names.append(part.split()[0] + "_test")
    return names


def say(text):
    """Prints in one piece: print() writes the line's end by itself, and another lane may come between."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def timed(name, times, work):
    begin = time.monotonic()
    say(f"== {name}")
    result = work()
    times.append((time.monotonic() - begin, name))
    return result


def run_steps(steps, times):
    """The sum of all outcomes. Each step prints a line when it begins, and all that it has to say at once when it has ended."""
    total = Outcome()
    with concurrent.futures.ThreadPoolExecutor(LANES) as lanes:
        running = {lanes.submit(timed, name, seconds := [], step): (name, seconds) for name, step in steps}
        for done in concurrent.futures.as_completed(running):
            name, seconds = running[done]
            outcome = done.result()
            counts = f"{outcome.passed} passed, {outcome.failed} failed, {outcome.skipped} skipped in {seconds[0][0]:.1f} s"
            say("\n".join([*outcome.lines, f"   {name}: {counts}"]))
            times += seconds
            total += outcome
    return total


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--node", required=True, help="folder of the pinned node")
    parser.add_argument("--preset", default="dev", choices=["dev", "asan", "tsan"])
    parser.add_argument("--tier", default="everyday", choices=["everyday", "long", "vllm", "cluster"])
    parser.add_argument("--only", default="")
    parser.add_argument("--fuzz-seconds", type=int)
    parser.add_argument("--fuzz-target")
    options = parser.parse_args()

    shutil.rmtree(RESULTS, ignore_errors=True)
    RESULTS.mkdir(parents=True)
    steps = plan(options)
    if not steps:
        sys.exit(f"no step is called like {options.only!r}")
    times = []
    if any(not name.startswith(("fuzz-", "page")) for name, _ in steps):
        targets = ("spanloom",) if options.tier in ("vllm", "cluster") else ()
        timed(f"build {options.preset}", times, lambda: build(options.preset, targets))
    if any(name.startswith("fuzz-") for name, _ in steps):
        timed("build fuzz", times, lambda: build("fuzz", fuzz_targets(options.fuzz_target)))
    total = run_steps(steps, times)

    (RESULTS / "times.json").write_text(json.dumps(times))
    print("slowest steps: " + ", ".join(f"{name} {seconds:.1f} s" for seconds, name in sorted(times, reverse=True)[:10]))
    print(f"{total.passed} passed, {total.failed} failed, {total.skipped} skipped")
    return 1 if total.failed else 0


if __name__ == "__main__":
    sys.exit(main())
