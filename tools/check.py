#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Everything that `./dev check` holds the tree against. Prints each finding, and the number of them at the end.

usage: check.py [--all]     --all runs clang-tidy on every source instead of those that changed since the last commit
"""

import os
import pathlib
import re
import subprocess
import sys
import tempfile
import tomllib
from concurrent import futures

ROOT = pathlib.Path(__file__).resolve().parent.parent


def git(*arguments):
    return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()


def tracked(*patterns):
    return [name for name in git("ls-files", "-co", "--exclude-standard", *patterns) if (ROOT / name).exists()]


def run(command, cwd=ROOT):
    """The lines a command printed if it failed, else none."""
    result = subprocess.run(command, cwd=cwd, capture_output=True, text=True)
    if result.returncode == 0:
        return []
    return [line for line in (result.stdout + result.stderr).splitlines() if line.strip()]


def check_format():
    wrong = []
    for line in run(["clang-format-16", "--dry-run", "-Werror", *tracked("*.cc", "*.h")]):
        found = re.match(r"(\S+?):\d+:\d+: error", line)
        if found and found[1] not in wrong:
            wrong.append(found[1])
    return [f"{name}: not formatted: run ./dev format" for name in wrong]


def check_layers():
    return run([sys.executable, "tools/check_layers.py"])


def check_spans():
    return run([sys.executable, "tools/span_registry.py"])


def check_types():
    return run([sys.executable, "tools/check_types.py"])


def check_licences():
    return run([sys.executable, "tools/licences.py"])


def function_bodies(text):
    """(first line, lines) of each function body: a block that opens at column 0 to 2 after a ')' and is closed alone."""
    begin = None
    for number, line in enumerate(text.splitlines(), 1):
        if begin is None and re.match(r"^\S.*\)( const| noexcept| override)*( ->.*)? \{$", line) and not line.startswith(("namespace", "if", "for", "while", "//")):
            begin = number
        elif begin is not None and line == "}":
            yield begin, number - begin
            begin = None


def check_sizes():
    limits = tomllib.loads((ROOT / "tools/sizes.toml").read_text())["limits"]
    problems, suppressed = [], 0
    for name in tracked("*.cc", "*.h", "*.ts", "*.tsx", "*.py"):
        text = (ROOT / name).read_text()
        lines = text.count("\n")
        if lines > limits["file_lines_max"]:
            problems.append(f"{name}: {lines} lines; the longest file may have {limits['file_lines_max']}: split it by its nouns")
        if name.endswith((".cc", ".h")):
            suppressed += len(re.findall(r"NOLINT|#pragma GCC diagnostic", text))
            problems += [f"{name}:{begin}: a function of {length} lines; {limits['function_lines_max']} is the limit"
                         for begin, length in function_bodies(text) if length > limits["function_lines_max"]]
            if not text.startswith("// SPDX-License-Identifier: Apache-2.0\n"):
                problems.append(f"{name}: no SPDX line at the top")
    for name in tracked("deploy/*.sh", "deploy/*.yaml", "tests/played/*.py", "tests/deploy/*.py", "tests/deploy/*.yaml", "tests/guide/*.py"):
        if not any("SPDX-License-Identifier: Apache-2.0" in line for line in (ROOT / name).read_text().split("\n")[:2]):
            problems.append(f"{name}: no SPDX line at the top")
    if suppressed > limits["suppressed_warnings"]:
        problems.append(f"{suppressed} suppressed warnings; tools/sizes.toml allows {limits['suppressed_warnings']}")
    readme = (ROOT / "README.md").read_text().count("\n")
    if readme > limits["readme_lines_max"]:
        problems.append(f"README.md: {readme} lines; {limits['readme_lines_max']} is the limit")
    return problems


def check_documents():
    """Relative links lead somewhere; no markers of unfinished work."""
    problems = []
    for name in tracked("*.md"):
        text = (ROOT / name).read_text()
        for link in re.findall(r"\]\(([^)#\s]+)[^)]*\)", text):
            if "://" not in link and not link.startswith("mailto:") and not (ROOT / name).parent.joinpath(link).exists():
                problems.append(f"{name}: link to {link}, which is not there")
    for name in tracked("*.cc", "*.h", "*.py", "*.ts", "*.tsx", "deploy/*.sh", "deploy/*.yaml"):
        if name == "tools/check.py":
            continue
        for number, line in enumerate((ROOT / name).read_text().splitlines(), 1):
            if re.search(r"\b(XXX|FIXME|DO NOT SUBMIT)\b|TODO(?!\(#\d+\): )", line):
                problems.append(f"{name}:{number}: marker of unfinished work")
    return problems


def check_config_reference():
    """docs/config is what the binary of the dev preset says of itself."""
    pages = ROOT / "docs/config"
    with tempfile.TemporaryDirectory() as directory:
        problems = run([str(ROOT / "build/dev/bin/spanloom"), "config-reference", "--out", directory])
        written = {path.name: path.read_text() for path in pathlib.Path(directory).iterdir()}
    kept = {path.name: path.read_text() for path in pages.glob("*")}
    for name in sorted(written.keys() | kept.keys()):
        if name not in written:
            problems.append(f"docs/config/{name}: no component has this page: delete it")
        elif written[name] != kept.get(name):
            problems.append(f"docs/config/{name}: out of date: run ./dev docs")
    return problems


def check_page():
    return run(["node", str(ROOT / "ui/node_modules/typescript/bin/tsc"), "--noEmit"], cwd=ROOT / "ui") + run(
        ["node", str(ROOT / "ui/node_modules/eslint/bin/eslint.js"), "src", "--max-warnings=0"], cwd=ROOT / "ui")


def changed_sources():
    names = set(git("diff", "--name-only", "HEAD", "--", "src"))
    names |= set(git("ls-files", "-o", "--exclude-standard", "src"))
    if not names:
        names = set(git("diff", "--name-only", "HEAD~1", "--", "src"))
    return [name for name in sorted(names) if name.endswith(".cc") and (ROOT / name).exists()]


def tidy(name):
    command = ["clang-tidy-16", "--quiet", "-p", "build/tidy", "--warnings-as-errors=*", "--extra-arg=-Wno-unknown-warning-option", name]
    return [line for line in run(command) if re.search(r": (error|warning): ", line)]


def check_tidy(everything):
    names = tracked("src/*.cc") if everything else changed_sources()
    configure = ["cmake", "--preset", "fuzz", "-B", "build/tidy", "-DSPANLOOM_TESTS=ON", "-DSPANLOOM_BENCH=ON", "-DSPANLOOM_SANITIZE=", "-DCMAKE_DISABLE_PRECOMPILE_HEADERS=ON"]
    problems = run(configure) or run(["ninja", "-C", "build/tidy", "version_facts", "otlp_proto_headers"])
    if problems:
        return problems
    with futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        return [line for lines in pool.map(tidy, names) for line in lines]


def main():
    checks = [
        ("format", check_format),
        ("layers", check_layers),
        ("spans", check_spans),
        ("types", check_types),
        ("licences", check_licences),
        ("sizes", check_sizes),
        ("documents", check_documents),
        ("config reference", check_config_reference),
        ("page", check_page),
        ("tidy", lambda: check_tidy("--all" in sys.argv)),
    ]
    findings = 0
    for name, check in checks:
        problems = check()
        findings += len(problems)
        print(f"{name}: {'ok' if not problems else ''}", flush=True)
        for problem in problems:
            print(f"  {problem}")
    print(f"{findings} findings")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
