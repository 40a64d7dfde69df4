// SPDX-License-Identifier: Apache-2.0

#include "cli/tracegen/trace_shape.h"

#include <array>
#include <utility>

#include "base/check.h"
#include "base/text.h"
#include "cli/tracegen/shape_llmd.h"
#include "cli/tracegen/shape_llmd_head.h"
#include "cli/tracegen/shape_load.h"
#include "cli/tracegen/shape_plain.h"

namespace spanloom::cli::tracegen {
namespace {

constexpr std::array<std::pair<std::string_view, ShapeKind>, 5> kShapes = {{
    {"llmd", ShapeKind::kLlmd},
    {"llmd-prefix", ShapeKind::kLlmdPrefix},
    {"llmd-head", ShapeKind::kLlmdHead},
    {"plain", ShapeKind::kPlain},
    {"load", ShapeKind::kLoad},
}};

}  // namespace

Rng TraceShape::RngOf(uint64_t index) const {
  // Two rounds of mixing: SplitMix64 states that differ by a multiple of its increment would give shifted streams.
  Rng by_index(index);
  Rng mixed(seed_ ^ by_index.Next());
  return Rng(mixed.Next());
}

StatusOr<ShapeKind> ParseShapeKind(std::string_view name) {
  for (const auto& [known, kind] : kShapes) {
    if (known == name) return kind;
  }
  return absl::InvalidArgumentError(
      AbslView(StrCat("unknown shape \"", name, "\"; it must be one of llmd, llmd-prefix, llmd-head, plain, load")));
}

std::string_view ShapeName(ShapeKind kind) {
  for (const auto& [name, known] : kShapes) {
    if (known == kind) return name;
  }
  CHECK(false);
  return {};
}

std::unique_ptr<TraceShape> MakeTraceShape(ShapeKind kind, uint64_t seed) {
  switch (kind) {
    case ShapeKind::kLlmd:
      return std::make_unique<LlmdShape>(seed, LlmdShape::PrefixScorer::kOff);
    case ShapeKind::kLlmdPrefix:
      return std::make_unique<LlmdShape>(seed, LlmdShape::PrefixScorer::kPrecise);
    case ShapeKind::kLlmdHead:
      return std::make_unique<LlmdHeadShape>(seed);
    case ShapeKind::kPlain:
      return std::make_unique<PlainShape>(seed);
    case ShapeKind::kLoad:
      return std::make_unique<LoadShape>(seed);
  }
  CHECK(false);
  return nullptr;
}

}  // namespace spanloom::cli::tracegen
