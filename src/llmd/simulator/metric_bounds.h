// SPDX-License-Identifier: Apache-2.0
//
// The bounds of vLLM's histograms.

#pragma once

#include <cstdint>
#include <vector>

namespace spanloom::llmd::simulator {

// Upper ones, ascending; seconds but for the last function. Live for ever.
const std::vector<double>& FirstTokenBounds();
const std::vector<double>& InterTokenBounds();
const std::vector<double>& RequestBounds();

// Of numbers of tokens: 1, 2, 5, 10, 20, 50, ... as far as `max`, a model's longest request.
std::vector<double> TokenCountBounds(int64_t max);

}  // namespace spanloom::llmd::simulator
