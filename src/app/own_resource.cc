// SPDX-License-Identifier: Apache-2.0

#include "app/own_resource.h"

#include <absl/strings/ascii.h>

#include <map>

#include "app/version.h"
#include "otlp/ids.h"
#include "otlp/writer.h"
#include "semconv/names.h"

namespace spanloom::app {
namespace {

// A random UUID (RFC 9562, version 4).
std::string InstanceId(Rng& rng) {
  otlp::TraceId bits;
  for (uint8_t& byte : bits.bytes) byte = static_cast<uint8_t>(rng.Below(256));
  bits.bytes[6] = static_cast<uint8_t>((bits.bytes[6] & 0x0f) | 0x40);
  bits.bytes[8] = static_cast<uint8_t>((bits.bytes[8] & 0x3f) | 0x80);
  std::string text = bits.Hex();
  for (const size_t dash : {8, 13, 18, 23}) text.insert(dash, 1, '-');
  return text;
}

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
      {std::string(semconv::resource::kServiceInstanceId), InstanceId(rng)}};
  for (const auto& [name, value] : configured) attributes[name] = value;
  config::StringMap resource;
  for (const auto& [name, value] : attributes) {
    if (!value.empty()) resource.emplace_back(name, value);
  }
  return resource;
}

std::string EncodeResource(const config::StringMap& resource) {
  return otlp::EncodeResource([&](otlp::AttributeWriter& writer) {
    for (const auto& [name, value] : resource) writer.String(name, value);
  });
}

MetricLabels LabelsOf(const config::StringMap& resource, const pipeline::ResourceLabelsOptions& options) {
  MetricLabels labels;
  for (const auto& [name, value] : resource) {
    if (options.Takes(name)) labels.emplace_back(LabelName(name), value);
  }
  return labels;
}

}  // namespace spanloom::app
