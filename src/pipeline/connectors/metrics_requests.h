// SPDX-License-Identifier: Apache-2.0
//
// Points on their way into requests of bounded size: a connector with many series tells them in several.

#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "otlp/metrics_writer.h"

namespace spanloom::pipeline {

// A request of metrics, and how many points it has.
struct MetricsRequest {
  std::string wire;
  size_t points = 0;
};

// Below the 4 MiB that gRPC receivers take; what is written between two calls of writer() comes on top.
inline constexpr size_t kMetricsRequestBytesMax = 3 << 20;

// Thread-compatible.
class MetricsRequests {
 public:
  // Everything is of the scope `scope_name`.
  explicit MetricsRequests(std::string_view scope_name) : scope_(otlp::EncodeScope({.name = scope_name})) {}

  // What comes next is of `resource`, a Resource in wire form that outlives the next Take or BeginResource.
  void BeginResource(std::string_view resource) {
    resource_ = resource;
    has_begun_ = false;
  }

  // Where to begin the next metric. To be asked for anew every few hundred points: the request may be full. A resource
  // that it is not asked for after is not mentioned.
  otlp::MetricsWriter& writer() {
    if (writer_ && writer_->size() > kMetricsRequestBytesMax) Finish();
    if (!writer_) writer_.emplace(wire_);
    if (!std::exchange(has_begun_, true)) {
      writer_->BeginResource(resource_);
      writer_->BeginScope(scope_);
    }
    return *writer_;
  }

  std::vector<MetricsRequest> Take() {
    if (writer_) Finish();
    return std::exchange(requests_, {});
  }

 private:
  void Finish() {
    writer_->End();
    requests_.push_back({std::exchange(wire_, {}), writer_->point_count()});
    writer_.reset();
    has_begun_ = false;
  }

  const std::string scope_;
  std::string_view resource_;
  bool has_begun_ = false;  // the resource is in the request
  std::string wire_;
  std::optional<otlp::MetricsWriter> writer_;
  std::vector<MetricsRequest> requests_;
};

}  // namespace spanloom::pipeline
