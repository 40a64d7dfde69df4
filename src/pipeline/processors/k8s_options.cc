// SPDX-License-Identifier: Apache-2.0

#include "pipeline/processors/k8s_options.h"

#include <absl/algorithm/container.h>
#include <absl/strings/str_join.h>

#include <cstdlib>

#include "base/text.h"
#include "pipeline/processors/k8s_rules.h"
#include "pipeline/processors/pattern.h"

namespace spanloom::pipeline {
namespace {

constexpr std::string_view kLabelOperators[] = {"equals", "not-equals", "exists", "does-not-exist"};
constexpr std::string_view kFieldOperators[] = {"equals", "not-equals"};
constexpr std::string_view kAssociationSources[] = {"connection", "resource_attribute"};
constexpr std::string_view kAuthTypes[] = {"serviceAccount", "kubeConfig", "none"};

Status CheckMetadata(const std::string& name) {
  if (K8sMetadata::IsKnown(name)) return absl::OkStatus();
  return absl::InvalidArgumentError(StrCat("\"", name, "\" is not a supported metadata field"));
}

// kInvalidArgument, which names `key`, unless `value` is one of `words`.
template <size_t kCount>
Status CheckWord(std::string_view key, const std::string& value, const std::string_view (&words)[kCount]) {
  if (absl::c_linear_search(words, value)) return absl::OkStatus();
  std::string list;
  for (const std::string_view word : words) StrAppend(list, list.empty() ? "" : ", ", word);
  return absl::InvalidArgumentError(StrCat(key, " must be one of ", list, ", got \"", value, "\""));
}

// A value of a field selector, in which these characters mean something.
std::string EscapedFieldValue(std::string_view value) {
  std::string escaped;
  for (const char c : value) {
    if (c == '\\' || c == ',' || c == '=') escaped += '\\';
    escaped += c;
  }
  return escaped;
}

std::string LabelTerm(const K8sLabelFilterOptions& filter) {
  if (filter.op == "exists") return filter.key;
  if (filter.op == "does-not-exist") return "!" + filter.key;
  return StrCat(filter.key, filter.op == "equals" ? "=" : "!=", filter.value);
}

std::string FieldTerm(const K8sFieldFilterOptions& filter) {
  return StrCat(filter.key, filter.op == "equals" ? "=" : "!=", EscapedFieldValue(filter.value));
}

}  // namespace

void K8sFieldOptions::Declare(config::OptionsReader& r) {
  r.Field("tag_name", tag_name,
          "The attribute; left out: k8s.FROM.labels.KEY or k8s.FROM.annotations.KEY of a pod, namespace or node, "
          "k8s.FROM.label.KEY or k8s.FROM.annotation.KEY of others. With a key_regex that has groups, $1 or ${name} in "
          "it stand for them; with one that has none, it is as if it was left out.");
  r.Field("key", key, "The label or annotation.");
  r.Field("key_regex", key_regex,
          "A regular expression for whole keys, in place of key; those without a value are left out.");
  r.Field("from", from,
          "Whose it is: that of the pod, namespace, node, deployment, replicaset, statefulset, daemonset, job or "
          "cronjob.");
}

Status K8sFieldOptions::Validate() const {
  if (!key.empty() && !key_regex.empty()) {
    return absl::InvalidArgumentError("key_regex cannot be used together with key; write one of them");
  }
  if (key.empty() && key_regex.empty()) return absl::InvalidArgumentError("key or key_regex must be set");
  if (!SourceOfText(from)) {
    return absl::InvalidArgumentError(StrCat("from must be one of ", K8sSourceTexts(), ", got \"", from, "\""));
  }
  return CheckPatternOf("key_regex", key_regex);
}

K8sExtractOptions::K8sExtractOptions()
    : metadata({"k8s.namespace.name", "k8s.pod.name", "k8s.pod.uid", "k8s.pod.start_time", "k8s.deployment.name",
                "k8s.node.name", "container.image.name", "container.image.tag"}) {}

void K8sExtractOptions::Declare(config::OptionsReader& r) {
  r.Field(
      "metadata", metadata,
      "Attributes that are added: k8s.pod.name, uid, ip, hostname and start_time; k8s.namespace.name; k8s.node.name "
      "and uid; k8s.deployment, replicaset, statefulset, daemonset, job and cronjob, each name and uid; "
      "k8s.cluster.uid; k8s.container.name, container.id, container.image.name, tag, tags and repo_digests; "
      "service.namespace, name, version and instance.id, as the semantic conventions derive them.",
      CheckMetadata);
  r.Field("labels", labels, "Labels that are added.");
  r.Field("annotations", annotations, "Annotations that are added.");
  r.Field("otel_annotations", otel_annotations,
          "Whether a pod's annotation resource.opentelemetry.io/NAME is added as NAME.");
  r.Field(
      "deployment_name_from_replicaset", deployment_name_from_replicaset,
      "Whether a deployment's name is that of the ReplicaSet without its hash; then ReplicaSets are not watched. The "
      "hash is the pod's label pod-template-hash; of a pod without it, ten small letters and digits.");
}

void K8sLabelFilterOptions::Declare(config::OptionsReader& r) {
  r.Field("key", key, "The label.");
  r.Field("value", value, "Its value.");
  r.Field("op", op, "equals, not-equals, exists or does-not-exist.");
}

Status K8sLabelFilterOptions::Validate() const {
  if (key.empty()) return absl::InvalidArgumentError("key must be set");
  return CheckWord("op", op, kLabelOperators);
}

void K8sFieldFilterOptions::Declare(config::OptionsReader& r) {
  r.Field("key", key, "The field that the API server can select by, such as status.phase.");
  r.Field("value", value, "Its value.");
  r.Field("op", op, "equals or not-equals.");
}

Status K8sFieldFilterOptions::Validate() const {
  if (key.empty()) return absl::InvalidArgumentError("key must be set");
  return CheckWord("op", op, kFieldOperators);
}

void K8sFilterOptions::Declare(config::OptionsReader& r) {
  r.Field("node", node, "Pods of this node alone.");
  r.Field("node_from_env_var", node_from_env_var,
          "Pods of the node that this environment variable names, alone; of all, with a warning, if it is not set.");
  r.Field("namespace", name_space, "Pods of this namespace alone; then a Role in it is enough for them.");
  r.Field("labels", labels, "Pods whose labels are like that.");
  r.Field("fields", fields, "Pods whose fields are like that.");
}

bool K8sFilterOptions::IsNodeUnknown() const {
  return !node_from_env_var.empty() && std::getenv(node_from_env_var.c_str()) == nullptr;
}

std::string K8sFilterOptions::NodeName() const {
  if (node_from_env_var.empty()) return node;
  const char* const value = std::getenv(node_from_env_var.c_str());
  return value == nullptr ? "" : value;
}

kube::Selection K8sFilterOptions::PodSelection() const {
  std::vector<std::string> label_terms;
  for (const K8sLabelFilterOptions& filter : labels) label_terms.push_back(LabelTerm(filter));
  std::vector<std::string> field_terms;
  for (const K8sFieldFilterOptions& filter : fields) field_terms.push_back(FieldTerm(filter));
  if (const std::string name = NodeName(); !name.empty()) {
    field_terms.push_back(StrCat("spec.nodeName=", EscapedFieldValue(name)));
  }
  return {.name_space = name_space,
          .label_selector = absl::StrJoin(label_terms, ","),
          .field_selector = absl::StrJoin(field_terms, ",")};
}

void K8sAssociationSourceOptions::Declare(config::OptionsReader& r) {
  r.Field("from", from, "connection, the address that the spans came from; or resource_attribute.");
  r.Field("name", name, "The attribute; of connection it says nothing.");
}

Status K8sAssociationSourceOptions::Validate() const {
  RETURN_IF_ERROR(CheckWord("from", from, kAssociationSources));
  if (from == "resource_attribute" && name.empty()) {
    return absl::InvalidArgumentError("name must be set with from: resource_attribute");
  }
  return absl::OkStatus();
}

void K8sAssociationOptions::Declare(config::OptionsReader& r) {
  r.Field("sources", sources, "What all must be those of the pod; at most 4.");
}

Status K8sAssociationOptions::Validate() const {
  if (sources.empty()) return absl::InvalidArgumentError("sources must name at least one");
  if (sources.size() > kSourcesMax) {
    return absl::InvalidArgumentError(StrCat("sources are too many: ", sources.size(), ", the limit is ", kSourcesMax));
  }
  return absl::OkStatus();
}

void K8sExcludedPodOptions::Declare(config::OptionsReader& r) {
  r.Field("name", name, "A regular expression that matches somewhere in the pod's name.");
}

Status K8sExcludedPodOptions::Validate() const {
  if (name.empty()) return absl::InvalidArgumentError("name must be set");
  return CheckPatternOf("name", name);
}

void K8sExcludeOptions::Declare(config::OptionsReader& r) {
  r.Field("pods", pods, "Pods that nothing is said of; left out: jaeger-agent and jaeger-collector.");
}

void K8sAttributesOptions::Declare(config::OptionsReader& r) {
  r.Field("auth_type", auth_type,
          "Who asks the API server: serviceAccount, that of the pod; kubeConfig, a user of a kubeconfig; none.");
  r.Field("context", context, "With kubeConfig: the context, in place of the current one.");
  r.Field("kube_config_path", kube_config_path,
          "With kubeConfig: the file, in place of the first one of $KUBECONFIG, or ~/.kube/config.");
  r.Field("passthrough", passthrough,
          "Whether only the address is added that spans came from, as k8s.pod.ip, and the API server is not asked.");
  r.Field("extract", extract, "What is added.");
  r.Field("filter", filter, "The pods that are known.");
  r.Field("pod_association", pod_association,
          "How the pod of a resource is found: by the first of these whose sources all say something. Left out: by the "
          "attributes k8s.pod.ip or ip, the connection, or host.name if it is an address.");
  r.Field("exclude", exclude, "Pods that are left alone.");
  r.Field("wait_for_metadata", wait_for_metadata, "Whether the start waits until the pods are known.");
  r.Field("wait_for_metadata_timeout", wait_for_metadata_timeout, "How long it waits before it fails.");
  r.Field("pod_delete_grace_period", pod_delete_grace_period,
          "How long a pod that is deleted is still known, for spans that come late.");
  r.Field(
      "watch_sync_period", watch_sync_period,
      "How often the Collector goes over what it knows of the cluster once more. What is known here is never behind "
      "what the watches said, so that would change nothing: any time is taken.",
      {.min = std::chrono::nanoseconds(0)});
  for (const char* name : {"kube_api_qps", "kube_api_burst"}) {
    r.Unsupported(name, "remove it; each kind of object is listed once and then watched, which is a request in minutes",
                  "0");
  }
}

Status K8sAttributesOptions::Validate() const {
  if (auth_type == "tls") {
    return absl::InvalidArgumentError(
        "auth_type tls is not supported by this version: write kubeConfig, and name the client certificate there");
  }
  RETURN_IF_ERROR(CheckWord("auth_type", auth_type, kAuthTypes));
  if (auth_type != "kubeConfig" && !(context.empty() && kube_config_path.empty())) {
    return absl::InvalidArgumentError(
        StrCat(context.empty() ? "kube_config_path" : "context", " goes with auth_type: kubeConfig alone"));
  }
  return absl::OkStatus();
}

}  // namespace spanloom::pipeline
