// SPDX-License-Identifier: Apache-2.0
//
// The signals of a process that runs until it is told to stop: SIGTERM and SIGINT end it, SIGHUP makes it read its
// configuration again.

#pragma once

#include <csignal>
#include <functional>
#include <stop_token>

namespace spanloom::app {

// The signals that end the process, or would end it by surprise. Blocked before any thread starts, so that they reach
// WaitForStop alone. SIGPIPE and SIGXFSZ are ignored: the write says what is wrong.
sigset_t BlockSignals();

// Calls `reload` after every SIGHUP, on a thread of its own, which is asked to hurry when the process is to stop.
// Returns then, once no reload is under way any more.
void WaitForStop(const sigset_t& signals, std::function<void(std::stop_token hurry)> reload);

// A second signal ends the process at once: whoever sends it does not want to wait.
void LetNextSignalKill(const sigset_t& signals);

}  // namespace spanloom::app
