// SPDX-License-Identifier: Apache-2.0

#include "otlp/log_record.h"

#include "otlp/fields.h"
#include "otlp/wire/writer.h"

namespace spanloom::otlp {

std::string EncodeLogRecord(const LogRecordFields& fields, absl::FunctionRef<void(AttributeWriter&)> write_attributes) {
  constexpr size_t kLength = 2;  // bytes of a length, up to 16 KiB
  std::string record;
  wire::Writer writer(record);
  const wire::Writer::Mark whole = writer.Begin(field::ScopeSpans::kSpans, kLength);
  writer.Fixed64(field::LogRecord::kTime, fields.time_unix_ns);
  writer.Varint(field::LogRecord::kSeverityNumber, fields.severity_number);
  writer.Bytes(field::LogRecord::kSeverityText, fields.severity_text);
  const wire::Writer::Mark body = writer.Begin(field::LogRecord::kBody, kLength);
  writer.Bytes(field::Value::kString, fields.body);
  writer.End(body);
  AttributeWriter attributes(writer, field::LogRecord::kAttributes);
  write_attributes(attributes);
  writer.Fixed64(field::LogRecord::kObservedTime, fields.time_unix_ns);
  writer.End(whole);
  return record;
}

}  // namespace spanloom::otlp
