// SPDX-License-Identifier: Apache-2.0
//
// The load that stores are measured with: requests to a disaggregated LLM server, six spans each (the gateway's, three
// of the routing sidecar, one of either engine), five where the client went away before decode; 82 and 4 of 86. Four
// services, 8 attributes a resource, 12 to 14 attributes a span, about 640 bytes a span; every id and every latency is
// random and fits no other. The spans of a trace come in one request. Made from templates, well below a microsecond a
// span, so that it is the receiver that is measured.

#pragma once

#include <array>
#include <vector>

#include "cli/tracegen/span_template.h"
#include "cli/tracegen/trace_shape.h"

namespace spanloom::cli::tracegen {

// Immutable and thread-safe.
class LoadShape final : public TraceShape {
 public:
  static constexpr uint64_t kCycle = 86;        // traces, 512 spans: a full request
  static constexpr uint64_t kCycleServed = 82;  // of them have six spans

  explicit LoadShape(uint64_t seed);

  void Generate(uint64_t index, int64_t end_unix_ns, GeneratedTrace& trace) const override;
  [[nodiscard]] bool ArrivesWhole() const override { return true; }

 private:
  // The spans of a request to one model.
  struct Model {
    SpanTemplate gateway;
    SpanTemplate proxy;
    SpanTemplate prefill_step;
    SpanTemplate decode_step;
    SpanTemplate aborted_step;  // instead of decode_step
    SpanTemplate prefill_engine;
    SpanTemplate decode_engine;
  };

  static Model MakeModel(std::string_view name, uint32_t number);

  std::vector<Model> models_;
};

}  // namespace spanloom::cli::tracegen
