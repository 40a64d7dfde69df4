# SPDX-License-Identifier: Apache-2.0
"""What an image is made of, as an SPDX 2.3 document: the Debian packages in it, and the libraries and page packages that the program is built with."""

import datetime
import hashlib
import json
import pathlib
import re
import subprocess
import urllib.parse

# Debian's short names of licences that SPDX calls otherwise.
SPDX_NAMES = {"Expat": "MIT", "MIT/X11": "MIT", "X11": "X11", "BSD-3-clause": "BSD-3-Clause", "BSD-2-clause": "BSD-2-Clause", "BSD-3-google": "BSD-3-Clause", "public-domain": None,
              "GPL-2": "GPL-2.0-only", "GPL-2+": "GPL-2.0-or-later", "GPL-3+": "GPL-3.0-or-later", "LGPL-2+": "LGPL-2.0-or-later", "LGPL-2.1": "LGPL-2.1-only",
              "LGPL-2.1+": "LGPL-2.1-or-later", "LGPL-3": "LGPL-3.0-only", "LGPL-3+": "LGPL-3.0-or-later", "MPL-2.0": "MPL-2.0", "ISC": "ISC", "Apache-2.0": "Apache-2.0",
              "BSL-1.0": "BSL-1.0", "BSD-3-Clause": "BSD-3-Clause", "BSD-2-Clause": "BSD-2-Clause", "MIT": "MIT", "Zlib": "Zlib", "zlib": "Zlib", "CC0-1.0": "CC0-1.0"}
# Packages that state their licence in prose: what it says.
IN_PROSE = {"libc6": "LGPL-2.1-or-later", "libcrypt1": "LGPL-2.1-or-later", "libgcc-s1": "GPL-3.0-or-later WITH GCC-exception-3.1",
            "libstdc++6": "GPL-3.0-or-later WITH GCC-exception-3.1", "libcom-err2": "MIT"}
KERBEROS = {"libgssapi-krb5-2", "libk5crypto3", "libkrb5-3", "libkrb5support0"}


def query(package, field):
    return subprocess.run(["dpkg-query", "-W", "-f", f"${{{field}}}\n", package], check=True, capture_output=True, text=True).stdout.split("\n")[0]


def identified(packages):
    """The packages, each with an identifier of its own: of name and version, and where those are spelled alike, of the package URL too."""
    taken = set()
    for entry in packages:
        key = "SPDXRef-" + re.sub(r"[^A-Za-z0-9.-]+", "-", f"{entry['name']}-{entry['versionInfo']}")
        if key in taken:
            key += "-" + hashlib.sha256(entry["externalRefs"][0]["referenceLocator"].encode()).hexdigest()[:12]
        taken.add(key)
        entry["SPDXID"] = key
    return packages


def unsaid(package, why):
    return SystemExit(f"deploy/images/build: what licence has {package}? {why}: say it in deploy/images/bill_of_materials.py")


class Licences:
    """SPDX expressions for what packages say, and the texts of licences that SPDX has no name for."""

    def __init__(self):
        self.texts = {}

    def of_debian(self, package):
        text = pathlib.Path(f"/usr/share/doc/{package}/copyright").read_text(errors="replace")
        if package in IN_PROSE:
            return IN_PROSE[package]
        if package in KERBEROS:
            return "MIT"
        stanzas = [stanza for stanza in re.split(r"\n\s*\n", text) if re.search(r"^Files:", stanza, re.M)]
        of_all = [stanza for stanza in stanzas if re.search(r"^Files:\s*\*\s*$", stanza, re.M)] or stanzas
        names = dict.fromkeys(found[1].strip() for stanza in of_all if (found := re.search(r"^License:[ \t]*(\S.*)$", stanza, re.M)))
        if not names:
            raise unsaid(package, "Its copyright file is prose")
        return " AND ".join(self.expression(name, text) for name in names)

    def expression(self, name, text):
        """An expression for "A and B", "A or B", or one name."""
        parts = re.split(r"(?: |, )(and|or) ", name)
        if len(parts) > 1:
            return "(" + " ".join(part.upper() if part in ("and", "or") else self.one(part.strip(" ,"), text) for part in parts) + ")"
        return self.one(name, text)

    def one(self, name, text):
        if SPDX_NAMES.get(name):
            return SPDX_NAMES[name]
        reference = "LicenseRef-" + re.sub(r"[^A-Za-z0-9.-]+", "-", name)
        found = re.search(rf"^License:[ \t]*{re.escape(name)}[ \t]*\n((?:[ \t].*\n?)+)", text, re.M)
        self.texts.setdefault(reference, (name, found[1] if found else f"See the copyright file of the Debian package: {name}"))
        return reference


