// SPDX-License-Identifier: Apache-2.0
//
// Calls of tools that are made up: which of a request's functions are called, and arguments that fit their schemas,
// within the bounds of llm-d-inference-sim's flags.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/rng.h"
#include "llmd/wire/openai_answer.h"
#include "llmd/wire/openai_request.h"

namespace spanloom::llmd::simulator {

inline constexpr int64_t kToolListMax = 1'000;  // items of a list in an argument; guess

// Bounds are inclusive. Percentages are of a chance, 0 to 100.
struct ToolOptions {
  int64_t integer_min = 0;
  int64_t integer_max = 100;
  double number_min = 0;
  double number_max = 100;
  int64_t list_min = 1;  // items
  int64_t list_max = 5;
  int64_t optional_percent = 50;        // that an argument is given which need not be
  int64_t optional_field_percent = 50;  // the same of a member of an object in an argument
  int64_t extra_call_percent = 45;      // that one more function is called than need be; again after each
};

// Of `tools`, none of which is called twice: `least` calls and, by chance, more, at most `most`. Deterministic by
// `rng`.
[[nodiscard]] std::vector<wire::ToolCall> MakeUpCalls(const ToolOptions& options,
                                                      const std::vector<wire::ToolFunction>& tools, size_t least,
                                                      size_t most, Rng rng);

// Arguments that fit `schema`, a JSON schema of an object, as JSON: by type, enum, minimum and maximum; what is bounded
// otherwise, as by a pattern, is not looked at. "{}" if it is "" or no schema.
[[nodiscard]] std::string MakeUpArguments(const ToolOptions& options, std::string_view schema, Rng& rng);

}  // namespace spanloom::llmd::simulator
