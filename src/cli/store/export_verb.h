// SPDX-License-Identifier: Apache-2.0
//
// `spanloom store export`: the traces of a store as a file of OTLP requests.

#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/status.h"
#include "cli/store/otlp_file.h"
#include "cli/store/terminal.h"
#include "otlp/ids.h"
#include "store/time_range.h"

namespace spanloom::cli::store {

struct ExportOptions {
  std::string directory = {};
  std::string file = "-";  // "-": standard output
  OtlpFormat format = OtlpFormat::kJson;
  std::vector<otlp::TraceId> traces = {};             // only these, if any
  spanloom::store::TimeRange starts = {};             // only traces that have a span that starts within
  std::optional<std::string> service = std::nullopt;  // only traces that have a span of it
};

// Writes whole traces, beside a running server or not: everything that was acknowledged before. Protobuf keeps every
// byte of a span; JSON what OTLP/JSON can say (otlp/json/write.h). A file gets its name when it is whole. Returns false
// if a part of the store could not be read, which is said on the error stream. Errors: those of StoreFiles::Open, of
// the disk and of the file.
[[nodiscard]] StatusOr<bool> RunExport(const ExportOptions& options, const Terminal& terminal);

}  // namespace spanloom::cli::store
