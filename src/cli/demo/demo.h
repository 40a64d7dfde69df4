// SPDX-License-Identifier: Apache-2.0
//
// `spanloom demo`: a small llm-d cluster on loopback (simulated prefill and decode servers, routing proxies, and
// `serve` behind them), with live traffic. Everything it starts ends with it.

#pragma once

namespace spanloom::cli::demo {

inline constexpr int kExitEnded = 0;   // by Ctrl-C, or after --duration
inline constexpr int kExitBroken = 1;  // a part did not start, or ended by itself
inline constexpr int kExitUsage = 2;

// The command: argv[0] is its name. What it has started on standard output, progress and errors on standard error.
// Returns the exit status. To be called before other threads are started.
int Run(int argc, const char* const* argv);

}  // namespace spanloom::cli::demo
