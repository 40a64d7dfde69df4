// SPDX-License-Identifier: Apache-2.0

#include "pipeline/exporters/k8s_watch.h"

#include <absl/algorithm/container.h>
#include <absl/container/flat_hash_set.h>

#include <algorithm>
#include <map>
#include <optional>
#include <span>
#include <utility>

#include "base/mutex.h"
#include "base/text.h"
#include "kube/endpoint_slice.h"
#include "kube/json.h"
#include "net/loop_call.h"

namespace spanloom::pipeline {
namespace {

constexpr std::chrono::milliseconds kTimeoutMin{1};
constexpr std::chrono::hours kTimeoutMax{24};  // a wait may not be longer than a year; guess

struct ServiceName {
  std::string name;
  std::string name_space;  // "": not said
};

ServiceName NameOf(const std::string& service) {
  const size_t dot = service.find('.');
  if (dot == std::string::npos) return {service, ""};
  return {service.substr(0, dot), service.substr(dot + 1)};
}

}  // namespace

// The slices of the Service as they are, kept by a reflector. Thread-safe.
class K8sWatch::Slices final : public kube::ReflectorSink {
 public:
  // Names are those of `service` in `name_space`, if names are asked for.
  Slices(const K8sResolverOptions& options, ServiceName service)
      : ports_(*options.Ports()), has_names_(options.return_hostnames), service_(std::move(service)) {}

  void BeginList() override { listed_.clear(); }

  void AddListed(std::span<const simdjson::dom::element> objects) override {
    const MutexLock lock(mutex_);
    for (const simdjson::dom::element& object : objects) listed_.insert(Put(object));
  }

  void EndList() override {
    const MutexLock lock(mutex_);
    std::erase_if(slices_, [this](const auto& entry) { return !listed_.contains(entry.first); });
    listed_ = {};
    ++version_;
  }

  void Apply(Change change, const simdjson::dom::element& object) override {
    const MutexLock lock(mutex_);
    const std::string name = Put(object);
    if (change == Change::kDeleted) slices_.erase(name);
    ++version_;
  }

  void SetTrouble(const Status& status) ABSL_LOCKS_EXCLUDED(mutex_) {
    const MutexLock lock(mutex_);
    if (!status.ok() || !trouble_.ok()) ++version_;
    trouble_ = status;
  }

  void Stop() ABSL_LOCKS_EXCLUDED(mutex_) {
    const MutexLock lock(mutex_);
    is_stopped_ = true;
  }

  using Outcome = StatusOr<std::vector<std::string>>;
  // What is so once something has happened since the last call; nullopt once it is stopped.
  std::optional<Outcome> Await() ABSL_LOCKS_EXCLUDED(mutex_) {
    const MutexLock lock(mutex_);
    mutex_.Await([this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return is_stopped_ || version_ != seen_; });
    if (is_stopped_) return std::nullopt;
    seen_ = version_;
    if (!trouble_.ok()) return Outcome(trouble_);
    return Endpoints();
  }

 private:
  struct Endpoint {
    std::string address;
    std::string hostname;
  };
  struct Slice {
    bool is_ipv6 = false;
    std::vector<Endpoint> ready;
  };

  // Takes `object` in; returns its name.
  std::string Put(const simdjson::dom::element& object) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    const kube::EndpointSlice read = kube::ReadEndpointSlice(object);
    Slice slice{.is_ipv6 = read.address_type == "IPv6", .ready = {}};
    for (const kube::SliceEndpoint& endpoint : read.endpoints) {
      if (endpoint.is_ready) slice.ready.push_back({std::string(endpoint.address), std::string(endpoint.hostname)});
    }
    std::string name(read.meta.name);
    slices_.insert_or_assign(name, std::move(slice));
    return name;
  }

  [[nodiscard]] Outcome Endpoints() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    // A pod with two addresses is in two slices, and one backend.
    const bool has_ipv4 =
        absl::c_any_of(slices_, [](const auto& entry) { return !entry.second.is_ipv6 && !entry.second.ready.empty(); });
    std::vector<std::string> endpoints;
    for (const auto& [name, slice] : slices_) {
      if (slice.is_ipv6 && has_ipv4) continue;
      for (const Endpoint& endpoint : slice.ready) {
        ASSIGN_OR_RETURN(const std::string host, HostOf(endpoint, slice.is_ipv6));
        if (ports_.empty()) endpoints.push_back(host);
        for (const std::string& port : ports_) endpoints.push_back(StrCat(host, ":", port));
      }
    }
    absl::c_sort(endpoints);
    endpoints.erase(std::unique(endpoints.begin(), endpoints.end()), endpoints.end());
    return endpoints;
  }

  [[nodiscard]] StatusOr<std::string> HostOf(const Endpoint& endpoint, bool is_ipv6) const {
    if (!has_names_) return is_ipv6 ? StrCat("[", endpoint.address, "]") : endpoint.address;
    if (!endpoint.hostname.empty()) {
      return StrCat(endpoint.hostname, ".", service_.name, ".", service_.name_space);
    }
    return absl::FailedPreconditionError(
        StrCat("return_hostnames: the endpoint ", endpoint.address, " of service ", service_.name,
               " has no host name; the service must be a headless one in front of a StatefulSet"));
  }

  const std::vector<std::string> ports_;  // empty: none is said
  const bool has_names_;
  const ServiceName service_;
  absl::flat_hash_set<std::string> listed_;  // names of the list under way; of the reflector
  Mutex mutex_;
  std::map<std::string, Slice> slices_ ABSL_GUARDED_BY(mutex_);
  Status trouble_ ABSL_GUARDED_BY(mutex_);
  uint64_t version_ ABSL_GUARDED_BY(mutex_) = 0;  // grows with each change
  uint64_t seen_ ABSL_GUARDED_BY(mutex_) = 0;
  bool is_stopped_ ABSL_GUARDED_BY(mutex_) = false;
};

