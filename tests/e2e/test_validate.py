# SPDX-License-Identifier: Apache-2.0
"""`spanloom serve validate`: what a user is told about a file."""

import os
import subprocess

from conftest import BINARY, ROOT

GUIDE = ROOT / "tests/data/config/guide-otel-collector.yaml"


def validate(*arguments, environment=None):
    """(exit code, standard output, lines of standard error that are no log)."""
    done = subprocess.run([BINARY, "serve", "validate", *arguments], capture_output=True, text=True, timeout=30,
                          env={**os.environ, **(environment or {})}, cwd=ROOT)
    return done.returncode, done.stdout, [line for line in done.stderr.splitlines() if not line.startswith("20")]


# Scenario: the guide's file, and no file at all.
# Guarantees: valid, said in one line that names the pipelines.
def test_a_valid_file_is_called_valid():
    assert validate(f"--config={GUIDE}") == (0, "the configuration is valid (pipelines: traces)\n", [])
    assert validate()[0] == 0


# Scenario: the guide's file as a hurried operator edits it: typing errors at several depths, a string for a section, a number in quotes,
# a duration without a unit, a component that is not there, and a signal that is not supported.
# Guarantees: each is one line, "file:line: path: what"; the likely word is named.
def test_a_broken_file_is_explained_line_by_line(tmp_path):
    path = tmp_path / "otel.yaml"
    path.write_text("""receivers:
  otlp:
    protocols:
      grpc:
        endpont: 0.0.0.0:4317
        max_recv_msg_size_mib: "16"
      http: 0.0.0.0:4318
processors:
  filter/drop:
    traces:
      span:
        - name == "GET"
        - attributes["url.path"] = "/metrics"
        - nam == "GET"
  bacth:
    timeout: 1s
  batch/2:
    timeout: 1 second
exporters:
  otlp/jaeger:
    endpoint: jaeger-collector
    tls: {insecure: true}
  otlp/tempo:
    endpoint: tempo:4317
    tls: {insecure: true}
    auth: {authenticator: oidc}
    sending_queue:
      num_consumers: 0
service:
  extentions: [health_check]
  pipelines:
    traces:
      receivers: [otlp]
      processors: [filter/drop, batch]
      exporters: [otlp/jeager]
    profiles:
      receivers: [otlp]
      exporters: [debug]
""")
    code, output, lines = validate(f"--config={path}")
    assert (code, output) == (1, "")
    expected = [
        (5, "receivers::otlp::protocols::grpc: has invalid keys: endpont", 'did you mean "endpoint"'),
        (6, "receivers::otlp::protocols::grpc::max_recv_msg_size_mib: expected type 'int', got 'string'", '"16"'),
        (7, "receivers::otlp::protocols::http: expected a map", "0.0.0.0:4318"),
        (13, "processors::filter/drop::traces::span::1: unable to parse OTTL condition", 'unexpected token "="'),
        (14, "processors::filter/drop::traces::span::2: unable to parse OTTL condition", "nam"),
        (15, 'processors: unknown type: "bacth"', 'did you mean "batch"'),
        (18, "processors::batch/2::timeout: expected type 'duration'", "1 second"),
        (21, "exporters::otlp/jaeger: endpoint: address jaeger-collector: missing port in address", ""),
        (26, 'exporters::otlp/tempo::auth::authenticator: "oidc" is not listed in service::extensions', "health_check"),
        (28, "exporters::otlp/tempo::sending_queue::num_consumers: must be between 1 and 1000", "got 0"),
        (30, "service: has invalid keys: extentions", 'did you mean "extensions"'),
        (34, 'references processor "batch" which is not configured', "batch/2"),
        (35, 'references exporter "otlp/jeager" which is not configured', 'did you mean "otlp/jaeger"'),
        (36, "profiles pipelines are not supported by this version", "service.pipelines.profiles"),
    ]
    assert [int(text.removeprefix(f"{path}:").split(":")[0]) for text in lines] == [line for line, _, _ in expected], lines
    for text, (_, what, also) in zip(lines, expected):
        assert what in text and also in text, text


# Scenario: three files and a setting; the mistakes are in a value that a later file replaced, in one that comes from the environment, in a
# rule across fields that the setting breaks, and in an environment variable's name.
# Guarantees: each is placed where the text stands that counts.
def test_places_survive_merges_settings_and_variables(tmp_path):
    base, over = tmp_path / "base.yaml", tmp_path / "over.yaml"
    base.write_text("processors:\n  batch:\n    timeout: 1s\n    send_batch_size: 100\n  batch/env:\n    timeout: ${env:WAIT}\n")
    over.write_text("# laid over base.yaml\nprocessors:\n\n  batch:\n    timeout: soon\n")
    code, _, lines = validate(f"--config={base}", f"--config={over}", environment={"WAIT": "a while"})
    assert code == 1
    assert sorted(line.split(": ")[0] for line in lines) == [f"{base}:6", f"{over}:5"]
    assert any('got \'string\' "a while"' in line for line in lines)

    over.write_text("processors:\n  batch:\n    timeout: 2s\n")
    setting = "--set=processors.batch.send_batch_max_size=5"
    code, _, lines = validate(f"--config={base}", f"--config={over}", setting, environment={"WAIT": "1s"})
    assert (code, lines) == (1, ["--set processors.batch.send_batch_max_size=5: processors::batch: send_batch_max_size must be greater or equal to send_batch_size"])

    base.write_text("processors:\n  batch:\n    timeout: ${env:1BAD}\n")
    over.write_text("exporters:\n  debug:\n   verbosity: [basic\n")
    assert validate(f"--config={base}")[2][0].startswith(f"{base}:3: environment variable")
    assert validate(f"--config={base}", f"--config={over}")[2][0].startswith(f"{over}:4: not valid YAML")


# Scenario: a file that is not there, and one that is empty but for a comment.
# Guarantees: the first is named, the second is valid: it is the built-in configuration.
def test_files_that_say_nothing(tmp_path):
    code, _, lines = validate(f"--config={tmp_path}/none.yaml")
    assert code == 1 and "none.yaml" in lines[0]
    (tmp_path / "empty.yaml").write_text("# nothing yet\n")
    assert validate(f"--config={tmp_path}/empty.yaml")[0] == 0
