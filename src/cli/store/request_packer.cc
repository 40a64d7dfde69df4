// SPDX-License-Identifier: Apache-2.0

#include "cli/store/request_packer.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "otlp/wire/writer.h"
#include "otlp/writer.h"

namespace spanloom::cli::store {
namespace {

using spanloom::store::AreEqual;
using spanloom::store::SpanOrigin;
using spanloom::store::StoredSpan;

constexpr uint32_t kSpansField = 2;  // of ScopeSpans; opentelemetry/proto/trace/v1

// The spans of one origin, in their order.
struct Group {
  const SpanOrigin* origin = nullptr;
  std::string spans;  // fields of ScopeSpans
};

bool HaveSameResource(const SpanOrigin& a, const SpanOrigin& b) {
  return a.resource.view() == b.resource.view() && a.resource_schema_url == b.resource_schema_url;
}

// In the order in which origins come first, those of one resource together.
std::vector<Group> GroupByOrigin(const std::vector<StoredSpan>& spans) {
  std::vector<Group> groups;
  for (const StoredSpan& span : spans) {
    auto group =
        std::ranges::find_if(groups, [&](const Group& known) { return AreEqual(*known.origin, *span.origin); });
    if (group == groups.end()) {
      const auto last = std::find_if(groups.rbegin(), groups.rend(),
                                     [&](const Group& known) { return HaveSameResource(*known.origin, *span.origin); });
      const auto place = last == groups.rend() ? groups.end() : last.base();
      group = groups.insert(place, Group{.origin = span.origin.get(), .spans = {}});
    }
    otlp::wire::Writer(group->spans).Bytes(kSpansField, span.wire.view());
  }
  return groups;
}

std::string Pack(const std::vector<StoredSpan>& spans) {
  std::string request;
  otlp::RequestWriter writer(request);
  const SpanOrigin* resource = nullptr;
  for (const Group& group : GroupByOrigin(spans)) {
    if (resource == nullptr || !HaveSameResource(*resource, *group.origin)) {
      resource = group.origin;
      writer.BeginResource(resource->resource.view(), resource->resource_schema_url);
    }
    writer.BeginScope(group.origin->scope.view(), group.origin->scope_schema_url);
    writer.AddEncodedSpans(group.spans);
  }
  writer.End();
  return request;
}

}  // namespace

Status RequestPacker::Add(const std::vector<StoredSpan>& spans, Emit emit) {
  size_t bytes = 0;
  for (const StoredSpan& span : spans) bytes += span.wire.size();
  if (!spans_.empty() && (spans_.size() + spans.size() > kSpansMax || bytes_ + bytes > kBytesMax)) {
    RETURN_IF_ERROR(Finish(emit));
  }
  for (const StoredSpan& span : spans) {
    spans_.push_back(span);
    bytes_ += span.wire.size();
    if (spans_.size() >= kSpansMax || bytes_ >= kBytesMax) RETURN_IF_ERROR(Finish(emit));
  }
  return absl::OkStatus();
}

Status RequestPacker::Finish(Emit emit) {
  bytes_ = 0;
  const std::vector<StoredSpan> spans = std::exchange(spans_, {});
  return spans.empty() ? absl::OkStatus() : emit(Pack(spans));
}

}  // namespace spanloom::cli::store
