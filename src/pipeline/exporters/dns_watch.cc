// SPDX-License-Identifier: Apache-2.0

#include "pipeline/exporters/dns_watch.h"

#include <absl/algorithm/container.h>
#include <absl/strings/numbers.h>

#include <optional>
#include <utility>

#include "base/text.h"
#include "config/duration.h"

namespace spanloom::pipeline {
namespace {

constexpr std::chrono::milliseconds kIntervalMin{1};
constexpr std::chrono::hours kIntervalMax{24};  // a wait may not be longer than a year; guess

// Waits for an answer that may come after it.
struct Answer {
  Mutex mutex;
  std::optional<StatusOr<std::vector<std::string>>> outcome ABSL_GUARDED_BY(mutex);
};

std::string EndpointOf(const std::string& address, const std::string& port) {
  std::string endpoint = address.find(':') == std::string::npos ? address : StrCat("[", address, "]");
  if (!port.empty()) StrAppend(endpoint, ":", port);
  return endpoint;
}

}  // namespace

void DnsResolverOptions::Declare(config::OptionsReader& r) {
  r.Field("hostname", hostname, "Name whose addresses are the backends, such as that of a headless service.");
  r.Field("port", port, "Port of all of them, in quotes; 4317 if it is left out.");
  r.Field("interval", interval, "How often the name is looked up.", {.min = kIntervalMin, .max = kIntervalMax});
  r.Field("timeout", timeout, "How long the answer may take.", {.min = kIntervalMin, .max = kIntervalMax});
}

Status DnsResolverOptions::Validate() const {
  if (hostname.empty()) return absl::InvalidArgumentError("hostname: no name is given to resolve the backends");
  uint32_t number = 0;
  const bool is_port = absl::SimpleAtoi(port, &number) && number > 0 && number < 65'536;
  if (port.empty() || is_port) return absl::OkStatus();
  return absl::InvalidArgumentError("port: must be between 1 and 65535");
}

DnsWatch::DnsWatch(DnsResolverOptions options, LookUp look_up, OnOutcome on_outcome)
    : options_(std::move(options)), look_up_(std::move(look_up)), on_outcome_(std::move(on_outcome)) {}

DnsWatch::~DnsWatch() {
  Stop();
}

void DnsWatch::Start() {
  thread_ = std::thread([this] { Run(); });
  told_.Wait();
}

void DnsWatch::Stop() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
  }
  if (thread_.joinable()) thread_.join();
}

void DnsWatch::Run() {
  on_outcome_(Resolve());
  told_.Notify();
  while (!StopsWithin(options_.interval)) {
    const StatusOr<std::vector<std::string>> endpoints = Resolve();
    if (StopsWithin(std::chrono::nanoseconds(0))) return;
    on_outcome_(endpoints);
  }
}

bool DnsWatch::StopsWithin(std::chrono::nanoseconds patience) {
  MutexLock lock(mutex_);
  return mutex_.AwaitFor([this]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) { return stopping_; }, patience);
}

// A stop waits for it, so for the timeout at most.
StatusOr<std::vector<std::string>> DnsWatch::Resolve() {
  const auto answer = std::make_shared<Answer>();  // shared with an answer that comes late
  look_up_(options_.hostname, [answer](StatusOr<std::vector<std::string>> found) {
    MutexLock lock(answer->mutex);
    answer->outcome = std::move(found);
  });
  MutexLock lock(answer->mutex);
  const auto is_there = [&]() ABSL_SHARED_LOCKS_REQUIRED(answer->mutex) { return answer->outcome.has_value(); };
  if (!answer->mutex.AwaitFor(is_there, options_.timeout)) {
    return absl::DeadlineExceededError(
        StrCat("can't resolve ", options_.hostname, ": no answer within ", config::FormatDuration(options_.timeout)));
  }
  RETURN_IF_ERROR(answer->outcome->status());
  std::vector<std::string> endpoints;
  for (const std::string& address : **answer->outcome) endpoints.push_back(EndpointOf(address, options_.port));
  absl::c_sort(endpoints);
  return endpoints;
}

}  // namespace spanloom::pipeline
