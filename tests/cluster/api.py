# SPDX-License-Identifier: Apache-2.0
"""A small client of the API server, for what the tests play and ask themselves; what they test uses kubectl."""

import json
import ssl
import time
import urllib.error
import urllib.request

MERGE = "application/merge-patch+json"
ANSWER_SECONDS_MAX = 30
WATCH_SECONDS_MAX = 300  # after which a watch is begun anew


class ApiError(Exception):
    """What the API server refused: its status code and message."""

    def __init__(self, code, message):
        super().__init__(f"{code}: {message}")
        self.code = code


class Api:
    """The API server at a port of this machine, asked as whoever `token` says. Thread-safe."""

    def __init__(self, port, ca_file, token):
        self.port, self.ca_file, self.token = port, ca_file, token
        self._tls = ssl.create_default_context(cafile=str(ca_file))

    def _open(self, method, path, body, content, seconds):
        data = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": content}
        request = urllib.request.Request(f"https://127.0.0.1:{self.port}{path}", data=data, method=method, headers=headers)
        try:
            return urllib.request.urlopen(request, timeout=seconds, context=self._tls)
        except urllib.error.HTTPError as error:
            text = error.read().decode(errors="replace")
            try:
                text = json.loads(text)["message"]
            except (ValueError, KeyError):
                pass
            raise ApiError(error.code, text) from None

    def call(self, method, path, body=None, content="application/json"):
        """The decoded answer. Raises ApiError, and OSError if nobody answers."""
        with self._open(method, path, body, content, ANSWER_SECONDS_MAX) as answer:
            text = answer.read()
        return json.loads(text) if text.startswith(b"{") else text.decode()

    def get(self, path):
        return self.call("GET", path)

    def find(self, path):
        """What is at `path`, or None if nothing is."""
        try:
            return self.get(path)
        except ApiError as error:
            if error.code == 404:
                return None
            raise

    def create(self, path, body):
        """Creates an object; what is there already stays as it is."""
        try:
            return self.call("POST", path, body)
        except ApiError as error:
            if error.code == 409:
                return None
            raise

    def follow(self, path, is_over):
        """Yields (kind of event, object): all objects at `path` as ADDED, then each change, and both again after an error, until `is_over()`."""
        while not is_over():
            try:
                listed = self.get(path)
                yield "LISTED", listed["items"]
                for item in listed["items"]:
                    yield "ADDED", item
                yield from self._watch(path, listed["metadata"]["resourceVersion"], is_over)
            except (OSError, ApiError, ValueError):
                time.sleep(0.1)  # the server is away, or starts

    def _watch(self, path, version, is_over):
        with self._open("GET", f"{path}?watch=1&timeoutSeconds={WATCH_SECONDS_MAX}&resourceVersion={version}", None, "application/json", WATCH_SECONDS_MAX + 30) as answer:
            for line in answer:
                event = json.loads(line)
                if is_over() or event["type"] == "ERROR":
                    return
                yield event["type"], event["object"]
