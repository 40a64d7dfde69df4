// SPDX-License-Identifier: Apache-2.0
//
// What crosses a process border with a request: which trace and span it belongs to, and what rides along. It is passed
// explicitly, as a value: there is no current context of a thread. Specifications: W3C Trace Context (level 2), W3C
// Baggage.

#pragma once

#include <cstdint>
#include <cstring>
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

  // Both ids are there. By words, since every span asks.
  [[nodiscard]] bool IsValid() const {
    uint64_t trace_words[2];
    uint64_t span_word = 0;
    std::memcpy(trace_words, trace_id.bytes.data(), sizeof(trace_words));
    std::memcpy(&span_word, span_id.bytes.data(), sizeof(span_word));
    return (trace_words[0] | trace_words[1]) != 0 && span_word != 0;
  }
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

// How a request says which trace it belongs to, by the names of OTEL_PROPAGATORS.
struct Propagation {
  bool has_w3c = true;        // tracecontext: traceparent and tracestate
  bool has_b3 = false;        // b3: header b3; x-b3-traceid and its like are read too (sdk/b3.h)
  bool has_b3_multi = false;  // b3multi: the same, but written as x-b3-traceid and its like
  bool has_baggage = true;    // baggage
};

// The context of a request by `propagation`, is_remote set; where several are there, traceparent counts. Without a
// traceparent, with two of them, or with a bad one it is not valid, and tracestate is not read; baggage is read all the
// same. Several headers of one name count as one list.
TraceContext Extract(const net::HttpHeaders& headers, const Propagation& propagation = {});

// Puts `context` into `headers` by `propagation`, in place of any other there; what that does not name stays as it is.
// A context that is not valid leaves only its baggage there.
void Inject(const TraceContext& context, net::HttpHeaders& headers, const Propagation& propagation = {});

}  // namespace spanloom::sdk
