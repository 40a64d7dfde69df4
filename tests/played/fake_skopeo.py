#!/usr/bin/env -S python3 -S -E
# SPDX-License-Identifier: Apache-2.0
"""Plays `skopeo copy oci:FOLDER:NAME docker://REFERENCE`: the layout has the image, and the reference names a registry."""

import json
import os
import re
import sys


def main(arguments):
    if len(arguments) != 3 or arguments[0] != "copy":
        sys.exit(f"Error: unknown command: {' '.join(arguments)}")
    transport, _, place = arguments[1].partition(":")
    folder, _, name = place.rpartition(":")
    if transport != "oci" or not os.path.exists(f"{folder}/index.json"):
        sys.exit(f"initializing source {arguments[1]}: no such layout")
    with open(f"{folder}/index.json") as file:
        names = [each["annotations"]["org.opencontainers.image.ref.name"] for each in json.load(file)["manifests"]]
    if name not in names:
        sys.exit(f"initializing source {arguments[1]}: no image {name!r} found in the layout, which has {', '.join(names)}")
    if not re.fullmatch(r"docker://[a-z0-9.-]+(:\d+)?/[a-z0-9/._-]+:[\w.-]+", arguments[2]):
        sys.exit(f"Invalid destination name {arguments[2]}")


if __name__ == "__main__":
    main(sys.argv[1:])
