// SPDX-License-Identifier: Apache-2.0
//
// Which endpoint of a ring a span goes to: by its trace, its service, or attributes. The keys are those of the
// Collector's load-balancing exporter, byte for byte.

#pragma once

#include <absl/container/flat_hash_map.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "otlp/batch.h"
#include "otlp/ids.h"
#include "pipeline/exporters/hash_ring.h"

namespace spanloom::pipeline {

enum class RoutingKey : uint8_t { kTraceId, kService, kAttributes };

// "NAME=VALUE|" for each of `names`: the attribute of the resource, else of the scope, else span.kind and span.name of
// the span, else its attribute; "NAME=|" where none has it.
[[nodiscard]] std::string AttributeKey(const std::vector<std::string>& names, const otlp::SpanContext& context);

// Routes the spans of one batch, in order. By service or attributes, the first span of a trace in its scope decides for
// those after it, so that they stay together. Thread-compatible; `ring` and `attributes` must outlive it.
class TraceRouter {
 public:
  TraceRouter(RoutingKey key, const std::vector<std::string>& attributes, const HashRing& ring)
      : key_(key), attributes_(attributes), ring_(ring) {}

  // The index of its endpoint.
  [[nodiscard]] size_t EndpointOf(const otlp::SpanContext& context);

 private:
  const RoutingKey key_;
  const std::vector<std::string>& attributes_;
  const HashRing& ring_;
  // The scope that is passing, by where its bytes and those of its resource lie.
  const char* resource_ = nullptr;
  const char* scope_ = nullptr;
  absl::flat_hash_map<otlp::TraceId, size_t> endpoint_of_;  // of the traces in that scope
};

}  // namespace spanloom::pipeline
