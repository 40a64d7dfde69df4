// SPDX-License-Identifier: Apache-2.0
//
// What the debug exporter shows of a batch, as the Collector's shows it: `normal` has a line for each span, log record
// or data point, `detailed` everything that they say.

#pragma once

#include <string>

#include "otlp/batch.h"

namespace spanloom::pipeline {

// Several lines, each with its newline. Texts are as they were sent.
std::string NormalText(const otlp::Batch& batch);
std::string DetailedText(const otlp::Batch& batch);

}  // namespace spanloom::pipeline
