// SPDX-License-Identifier: Apache-2.0
//
// The command line of `spanloom tracegen`.

#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include "base/status.h"
#include "cli/reference/command_doc.h"
#include "cli/tracegen/trace_shape.h"
#include "cli/tracegen/transport.h"
#include "net/compression.h"

namespace spanloom::cli::tracegen {

enum class ProgressMode { kAuto, kAlways, kNever };
enum class ReportFormat { kText, kJson };

struct TracegenOptions {
  std::string endpoint = "localhost:4317";
  Protocol protocol = Protocol::kGrpc;
  ShapeKind shape = ShapeKind::kLlmd;
  uint64_t traces = 100;
  std::optional<double> rate = std::nullopt;            // traces a second; unset: as fast as the receiver takes them
  std::chrono::nanoseconds spread{60'000'000'000};      // without a rate: the ends of the traces lie over this time
  std::optional<int64_t> start_unix_ns = std::nullopt;  // of the first trace's end; unset: so that the traces end now
  uint64_t spans_per_request = 512;
  uint64_t concurrency = 4;
  uint64_t seed = 0;
  net::Compression compression = net::Compression::kNone;
  std::chrono::milliseconds timeout{10'000};  // of one attempt
  int retries = 5;
  ProgressMode progress = ProgressMode::kAuto;
  ReportFormat report = ReportFormat::kText;
};

// What the user wants to read instead of a run: the help text.
struct HelpText {
  std::string text;
};

// The command line, in words.
[[nodiscard]] reference::CommandDoc Describe();

// Parses the arguments after the command's name, argv[0]. A seed that is not given is drawn from the operating system.
// kInvalidArgument names the option and what it takes.
StatusOr<std::variant<TracegenOptions, HelpText>> ParseOptions(int argc, const char* const* argv);

}  // namespace spanloom::cli::tracegen
