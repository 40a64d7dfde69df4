// SPDX-License-Identifier: Apache-2.0

#include "pipeline/processors/k8s_associations.h"

#include <arpa/inet.h>

#include <utility>

#include "semconv/names.h"

namespace spanloom::pipeline {
namespace {

constexpr std::string_view kConnection = "connection";
constexpr std::string_view kPodIp = "k8s.pod.ip";
constexpr std::string_view kIp = "ip";
constexpr std::string_view kHostName = "host.name";

bool IsAddress(std::string_view text) {
  in6_addr address;
  const std::string name(text);
  return inet_pton(AF_INET, name.c_str(), &address) == 1 || inet_pton(AF_INET6, name.c_str(), &address) == 1;
}

// The key of an association begins with its number.
std::string KeyBegin(size_t index) {
  return {static_cast<char>(index & 0xff), static_cast<char>(index >> 8)};
}

// Values follow each other, each with an end that is in none of them.
std::string Extended(const std::string& key, std::string_view value) {
  std::string extended = key;
  extended += value;
  extended += '\0';
  return extended;
}

// What a source may say of `pod`.
std::vector<std::string> ValuesOf(const K8sAssociationSourceOptions& source, const K8sPodRecord& pod) {
  if (source.from == kConnection) {
    // All pods on the network of a node have its address.
    return pod.is_on_host_network ? std::vector<std::string>() : pod.ips;
  }
  if (source.name == kPodIp || source.name == kIp || source.name == kHostName) return pod.ips;
  if (source.name == semconv::resource::kNamespaceName) return {pod.name_space};
  if (source.name == semconv::resource::kPodName) return {pod.name};
  if (source.name == "k8s.pod.uid") return {pod.uid};
  std::vector<std::string> values;
  if (source.name == "container.id") {
    for (const K8sContainerRecord& container : pod.containers) values.push_back(container.id);
    return values;
  }
  values.emplace_back(pod.attributes.Find(source.name));
  return values;
}

void AddKeys(size_t index, const K8sAssociationOptions& association, const K8sPodRecord& pod,
             std::vector<std::string>& keys) {
  std::vector<std::string> begun = {KeyBegin(index)};
  for (const K8sAssociationSourceOptions& source : association.sources) {
    std::vector<std::string> extended;
    for (const std::string& value : ValuesOf(source, pod)) {
      if (value.empty()) continue;
      for (const std::string& key : begun) extended.push_back(Extended(key, value));
    }
    begun = std::move(extended);
  }
  keys.insert(keys.end(), begun.begin(), begun.end());
}

}  // namespace

std::string_view TextAttribute(const otlp::ResourceEditor& resource, std::string_view key) {
  const std::optional<otlp::ValueView> value = resource.FindAttribute(key);
  if (!value || value->kind() != otlp::ValueView::Kind::kString) return {};
  return value->string_value();
}

K8sAssociations::K8sAssociations(std::vector<K8sAssociationOptions> associations)
    : associations_(std::move(associations)), is_default_(associations_.empty()) {
  if (is_default_) associations_.push_back({.sources = {{.from = std::string(kConnection), .name = ""}}});
}

std::vector<std::string> K8sAssociations::KeysOf(const K8sPodRecord& pod) const {
  std::vector<std::string> keys;
  for (size_t i = 0; i < associations_.size(); ++i) AddKeys(i, associations_[i], pod, keys);
  return keys;
}

std::optional<K8sAssociations::Identifier> K8sAssociations::IdentifierOf(const otlp::ResourceEditor& resource,
                                                                         std::string_view peer_address) const {
  if (!is_default_) {
    for (size_t i = 0; i < associations_.size(); ++i) {
      if (auto identifier = IdentifierBy(i, resource, peer_address)) return identifier;
    }
    return std::nullopt;
  }
  // What an agent in front of us found out goes before the agent's own address.
  const std::string_view host_name = TextAttribute(resource, kHostName);
  for (const std::string_view address : {TextAttribute(resource, kPodIp), TextAttribute(resource, kIp), peer_address,
                                         IsAddress(host_name) ? host_name : std::string_view()}) {
    if (address.empty()) continue;
    return Identifier{.key = Extended(KeyBegin(0), address), .address = std::string(address)};
  }
  return std::nullopt;
}

std::optional<K8sAssociations::Identifier> K8sAssociations::IdentifierBy(size_t index,
                                                                         const otlp::ResourceEditor& resource,
                                                                         std::string_view peer_address) const {
  Identifier identifier = {.key = KeyBegin(index), .address = ""};
  for (const K8sAssociationSourceOptions& source : associations_[index].sources) {
    const bool is_connection = source.from == kConnection;
    const std::string_view value = is_connection ? peer_address : TextAttribute(resource, source.name);
    if (value.empty() || (source.name == kHostName && !is_connection && !IsAddress(value))) return std::nullopt;
    if (is_connection) identifier.address = value;
    identifier.key = Extended(identifier.key, value);
  }
  return identifier;
}

}  // namespace spanloom::pipeline
