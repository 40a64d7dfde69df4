// SPDX-License-Identifier: Apache-2.0
//
// Writes log records in their wire form, to stand in a request that RequestWriter writes.
// Specification: opentelemetry/proto/logs/v1.

#pragma once

#include <absl/functional/function_ref.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "otlp/writer.h"

namespace spanloom::otlp {

struct LogRecordFields {
  uint64_t time_unix_ns = 0;  // when it happened, and was seen
  uint32_t severity_number = 0;
  std::string_view severity_text = {};
  std::string_view body = {};
};

// A log_records field of a ScopeLogs, for RequestWriter::AddEncodedSpans: requests of logs are made as those of spans.
[[nodiscard]] std::string EncodeLogRecord(const LogRecordFields& fields,
                                          absl::FunctionRef<void(AttributeWriter&)> write_attributes);

}  // namespace spanloom::otlp
