# SPDX-License-Identifier: Apache-2.0
"""The pages about a process, behind TLS and passwords, asked for by curl."""

import subprocess

import pytest
from conftest import Process
from test_tls import Authority

CONFIG = """
receivers: {{otlp: {{protocols: {{http: {{endpoint: 127.0.0.1:0}}}}}}}}
exporters: {{debug: , prometheus: {{endpoint: "127.0.0.1:0", tls: {tls}, auth: {{authenticator: basicauth}}}}}}
extensions:
  basicauth: {{htpasswd: {{inline: "operator:secret"}}}}
  zpages: {{endpoint: "127.0.0.1:0", tls: {tls}, auth: {{authenticator: basicauth}}, response_headers: {{x-frame-options: DENY}}}}
  health_check: {{endpoint: "127.0.0.1:0", tls: {tls}}}
service:
  extensions: [zpages, basicauth, health_check]
  telemetry: {{metrics: {{address: 127.0.0.1:0}}, logs: {{encoding: json}}}}
  pipelines:
    traces: {{receivers: [otlp], exporters: [debug]}}
    metrics: {{receivers: [otlp], exporters: [prometheus]}}
"""


def curl(authority, url, *arguments):
    """(exit code, what was answered with its head)."""
    done = subprocess.run(["curl", "-sS", "-i", "--max-time", "10", "--cacert", str(authority.ca), *arguments, url], capture_output=True, text=True, timeout=30)
    return done.returncode, done.stdout


@pytest.fixture
def authority(tmp_path):
    return Authority(tmp_path, "authority")


# Scenario: pages with a certificate, two of them for who knows the password; cleartext, and another authority.
# Guarantees: each is served over TLS alone; without the right password there is a challenge and nothing else, and it is counted; probes need none.
def test_pages_behind_tls_and_passwords(tmp_path, authority):
    certificate, key = authority.issue("server")
    process = Process("collector", f"--config=yaml:{CONFIG.format(tls=f'{{cert_file: {certificate}, key_file: {key}}}')}")
    process.wait_for_line("Everything is ready. Begin running and processing data.")
    pages = {"zpages": ("/debug/pipelinez", "<td>traces</td>"), "prometheus": ("/metrics", "HTTP/")}
    for name, (path, text) in pages.items():
        url = f"https://localhost:{process.ports[name]}{path}"
        code, answer = curl(authority, url, "-u", "operator:secret")
        assert code == 0 and " 200" in answer.splitlines()[0] and text in answer, answer
        assert name != "zpages" or "x-frame-options: DENY" in answer
        for arguments in ([], ["-u", "operator:wrong"]):
            code, answer = curl(authority, url, *arguments)
            assert code == 0 and " 401" in answer.splitlines()[0] and "www-authenticate: basic" in answer.lower(), answer
            assert text == "HTTP/" or text not in answer
        assert process.metric("spanloom_page_refused_requests", component=name, cause="unauthenticated") == 2
        assert curl(Authority(tmp_path, f"other-{name}"), url)[0] == 60  # curl: the certificate is not trusted
        assert " 200" not in curl(authority, url.replace("https", "http"))[1]
    code, answer = curl(authority, f"https://localhost:{process.ports['health_check']}/")
    assert code == 0 and "Server available" in answer
    assert process.stop() == 0, process.log()
