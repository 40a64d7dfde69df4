// SPDX-License-Identifier: Apache-2.0

#include "base/go_limits.h"

#include <absl/algorithm/container.h>
#include <absl/strings/ascii.h>
#include <absl/strings/numbers.h>
#include <absl/strings/strip.h>

#include <cstdlib>
#include <limits>
#include <string_view>
#include <utility>

#include "base/text.h"

namespace spanloom {
namespace {

// "512MiB"; nullopt if it is no such text, or more than Go's int64.
std::optional<uint64_t> ParseBytes(absl::string_view text) {
  static constexpr std::pair<const char*, int> kUnits[] = {
      {"KiB", 10}, {"MiB", 20}, {"GiB", 30}, {"TiB", 40}, {"B", 0}};  // "B" last: the others end in it
  int shift = 0;
  for (const auto& [unit, unit_shift] : kUnits) {
    if (!absl::ConsumeSuffix(&text, unit)) continue;
    shift = unit_shift;
    break;
  }
  uint64_t number = 0;
  // SimpleAtoi takes spaces and signs, which Go does not.
  const bool is_number =
      absl::c_all_of(text, [](char c) { return absl::ascii_isdigit(static_cast<unsigned char>(c)); });
  if (!is_number || !absl::SimpleAtoi(text, &number)) return std::nullopt;
  if (number > static_cast<uint64_t>(std::numeric_limits<int64_t>::max()) >> shift) return std::nullopt;
  return number << shift;
}

bool IsSet(const char* text) {
  return text != nullptr && *text != '\0';
}

void ReadMemoryLimit(const char* text, GoLimits& limits) {
  if (!IsSet(text) || std::string_view(text) == "off") return;
  limits.memory_bytes = ParseBytes(text);
  if (limits.memory_bytes && *limits.memory_bytes > 0) return;
  limits.memory_bytes.reset();
  limits.warnings.push_back(StrCat("GOMEMLIMIT=", text,
                                   " is no limit and is left; write bytes, a whole number with KiB, MiB, GiB or TiB, "
                                   "or off"));
}

void ReadMaxProcs(const char* text, GoLimits& limits) {
  if (!IsSet(text)) return;
  uint32_t cores = 0;
  if (absl::SimpleAtoi(text, &cores) && cores > 0) {
    limits.cores = cores;
  } else {
    limits.warnings.push_back(StrCat("GOMAXPROCS=", text, " is no count of cores and is left; write 1 or more"));
  }
}

}  // namespace

GoLimits ParseGoLimits(const char* memory_limit, const char* max_procs) {
  GoLimits limits;
  ReadMemoryLimit(memory_limit, limits);
  ReadMaxProcs(max_procs, limits);
  return limits;
}

GoLimits ReadGoLimits() {
  return ParseGoLimits(std::getenv("GOMEMLIMIT"), std::getenv("GOMAXPROCS"));
}

}  // namespace spanloom
