// SPDX-License-Identifier: Apache-2.0
//
// A connection that goes on in another protocol after its HTTP/1.1 request, as for WebSocket (RFC 9110, 7.8). Server
// and client have the streams of net/http.h and net/client.h for it; what is special is said here.
//
// Server: the header `upgrade` reaches a handler only in a request that may be answered so: of HTTP/1.1, whose
// `connection` names it, without a body. HTTP/2 has none. The handler accepts by HttpResponder::Stream with a head of
// status 101 and an `upgrade`; an HttpStreamHandler's reader and the writer carry bytes as they are from then on. What
// came behind the request is read first. An empty piece: the client has ended its half; the writer's goes on. Finish
// ends both: what the client still sends is discarded for at most 10 s. ServerLimits::write_max holds for a client that
// takes nothing; silence has no limit. For Server::Stop it is a request under way.
//
// Client: HttpClient::Open asks for the protocols that the header `upgrade` of its request names (Send leaves it out);
// the body must be empty. If the head says 101, its `upgrade` is what was asked for, or else the exchange fails with
// kUnavailable; Read, Write and Finish carry bytes as they are then: an empty piece is the peer's end, which is the
// exchange's, Finish ends our half alone. Every other head is an answer as usual.
//
// Neither side holds more than one piece a direction, of at most 64 KiB.

#pragma once

namespace spanloom::net {

inline constexpr int kSwitchingProtocols = 101;

}  // namespace spanloom::net
