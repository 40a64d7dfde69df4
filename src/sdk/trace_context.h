// SPDX-License-Identifier: Apache-2.0
//
// What crosses a process border with a request: which trace and span it belongs to, and what rides along. It is passed
// explicitly, as a value: there is no current context of a thread. Specifications: W3C Trace Context (level 2), W3C
// Baggage.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "net/http.h"
#include "otlp/ids.h"

namespace spanloom::sdk {

inline constexpr uint8_t kSampledFlag = 0x01;  // W3C Trace Context, "sampled flag"
inline constexpr uint8_t kRandomFlag = 0x02;   // level 2, "random trace id flag"

inline constexpr size_t kTraceStateMembersMax = 32;        // W3C Trace Context, "tracestate limits"
inline constexpr size_t kTraceStateBytesMax = 512;         // the same; at least this much is to be passed on
inline constexpr size_t kTraceStateLongMemberBytes = 128;  // the same; longer members go first
inline constexpr size_t kBaggageMembersMax = 64;           // W3C Baggage, "limits"; at least this many are passed on
inline constexpr size_t kBaggageBytesMax = 8192;           // the same

// A value. Default-made it is no context: IsValid() is false.
struct TraceContext {
  otlp::TraceId trace_id;
  otlp::SpanId span_id;
  uint8_t flags = 0;
  bool is_remote = false;   // it came from another process
  std::string trace_state;  // as tracestate carries it: "a=1,b=2"; within the limits above
  std::string baggage;      // as baggage carries it: "k=v,k2=v2;p"; not read, only carried

  [[nodiscard]] bool IsValid() const { return !trace_id.IsZero() && !span_id.IsZero(); }
  [[nodiscard]] bool is_sampled() const { return (flags & kSampledFlag) != 0; }

  friend bool operator==(const TraceContext&, const TraceContext&) = default;
};

// The ids and flags of a traceparent; nullopt if it is none: another form, upper case, version ff, an id that is all
// zero. A version above 00 is read as far as 00 goes; of its flags only those that 00 knows are kept.
std::optional<TraceContext> ParseTraceParent(std::string_view text);

// "00-TRACEID-SPANID-FLAGS". `context` is valid.
std::string FormatTraceParent(const TraceContext& context);

// A tracestate within its limits: members that are empty are left out, and where there are too many or they are too
// long, whole members go, those over 128 bytes first, then from the end. "" if a member is malformed or a key comes
// twice: then none of it can be trusted.
std::string ReadTraceState(std::string_view text);

// The context of a request, is_remote set. Without a traceparent, with two of them, or with a bad one it is not valid,
// and tracestate is not read; baggage is read all the same. Several headers of one name count as one list.
TraceContext Extract(const net::HttpHeaders& headers);

// How a request says which trace it belongs to.
struct Propagation {
  bool has_w3c = true;  // traceparent and tracestate
  bool has_b3 = false;  // b3, or x-b3-traceid and its like (github.com/openzipkin/b3-propagation)
};

// The same by `propagation`; where both are there, traceparent counts. Baggage is read in any case.
TraceContext Extract(const net::HttpHeaders& headers, const Propagation& propagation);

// Puts `context` into `headers`, in place of any other. A context that is not valid leaves only its baggage there.
void Inject(const TraceContext& context, net::HttpHeaders& headers);

}  // namespace spanloom::sdk
