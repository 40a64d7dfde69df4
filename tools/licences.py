#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes THIRD_PARTY_LICENSES, or checks that it is up to date and that every licence is on the allow-list.

usage: licences.py [--write]

C++ libraries: Debian's machine-readable copyright file of each library package in tools/packages/build.txt. Page: the packages that
are bundled (`dependencies` and what they need, by ui/package-lock.json), with the licence file that each ships.
"""

import json
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
TARGET = ROOT / "THIRD_PARTY_LICENSES"
# Permissive licences, and dedications to the public domain.
ALLOWED = {"Apache-2.0", "MIT", "BSD-2-Clause", "BSD-3-Clause", "BSL-1.0", "ISC", "0BSD", "X11", "CC0-1.0", "Unlicense", "public-domain"}
DEBIAN_NAMES = {"Expat": "MIT", "Expat with embedded exception": "MIT", "BSD-3-clause": "BSD-3-Clause", "BSD-2-clause": "BSD-2-Clause", "BSD-3-google": "BSD-3-Clause"}


def debian_libraries():
    names = (ROOT / "tools/packages/build.txt").read_text().split()
    return [name for name in names if name.endswith("-dev")]


def stanza_field(stanza, field):
    found = re.search(rf"^{field}:[ \t]*(.*(?:\n[ \t].*)*)", stanza, re.MULTILINE)
    return found[1] if found else ""


def plain(text):
    """A field's continuation lines without Debian's indent and its " ." for empty lines."""
    lines = [line.strip() for line in text.strip().splitlines()]
    return "\n".join("" if line == "." else line for line in lines)


def licence_text(text, name):
    """The words of licence `name`: the first License field of that name that has any."""
    for stanza in re.split(r"\n(?=License:)", text):
        first, _, body = stanza_field(stanza, "License").partition("\n")
        if stanza.startswith("License:") and first.strip() == name and body.strip():
            return body
    return ""


def chosen(name):
    """Of alternatives ("A or B") the first that is allowed, by its usual name."""
    names = [DEBIAN_NAMES.get(part.strip(), part.strip()) for part in name.split(" or ")]
    return next((each for each in names if each in ALLOWED), name)


def debian_entry(package):
    text = pathlib.Path(f"/usr/share/doc/{package}/copyright").read_text()
    main = next(stanza for stanza in re.split(r"\n\s*\n", text) if re.search(r"^Files: \*", stanza, re.MULTILINE))
    name = stanza_field(main, "License").partition("\n")[0].strip()
    licences = {chosen(part.strip()) for part in re.split(r" and |, ", name)}
    names = dict.fromkeys([name, *(part.strip() for part in re.split(r" and | or ", name))])
    body = "\n\n".join(filter(None, (licence_text(text, each) for each in names)))
    return package, licences, plain(stanza_field(main, "Copyright")), plain(body)


def bundled_packages():
    lock = json.loads((ROOT / "ui/package-lock.json").read_text())
    return sorted(path for path, entry in lock["packages"].items() if path and not entry.get("dev") and not entry.get("optional"))


def npm_entry(path):
    folder = ROOT / "ui" / path
    package = json.loads((folder / "package.json").read_text())
    files = sorted(file for file in folder.iterdir() if re.match(r"licen[cs]e", file.name, re.IGNORECASE) and file.is_file())
    text = files[0].read_text().strip() if files else f"(the package ships no licence file; author: {package.get('author', 'unknown')})"
    licences = set(re.split(r" AND | OR ", str(package.get("license", "none")).strip("()")))
    return f"{package['name']} {package['version']}", licences, "", text


def render(entries):
    head = "Spanloom is built with the works below. Written by tools/licences.py.\n"
    parts = [head]
    for name, licences, copyright_lines, text in entries:
        parts.append("\n".join(filter(None, ["-" * 100, f"{name}: {', '.join(sorted(licences))}", copyright_lines, "", text, ""])))
    return "\n".join(parts)


def main():
    entries = [debian_entry(package) for package in debian_libraries()] + [npm_entry(path) for path in bundled_packages()]
    problems = [f"{name}: licence {licence} is not on the allow-list of tools/licences.py"
                for name, licences, _, _ in entries for licence in licences if licence not in ALLOWED]
    text = render(entries)
    if "--write" in sys.argv:
        TARGET.write_text(text)
    elif not TARGET.exists() or TARGET.read_text() != text:
        problems.append("THIRD_PARTY_LICENSES: out of date: run tools/licences.py --write")
    print("\n".join(problems), end="\n" if problems else "")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
