// SPDX-License-Identifier: Apache-2.0
//
// A batch taken apart by what its resources say: what belongs to the same value stays together. Of any signal, since
// resources stand in the same place in all of them.

#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "otlp/batch.h"

namespace spanloom::pipeline {

struct ResourceGroup {
  std::optional<std::string> value;  // of the attribute; nullopt if it is not there, or no string
  otlp::Batch batch;                 // without its origin
};

// In order of their first resource. Copies the bytes, unless all resources say the same.
[[nodiscard]] std::vector<ResourceGroup> GroupByResource(const otlp::Batch& batch, std::string_view attribute);

}  // namespace spanloom::pipeline
