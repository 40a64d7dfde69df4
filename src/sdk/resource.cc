// SPDX-License-Identifier: Apache-2.0

#include "sdk/resource.h"

#include <map>
#include <string_view>

#include "base/check.h"
#include "base/text.h"
#include "otlp/ids.h"
#include "otlp/writer.h"
#include "semconv/names.h"

namespace spanloom::sdk {

std::string NewInstanceId(Rng& rng) {
  otlp::TraceId bits;
  for (uint8_t& byte : bits.bytes) byte = static_cast<uint8_t>(rng.Below(256));
  bits.bytes[6] = static_cast<uint8_t>((bits.bytes[6] & 0x0f) | 0x40);
  bits.bytes[8] = static_cast<uint8_t>((bits.bytes[8] & 0x3f) | 0x80);
  std::string text = bits.Hex();
  for (const size_t dash : {8, 13, 18, 23}) text.insert(dash, 1, '-');
  return text;
}

TextPairs ReadResource(const ServiceIdentity& identity, Variables& variables) {
  namespace names = semconv::resource;
  CHECK(!identity.name.empty());
  std::map<std::string, std::string, std::less<>> attributes = {
      {std::string(names::kServiceName), identity.name},
      {std::string(names::kServiceVersion), identity.version},
      {std::string(names::kServiceInstanceId), identity.instance_id},
      {std::string(names::kSdkLanguage), "cpp"},
      {std::string(names::kSdkName), "spanloom"},
      {std::string(names::kSdkVersion), identity.version}};
  const StatusOr<TextPairs> pairs = ParsePairs(variables.Text({"OTEL_RESOURCE_ATTRIBUTES"}));
  if (!pairs.ok()) variables.Warn(StrCat(StdView(pairs.status().message()), "; it is as if it were not set"));
  if (pairs.ok()) {
    for (const auto& [name, value] : *pairs) attributes[name] = value;
  }
  const Variable service_name = variables.Text({"OTEL_SERVICE_NAME"});
  if (service_name.is_set()) attributes[std::string(names::kServiceName)] = service_name.value;
  TextPairs resource;
  for (const auto& [name, value] : attributes) {
    if (!value.empty()) resource.emplace_back(name, value);
  }
  return resource;
}

std::string EncodeResource(const TextPairs& attributes) {
  return otlp::EncodeResource([&](otlp::AttributeWriter& writer) {
    for (const auto& [name, value] : attributes) writer.String(name, value);
  });
}

}  // namespace spanloom::sdk
