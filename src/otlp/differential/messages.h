// SPDX-License-Identifier: Apache-2.0
//
// For the tests of this folder: random requests in wire form, written field by field without libprotobuf, and what
// views show of a request, as a message of libprotobuf.

#pragma once

#include <google/protobuf/message.h>
#include <opentelemetry/proto/collector/trace/v1/trace_service.pb.h>

#include <string>
#include <string_view>

#include "base/rng.h"
#include "otlp/batch.h"
#include "otlp/signal.h"
#include "otlp/views.h"

namespace spanloom::otlp {

using RequestMessage = opentelemetry::proto::collector::trace::v1::ExportTraceServiceRequest;
using SpanMessage = opentelemetry::proto::trace::v1::Span;
using AnyValueMessage = opentelemetry::proto::common::v1::AnyValue;
using KeyValueMessage = opentelemetry::proto::common::v1::KeyValue;

enum class Oddities : bool { kNone, kAll };

// A valid request of `signal` with fields of all kinds and extreme values. With kAll: fields in any order,
// scalars written again, messages in several parts, unknown fields of every wire type, padded varints.
std::string RandomRequest(Rng& rng, Oddities oddities, Signal signal = Signal::kTraces);

// `wire` as libprotobuf reads it. Fails the test if it refuses.
RequestMessage Parse(std::string_view wire);
// False if libprotobuf refuses `wire`; values may nest as deep as ValidateTraces allows.
bool Parse(std::string_view wire, google::protobuf::Message& message);

// What the views show. Views do not tell an absent message from an empty one; here all are present.
RequestMessage ToMessage(const TracesView& traces);

// Makes every message that may stand once present.
void MakePresent(RequestMessage& request);

// Empty if the two are equal, unknown fields included and NaN being equal to itself; else the differences.
std::string Difference(const google::protobuf::Message& a, const google::protobuf::Message& b);

}  // namespace spanloom::otlp
