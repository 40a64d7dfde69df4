// SPDX-License-Identifier: Apache-2.0

#include "sdk/sampler.h"

#include <absl/strings/ascii.h>
#include <absl/strings/numbers.h>
#include <absl/strings/strip.h>

#include <cmath>
#include <cstddef>
#include <string>

#include "base/check.h"
#include "base/text.h"

namespace spanloom::sdk {
namespace {

// Bytes 8 to 15, big-endian.
uint64_t LowBits(const otlp::TraceId& id) {
  uint64_t bits = 0;
  for (size_t i = 8; i < id.bytes.size(); ++i) bits = bits << 8 | id.bytes[i];
  return bits;
}

}  // namespace

Sampler Sampler::TraceIdRatio(double ratio) {
  CHECK(ratio >= 0 && ratio <= 1);
  return {static_cast<Bound>(std::nearbyint(ratio * 0x1.0p64)), false};
}

StatusOr<double> Sampler::ParseRatio(std::string_view text) {
  double ratio = 1;
  const bool is_number = text.empty() || absl::SimpleAtod(AbslView(text), &ratio);
  if (is_number && ratio >= 0 && ratio <= 1) return ratio;
  return absl::InvalidArgumentError(StrCat("sampler argument \"", text, "\" is no ratio between 0 and 1"));
}

StatusOr<Sampler> Sampler::Parse(std::string_view name, std::string_view argument) {
  const std::string lower_name = absl::AsciiStrToLower(AbslView(name));
  absl::string_view root = lower_name;
  const bool follows_parent = absl::ConsumePrefix(&root, "parentbased_");
  Sampler sampler = AlwaysOn();
  if (root == "always_off") {
    sampler = AlwaysOff();
  } else if (root == "traceidratio") {
    ASSIGN_OR_RETURN(const double ratio, ParseRatio(argument));
    sampler = TraceIdRatio(ratio);
  } else if (root != "always_on") {
    return absl::InvalidArgumentError(
        StrCat("unknown sampler \"", name,
               "\" (valid: always_on, always_off, traceidratio, parentbased_always_on, parentbased_always_off, "
               "parentbased_traceidratio)"));
  }
  return follows_parent ? ParentBased(sampler) : sampler;
}

bool Sampler::Samples(const TraceContext& parent, const otlp::TraceId& trace_id) const {
  if (follows_parent_ && parent.IsValid()) return parent.is_sampled();
  return LowBits(trace_id) < bound_;
}

}  // namespace spanloom::sdk
