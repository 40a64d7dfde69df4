#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Finds classes, structs, unions and enums that two files define under one name, which no linker complains of: the
program then uses either of them for both (C++20, [basic.def.odr]). What stands in an unnamed namespace is its file's own.

usage: check_types.py
"""

import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent

# Comments, literals and preprocessor lines, which hold no definitions but may hold braces.
NO_CODE = re.compile(
    r'//[^\n]*|/\*.*?\*/|R"(?P<mark>[^(\s]*)\(.*?\)(?P=mark)"|"(?:\\.|[^"\\\n])*"|(?<![0-9a-fA-F])\'(?:\\.|[^\'\\\n])+\'|^[ \t]*#(?:\\\n|[^\n])*',
    re.DOTALL | re.MULTILINE)
NAMESPACE = re.compile(r"(?:^|\s)namespace\s*([\w:]*)\s*$")
# `template <...> class MACRO Name<arguments> final : bases`; the name may be qualified.
TYPE = re.compile(r"(?:^|[\s>])(?:class|struct|union|enum(?:\s+(?:class|struct))?)\s+(?:[A-Z][A-Z0-9_]+(?:\([^)]*\))?\s+|alignas\([^)]*\)\s*)*"
                  r"([A-Za-z_][\w:]*(?:\s*<[^{;]*>)?(?:::[\w:]+)?)\s*(?:final\s*)?(?::(?!:)[^{;]*)?$")
OTHER = None  # a scope whose inside is nobody else's: a function, an unnamed namespace, an initialiser


def sources():
    names = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "src"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [name for name in names.splitlines() if name.endswith((".cc", ".h")) and (ROOT / name).exists()]


def scope_of(text):
    """What the brace after `text` opens: ("namespace" or "type", its name), or OTHER."""
    namespace = NAMESPACE.search(text)
    if namespace:
        return ("namespace", namespace[1]) if namespace[1] else OTHER
    found = TYPE.search(text)
    return ("type", re.sub(r"\s", "", found[1])) if found else OTHER


def types_of(text):
    """The qualified names of all types that `text`, the content of a file, defines for others to see."""
    scopes, begin = [], 0
    code = NO_CODE.sub(" ", text)
    for found in re.finditer(r"[{};]", code):
        if found[0] == "{":
            scopes.append(scope_of(code[begin:found.start()]))
            if OTHER not in scopes and scopes[-1][0] == "type":
                yield "::".join(name for _, name in scopes)
        elif found[0] == "}" and scopes:
            scopes.pop()
        begin = found.end()


def main():
    files = {}
    for name in sources():
        for definition in types_of((ROOT / name).read_text()):
            files.setdefault(definition, set()).add(name)
    problems = [f"{definition} is defined in {' and in '.join(sorted(names))}: rename one, or put it in an unnamed namespace"
                for definition, names in sorted(files.items()) if len(names) > 1]
    for problem in problems:
        print(problem)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
