#!/usr/bin/env -S python3 -S -E
# SPDX-License-Identifier: Apache-2.0
"""Plays `docker build` and `docker push`: the recipe has the target, the context has what is copied, and only what was built can be pushed."""

import os
import re
import sys


def fail(text):
    sys.exit(f"ERROR: {text}")


def build(arguments):
    recipe = target = tag = context = ""
    rest = iter(arguments)
    for word in rest:
        if word == "-f":
            recipe = next(rest)
        elif word == "--target":
            target = next(rest)
        elif word == "-t":
            tag = next(rest)
        elif word.startswith("-"):
            fail(f"unknown flag: {word}")
        else:
            context = word
    with open(recipe) as file:
        text = file.read()
    if target not in re.findall(r"^FROM \S+ AS (\S+)$", text, re.M):
        fail(f"target stage {target!r} could not be found")
    for name in re.findall(r"^COPY (\S+)", text, re.M):
        if not os.path.exists(os.path.join(context, name)):
            fail(f"{name!r}: not found in {context!r}")
    with open(os.environ["FAKE_IMAGES"], "a") as file:
        file.write(tag + "\n")


def push(arguments):
    with open(os.environ["FAKE_IMAGES"], "a+") as file:
        file.seek(0)
        if arguments[0] not in file.read().split():
            fail(f"An image does not exist locally with the tag: {arguments[0]}")


if __name__ == "__main__":
    {"build": build, "push": push}[sys.argv[1]](sys.argv[2:])
