// SPDX-License-Identifier: Apache-2.0
//
// --drain-timeout, of every command that runs pipelines.

#pragma once

#include <chrono>

namespace CLI {
class App;
}  // namespace CLI

namespace spanloom::app {

// From SIGTERM to the end. Below the 30 s that Kubernetes gives a pod by default, so that what is left can still be
// said.
inline constexpr std::chrono::milliseconds kDrainTimeout{20'000};

// Declares the option on `command`; parsing fills `timeout`, which must outlive it. A duration as Go writes it.
void DeclareDrainTimeout(CLI::App& command, std::chrono::milliseconds& timeout);

}  // namespace spanloom::app
