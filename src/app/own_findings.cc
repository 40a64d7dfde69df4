// SPDX-License-Identifier: Apache-2.0

#include "app/own_findings.h"

#include <algorithm>
#include <cstdlib>
#include <utility>
#include <vector>

#include "base/text.h"
#include "doctor/collector_rules.h"
#include "doctor/own_metrics_rules.h"

namespace spanloom::app {
namespace {

constexpr char kMetricsSource[] = "the metrics of this process";

// Without the value of a setting of the command line: it may have a password in it.
std::string PlaceOf(const config::Source& where) {
  return where.file.starts_with("--set ") ? where.file.substr(0, where.file.find('=')) : where.file;
}

findings::Finding Told(const doctor::Finding& finding) {
  return {.rule = std::string(finding.rule),
          .severity = std::string(doctor::NameOf(finding.severity)),
          .where = PlaceOf(finding.where),
          .line = finding.where.line,
          .what = finding.what,
          .fix = finding.fix};
}

// In place of a sample.
Status NoStore() {
  return absl::FailedPreconditionError(
      "this process stores none; `spanloom doctor live --backend HOST` asks the backend for them");
}

}  // namespace

bool RunsInPod() {
  const char* host = std::getenv("KUBERNETES_SERVICE_HOST");
  return host != nullptr && *host != '\0';
}

OwnFindings::OwnFindings(const MetricRegistry& metrics, pipeline::StoreSource store, const Clock& clock,
                         OwnFindingsOptions options)
    : metrics_(metrics), store_(std::move(store)), clock_(clock), options_(std::move(options)) {}

void OwnFindings::SetConfig(config::Node root) {
  const MutexLock lock(mutex_);
  config_ = std::move(root);
  has_changed_ = true;
}

StatusOr<findings::FindingsReport> OwnFindings::Find(std::stop_token stop) {
  config::Node config;
  {
    const MutexLock lock(mutex_);
    const int64_t kept_ns = std::chrono::nanoseconds(options_.kept).count();
    const bool is_fresh = last_ && !has_changed_ && clock_.SteadyNs() - last_steady_ns_ < kept_ns;
    if (is_fresh || (is_looking_ && last_)) return *last_;
    if (is_looking_) return absl::UnavailableError("the first examination is under way; ask again in a second");
    is_looking_ = true;
    has_changed_ = false;
    config = config_;
  }
  StatusOr<findings::FindingsReport> report = Examine(config, stop);
  const MutexLock lock(mutex_);
  is_looking_ = false;
  if (!report.ok()) {
    has_changed_ = true;
    return report;
  }
  last_ = *report;
  last_steady_ns_ = clock_.SteadyNs();
  return report;
}

StatusOr<findings::FindingsReport> OwnFindings::Examine(const config::Node& config, const std::stop_token& stop) const {
  doctor::Findings findings;
  findings::FindingsReport report;
  doctor::CheckCollector(config, options_.is_in_pod, findings, options_.listen_host);
  doctor::CheckMetricsPage(metrics_.Render(), kMetricsSource, findings);
  StatusOr<StoreSample> sample = store_ ? SampleStore(store_(), clock_, options_.sample, stop) : NoStore();
  if (absl::IsCancelled(sample.status())) return sample.status();
  if (sample.ok()) {
    doctor::CheckTraces(sample->traces, findings);
    report.left_out = std::move(sample->left_out);
  } else {
    report.left_out.push_back(StrCat("all traces: ", StdView(sample.status().message())));
  }
  std::vector<doctor::Finding> all = std::move(findings).Take();
  std::stable_sort(all.begin(), all.end(),
                   [](const doctor::Finding& a, const doctor::Finding& b) { return a.severity < b.severity; });
  for (const doctor::Finding& finding : all) report.findings.push_back(Told(finding));
  report.looked_unix_ns = clock_.UnixNs();
  return report;
}

}  // namespace spanloom::app
