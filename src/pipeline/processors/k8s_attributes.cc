// SPDX-License-Identifier: Apache-2.0

#include "pipeline/processors/k8s_attributes.h"

#include <absl/strings/numbers.h>

#include <optional>
#include <utility>

#include "base/text.h"
#include "otlp/writer.h"
#include "semconv/names.h"

namespace spanloom::pipeline {
namespace {

namespace semres = semconv::resource;
using Kind = otlp::ValueView::Kind;

constexpr std::string_view kPodIp = "k8s.pod.ip";
constexpr std::string_view kContainerName = "k8s.container.name";
constexpr std::string_view kContainerId = "container.id";

constexpr ComponentDoc kDoc = {
    .words =
        "Finds the pod that spans come from, by the connection or by attributes, and adds what Kubernetes knows of it "
        "to "
        "their resource; attributes that are there already stay. Put it before processors that hold spans. Each object "
        "is listed once and then watched, so the account needs the verbs get, list and watch: for pods; for "
        "replicasets (group apps), for k8s.deployment.* and service.name unless deployment_name_from_replicaset is "
        "set; for namespaces, nodes, deployments, statefulsets, daemonsets (apps), jobs and cronjobs (batch) where "
        "labels, annotations or a uid of theirs are asked for, k8s.cluster.uid being that of a namespace. A "
        "ClusterRole "
        "grants them, "
        "or with filter.namespace a Role there, but for namespaces and nodes. What is refused is named in the log and "
        "on the status page, with the rule that is missing.",
    .example = R"(processors:
  k8s_attributes:
    passthrough: true  # adds k8s.pod.ip alone; without it this runs in a cluster
    extract:
      metadata: [k8s.namespace.name, k8s.pod.name, k8s.pod.uid, k8s.node.name, k8s.deployment.name]
      labels:
        - tag_name: llm-d.role
          key: llm-d.ai/role
    pod_association:
      - sources:
          - from: resource_attribute
            name: k8s.pod.ip
      - sources:
          - from: connection
service:
  pipelines:
    traces:
      receivers: [otlp]
      processors: [k8s_attributes]
      exporters: [spanloom_store]
)",
};

// "10.0.0.7"; "" if it is not known.
std::string_view PeerAddressOf(const otlp::Slice& slice) {
  return slice.origin() == nullptr ? std::string_view() : slice.origin()->peer_address;
}

bool HasValue(const otlp::ResourceEditor& resource, std::string_view key) {
  const std::optional<otlp::ValueView> value = resource.FindAttribute(key);
  if (!value || value->kind() == Kind::kNone) return false;
  return value->kind() != Kind::kString || !value->string_value().empty();
}

void SetIfAbsent(otlp::ResourceEditor& resource, std::string_view key, std::string_view text) {
  if (!HasValue(resource, key)) resource.SetString(key, text);
}

void SetListIfAbsent(otlp::ResourceEditor& resource, std::string_view key, std::string_view text) {
  if (text.empty() || HasValue(resource, key)) return;
  resource.SetEncoded(key, otlp::EncodeArray([text](otlp::ArrayWriter& elements) { elements.String(text); }));
}

void SetAll(otlp::ResourceEditor& resource, const PackedTexts& attributes) {
  attributes.ForEach([&](std::string_view key, std::string_view text) { SetIfAbsent(resource, key, text); });
}

// Which container of the pod the resource means: the one that it names, or the only one; nullptr if that can't be said.
const K8sContainerRecord* ContainerOf(const otlp::ResourceEditor& resource, const K8sPodRecord& pod) {
  const std::string_view name = TextAttribute(resource, kContainerName);
  const std::string_view id = TextAttribute(resource, kContainerId);
  if (name.empty() && id.empty()) return pod.containers.size() == 1 ? pod.containers.data() : nullptr;
  for (const K8sContainerRecord& container : pod.containers) {
    if (name.empty() ? container.id == id : container.name == name) return &container;
  }
  return nullptr;
}

// True unless the resource says that it is another run of the container than the one that is known.
bool IsKnownRun(const otlp::ResourceEditor& resource, const K8sContainerRecord& container) {
  const std::optional<otlp::ValueView> value = resource.FindAttribute("k8s.container.restart_count");
  if (!value) return true;
  int64_t count = 0;
  if (value->kind() == Kind::kInt) {
    count = value->int_value();
  } else if (value->kind() != Kind::kString || !absl::SimpleAtoi(AbslView(value->string_value()), &count)) {
    return false;
  }
  return count == container.restart_count;
}

void AddContainer(otlp::ResourceEditor& resource, const K8sPodRecord& pod, const K8sMetadata& wants) {
  const K8sContainerRecord* const container = ContainerOf(resource, pod);
  if (container == nullptr) return;
  SetAll(resource, container->attributes);
  SetListIfAbsent(resource, "container.image.tags", container->image_tag);
  if (container->id.empty() || !IsKnownRun(resource, *container)) return;
  if (wants.container_id) SetIfAbsent(resource, kContainerId, container->id);
  SetListIfAbsent(resource, "container.image.repo_digests", container->repo_digest);
}

}  // namespace

