# SPDX-License-Identifier: Apache-2.0
"""The images: unpacked by an independent tool, started as a container runtime starts them, and what they are made of."""

import json
import pathlib
import re
import stat
import subprocess

import pytest
import yaml
from conftest import BINARY, DEPLOY, ROOT, USER, can_mount, manifest, run, unpack

SPAN = {"traceId": "5b8efff798038103d269b633813fc60c", "spanId": "eee19b7ec3c1b174", "name": "llm_request", "kind": 2,
        "startTimeUnixNano": "1767225600000000000", "endTimeUnixNano": "1767225601000000000"}
BODY = json.dumps({"resourceSpans": [{"resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "vllm-decode"}}]}, "scopeSpans": [{"spans": [SPAN]}]}]})
needs_mounts = pytest.mark.skipif(not can_mount(), reason="owners of files and namespaces need root")


@pytest.fixture(scope="module")
def bundle(image, tmp_path_factory):
    return unpack(image, "spanloom", tmp_path_factory.mktemp("unpacked") / "spanloom")


@pytest.fixture(scope="module")
def collector_bundle(image, tmp_path_factory):
    return unpack(image, "spanloom-collector", tmp_path_factory.mktemp("unpacked") / "collector")


def workload(objects):
    return next(entry for entry in objects if entry["kind"] in ("Deployment", "StatefulSet"))


def config_mounts(objects, folder):
    """The mounts of a workload's ConfigMaps as the container has them, written below `folder`."""
    pod = workload(objects)["spec"]["template"]["spec"]
    maps = {entry["metadata"]["name"]: entry["data"] for entry in objects if entry["kind"] == "ConfigMap"}
    volumes = {volume["name"]: volume for volume in pod["volumes"]}
    mounts = []
    for number, mount in enumerate(pod["containers"][0]["volumeMounts"]):
        source = folder / str(number)
        source.mkdir(mode=0o755)
        for key, text in maps[volumes[mount["name"]]["configMap"]["name"]].items():
            (source / key).write_text(text)
        mounts.append((source, mount["mountPath"], "ro"))
    return mounts


# Guarantees: a second build gives the same digests, and says them.
def test_is_reproducible(image, tmp_path):
    said = run(DEPLOY / "images/build", "--binary", BINARY, "--out", tmp_path)
    index = json.loads((image / "oci/index.json").read_text())
    digests = {entry["annotations"]["org.opencontainers.image.ref.name"]: entry["digest"] for entry in index["manifests"]}
    assert digests == dict(line.split() for line in said.splitlines()) and set(digests) == {"spanloom", "spanloom-collector"}
    assert (image / "spanloom.spdx.json").read_bytes() == (tmp_path / "spanloom.spdx.json").read_bytes()
    assert digests["spanloom"] != digests["spanloom-collector"]


# Guarantees: the settings are those that the manifests count on; both images have the same layers.
def test_settings(bundle, collector_bundle, image):
    process = json.loads((bundle / "config.json").read_text())["process"]
    assert process["args"] == ["/usr/bin/spanloom"] and (process["user"]["uid"], process["user"]["gid"]) == (USER, USER)
    other = json.loads((collector_bundle / "config.json").read_text())["process"]
    assert other["args"] == ["/usr/bin/spanloom", "collector"] and other["user"] == process["user"]
    blobs = image / "oci/blobs/sha256"
    manifests = [json.loads((blobs / entry["digest"].split(":")[1]).read_text()) for entry in json.loads((image / "oci/index.json").read_text())["manifests"]]
    assert manifests[0]["layers"] == manifests[1]["layers"]
    labels = json.loads((blobs / manifests[0]["config"]["digest"].split(":")[1]).read_text())["config"]["Labels"]
    told = run(BINARY, "--version")
    assert labels["org.opencontainers.image.version"] in told and labels["org.opencontainers.image.revision"] in told


# Guarantees: nothing in the image runs but the program; nothing is setuid; the user can write to its state and /tmp alone.
@needs_mounts
def test_there_is_no_shell(bundle):
    root = bundle / "rootfs"
    executable, writable = set(), set()
    for path in root.rglob("*"):
        mode = path.lstat()
        name = str(path.relative_to(root))
        assert not mode.st_mode & (stat.S_ISUID | stat.S_ISGID), name
        if stat.S_ISREG(mode.st_mode) and mode.st_mode & 0o111 and ".so" not in path.name:
            executable.add(name)
        if not path.is_symlink() and (mode.st_uid == USER or mode.st_mode & 0o002):
            writable.add(name)
    assert executable == {"usr/bin/spanloom"} and writable == {"tmp", "var/lib/spanloom"}
    assert not (root / "bin/sh").exists() and not list(root.rglob("*.sh"))


# Scenario: libraries that the loader would find on this machine, and not in the image.
# Guarantees: all are there, also those that are loaded when they are asked for.
@needs_mounts
def test_has_all_libraries(bundle):
    root = bundle / "rootfs"
    for name in ["/usr/bin/spanloom", *(f"/{path.relative_to(root)}" for path in root.glob("usr/lib/*/libzmq.so.5"))]:
        loader = next(f"/{path.relative_to(root)}" for path in root.glob("usr/lib64/ld-linux*"))
        listed = subprocess.run(["chroot", str(root), loader, "--list", name], capture_output=True, text=True)
        assert listed.returncode == 0 and "not found" not in listed.stdout, listed.stdout + listed.stderr
        assert "libstdc++" in listed.stdout
    assert list(root.glob("usr/lib/*/libzmq.so.5"))


# Scenario: who is trusted over TLS, and time zones.
# Guarantees: the certificates of Debian's package are where the program's OpenSSL looks, and none of this machine's own; zones have names.
def test_has_certificates_and_zones(bundle):
    root = bundle / "rootfs"
    assert b"/usr/lib/ssl/cert.pem" in (root / "usr/bin/spanloom").read_bytes()
    assert (root / "usr/lib/ssl/cert.pem").readlink() == pathlib.Path("/etc/ssl/certs/ca-certificates.crt")
    trusted = (root / "etc/ssl/certs/ca-certificates.crt").read_text().count("BEGIN CERTIFICATE")
    assert trusted == len([name for name in run("dpkg", "-L", "ca-certificates").splitlines() if name.endswith(".crt")]) > 100
    assert (root / "usr/share/zoneinfo/Europe/Berlin").read_bytes()[:4] == b"TZif"


# Scenario: `serve` of the image on a read-only root, with a volume for the traces, a span sent to it.
# Guarantees: it runs as the numeric user without privileges, is healthy, keeps the span and shows it, and its page; the volume has the store; it ends cleanly.
@needs_mounts
def test_serves(bundle, containers, tmp_path):
    tmp_path.chmod(0o755)
    store = tmp_path / "store"
    store.mkdir()
    subprocess.run(["chown", f"{USER}:{USER}", str(store)], check=True)
    container = containers(bundle, ["serve"], mounts=[(store, "/var/lib/spanloom", "rw")])
    status = pathlib.Path(f"/proc/{container.inner}/status").read_text()
    assert re.search(rf"^Uid:\s+{USER}\s+{USER}\s+{USER}", status, re.M) and re.search(r"^NoNewPrivs:\s+1", status, re.M) and re.search(r"^CapEff:\s+0+$", status, re.M)
    assert re.search(r" / / ro\b", pathlib.Path(f"/proc/{container.inner}/mountinfo").read_text()) or "ro," in pathlib.Path(f"/proc/{container.inner}/mountinfo").read_text()
    container.get(13133, "/")
    container.get(4318, "/v1/traces", BODY)
    trace = json.loads(container.get(16686, f"/api/traces/{SPAN['traceId']}"))
    assert trace["data"][0]["spans"][0]["operationName"] == "llm_request"
    assert "<html" in container.get(16686, "/")
    assert container.stop() == 0, container.log()
    assert any(store.iterdir())


# Guarantees: a shell can't be started.
@needs_mounts
def test_a_shell_cannot_be_started(bundle):
    result = subprocess.run(["chroot", f"--userspec={USER}:{USER}", str(bundle / "rootfs"), "/bin/sh", "-c", "true"], capture_output=True, text=True)
    assert result.returncode == 127 and "No such file" in result.stderr


# Scenario: both manifests as they stand: their commands, arguments, variables and ConfigMaps, in the image, on the ports that they name.
# Guarantees: the workload starts on a read-only root and takes a span.
@needs_mounts
@pytest.mark.parametrize("name", ["otel-collector.yaml", "jaeger-all-in-one.yaml"])
def test_runs_a_manifest(name, bundle, containers, tmp_path):
    objects = manifest(name)
    tmp_path.chmod(0o755)
    pod = workload(objects)["spec"]["template"]["spec"]
    described = pod["containers"][0]
    assert pod["securityContext"]["runAsUser"] == USER and described["securityContext"]["readOnlyRootFilesystem"]
    environment = {entry["name"]: entry["value"] for entry in described["env"] if "value" in entry}
    container = containers(bundle, described["args"], mounts=config_mounts(objects, tmp_path), environment=environment, command=described["command"])
    container.get(13133, "/")
    container.get(4318, "/v1/traces", BODY)
    if name.startswith("jaeger"):
        assert SPAN["traceId"] in container.get(16686, f"/api/traces/{SPAN['traceId']}")
        assert container.stop() == 0, container.log()


# Scenario: the image for the operator, which hands over --config alone.
# Guarantees: it collects with the operator's own configuration.
@needs_mounts
def test_the_operators_image_collects(collector_bundle, containers, tmp_path):
    tmp_path.chmod(0o755)
    config = manifest("otel-collector-operator.yaml")[0]["spec"]["config"]
    (tmp_path / "collector.yaml").write_text(yaml.safe_dump(config))
    container = containers(collector_bundle, ["--config=/conf/collector.yaml"], mounts=[(tmp_path, "/conf", "ro")])
    container.get(4318, "/v1/traces", BODY)


# Guarantees: the simulator of the image publishes KV events, by a library that it loads.
@needs_mounts
def test_simulates_with_kv_events(bundle, containers):
    containers(bundle, ["simulator", "--model=m", "--enable-kvcache", "--zmq-endpoint=tcp://127.0.0.1:5557"], said="publishing KV events")


# Scenario: everything that manifests and components mount.
# Guarantees: nothing of the image lies below a mount; the store's volume is where the image keeps its state.
@needs_mounts
def test_mounts_hide_nothing(bundle):
    texts = [path.read_text() for folder in ("manifests", "components") for path in (DEPLOY / folder).rglob("*.yaml")]
    paths = set(re.findall(r"mountPath: (/[^,}\s]+)", "\n".join(texts)))
    assert {"/etc/otel", "/etc/spanloom", "/var/lib/spanloom"} <= paths
    for path in paths:
        inside = bundle / "rootfs" / path.lstrip("/")
        assert not inside.exists() or not any(inside.iterdir()), path
    assert (bundle / "rootfs/var/lib/spanloom").stat().st_uid == USER


# Guarantees: the bill of materials has what SPDX 2.3 requires, and all that is in the image, with version and licence.
def test_bill_of_materials(image, bundle):
    document = json.loads((image / "spanloom.spdx.json").read_text())
    assert document["spdxVersion"] == "SPDX-2.3" and document["dataLicense"] == "CC0-1.0" and document["SPDXID"] == "SPDXRef-DOCUMENT"
    assert document["name"] and re.fullmatch(r"https?://[^#]+", document["documentNamespace"])
    assert re.fullmatch(r"\d{4}(-\d\d){2}T\d\d(:\d\d){2}Z", document["creationInfo"]["created"]) and document["creationInfo"]["creators"]
    packages = {entry["SPDXID"]: entry for entry in document["packages"]}
    assert len(packages) == len(document["packages"])
    extracted = {entry["licenseId"] for entry in document["hasExtractedLicensingInfos"] if entry["extractedText"].strip()}
    for key, entry in packages.items():
        assert re.fullmatch(r"SPDXRef-[A-Za-z0-9.-]+", key) and entry["name"] and entry["downloadLocation"] and entry["versionInfo"], entry
        assert entry["filesAnalyzed"] is False and entry["licenseDeclared"] not in ("", "NOASSERTION", "NONE"), entry
        assert set(re.findall(r"LicenseRef-[A-Za-z0-9.-]+", entry["licenseDeclared"])) <= extracted, entry
        assert re.fullmatch(r"pkg:(deb|npm|generic)/\S+@\S+", entry["externalRefs"][0]["referenceLocator"])
    for relation in document["relationships"]:
        assert relation["relatedSpdxElement"] in packages and relation["spdxElementId"] in {*packages, "SPDXRef-DOCUMENT"}
    assert [entry["relatedSpdxElement"] for entry in document["relationships"] if entry["relationshipType"] == "DESCRIBES"] == ["SPDXRef-spanloom-0.1.0"]
    stated = {(entry["name"], entry["versionInfo"]) for entry in packages.values()}
    recorded = [dict(line.split(": ", 1) for line in path.read_text().splitlines()) for path in (bundle / "rootfs/var/lib/dpkg/status.d").iterdir()]
    assert {entry["Package"] for entry in recorded} >= {"libc6", "libstdc++6", "libyaml-cpp0.7", "libzmq5", "tzdata", "ca-certificates"}
    for entry in recorded:
        assert (entry["Package"], entry["Version"]) in stated
        assert run("dpkg-query", "-W", "-f", "${Version}", entry["Package"]) == entry["Version"]
        assert (bundle / "rootfs/usr/share/doc" / entry["Package"] / "copyright").exists()
    assert {"libboost1.81-dev", "libssl-dev", "react"} <= {entry["name"] for entry in packages.values()}
    assert (bundle / "rootfs/usr/share/doc/spanloom/spanloom.spdx.json").read_bytes() == (image / "spanloom.spdx.json").read_bytes()


# Guarantees: a binary for another machine is refused, and a folder without one.
def test_refuses_a_foreign_binary(tmp_path):
    foreign = tmp_path / "spanloom"
    foreign.write_bytes(b"\x7fELF\x02\x01\x01" + b"\0" * 11 + (183 if "x86" in run("uname", "-m") else 62).to_bytes(2, "little") + b"\0" * 40)
    for binary, said in ((foreign, "is for a"), (tmp_path / "none", "./dev build")):
        result = subprocess.run([str(DEPLOY / "images/build"), "--binary", str(binary), "--out", str(tmp_path / "out")], capture_output=True, text=True, cwd=ROOT)
        assert result.returncode == 1 and said in result.stderr
