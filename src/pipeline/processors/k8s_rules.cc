// SPDX-License-Identifier: Apache-2.0

#include "pipeline/processors/k8s_rules.h"

#include <absl/algorithm/container.h>
#include <absl/strings/ascii.h>

#include <utility>

#include "base/check.h"
#include "base/text.h"
#include "ottl/replacement.h"

namespace spanloom::pipeline {
namespace {

constexpr std::array<std::string_view, kK8sSources> kSourceTexts = {
    "pod", "namespace", "node", "deployment", "replicaset", "statefulset", "daemonset", "job", "cronjob"};

constexpr std::string_view kOtelPrefix = "resource.opentelemetry.io/";
// The first is what the Collector looks for, the second what its documents say.
constexpr std::string_view kIgnoreAnnotations[] = {"opentelemetry.io/k8s-processor/ignore",
                                                   "opentelemetry.io/k8s-processor.ignore"};
constexpr std::string_view kExcludedByDefault[] = {"jaeger-agent", "jaeger-collector"};

using M = K8sMetadata;
constexpr std::pair<std::string_view, bool M::*> kMetadata[] = {
    {"k8s.pod.name", &M::pod_name},
    {"k8s.pod.uid", &M::pod_uid},
    {"k8s.pod.ip", &M::pod_ip},
    {"k8s.pod.hostname", &M::pod_host_name},
    {"k8s.pod.start_time", &M::pod_start_time},
    {"k8s.namespace.name", &M::namespace_name},
    {"k8s.node.name", &M::node_name},
    {"k8s.node.uid", &M::node_uid},
    {"k8s.cluster.uid", &M::cluster_uid},
    {"k8s.deployment.name", &M::deployment_name},
    {"k8s.deployment.uid", &M::deployment_uid},
    {"k8s.replicaset.name", &M::replicaset_name},
    {"k8s.replicaset.uid", &M::replicaset_uid},
    {"k8s.statefulset.name", &M::statefulset_name},
    {"k8s.statefulset.uid", &M::statefulset_uid},
    {"k8s.daemonset.name", &M::daemonset_name},
    {"k8s.daemonset.uid", &M::daemonset_uid},
    {"k8s.job.name", &M::job_name},
    {"k8s.job.uid", &M::job_uid},
    {"k8s.cronjob.name", &M::cronjob_name},
    {"k8s.cronjob.uid", &M::cronjob_uid},
    {"k8s.container.name", &M::container_name},
    {"container.id", &M::container_id},
    {"container.image.name", &M::image_name},
    {"container.image.tag", &M::image_tag},
    {"container.image.tags", &M::image_tags},
    {"container.image.repo_digests", &M::image_repo_digests},
    {"service.namespace", &M::service_namespace},
    {"service.name", &M::service_name},
    {"service.version", &M::service_version},
    {"service.instance.id", &M::service_instance_id},
};

// "k8s.pod.labels.", "k8s.deployment.label.": how an attribute begins that is named by its key. Pods, namespaces and
// nodes had theirs before the conventions chose the singular.
std::string NamePrefix(K8sSource source, std::string_view singular) {
  const bool is_plural = source <= K8sSource::kNode;
  return StrCat("k8s.", kSourceTexts[static_cast<size_t>(source)], ".", singular, is_plural ? "s." : ".");
}

std::vector<std::string> ExcludedNames(const K8sExcludeOptions& options) {
  std::vector<std::string> names;
  for (const K8sExcludedPodOptions& pod : options.pods) names.push_back(pod.name);
  if (names.empty()) names.assign(std::begin(kExcludedByDefault), std::end(kExcludedByDefault));
  return names;
}

void AddRules(const std::vector<K8sFieldOptions>& options, std::string_view singular,
              std::array<std::vector<K8sFieldRule>, kK8sSources>& rules) {
  for (const K8sFieldOptions& rule : options) {
    rules[static_cast<size_t>(*SourceOfText(rule.from))].emplace_back(rule, singular);
  }
}

}  // namespace

std::optional<K8sSource> SourceOfText(std::string_view text) {
  const auto found = absl::c_find(kSourceTexts, text);
  if (found == kSourceTexts.end()) return std::nullopt;
  return static_cast<K8sSource>(found - kSourceTexts.begin());
}

std::string K8sSourceTexts() {
  std::string texts;
  for (const std::string_view text : kSourceTexts) StrAppend(texts, texts.empty() ? "" : ", ", text);
  return texts;
}

K8sMetadata::K8sMetadata(const std::vector<std::string>& names) {
  for (const auto& [name, member] : kMetadata) this->*member = absl::c_linear_search(names, name);
}

bool K8sMetadata::IsKnown(std::string_view name) {
  return absl::c_any_of(kMetadata, [name](const auto& known) { return known.first == name; });
}

void AttributeTexts::Set(std::string_view key, std::string_view text) {
  for (auto& [known, value] : texts_) {
    if (known != key) continue;
    value = text;
    return;
  }
  texts_.emplace_back(key, text);
}

K8sFieldRule::K8sFieldRule(const K8sFieldOptions& options, std::string_view singular)
    : name_(options.tag_name), key_(options.key), prefix_(NamePrefix(*SourceOfText(options.from), singular)) {
  is_named_by_key_ = name_.empty();
  if (options.key_regex.empty()) return;
  auto pattern = ottl::Pattern::Compile("key_regex", StrCat("^(?:", options.key_regex, ")$"));
  CHECK(pattern.ok());
  pattern_ = *std::move(pattern);
  is_named_by_key_ = name_.empty() || pattern_->re2().NumberOfCapturingGroups() == 0;
}

K8sFieldRule K8sFieldRule::OfPrefix(std::string_view prefix) {
  K8sFieldRule rule("$1");
  auto pattern = ottl::Pattern::Compile("prefix", StrCat("^\\Q", prefix, "\\E(.+)$"));
  CHECK(pattern.ok());
  rule.pattern_ = *std::move(pattern);
  return rule;
}

void K8sFieldRule::Extract(const kube::TextMap& fields, AttributeTexts& attributes) const {
  if (pattern_ == nullptr) {
    const std::string_view* const text = kube::FindText(fields, key_);
    if (text != nullptr) attributes.Set(is_named_by_key_ ? prefix_ + key_ : name_, *text);
    return;
  }
  for (const auto& [key, text] : fields) {
    if (text.empty() || !pattern_->Matches(key)) continue;
    if (is_named_by_key_) {
      attributes.Set(StrCat(prefix_, key), text);
      continue;
    }
    // The pattern is of the whole key, so that what replaces it is the name.
    const auto name = ottl::ReplaceMatches(*pattern_, key, [this](const ottl::PatternMatch& match) {
      return std::optional<std::string>(ottl::Expand(name_, match));
    });
    if (name && !name->empty()) attributes.Set(*name, text);
  }
}

K8sRules::K8sRules(const K8sAttributesOptions& options)
    : wants(options.extract.metadata),
      deployment_name_from_replicaset(options.extract.deployment_name_from_replicaset),
      associations(options.pod_association),
      excluded_(ExcludedNames(options.exclude)) {
  AddRules(options.extract.labels, "label", labels_);
  AddRules(options.extract.annotations, "annotation", annotations_);
  if (options.extract.otel_annotations) {
    annotations_[static_cast<size_t>(K8sSource::kPod)].push_back(K8sFieldRule::OfPrefix(kOtelPrefix));
  }
}

bool K8sRules::Extracts(K8sSource source) const {
  const auto index = static_cast<size_t>(source);
  return !labels_[index].empty() || !annotations_[index].empty();
}

bool K8sRules::Needs(K8sSource source) const {
  if (Extracts(source)) return true;
  switch (source) {
    case K8sSource::kPod:
      return true;
    case K8sSource::kNamespace:
      return wants.cluster_uid;
    case K8sSource::kNode:
      return wants.node_uid;
    case K8sSource::kReplicaSet:
      return wants.deployment_uid || Extracts(K8sSource::kDeployment) ||
             ((wants.deployment_name || wants.service_name) && !deployment_name_from_replicaset);
    case K8sSource::kJob:
      return wants.cronjob_uid || Extracts(K8sSource::kCronJob);
    default:
      return false;
  }
}

void K8sRules::ExtractLabels(K8sSource source, const kube::ObjectMeta& meta, AttributeTexts& attributes) const {
  for (const K8sFieldRule& rule : labels_[static_cast<size_t>(source)]) rule.Extract(meta.labels, attributes);
}

void K8sRules::ExtractAnnotations(K8sSource source, const kube::ObjectMeta& meta, AttributeTexts& attributes) const {
  for (const K8sFieldRule& rule : annotations_[static_cast<size_t>(source)]) rule.Extract(meta.annotations, attributes);
}

bool K8sRules::Ignores(const kube::Pod& pod) const {
  for (const std::string_view annotation : kIgnoreAnnotations) {
    const std::string_view* const text = kube::FindText(pod.meta.annotations, annotation);
    if (text == nullptr) continue;
    if (absl::AsciiStrToLower(absl::StripAsciiWhitespace(AbslView(*text))) == "true") return true;
  }
  return excluded_.AnyMatches(pod.meta.name);
}

}  // namespace spanloom::pipeline
