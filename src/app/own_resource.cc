// SPDX-License-Identifier: Apache-2.0

#include "app/own_resource.h"

#include <absl/strings/ascii.h>

#include <map>

#include "app/version.h"
#include "sdk/resource.h"
#include "semconv/names.h"

namespace spanloom::app {
namespace {

std::string LabelName(std::string_view attribute) {
  std::string name(attribute);
  for (char& c : name) {
    if (!absl::ascii_isalnum(static_cast<unsigned char>(c))) c = '_';
  }
  return name;
}

}  // namespace

config::StringMap OwnResource(const config::StringMap& configured, Rng& rng) {
  std::map<std::string, std::string> attributes = {
      {std::string(semconv::resource::kServiceName), "spanloom"},
      {std::string(semconv::resource::kServiceVersion), Version()},
      {std::string(semconv::resource::kServiceInstanceId), sdk::NewInstanceId(rng)}};
  for (const auto& [name, value] : configured) attributes[name] = value;
  config::StringMap resource;
  for (const auto& [name, value] : attributes) {
    if (!value.empty()) resource.emplace_back(name, value);
  }
  return resource;
}

MetricLabels LabelsOf(const config::StringMap& resource, const pipeline::ResourceLabelsOptions& options) {
  MetricLabels labels;
  for (const auto& [name, value] : resource) {
    if (options.Takes(name)) labels.emplace_back(LabelName(name), value);
  }
  return labels;
}

}  // namespace spanloom::app