void K8sResolverOptions::Declare(config::OptionsReader& r) {
  r.Field("service", service, "NAME.NAMESPACE of the Service; NAME alone is in the namespace of this pod.");
  r.Field("ports", ports, "Ports of each of its endpoints, numbers in a list; [4317] if it is left out.");
  r.Field("timeout", timeout, "How long the start waits for them.", {.min = kTimeoutMin, .max = kTimeoutMax});
  r.Field("return_hostnames", return_hostnames,
          "Whether backends are called by name, HOSTNAME.NAME.NAMESPACE, in place of an address: of a headless Service "
          "in front of a StatefulSet.");
}

Status K8sResolverOptions::Validate() const {
  const ServiceName parts = NameOf(service);
  if (parts.name.empty()) return absl::InvalidArgumentError("service: no service specified to resolve the backends");
  if (parts.name_space.find('.') != std::string::npos) {
    return absl::InvalidArgumentError("service: write NAME.NAMESPACE, without the domain of the cluster");
  }
  return Ports().status();
}

StatusOr<std::vector<std::string>> K8sResolverOptions::Ports() const {
  if (!ports) return std::vector<std::string>{"4317"};
  if (!ports->is_list()) return absl::InvalidArgumentError("ports: must be a list of numbers");
  std::vector<std::string> texts;
  for (const config::Node& item : ports->items()) {
    const auto port = config::ReadInt(item);
    if (!port || *port < 1 || *port > 65'535) {
      return absl::InvalidArgumentError("ports: must be numbers between 1 and 65535");
    }
    texts.push_back(StrCat(*port));
  }
  return texts;
}

K8sWatch::K8sWatch(K8sResolverOptions options, kube::Surroundings surroundings, const BuildContext& context,
                   OnOutcome on_outcome)
    : options_(std::move(options)),
      surroundings_(std::move(surroundings)),
      context_(context),
      on_outcome_(std::move(on_outcome)),
      loop_(context.loops.Next()) {}

K8sWatch::~K8sWatch() {
  Stop();
}

StatusOr<kube::ClusterAccess> K8sWatch::Access() const {
  if (surroundings_.variable("KUBECONFIG").value_or("").empty()) {
    auto access = kube::InClusterAccess(surroundings_);
    if (access.ok()) return access;
    auto by_file = kube::KubeconfigAccess("", "", surroundings_);
    return by_file.ok() ? by_file : access;
  }
  return kube::KubeconfigAccess("", "", surroundings_);
}

Status K8sWatch::Start() {
  ASSIGN_OR_RETURN(kube::ClusterAccess access, Access());
  RETURN_IF_ERROR(Open(std::move(access)));
  thread_ = std::thread([this] { Run(); });
  static_cast<void>(told_.WaitFor(options_.timeout));
  return absl::OkStatus();
}

Status K8sWatch::Open(kube::ClusterAccess access) {
  ServiceName service = NameOf(options_.service);
  if (service.name_space.empty()) service.name_space = access.default_namespace;
  if (service.name_space.empty()) service.name_space = "default";
  kube::Selection selection{.name_space = service.name_space,
                            .label_selector = StrCat(kube::kServiceNameLabel, "=", service.name)};
  slices_ = std::make_shared<Slices>(options_, std::move(service));
  Status status;
  RunOn(loop_, [&] {
    auto client = kube::ApiClient::Create(context_.loops, loop_, context_.clock, std::move(access));
    status = client.status();
    if (!client.ok()) return;
    client_ = *std::move(client);
    reflector_ = std::make_unique<kube::Reflector>(
        *client_, slices_,
        kube::ReflectorOptions{
            .resource = kube::kEndpointSlices, .selection = std::move(selection), .seed = context_.seed},
        [slices = slices_](const Status& state) { slices->SetTrouble(state); });
  });
  return status;
}

void K8sWatch::Run() {
  while (const auto outcome = slices_->Await()) {
    on_outcome_(*outcome);
    if (!told_.HasBeenNotified()) told_.Notify();
  }
}

void K8sWatch::Stop() {
  if (slices_ == nullptr) return;
  slices_->Stop();
  RunOn(loop_, [this] {
    reflector_.reset();
    client_.reset();
  });
  if (thread_.joinable()) thread_.join();
}

}  // namespace spanloom::pipeline
