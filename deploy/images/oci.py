# SPDX-License-Identifier: Apache-2.0
"""An OCI image layout of what a Containerfile says, for the few instructions that are in use: FROM of scratch or a target, COPY of folders, and settings.

Nothing depends on the machine or the hour: entries of layers are sorted and have one time, and layers are not compressed, as compressors differ.
Formats: the image-spec of the Open Container Initiative, 1.1.
"""

import datetime
import hashlib
import io
import json
import os
import pathlib
import re
import tarfile

INDEX, MANIFEST = "application/vnd.oci.image.index.v1+json", "application/vnd.oci.image.manifest.v1+json"
CONFIG, LAYER = "application/vnd.oci.image.config.v1+json", "application/vnd.oci.image.layer.v1.tar"
STICKY = {"tmp"}  # folders for everybody


def read_containerfile(text, arguments):
    """{target: (settings, [(source, owner)])}; variables are those of `arguments`."""
    targets, settings, copies = {}, None, None
    for line in text.splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        word, rest = line.split(maxsplit=1)
        rest = re.sub(r"\$(\w+)", lambda found: arguments[found[1]], rest) if word == "LABEL" else rest
        if word == "FROM":
            base, _, name = rest.split()
            settings, copies = ({}, []) if base == "scratch" else (json.loads(json.dumps(targets[base][0])), list(targets[base][1]))
            targets[name] = (settings, copies)
        elif word == "COPY":
            found = re.fullmatch(r"(?:--chown=(\d+):\d+ )?(\w+)/ /", rest)
            copies.append((found[2], int(found[1] or 0)))
        elif word == "LABEL":
            key, value = rest.split("=", 1)
            settings.setdefault("Labels", {})[key] = value.strip('"')
        elif word == "ENV":
            settings.setdefault("Env", []).append(rest)
        elif word == "EXPOSE":
            settings["ExposedPorts"] = {f"{port}/tcp": {} for port in rest.split()}
        elif word == "ENTRYPOINT":
            settings["Entrypoint"] = json.loads(rest)
        elif word in ("USER", "WORKDIR", "STOPSIGNAL"):
            settings[{"USER": "User", "WORKDIR": "WorkingDir", "STOPSIGNAL": "StopSignal"}[word]] = rest
        elif word != "ARG":
            raise SystemExit(f"deploy/images/build: the Containerfile has {word}, which is not known here")
    return targets


def entry(path, name, owner, seconds):
    info = tarfile.TarInfo(name)
    info.mtime, info.uid, info.gid = seconds, owner, owner
    if path.is_symlink():
        info.type, info.linkname, info.mode = tarfile.SYMTYPE, os.readlink(path), 0o777
    elif path.is_dir():
        info.type = tarfile.DIRTYPE
        # A folder that several layers have belongs to root; what is to belong to the user is the last one.
        info.mode = 0o1777 if name in STICKY else 0o700 if owner and not any(path.iterdir()) else 0o755
        if owner and (name in STICKY or any(path.iterdir())):
            info.uid = info.gid = 0
    else:
        info.size, info.mode = path.stat().st_size, 0o755 if path.stat().st_mode & 0o100 else 0o644
    return info


def layer(folder, owner, seconds):
    """The bytes of a layer with all that is below `folder`."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for path in sorted(folder.rglob("*")):
            info = entry(path, str(path.relative_to(folder)), owner, seconds)
            if info.isreg():
                with path.open("rb") as data:
                    archive.addfile(info, data)
            else:
                archive.addfile(info)
    return out.getvalue()


class Layout:
    """A layout in a folder. Thread-compatible."""

    def __init__(self, folder):
        self.folder, self.manifests = pathlib.Path(folder), []
        (self.folder / "blobs/sha256").mkdir(parents=True)

    def add_blob(self, data, media_type):
        digest = hashlib.sha256(data).hexdigest()
        (self.folder / "blobs/sha256" / digest).write_bytes(data)
        return {"mediaType": media_type, "digest": f"sha256:{digest}", "size": len(data)}

    def add_json(self, value, media_type):
        return self.add_blob(json.dumps(value, sort_keys=True, separators=(",", ":")).encode(), media_type)

    def add_image(self, name, architecture, settings, layers, seconds):
        """An image of layers that are there, named `name`; its digest."""
        created = datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
        labels = {**settings["Labels"], "org.opencontainers.image.created": created}
        config = {"architecture": architecture, "os": "linux", "created": created, "config": {**settings, "Labels": labels},
                  "rootfs": {"type": "layers", "diff_ids": [each["digest"] for each in layers]},
                  "history": [{"created": created, "created_by": "deploy/images/build"} for _ in layers]}
        manifest = {"schemaVersion": 2, "mediaType": MANIFEST, "config": self.add_json(config, CONFIG), "layers": layers, "annotations": labels}
        described = self.add_json(manifest, MANIFEST)
        self.manifests.append({**described, "platform": {"architecture": architecture, "os": "linux"}, "annotations": {"org.opencontainers.image.ref.name": name}})
        return described["digest"]

    def close(self):
        (self.folder / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')
        (self.folder / "index.json").write_text(json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": self.manifests}, sort_keys=True))
