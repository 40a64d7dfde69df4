// SPDX-License-Identifier: Apache-2.0

#include "pipeline/processors/k8s_cluster.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "base/text.h"
#include "kube/cluster_access.h"
#include "net/loop_call.h"

namespace spanloom::pipeline {
namespace {

constexpr std::chrono::seconds kPodsPatience{5};  // that pods wait for what they are read with; the Collector's
constexpr std::chrono::nanoseconds kExpiryMax = std::chrono::seconds(30);  // between two looks; the Collector's
constexpr int kExpiriesOfGrace = 4;                                        // looks within a short grace; guess
constexpr std::string_view kSystemNamespace = "kube-system";

// [kK8sSources].
constexpr kube::Resource kResources[] = {kube::kPods,        kube::kNamespaces,  kube::kNodes,
                                         kube::kDeployments, kube::kReplicaSets, kube::kStatefulSets,
                                         kube::kDaemonSets,  kube::kJobs,        kube::kCronJobs};
static_assert(std::size(kResources) == kK8sSources);

// In the names of metrics: [kK8sSources].
constexpr std::string_view kMetricWords[] = {"pod",         "namespace", "node", "deployment", "replicaset",
                                             "statefulset", "daemonset", "job",  "cronjob"};
static_assert(std::size(kMetricWords) == kK8sSources);

}  // namespace

// The registry outlives the loops' workers only until Stop: hence the gate.
struct K8sCluster::ChangeCounters {
  Counter& added;
  Counter& updated;
  Counter& deleted;

  template <typename Difference>
  void Count(std::span<const Difference> differences) const {
    for (const Difference& difference : differences) {
      const bool is_new = difference.before == nullptr;
      (is_new ? added : difference.after == nullptr ? deleted : updated).Add(1);
    }
  }
};

K8sCluster::K8sCluster(const std::string& id, const K8sAttributesOptions& options,
                       std::shared_ptr<const K8sRules> rules, const BuildContext& context)
    : id_(id),
      options_(options),
      rules_(std::move(rules)),
      context_(context),
      loop_(context.loops.Next()),
      pods_(std::make_shared<K8sPodTable>(K8sAssociations(rules_->associations), context.clock,
                                          options.pod_delete_grace_period)) {
  MakeMirrors();
}

K8sCluster::~K8sCluster() {
  Stop();
}

std::shared_ptr<K8sCluster::ChangeCounters> K8sCluster::CountersOf(K8sSource source) const {
  const std::string_view word = kMetricWords[static_cast<size_t>(source)];
  const auto counter = [&](std::string_view event, std::string_view verb) -> Counter& {
    return context_.metrics.GetCounter(StrCat("otelcol_otelsvc_k8s_", word, "_", event),
                                       StrCat("Number of ", word, " ", verb, " events received."));
  };
  return std::make_shared<ChangeCounters>(
      ChangeCounters{counter("added", "add"), counter("updated", "update"), counter("deleted", "delete")});
}

void K8sCluster::MakeMirrors() {
  for (size_t i = 0; i < kK8sSources; ++i) {
    const auto source = static_cast<K8sSource>(i);
    if (source == K8sSource::kPod || !rules_->Needs(source)) continue;
    objects_[i] = std::make_shared<K8sObjectMirror>(
        K8sObjectDecoder(rules_, source),
        [gate = gate_, counters = CountersOf(source)](std::span<const K8sObjectMirror::Difference> differences) {
          const MutexLock lock(gate->mutex);
          if (gate->is_open) counters->Count(differences);
        });
  }
  pod_mirror_ = std::make_shared<K8sPodMirror>(K8sPodDecoder(rules_, objects_),
                                               [gate = gate_, pods = pods_, counters = CountersOf(K8sSource::kPod)](
                                                   std::span<const K8sPodMirror::Difference> differences) {
                                                 const MutexLock lock(gate->mutex);
                                                 if (!gate->is_open) return;
                                                 pods->Apply(differences);
                                                 counters->Count(differences);
                                               });
  table_size_ = context_.metrics.AddGauge("otelcol_otelsvc_k8s_pod_table_size", "Size of table containing pod info.",
                                          {}, [pods = pods_] { return static_cast<double>(pods->size()); });
}

StatusOr<kube::ClusterAccess> K8sCluster::Access() const {
  const kube::Surroundings surroundings = kube::Surroundings::OfThisProcess();
  if (options_.auth_type == "kubeConfig") {
    return kube::KubeconfigAccess(options_.kube_config_path, options_.context, surroundings);
  }
  return options_.auth_type == "none" ? kube::AnonymousAccess(surroundings) : kube::InClusterAccess(surroundings);
}

Status K8sCluster::Start() {
  if (options_.filter.IsNodeUnknown()) {
    Log(LogLevel::kWarn, "the variable that is to name the node is not set; pods of all nodes are watched",
        {{"processor", id_},
         {"node_from_env_var", options_.filter.node_from_env_var},
         {"advice", "add it to the container: valueFrom: {fieldRef: {fieldPath: spec.nodeName}}"}});
  }
  ASSIGN_OR_RETURN(kube::ClusterAccess access, Access());
  Status status;
  RunOn(loop_, [&] {
    auto client = kube::ApiClient::Create(context_.loops, loop_, context_.clock, std::move(access));
    status = client.status();
    if (!client.ok()) return;
    client_ = *std::move(client);
    StartWatches();
    ExpireLater();
  });
  RETURN_IF_ERROR(status);
  return options_.wait_for_metadata ? WaitForPods() : absl::OkStatus();
}

Status K8sCluster::WaitForPods() {
  const MutexLock lock(mutex_);
  const auto is_known = [this]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) { return is_known_; };
  if (mutex_.AwaitFor(is_known, options_.wait_for_metadata_timeout)) return absl::OkStatus();
  return absl::UnavailableError(StrCat("the pods of the cluster are not known within wait_for_metadata_timeout",
                                       trouble_.ok() ? std::string() : StrCat(": ", StdView(trouble_.message()))));
}

