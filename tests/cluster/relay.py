# SPDX-License-Identifier: Apache-2.0
"""TCP connections that are passed on, on one asyncio loop in a thread of its own."""

import asyncio
import threading

COPY_BYTES = 64 << 10


class Loop:
    def __init__(self):
        self.loop = asyncio.new_event_loop()
        threading.Thread(target=self.loop.run_forever, name="relays", daemon=True).start()

    def run(self, coroutine):
        """What `coroutine` returns; called from other threads."""
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(30)


class Relay:
    """Listens at an address of this machine and passes each connection on to the (host, port) that `choose()` names then; None ends it."""

    def __init__(self, loop, choose, host="127.0.0.1", port=0, is_open=True):
        self._loop, self._choose, self._host, self._connections = loop, choose, host, set()
        self.port, self._server = port, None
        if is_open:
            self.open()

    def open(self):
        self._server = self._loop.run(asyncio.start_server(self._serve, self._host, self.port))
        self.port = self._server.sockets[0].getsockname()[1]

    def close(self):
        """Ends all connections; until `open` nobody gets through."""
        self._loop.run(self._cut())

    def admit(self, anybody):
        """Listens, or refuses new connections; those that are there go on."""
        if anybody and self._server is None:
            self.open()
        elif not anybody and self._server is not None:
            self._loop.run(self._stop_listening())

    async def _stop_listening(self):
        if self._server is not None:
            self._server.close()
            self._server = None

    async def _cut(self):
        await self._stop_listening()
        for transport in list(self._connections):
            transport.abort()

    async def _serve(self, reader, writer):
        self._connections.add(writer.transport)
        try:
            target = self._choose()
            if target is not None:
                await self._join(reader, writer, *await asyncio.open_connection(*target))
        except OSError:
            pass  # the other side is not there
        finally:
            writer.transport.abort()
            self._connections.discard(writer.transport)

    async def _join(self, reader, writer, far_reader, far_writer):
        try:
            await asyncio.gather(copy(reader, far_writer), copy(far_reader, writer))
        finally:
            far_writer.transport.abort()


async def copy(reader, writer):
    while data := await reader.read(COPY_BYTES):
        writer.write(data)
        await writer.drain()
    writer.write_eof()
