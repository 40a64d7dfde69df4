// SPDX-License-Identifier: Apache-2.0
//
// The filter processor: drops resources, scopes, spans and events for which one of its OTTL conditions holds, before
// they cost anything further.

#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/metrics.h"
#include "config/options.h"
#include "ottl/condition.h"
#include "pipeline/processors/ottl_options.h"
#include "pipeline/processors/span_matcher.h"
#include "pipeline/registry.h"

namespace spanloom::pipeline {

// Drops the client's span of each scrape, which has nothing of the path but url.full; what start-up advises where a
// file leaves it.
inline constexpr std::string_view kScrapeClientCondition =
    R"(kind == SPAN_KIND_CLIENT and IsMatch(attributes["url.full"], "^https?://[^/]+/metrics$"))";

// Conditions by context.
struct FilterTracesOptions {
  std::vector<std::string> resource;
  std::vector<std::string> span;
  std::vector<std::string> spanevent;
  std::vector<std::string> span_event;  // another spelling of spanevent
  void Declare(config::OptionsReader& r);
};

// Conditions that say themselves what they are about.
struct FilterConditionsOptions {
  OttlContextChoice context = OttlContextChoice::kInferred;
  std::vector<std::string> conditions = {};
  std::optional<OttlErrorMode> error_mode = {};  // the processor's if it is left out
  void Declare(config::OptionsReader& r);
  Status Validate() const;
};

// What is left, without OTTL.
struct FilterSpansOptions {
  std::optional<SpanMatchOptions> include;
  std::optional<SpanMatchOptions> exclude;
  void Declare(config::OptionsReader& r);
};

struct FilterOptions {
  OttlErrorMode error_mode = OttlErrorMode::kIgnore;
  FilterTracesOptions traces;
  std::vector<FilterConditionsOptions> trace_conditions;
  FilterSpansOptions spans;
  void Declare(config::OptionsReader& r);
  Status Validate() const;
};

// Thread-safe; holds nothing.
class FilterProcessor final : public TransformProcessor {
 public:
  FilterProcessor(const ComponentId& id, const FilterOptions& options, const BuildContext& context);

  // Warns of conditions that drop more than they seem to, and of names that are no longer the Collector's.
  Status Start() override;
  // kUnavailable if a condition fails and the error mode is propagate; else OK.
  Status Process(otlp::Batch& batch) override;

 private:
  struct Group {
    ottl::Context context;
    ottl::Conditions conditions;
    OttlErrorMode error_mode;
  };

  void AddGroup(ottl::Context context, const std::vector<std::string>& conditions, OttlErrorMode mode,
                const Clock& clock);
  // Returns how many spans were dropped. What a condition failed with becomes `refusal`, if it is to.
  size_t Filter(const Group& group, otlp::Slice& slice, Status& refusal);
  size_t DropSpans(const Group& group, otlp::Slice& slice, Status& refusal);
  void DropEvents(const Group& group, otlp::Slice& slice, Status& refusal);
  bool Matches(const Group& group, const ottl::Scene& scene, Status& refusal);
  // Drops the spans that are not included or are excluded; returns how many.
  size_t DropUnselected(otlp::Slice& slice) const;

  const std::string id_;
  const FilterOptions options_;
  std::vector<Group> groups_;
  std::optional<SpanMatcher> include_;
  std::optional<SpanMatcher> exclude_;
  OttlErrors errors_;
  Counter& filtered_;
};

// Processor type "filter".
void RegisterFilterProcessor(Registry& registry);

}  // namespace spanloom::pipeline
