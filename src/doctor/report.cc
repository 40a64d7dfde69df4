// SPDX-License-Identifier: Apache-2.0

#include "doctor/report.h"

#include <absl/strings/str_split.h>

#include <algorithm>

#include "base/json_writer.h"
#include "base/text.h"
#include "doctor/count_of.h"

namespace spanloom::doctor {
namespace {

size_t Count(std::span<const Finding> findings, Severity severity) {
  return static_cast<size_t>(
      std::count_if(findings.begin(), findings.end(), [&](const Finding& f) { return f.severity == severity; }));
}

}  // namespace

std::string_view NameOf(Severity severity) {
  switch (severity) {
    case Severity::kError:
      return "error";
    case Severity::kWarning:
      return "warning";
    case Severity::kNote:
      return "note";
  }
  return "";
}

std::string ToText(std::span<const Finding> findings) {
  std::string text;
  for (const Finding& finding : findings) {
    StrAppend(text, finding.where.ToString(), ": ", NameOf(finding.severity), ": ", finding.what, " [", finding.rule,
              "]\n");
    if (finding.fix.empty()) continue;
    text += "  fix:\n";
    for (const absl::string_view line : absl::StrSplit(AbslView(finding.fix), '\n')) {
      StrAppend(text, "    ", StdView(line), "\n");
    }
  }
  if (findings.empty()) return "nothing found\n";
  StrAppend(text, CountOf(Count(findings, Severity::kError), "error"), ", ",
            CountOf(Count(findings, Severity::kWarning), "warning"), ", ",
            CountOf(Count(findings, Severity::kNote), "note"), "\n");
  return text;
}

std::string ToJson(std::span<const Finding> findings) {
  std::string json;
  JsonWriter writer(json);
  writer.BeginObject();
  writer.Key("findings");
  writer.BeginArray();
  for (const Finding& finding : findings) {
    writer.BeginObject();
    writer.Field("rule", finding.rule);
    writer.Field("severity", NameOf(finding.severity));
    writer.Field("file", finding.where.file);
    if (finding.where.line > 0) writer.Field("line", finding.where.line);
    writer.Field("what", finding.what);
    if (!finding.fix.empty()) writer.Field("fix", finding.fix);
    writer.EndObject();
  }
  writer.EndArray();
  writer.Field("errors", static_cast<uint64_t>(Count(findings, Severity::kError)));
  writer.Field("warnings", static_cast<uint64_t>(Count(findings, Severity::kWarning)));
  writer.Field("notes", static_cast<uint64_t>(Count(findings, Severity::kNote)));
  writer.EndObject();
  return json + "\n";
}

}  // namespace spanloom::doctor
