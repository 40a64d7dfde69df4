// SPDX-License-Identifier: Apache-2.0
//
// JSON queries (of MongoDB, OpenSearch, Elasticsearch) without their values: for the redaction processor.

#pragma once

#include <string>
#include <string_view>

namespace spanloom::pipeline {

// True if `text` begins as an object or an array does.
[[nodiscard]] bool LooksLikeJson(std::string_view text);

// `json` with "?" for each value that is no object and no array, and without space; keys stay. Takes any text: one that
// was cut off, several documents in lines, and the shell's dialect with bare keys and single quotes. At most three
// times as long as `json`. Time is linear.
[[nodiscard]] std::string MaskJsonValues(std::string_view json);

}  // namespace spanloom::pipeline
