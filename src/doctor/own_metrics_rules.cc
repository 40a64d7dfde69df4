// SPDX-License-Identifier: Apache-2.0

#include "doctor/own_metrics_rules.h"

#include <absl/strings/numbers.h>
#include <absl/strings/str_split.h>

#include <array>
#include <map>
#include <tuple>

#include "base/text.h"
#include "doctor/count_of.h"

namespace spanloom::doctor {
namespace {

// A counter that must stand still, and what its growth means.
struct Trouble {
  std::string_view metric;
  std::string_view label;  // that names the component
  std::string_view rule;
  std::string_view meaning;        // behind "7 spans "
  std::string_view noun = "span";  // what is counted
  std::string_view by = {};        // a label that tells causes apart; "" if none does
};

constexpr std::array<Trouble, 8> kTroubles = {{
    {"otelcol_exporter_send_failed_spans", "exporter", "live-exporter-failing",
     "could not be sent and got lost; its log says why"},
    {"otelcol_exporter_enqueue_failed_spans", "exporter", "live-queue-full",
     "found the sending queue full: the backend is slower than what comes, or away"},
    {"otelcol_receiver_refused_spans", "receiver", "live-receiver-refuses",
     "refused: what stands behind takes no more. The senders were told"},
    {"otelcol_receiver_failed_spans", "receiver", "live-receiver-fails", "could not be passed on"},
    {"otelcol_processor_refused_spans", "processor", "live-processor-refuses",
     "refused by a processor: memory_limiter has too little. The senders were told"},
    {"otelcol_processor_memory_limiter_refused_spans", "processor", "live-processor-refuses",
     "refused: more memory is in use than its limit. The senders were told"},
    {"spanloom_pipeline_dropped_spans", "connector", "live-connector-loses",
     "lost after their senders were told OK: no pipeline of its table is for them", "span", "cause"},
    {"spanloom_receiver_refused_requests", "receiver", "live-requests-refused",
     "refused unread. The senders were told why", "request", "cause"},
}};

// The value of label `name` in `{a="x",b="y"}`; "" if there is none, or `name` is "".
std::string_view LabelOf(std::string_view labels, std::string_view name) {
  if (name.empty()) return "";
  const std::string mark = StrCat(name, "=\"");
  size_t at = labels.find(mark);
  while (at != std::string_view::npos && at > 0 && labels[at - 1] != '{' && labels[at - 1] != ',') {
    at = labels.find(mark, at + 1);  // the end of a longer name
  }
  if (at == std::string_view::npos) return "";
  const std::string_view rest = labels.substr(at + mark.size());
  return rest.substr(0, rest.find('"'));
}

struct Sample {
  std::string_view name;  // without "_total"
  std::string_view labels;
  double value = 0;
};

bool ReadSample(std::string_view line, Sample& sample) {
  if (line.empty() || line.front() == '#') return false;
  const size_t end = line.find_first_of("{ ");
  if (end == std::string_view::npos) return false;
  sample.name = line.substr(0, end);
  if (sample.name.ends_with("_total")) sample.name.remove_suffix(6);
  const size_t close = line.rfind('}');
  sample.labels =
      line[end] == '{' && close != std::string_view::npos ? line.substr(end, close - end) : std::string_view();
  const std::string_view value =
      line.substr(line.find_first_not_of(' ', close == std::string_view::npos ? end : close + 1));
  return absl::SimpleAtod(AbslView(value.substr(0, value.find(' '))), &sample.value);
}

}  // namespace

void CheckMetricsPage(std::string_view page, const std::string& source, Findings& findings) {
  std::map<std::tuple<const Trouble*, std::string_view, std::string_view>, double> sums;
  for (const absl::string_view line : absl::StrSplit(AbslView(page), '\n')) {
    Sample sample;
    if (!ReadSample(StdView(line), sample)) continue;
    for (const Trouble& trouble : kTroubles) {
      if (sample.name != trouble.metric) continue;
      const std::string_view component = LabelOf(sample.labels, trouble.label);
      if (!component.empty()) sums[{&trouble, component, LabelOf(sample.labels, trouble.by)}] += sample.value;
    }
  }
  for (const auto& [key, sum] : sums) {
    if (sum <= 0) continue;
    const auto& [trouble, component, cause] = key;
    const std::string count = CountOf(static_cast<uint64_t>(sum), trouble->noun);
    findings.Warning(trouble->rule, {source, 0},
                     StrCat(component, cause.empty() ? "" : StrCat(", ", cause), ": ", count, " ", trouble->meaning));
  }
}

}  // namespace spanloom::doctor
