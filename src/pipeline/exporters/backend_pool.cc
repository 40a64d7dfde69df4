// SPDX-License-Identifier: Apache-2.0

#include "pipeline/exporters/backend_pool.h"

#include <absl/algorithm/container.h>

#include <algorithm>
#include <thread>
#include <utility>

#include "base/log.h"
#include "base/text.h"
#include "net/loop_call.h"

namespace spanloom::pipeline {
namespace {

using std::chrono::milliseconds;

constexpr std::string_view kOtlpPort = ":4317";

// Milliseconds; the default bounds of OpenTelemetry's histograms.
const std::vector<double>& LatencyBounds() {
  static const std::vector<double> bounds = {0,   5,   10,    25,    50,    75,    100,   250,
                                             500, 750, 1'000, 2'500, 5'000, 7'500, 10'000};
  return bounds;
}

Counter& OutcomeCounter(MetricRegistry& metrics, const std::string& endpoint, const char* success) {
  return metrics.GetCounter("otelcol_loadbalancer_backend_outcome",
                            "Number of successes and failures for each endpoint.",
                            {{"endpoint", endpoint}, {"success", success}});
}

}  // namespace

std::string WithOtlpPort(const std::string& endpoint) {
  const size_t colon = endpoint.rfind(':');
  const size_t bracket = endpoint.rfind(']');
  const bool has_port = colon != std::string::npos && (bracket == std::string::npos || bracket < colon);
  return has_port ? endpoint : StrCat(endpoint, kOtlpPort);
}

Backend::Backend(const std::string& endpoint, std::unique_ptr<Exporter> exporter, const BuildContext& context)
    : endpoint_(endpoint),
      exporter_(std::move(exporter)),
      clock_(context.clock),
      latency_ms_(context.metrics.GetHistogram("otelcol_loadbalancer_backend_latency",
                                               "Response latency in ms for the backends.", LatencyBounds(),
                                               {{"endpoint", endpoint}})),
      succeeded_(OutcomeCounter(context.metrics, endpoint, "true")),
      failed_(OutcomeCounter(context.metrics, endpoint, "false")) {}

void Backend::Offer(otlp::Batch batch, Done done) {
  // The answer may come when the backend is gone; metrics and clock are the process's.
  exporter_->Consume(std::move(batch),
                     [&clock = clock_, &latency_ms = latency_ms_, &succeeded = succeeded_, &failed = failed_,
                      begin_ns = clock_.SteadyNs(), done = std::move(done)](Status status) mutable {
                       latency_ms.Add(static_cast<double>(clock.SteadyNs() - begin_ns) / 1e6);
                       (status.ok() ? succeeded : failed).Add(1);
                       std::move(done)(std::move(status));
                     });
}

BackendPool::Table::Table(std::vector<std::shared_ptr<Backend>> backends, HashRing ring)
    : ring_(std::move(ring)), backends_(std::move(backends)) {}

BackendPool::Table::~Table() {
  // First, so that the pool's references are the last ones: an exporter must not end on a loop.
  backends_.clear();
  ended_->Notify();
}

// A backend that is stopped on a thread of its own.
struct BackendPool::Retirement {
  std::shared_ptr<Backend> backend;  // shared with nobody any more
  Notification done;
  std::thread thread;
};

BackendPool::BackendPool(Make make, const BuildContext& context) : make_(std::move(make)), context_(context) {}

BackendPool::~BackendPool() {
  Stop(milliseconds(0));
}

std::shared_ptr<const BackendPool::Table> BackendPool::table() const {
  MutexLock lock(mutex_);
  return table_;
}

StatusOr<std::shared_ptr<Backend>> BackendPool::Find(const Table& running, const std::string& endpoint) const {
  const auto same = absl::c_find_if(running.backends(), [&](const auto& each) { return each->endpoint() == endpoint; });
  if (same != running.backends().end()) return *same;
  std::unique_ptr<Exporter> exporter = make_(endpoint);
  RETURN_IF_ERROR(Annotate(exporter->Start(), endpoint));
  return std::make_shared<Backend>(endpoint, std::move(exporter), context_);
}

Status BackendPool::Update(const std::vector<std::string>& resolved) {
  Reap(false);
  Status status;
  std::vector<std::string> names;
  std::vector<std::shared_ptr<Backend>> backends;
  {
    std::shared_ptr<const Table> running = table();
    for (const std::string& name : resolved) {
      const std::string endpoint = WithOtlpPort(name);
      // Two names of one endpoint share its exporter.
      const auto same = absl::c_find_if(backends, [&](const auto& each) { return each->endpoint() == endpoint; });
      StatusOr<std::shared_ptr<Backend>> backend =
          same != backends.end() ? StatusOr<std::shared_ptr<Backend>>(*same) : Find(*running, endpoint);
      status.Update(backend.status());
      if (!backend.ok()) continue;
      names.push_back(name);
      backends.push_back(*std::move(backend));
    }
  }
  const auto next = std::make_shared<const Table>(backends, HashRing(names));
  for (std::shared_ptr<Backend>& old : Replace(next)) {
    if (!absl::c_linear_search(backends, old)) Retire(std::move(old), kRetirementGrace);
  }
  return status;
}

std::vector<std::shared_ptr<Backend>> BackendPool::Replace(std::shared_ptr<const Table> next) {
  {
    MutexLock lock(mutex_);
    table_.swap(next);
  }
  std::vector<std::shared_ptr<Backend>> backends;
  for (const std::shared_ptr<Backend>& backend : next->backends()) {
    if (!absl::c_linear_search(backends, backend)) backends.push_back(backend);
  }
  const std::shared_ptr<Notification> ended = next->ended_;
  next = nullptr;
  // Offers do not block, so this is short; afterwards nobody can reach a backend that goes.
  ended->Wait();
  return backends;
}

void BackendPool::Retire(std::shared_ptr<Backend> backend, milliseconds grace) {
  auto retirement = std::make_unique<Retirement>();
  Retirement& begun = *retirement;
  begun.backend = std::move(backend);
  MutexLock lock(mutex_);
  if (hurried_) grace = milliseconds(0);
  retirements_.push_back(std::move(retirement));
  begun.thread = std::thread([this, &begun, grace] {
    begun.backend->exporter()->Stop(grace);
    // Attempts that were cut off are counted by tasks on the exporter's loop, which may post one more.
    for (int turn = 0; turn < 2; ++turn) {
      for (size_t i = 0; i < context_.loops.size(); ++i) RunOn(context_.loops.At(i), [] {});
    }
    undelivered_spans_ += begun.backend->exporter()->undelivered_spans();
    begun.done.Notify();
  });
}

void BackendPool::Reap(bool all) {
  std::vector<std::unique_ptr<Retirement>> ended;
  {
    MutexLock lock(mutex_);
    for (std::unique_ptr<Retirement>& each : retirements_) {
      if (all || each->done.HasBeenNotified()) ended.push_back(std::move(each));
    }
    std::erase(retirements_, nullptr);
  }
  for (const std::unique_ptr<Retirement>& each : ended) {
    each->thread.join();
    each->backend->exporter_ = nullptr;
  }
}

void BackendPool::Stop(milliseconds grace) {
  const int64_t deadline_ns = context_.clock.SteadyNs() + std::chrono::nanoseconds(grace).count();
  for (std::shared_ptr<Backend>& backend : Replace(std::make_shared<const Table>())) Retire(std::move(backend), grace);
  std::vector<Retirement*> retirements;
  {
    MutexLock lock(mutex_);
    for (const std::unique_ptr<Retirement>& each : retirements_) retirements.push_back(each.get());
  }
  for (Retirement* const each : retirements) {
    const std::chrono::nanoseconds left(std::max<int64_t>(0, deadline_ns - context_.clock.SteadyNs()));
    if (!each->done.WaitFor(left)) each->backend->exporter()->HurryStop();
  }
  Reap(true);
}

void BackendPool::HurryStop() {
  MutexLock lock(mutex_);
  hurried_ = true;
  for (const std::shared_ptr<Backend>& backend : table_->backends()) backend->exporter()->HurryStop();
  for (const std::unique_ptr<Retirement>& each : retirements_) each->backend->exporter()->HurryStop();
}

}  // namespace spanloom::pipeline
