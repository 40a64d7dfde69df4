// SPDX-License-Identifier: Apache-2.0

#include "sdk/b3.h"

#include <absl/strings/ascii.h>
#include <absl/strings/str_split.h>

#include <string>
#include <string_view>
#include <vector>

#include "base/text.h"

namespace spanloom::sdk {
namespace {

constexpr std::string_view kSingle = "b3";
constexpr std::string_view kTraceIdField = "x-b3-traceid";
constexpr std::string_view kSpanIdField = "x-b3-spanid";
constexpr std::string_view kSampledField = "x-b3-sampled";
constexpr std::string_view kFlagsField = "x-b3-flags";
constexpr size_t kShortTraceIdDigits = 16;
constexpr size_t kTraceIdDigits = 32;
constexpr size_t kSpanIdDigits = 16;

// The header's parts, as text.
struct B3Fields {
  std::string trace_id = {};
  std::string span_id = {};
  std::string sampled = {};
};

B3Fields FieldsOf(const net::HttpHeaders& headers) {
  const std::string_view single = headers.Get(kSingle);
  if (!single.empty()) {
    std::vector<std::string> parts = absl::StrSplit(AbslView(single), '-');
    parts.resize(3);
    return {.trace_id = parts[0], .span_id = parts[1], .sampled = parts[2]};
  }
  const bool is_debug = headers.Get(kFlagsField) == "1";
  return {.trace_id = std::string(headers.Get(kTraceIdField)),
          .span_id = std::string(headers.Get(kSpanIdField)),
          .sampled = is_debug ? "d" : std::string(headers.Get(kSampledField))};
}

bool IsSampled(const std::string& sampled) {
  return sampled == "1" || sampled == "d" || sampled == "true";
}

}  // namespace

std::optional<TraceContext> ReadB3(const net::HttpHeaders& headers) {
  B3Fields fields = FieldsOf(headers);
  if (fields.trace_id.size() == kShortTraceIdDigits) {
    fields.trace_id = StrCat(std::string(kShortTraceIdDigits, '0'), fields.trace_id);
  }
  if (fields.trace_id.size() != kTraceIdDigits || fields.span_id.size() != kSpanIdDigits) return std::nullopt;
  const auto trace_id = otlp::ParseTraceId(absl::AsciiStrToLower(fields.trace_id));
  const auto span_id = otlp::ParseSpanId(absl::AsciiStrToLower(fields.span_id));
  if (!trace_id || !span_id) return std::nullopt;
  TraceContext context;
  context.trace_id = *trace_id;
  context.span_id = *span_id;
  context.flags = IsSampled(absl::AsciiStrToLower(fields.sampled)) ? kSampledFlag : 0;
  context.is_remote = true;
  if (!context.IsValid()) return std::nullopt;
  return context;
}

void WriteB3(const TraceContext& context, net::HttpHeaders& headers) {
  const std::string_view sampled = context.is_sampled() ? "1" : "0";
  headers.Set(kSingle,
              context.IsValid() ? StrCat(context.trace_id.Hex(), "-", context.span_id.Hex(), "-", sampled) : "");
}

void WriteB3Multi(const TraceContext& context, net::HttpHeaders& headers) {
  const bool is_valid = context.IsValid();
  headers.Set(kTraceIdField, is_valid ? context.trace_id.Hex() : "");
  headers.Set(kSpanIdField, is_valid ? context.span_id.Hex() : "");
  headers.Set(kSampledField, !is_valid ? "" : context.is_sampled() ? "1" : "0");
  headers.Set(kFlagsField, "");  // a "1" there would say more than the context does
  headers.Set("x-b3-parentspanid", "");
}

}  // namespace spanloom::sdk
