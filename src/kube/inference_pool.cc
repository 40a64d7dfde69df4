// SPDX-License-Identifier: Apache-2.0

#include "kube/inference_pool.h"

#include "base/text.h"
#include "kube/json.h"

namespace spanloom::kube {

using simdjson::dom::element;

InferencePool ReadInferencePool(const element& object) {
  InferencePool pool{.meta = ReadMeta(object), .selector = {}};
  element selector;
  if (object["spec"]["selector"].get(selector) != simdjson::SUCCESS) return pool;
  element labels;
  if (selector["matchLabels"].get(labels) != simdjson::SUCCESS || !labels.is_object()) labels = selector;
  simdjson::dom::object entries;
  if (labels.get(entries) != simdjson::SUCCESS) return pool;
  for (const auto entry : entries) {
    std::string_view text;
    if (entry.value.get(text) == simdjson::SUCCESS) pool.selector.emplace_back(entry.key, text);
  }
  return pool;
}

std::string LabelSelectorOf(const TextMap& selector) {
  std::string text;
  for (const auto& [name, value] : selector) StrAppend(text, text.empty() ? "" : ",", name, "=", value);
  return text;
}

}  // namespace spanloom::kube
