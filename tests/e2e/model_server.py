# SPDX-License-Identifier: Apache-2.0
"""A model server for tests of the routing proxy: HTTP/1.1, answers as it is told, keeps what it was asked."""

import http.server
import json
import threading


class ModelServer:
    """Each request goes to `answer(request, handler)`, which uses `json`, `events` or the handler itself. Port 0 picks a free one."""

    def __init__(self, answer, context=None):
        self.requests, self._lock = [], threading.Lock()
        server = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _serve(self):
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                request = {"method": self.command, "path": self.path, "headers": self.headers, "body": body}
                with server._lock:
                    server.requests.append(request)
                answer(request, self)

            do_GET = do_POST = _serve

            def log_message(self, *_):
                pass

            def json(self, value, status=200):
                body = value if isinstance(value, bytes) else json.dumps(value).encode()
                self.send_response(status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def begin_events(self):
                self.send_response(200)
                self.send_header("content-type", "text/event-stream; charset=utf-8")
                self.send_header("transfer-encoding", "chunked")
                self.end_headers()

            def event(self, text):
                data = f"data: {text}\n\n".encode()
                self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
                self.wfile.flush()

            def end_events(self):
                self.wfile.write(b"0\r\n\r\n")

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        if context:
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.port = self._server.server_address[1]
        self.target = f"127.0.0.1:{self.port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self):
        self._server.shutdown()
        self._server.server_close()
