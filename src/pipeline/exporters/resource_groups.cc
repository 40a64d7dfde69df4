// SPDX-License-Identifier: Apache-2.0

#include "pipeline/exporters/resource_groups.h"

#include <map>
#include <utility>

#include "base/check.h"
#include "otlp/fields.h"
#include "otlp/request.h"
#include "otlp/wire/writer.h"

namespace spanloom::pipeline {
namespace {

using Value = std::optional<std::string>;

Value ValueOf(const otlp::ResourceView& resource, std::string_view attribute) {
  const auto value = FindAttribute(resource.attributes(), attribute);
  if (!value || value->kind() != otlp::ValueView::Kind::kString) return std::nullopt;
  return std::string(value->string_value());
}

otlp::Batch BatchOf(otlp::Signal signal, std::string wire) {
  StatusOr<otlp::Slice> slice = otlp::ReadRequest(signal, Bytes(std::move(wire)));
  CHECK(slice.ok());  // whole messages of a request that was checked
  return otlp::Batch(*std::move(slice));
}

}  // namespace

std::vector<ResourceGroup> GroupByResource(const otlp::Batch& batch, std::string_view attribute) {
  const Bytes wire = batch.Encode();
  std::vector<std::pair<Value, std::string>> requests;
  std::map<Value, size_t> index;  // into requests
  for (const otlp::ResourceSpansView resource : otlp::TracesView(wire.view()).resource_spans()) {
    Value value = ValueOf(resource.resource(), attribute);
    const auto [known, is_new] = index.try_emplace(value, requests.size());
    if (is_new) requests.emplace_back(std::move(value), std::string());
    otlp::wire::Writer(requests[known->second].second).Bytes(otlp::field::Request::kResourceSpans, resource.wire());
  }
  std::vector<ResourceGroup> groups;
  for (auto& [value, request] : requests) {
    groups.push_back({std::move(value), requests.size() == 1 ? batch : BatchOf(batch.signal(), std::move(request))});
  }
  return groups;
}

}  // namespace spanloom::pipeline
