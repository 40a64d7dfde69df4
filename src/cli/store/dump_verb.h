// SPDX-License-Identifier: Apache-2.0
//
// `spanloom store dump`: what lies where in a store's files, one JSON object a line, for who has to find out why.

#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/status.h"
#include "cli/store/terminal.h"
#include "otlp/ids.h"

namespace spanloom::cli::store {

struct DumpOptions {
  std::string directory = {};
  // At most one of these; none: the catalogue and the files.
  std::optional<uint64_t> segment = std::nullopt;     // id: its columns, shapes and pages
  std::optional<otlp::TraceId> trace = std::nullopt;  // its spans, and in which files they are
  bool is_log = false;                                // the frames that are in no segment
};

// Beside a running server or not. Every object has a "kind". Errors: those of StoreFiles::Open and of the disk;
// kNotFound (no such segment, no such trace); kDataLoss (the segment that was asked for is damaged).
[[nodiscard]] Status RunDump(const DumpOptions& options, const Terminal& terminal);

}  // namespace spanloom::cli::store