void K8sCluster::Stop() {
  RunOn(loop_, [this] {
    patience_.Cancel();
    expiry_.Cancel();
    for (Watch& watch : watches_) watch.reflector.reset();
    client_.reset();
  });
  const MutexLock lock(gate_->mutex);
  gate_->is_open = false;
}

kube::Selection K8sCluster::SelectionOf(K8sSource source) const {
  const std::string& name_space = options_.filter.name_space;
  switch (source) {
    case K8sSource::kPod:
      return options_.filter.PodSelection();
    case K8sSource::kNamespace:
      if (!rules_->Extracts(source)) return {.field_selector = StrCat("metadata.name=", kSystemNamespace)};
      if (name_space.empty() || rules_->wants.cluster_uid) return {};
      return {.field_selector = StrCat("metadata.name=", name_space)};
    case K8sSource::kNode: {
      const std::string node = options_.filter.NodeName();
      if (node.empty()) return {};
      return {.field_selector = StrCat("metadata.name=", node)};
    }
    default:
      return {.name_space = name_space};
  }
}

void K8sCluster::StartWatches() {
  for (size_t i = 0; i < kK8sSources; ++i) {
    if (objects_[i] != nullptr) StartWatch(static_cast<K8sSource>(i), objects_[i]);
  }
  patience_ = loop_.PostAfter(kPodsPatience, [this] { StartPods(); });
  StartPodsIfDue();
}

void K8sCluster::StartWatch(K8sSource source, std::shared_ptr<kube::ReflectorSink> sink) {
  const auto index = static_cast<size_t>(source);
  Watch& watch = watches_[index];
  watch.resource = kResources[index];
  watch.log_limiter = std::make_unique<LogLimiter>(context_.clock, std::chrono::minutes(1));
  watch.reflector = std::make_unique<kube::Reflector>(
      *client_, std::move(sink),
      kube::ReflectorOptions{
          .resource = watch.resource, .selection = SelectionOf(source), .seed = context_.seed + index},
      [this, source](const Status& status) { OnState(source, status); });
}

// What pods are read with comes first: a pod does not show its Deployment otherwise.
void K8sCluster::StartPodsIfDue() {
  for (size_t i = 0; i < kK8sSources; ++i) {
    if (objects_[i] != nullptr && !watches_[i].is_synced) return;
  }
  StartPods();
}

void K8sCluster::StartPods() {
  patience_.Cancel();
  if (watches_[static_cast<size_t>(K8sSource::kPod)].reflector == nullptr) StartWatch(K8sSource::kPod, pod_mirror_);
}

void K8sCluster::OnState(K8sSource source, const Status& status) {
  Watch& watch = watches_[static_cast<size_t>(source)];
  watch.is_in_trouble = !status.ok();
  if (status.ok()) {
    watch.is_synced = true;
    if (source == K8sSource::kPod) {
      const MutexLock lock(mutex_);
      is_known_ = true;
    } else {
      StartPodsIfDue();
    }
    return ReportState();
  }
  {
    const MutexLock lock(mutex_);
    trouble_ = status;
  }
  context_.status.ReportRecoverable(status);
  if (watch.log_limiter->Admit(1)) {
    Log(LogLevel::kWarn, "can't learn from the API server; trying again",
        {{"processor", id_}, {"resource", watch.resource.plural}, {"error", StdView(status.message())}});
  }
}

void K8sCluster::ReportState() {
  const bool is_well =
      std::none_of(watches_.begin(), watches_.end(), [](const Watch& watch) { return watch.is_in_trouble; });
  if (is_well) context_.status.ReportOk();
}

void K8sCluster::ExpireLater() {
  const std::chrono::nanoseconds wait = std::min(kExpiryMax, options_.pod_delete_grace_period / kExpiriesOfGrace);
  expiry_ = loop_.PostAfter(std::max<std::chrono::nanoseconds>(wait, std::chrono::milliseconds(1)), [this] {
    if (!context_.loops.workers().Submit([pods = pods_] { pods->Expire(); })) pods_->Expire();
    ExpireLater();
  });
}

K8sObjectMirror::Object K8sCluster::Find(K8sSource source, std::string_view key) const {
  const auto& mirror = objects_[static_cast<size_t>(source)];
  return mirror == nullptr || key.empty() ? nullptr : mirror->Find(key);
}

}  // namespace spanloom::pipeline