K8sAttributesProcessor::K8sAttributesProcessor(const ComponentId& id, const K8sAttributesOptions& options,
                                               const BuildContext& context)
    : is_passthrough_(options.passthrough),
      rules_(std::make_shared<const K8sRules>(options)),
      associations_(options.pod_association),
      misses_(
          context.metrics.GetCounter("otelcol_otelsvc_k8s_ip_lookup_miss", "Number of times pod by IP lookup failed.")),
      cluster_(is_passthrough_ ? nullptr : std::make_unique<K8sCluster>(id.ToString(), options, rules_, context)) {}

K8sAttributesProcessor::~K8sAttributesProcessor() = default;

Status K8sAttributesProcessor::Start() {
  return cluster_ == nullptr ? absl::OkStatus() : cluster_->Start();
}

void K8sAttributesProcessor::Stop(std::chrono::milliseconds) {
  if (cluster_ != nullptr) cluster_->Stop();
}

Status K8sAttributesProcessor::Process(otlp::Batch& batch) {
  for (otlp::Slice& slice : batch.slices()) {
    const std::string_view peer_address = PeerAddressOf(slice);
    slice.EditResources([&](otlp::ResourceEditor& resource) { Add(resource, peer_address); });
  }
  return absl::OkStatus();
}

void K8sAttributesProcessor::Add(otlp::ResourceEditor& resource, std::string_view peer_address) {
  const auto identifier = associations_.IdentifierOf(resource, peer_address);
  if (identifier && !identifier->address.empty() && (is_passthrough_ || rules_->wants.pod_ip)) {
    SetIfAbsent(resource, kPodIp, identifier->address);
  }
  if (is_passthrough_) return;
  const K8sPodMirror::Object pod = AddPod(resource, identifier ? &*identifier : nullptr);
  AddNamespace(resource, pod.get());
  AddNode(resource, pod.get());
  AddOwners(resource, pod.get());
}

K8sPodMirror::Object K8sAttributesProcessor::AddPod(otlp::ResourceEditor& resource,
                                                    const K8sAssociations::Identifier* identifier) {
  if (identifier == nullptr) return nullptr;
  K8sPodMirror::Object pod = cluster_->FindPod(identifier->key);
  if (pod == nullptr) {
    misses_.Add(1);
    return nullptr;
  }
  if (pod->is_ignored) return nullptr;
  SetAll(resource, pod->attributes);
  if (rules_->wants.cluster_uid) {
    const auto system = cluster_->Find(K8sSource::kNamespace, "kube-system");
    if (system != nullptr) SetIfAbsent(resource, "k8s.cluster.uid", system->uid);
  }
  if (!pod->containers.empty()) AddContainer(resource, *pod, rules_->wants);
  return pod;
}

void K8sAttributesProcessor::AddNamespace(otlp::ResourceEditor& resource, const K8sPodRecord* pod) const {
  if (!rules_->Extracts(K8sSource::kNamespace) && !rules_->wants.service_namespace) return;
  const std::string name(pod != nullptr ? pod->name_space : TextAttribute(resource, semres::kNamespaceName));
  if (name.empty()) return;
  if (const auto found = cluster_->Find(K8sSource::kNamespace, name)) SetAll(resource, found->attributes);
  if (rules_->wants.service_namespace) SetIfAbsent(resource, "service.namespace", name);
}

void K8sAttributesProcessor::AddNode(otlp::ResourceEditor& resource, const K8sPodRecord* pod) const {
  if (!rules_->Needs(K8sSource::kNode)) return;
  const bool is_placed = pod != nullptr && !pod->node_name.empty();
  const auto found =
      cluster_->Find(K8sSource::kNode, is_placed ? pod->node_name : TextAttribute(resource, semres::kNodeName));
  if (found == nullptr) return;
  SetAll(resource, found->attributes);
  if (rules_->wants.node_uid) SetIfAbsent(resource, "k8s.node.uid", found->uid);
}

void K8sAttributesProcessor::AddOwners(otlp::ResourceEditor& resource, const K8sPodRecord* pod) const {
  static constexpr std::pair<K8sSource, std::string_view> kOwners[] = {{K8sSource::kDeployment, "deployment"},
                                                                       {K8sSource::kReplicaSet, "replicaset"},
                                                                       {K8sSource::kStatefulSet, "statefulset"},
                                                                       {K8sSource::kDaemonSet, "daemonset"},
                                                                       {K8sSource::kJob, "job"},
                                                                       {K8sSource::kCronJob, "cronjob"}};
  for (const auto& [source, text] : kOwners) {
    if (!rules_->Extracts(source)) continue;
    std::string_view uid = pod == nullptr ? std::string_view() : pod->owner_uids.Find(text);
    if (uid.empty()) uid = TextAttribute(resource, StrCat("k8s.", text, ".uid"));
    if (const auto found = cluster_->Find(source, uid)) SetAll(resource, found->attributes);
  }
}

void RegisterK8sAttributesProcessor(Registry& registry) {
  registry.processors.Add<K8sAttributesOptions>(
      "k8s_attributes", kDoc,
      [](const ComponentId& id, const K8sAttributesOptions& options, const BuildContext& context) {
        return std::make_unique<K8sAttributesProcessor>(id, options, context);
      });
  registry.processors.AddAlias("k8sattributes", "k8s_attributes");
}

}  // namespace spanloom::pipeline
