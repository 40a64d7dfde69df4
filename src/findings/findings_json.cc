// SPDX-License-Identifier: Apache-2.0

#include "findings/findings_json.h"

#include <algorithm>
#include <string_view>

namespace spanloom::findings {
namespace {

constexpr int64_t kNsPerUs = 1'000;

uint64_t Count(const FindingsReport& report, std::string_view severity) {
  const auto& all = report.findings;
  return static_cast<uint64_t>(
      std::count_if(all.begin(), all.end(), [&](const Finding& finding) { return finding.severity == severity; }));
}

void WriteFinding(const Finding& finding, JsonWriter& json) {
  json.BeginObject();
  json.Field("rule", finding.rule);
  json.Field("severity", finding.severity);
  json.Field("file", finding.where);
  if (finding.line > 0) json.Field("line", finding.line);
  json.Field("what", finding.what);
  if (!finding.fix.empty()) json.Field("fix", finding.fix);
  json.EndObject();
}

}  // namespace

void WriteFindings(const FindingsReport& report, JsonWriter& json) {
  json.BeginObject();
  json.Field("looked_us", report.looked_unix_ns / kNsPerUs);
  json.Key("findings");
  json.BeginArray();
  for (const Finding& finding : report.findings) WriteFinding(finding, json);
  json.EndArray();
  json.Field("errors", Count(report, "error"));
  json.Field("warnings", Count(report, "warning"));
  json.Field("notes", Count(report, "note"));
  json.Key("left_out");
  json.BeginArray();
  for (const std::string& sentence : report.left_out) json.String(sentence);
  json.EndArray();
  json.EndObject();
}

}  // namespace spanloom::findings
