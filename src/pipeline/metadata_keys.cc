// SPDX-License-Identifier: Apache-2.0

#include "pipeline/metadata_keys.h"

#include <absl/algorithm/container.h>
#include <absl/strings/ascii.h>

#include <iterator>
#include <set>
#include <utility>

#include "base/text.h"

namespace spanloom::pipeline {

MetadataKeys::MetadataKeys(std::vector<std::string> names) : names_(std::move(names)) {
  for (std::string& name : names_) name = absl::AsciiStrToLower(name);
  absl::c_sort(names_);
}

Status MetadataKeys::Check(const std::vector<std::string>& names) {
  std::set<std::string> seen;
  for (const std::string& name : names) {
    if (seen.insert(absl::AsciiStrToLower(name)).second) continue;
    return absl::InvalidArgumentError(StrCat("duplicate entry in metadata_keys: \"", name, "\" (case-insensitive)"));
  }
  return absl::OkStatus();
}

otlp::RequestOrigin::Pairs MetadataKeys::ValuesOf(const otlp::RequestOrigin* origin) const {
  otlp::RequestOrigin::Pairs values;
  if (origin == nullptr) return values;
  for (const std::string& name : names_) {
    absl::c_copy_if(origin->metadata, std::back_inserter(values), [&](const auto& pair) { return pair.first == name; });
  }
  return values;
}

std::string MetadataKeys::TextOf(const otlp::RequestOrigin::Pairs& values) {
  std::string text;
  for (const auto& [name, value] : values) StrAppend(text, name.size(), ":", name, value.size(), ":", value);
  return text;
}

std::vector<MetadataKeys::Part> MetadataKeys::Split(const otlp::Batch& batch) const {
  std::vector<Part> parts;
  for (otlp::Slice slice : batch.slices()) {
    otlp::RequestOrigin values{.metadata = ValuesOf(slice.origin().get())};
    std::string text = TextOf(values.metadata);
    auto part = absl::c_find_if(parts, [&](const Part& each) { return each.text == text; });
    if (part == parts.end()) {
      auto origin = std::make_shared<const otlp::RequestOrigin>(std::move(values));
      part = parts.insert(parts.end(), Part{std::move(text), std::move(origin), {}});
    }
    slice.set_origin(part->origin);
    part->batch.Add(std::move(slice));
  }
  return parts;
}

}  // namespace spanloom::pipeline
