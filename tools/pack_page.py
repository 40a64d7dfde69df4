#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Packs the built page into a C++ source that the binary carries: every file gzip-compressed, with its type and a hash.

usage: pack_page.py DIST OUTPUT.cc OUTPUT.bin
"""

import gzip
import hashlib
import pathlib
import sys

TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".ico": "image/x-icon",
    ".json": "application/json",
    ".woff2": "font/woff2",
    ".txt": "text/plain; charset=utf-8",
}

HEAD = """// SPDX-License-Identifier: Apache-2.0
// Written by tools/pack_page.py.

#include "app/page_assets.h"

asm(R"(.section .rodata
.balign 16
.global spanloom_page_begin
spanloom_page_begin:
.incbin "{binary}"
.text
)");
extern "C" const char spanloom_page_begin[];

namespace spanloom::app {{

std::vector<query::page::StaticAsset> PageAssets() {{
  std::vector<query::page::StaticAsset> assets;
"""
ENTRY = '  assets.push_back({{.path = "{path}", .content_type = "{type}", .gzip = {{spanloom_page_begin + {offset}, {size}}}, .etag = "{etag}"}});\n'
TAIL = "  return assets;\n}\n\n}  // namespace spanloom::app\n"


def main():
    dist, source, binary = (pathlib.Path(argument) for argument in sys.argv[1:4])
    packed, entries = b"", ""
    for file in sorted(path for path in dist.rglob("*") if path.is_file() and path.suffix != ".map"):
        if file.suffix not in TYPES:
            sys.exit(f"pack_page.py: {file}: no content type is known for {file.suffix}; add it to TYPES")
        content = file.read_bytes()
        compressed = gzip.compress(content, 9, mtime=0)
        entries += ENTRY.format(path="/" + file.relative_to(dist).as_posix(), type=TYPES[file.suffix], offset=len(packed), size=len(compressed), etag=hashlib.sha256(content).hexdigest()[:16])
        packed += compressed
    if "/index.html" not in entries:
        sys.exit(f"pack_page.py: {dist} has no index.html: run ./dev build")
    binary.write_bytes(packed)
    source.write_text(HEAD.format(binary=binary.resolve()) + entries + TAIL)


if __name__ == "__main__":
    main()