def described(name, version, licence, purl, supplier):
    return {"name": name, "versionInfo": version, "supplier": supplier, "downloadLocation": "NOASSERTION", "filesAnalyzed": False,
            "licenseConcluded": "NOASSERTION", "licenseDeclared": licence, "copyrightText": "NOASSERTION",
            "externalRefs": [{"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl", "referenceLocator": purl}]}


def debian_package(package, licences):
    version, architecture = query(package, "Version"), query(package, "Architecture")
    purl = f"pkg:deb/debian/{urllib.parse.quote(package)}@{urllib.parse.quote(version, safe='.~-')}?arch={architecture}&distro=debian-12"
    return described(package, version, licences.of_debian(package), purl, "Organization: Debian")


def page_packages():
    """The npm packages that are bundled into the page: each version once, in however many places npm has put it."""
    lock = json.loads(pathlib.Path("ui/package-lock.json").read_text())
    found = {}
    for path, entry in sorted(lock["packages"].items()):
        if path and not entry.get("dev") and not entry.get("optional"):
            name = path.rpartition("node_modules/")[2]
            purl = f"pkg:npm/{urllib.parse.quote(name)}@{entry['version']}"
            found.setdefault(purl, described(name, entry["version"], licence_of_npm(name, entry), purl, "NOASSERTION"))
    return list(found.values())


def licence_of_npm(package, entry):
    """What the package states, which npm lets be prose too: "SEE LICENSE IN ..."."""
    stated = IN_PROSE.get(package, entry.get("license", ""))
    if not re.fullmatch(r"\(*[\w.+-]+\)*( (AND|OR|WITH) \(*[\w.+-]+\)*)*", stated):
        raise unsaid(package, "Its package.json has no expression for it")
    return stated


def document(version, in_image, seconds):
    """The SPDX document of the images of one version, with the Debian packages `in_image`, as text."""
    licences = Licences()
    program = described("spanloom", version, "Apache-2.0", f"pkg:generic/spanloom@{version}", "Organization: the Spanloom authors")
    inside = [debian_package(name, licences) for name in in_image]
    built_with = [debian_package(name, licences) for name in pathlib.Path("tools/packages/build.txt").read_text().split() if name.endswith("-dev")]
    page = page_packages()
    packages = identified([program, *inside, *built_with, *page])
    relations = [("SPDXRef-DOCUMENT", "DESCRIBES", program["SPDXID"])]
    relations += [(program["SPDXID"], "DEPENDS_ON", each["SPDXID"]) for each in inside]
    relations += [(program["SPDXID"], "GENERATED_FROM", each["SPDXID"]) for each in built_with + page]
    body = {"spdxVersion": "SPDX-2.3", "dataLicense": "CC0-1.0", "SPDXID": "SPDXRef-DOCUMENT", "name": f"spanloom-{version}",
            "creationInfo": {"created": datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"), "creators": ["Tool: deploy/images/build"]},
            "packages": packages,
            "relationships": [{"spdxElementId": left, "relationshipType": kind, "relatedSpdxElement": right} for left, kind, right in relations],
            "hasExtractedLicensingInfos": [{"licenseId": key, "name": name, "extractedText": text} for key, (name, text) in sorted(licences.texts.items())]}
    digest = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
    body["documentNamespace"] = f"https://spanloom.example/spdx/spanloom-{version}-{digest[:32]}"
    return json.dumps(body, indent=1, sort_keys=True) + "\n"
