// SPDX-License-Identifier: Apache-2.0

#include "pipeline/receivers/sender_table.h"

#include <algorithm>
#include <utility>

#include "net/host_port.h"

namespace spanloom::pipeline {
namespace {

constexpr int64_t kConnectedNs = 60'000'000'000;  // a connection without a request for so long is not counted; guess
constexpr size_t kResourcesMax = 8;               // of a request whose names are looked at; guess

}  // namespace

class SenderTable::Tally {
 public:
  Tally(const Peer& peer, std::string_view host, int64_t now_unix_ns)
      : receiver(peer.receiver),
        transport(peer.transport),
        address(host),
        program(peer.program),
        first_unix_ns(now_unix_ns) {}

  [[nodiscard]] Key key() const { return {receiver, transport, address, program}; }

  // A request by the connection from `port`, at `now_ns`. The one that is silent for longest makes room.
  void See(std::string_view port, int64_t now_ns, size_t connections_max) {
    const auto known = std::find_if(ports.begin(), ports.end(), [&](const Port& each) { return each.text == port; });
    if (known != ports.end()) {
      known->last_ns = now_ns;
    } else if (ports.size() < connections_max) {
      ports.push_back({std::string(port), now_ns});
    } else if (!ports.empty()) {
      *std::min_element(ports.begin(), ports.end(), [](const Port& a, const Port& b) {
        return a.last_ns < b.last_ns;
      }) = {std::string(port), now_ns};
    }
  }

  [[nodiscard]] uint64_t Connections(int64_t now_ns) const {
    return static_cast<uint64_t>(std::count_if(ports.begin(), ports.end(),
                                               [&](const Port& port) { return now_ns - port.last_ns < kConnectedNs; }));
  }

  struct Port {
    std::string text;
    int64_t last_ns = 0;
  };

  const std::string receiver;
  const std::string transport;
  const std::string address;
  const std::string program;
  const int64_t first_unix_ns;
  std::atomic<uint64_t> accepted = 0;
  std::atomic<uint64_t> refused = 0;
  std::atomic<uint32_t> looks = 0;        // of the first requests
  std::atomic<int64_t> next_look_ns = 0;  // names of services are looked for then
  // The table's, below its lock.
  int64_t last_unix_ns = 0;
  std::vector<Port> ports;
  std::vector<std::string> services;
};

SenderTable::SenderTable(const Clock& clock, SenderTableLimits limits) : clock_(clock), limits_(limits) {}

SenderTable::~SenderTable() = default;

std::shared_ptr<SenderTable::Tally> SenderTable::Arrive(const Peer& peer) {
  const int64_t now_ns = clock_.SteadyNs();
  const int64_t now_unix_ns = clock_.UnixNs();
  const std::string host(net::HostOf(peer.address));
  const std::string_view port = peer.address.substr(peer.address.rfind(':') + 1);
  Peer cut = peer;
  cut.program = peer.program.substr(0, limits_.program_bytes_max);
  const MutexLock lock(mutex_);
  const auto known = index_.find(Key{cut.receiver, cut.transport, host, cut.program});
  if (known != index_.end()) {
    order_.splice(order_.begin(), order_, known->second);
  } else {
    if (order_.size() >= limits_.senders_max) ForgetLast();
    order_.push_front(std::make_shared<Tally>(cut, host, now_unix_ns));
    index_.emplace(order_.front()->key(), order_.begin());
  }
  Tally& tally = *order_.front();
  tally.last_unix_ns = now_unix_ns;
  tally.See(port, now_ns, limits_.connections_max);
  return order_.front();
}

void SenderTable::ForgetLast() {
  index_.erase(order_.back()->key());
  order_.pop_back();
  ++forgotten_;
}

// What sends little, or for less than a second, is known by its first requests.
bool SenderTable::IsLookDue(Tally& tally) const {
  const int64_t now_ns = clock_.SteadyNs();
  int64_t next_ns = tally.next_look_ns.load(std::memory_order_relaxed);
  uint32_t looks = tally.looks.load(std::memory_order_relaxed);
  const bool is_early = looks < limits_.looks_first && tally.looks.compare_exchange_strong(looks, looks + 1);
  if (!is_early && now_ns < next_ns) return false;
  return tally.next_look_ns.compare_exchange_strong(next_ns, now_ns + limits_.look_ns) || is_early;
}

void SenderTable::LookAt(Tally& tally, const otlp::TracesView& request) {
  if (!IsLookDue(tally)) return;
  std::vector<std::string_view> seen;
  for (const otlp::ResourceSpansView resource : request.resource_spans()) {
    if (seen.size() == kResourcesMax) break;
    seen.push_back(resource.resource().service_name());
  }
  const MutexLock lock(mutex_);
  for (const std::string_view name : seen) {
    if (tally.services.size() >= limits_.services_max) return;
    if (std::find(tally.services.begin(), tally.services.end(), name) == tally.services.end()) {
      tally.services.emplace_back(name);
    }
  }
}

void SenderTable::CountAccepted(Tally& tally, uint64_t spans) {
  tally.accepted.fetch_add(spans, std::memory_order_relaxed);
  accepted_.fetch_add(spans, std::memory_order_relaxed);
}

void SenderTable::CountRefused(Tally& tally, uint64_t spans) {
  tally.refused.fetch_add(spans, std::memory_order_relaxed);
  refused_.fetch_add(spans, std::memory_order_relaxed);
}

// What those who are forgotten sent is what is left of the sum of all.
SenderReport SenderTable::Report() const {
  const int64_t now_ns = clock_.SteadyNs();
  SenderReport report;
  uint64_t accepted = 0;
  uint64_t refused = 0;
  const MutexLock lock(mutex_);
  report.senders.reserve(order_.size());
  for (const std::shared_ptr<Tally>& tally : order_) {
    report.senders.push_back({.receiver = tally->receiver,
                              .transport = tally->transport,
                              .address = tally->address,
                              .program = tally->program,
                              .services = tally->services,
                              .connections = tally->Connections(now_ns),
                              .spans_accepted = tally->accepted.load(std::memory_order_relaxed),
                              .spans_refused = tally->refused.load(std::memory_order_relaxed),
                              .first_unix_ns = tally->first_unix_ns,
                              .last_unix_ns = tally->last_unix_ns});
    accepted += report.senders.back().spans_accepted;
    refused += report.senders.back().spans_refused;
  }
  report.forgotten = forgotten_;
  if (forgotten_ == 0) return report;  // what is counted just now is no sender's that is gone
  const uint64_t all_accepted = accepted_.load(std::memory_order_relaxed);
  const uint64_t all_refused = refused_.load(std::memory_order_relaxed);
  report.forgotten_accepted = all_accepted - std::min(all_accepted, accepted);
  report.forgotten_refused = all_refused - std::min(all_refused, refused);
  return report;
}

}  // namespace spanloom::pipeline
