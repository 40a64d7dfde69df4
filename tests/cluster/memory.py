# SPDX-License-Identifier: Apache-2.0
"""What a container's processes have of the machine's memory, and the files in which they find their limit."""

import pathlib

from volumes import bytes_of


def limit_of(spec):
    """The limit of a container's memory in bytes, or None."""
    limit = spec.get("resources", {}).get("limits", {}).get("memory")
    return bytes_of(limit) if limit else None


def held_bytes(process):
    """What a process and those below it have in memory that the kernel cannot drop, as it can pages of files: for these alone it ends a container. 0 once it has ended."""
    total, todo = 0, [process]
    while todo:
        folder = pathlib.Path("/proc") / str(todo.pop())
        try:
            status = dict(line.split(":", 1) for line in (folder / "status").read_text().splitlines() if ":" in line)
            total += 1024 * sum(int(status[key].split()[0]) for key in ("RssAnon", "RssShmem") if key in status)
            todo += [int(child) for task in (folder / "task").iterdir() for child in (task / "children").read_text().split()]
        except (OSError, ValueError):
            pass  # it ends just now
    return total


def control_group(folder, limit):
    """Writes what a container sees of its control group, in both versions' places; returns the folder."""
    for path in (folder / "memory.max", folder / "memory/memory.limit_in_bytes"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{limit}\n")
    return folder
