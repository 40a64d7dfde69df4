// SPDX-License-Identifier: Apache-2.0
//
// The trace context of a request in the headers of Zipkin. Specification: github.com/openzipkin/b3-propagation.

#pragma once

#include <optional>

#include "net/http.h"
#include "sdk/trace_context.h"

namespace spanloom::sdk {

// By the header "b3" ("TRACEID-SPANID[-SAMPLED[-PARENT]]"), else by x-b3-traceid, x-b3-spanid, x-b3-sampled and
// x-b3-flags; is_remote set. Ids are in hexadecimal of either case, a trace id of 64 bits is filled up with zeros in
// front. Sampled is "1" or "true", and what debugs; "0", "false" and nothing are not. nullopt if there are no ids, as
// of a "b3: 0", or one of them is none.
std::optional<TraceContext> ReadB3(const net::HttpHeaders& headers);

// Puts `context` into the header "b3", or into x-b3-traceid, x-b3-spanid and x-b3-sampled, in place of what is there. A
// context that is not valid leaves none of them there.
void WriteB3(const TraceContext& context, net::HttpHeaders& headers);
void WriteB3Multi(const TraceContext& context, net::HttpHeaders& headers);

}  // namespace spanloom::sdk
