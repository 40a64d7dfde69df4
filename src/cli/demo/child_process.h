// SPDX-License-Identifier: Apache-2.0
//
// A program that runs beside this one and ends with it.

#pragma once

#include <sys/types.h>

#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/status.h"

namespace spanloom::cli::demo {

struct Command {
  std::string name;                                              // for people: "routing proxy"
  std::string program;                                           // path
  std::vector<std::string> arguments;                            // behind the program's name
  std::vector<std::pair<std::string, std::string>> environment;  // over this process's own
  std::string log_file;                                          // what it writes, made new
};

// Bound to the thread that starts it: the kernel ends the program when that thread ends, however it does
// (PR_SET_PDEATHSIG). Destroying it kills what still runs. Movable.
class ChildProcess {
 public:
  // kUnavailable if the process or its log can't be made. A program that can't be run ends with 127.
  static StatusOr<ChildProcess> Start(Command command);
  ChildProcess(ChildProcess&& other) noexcept;
  ChildProcess& operator=(ChildProcess&& other) noexcept;
  ~ChildProcess();

  [[nodiscard]] const Command& command() const { return command_; }
  // How it ended, in words: "exit status 1", "signal 9"; nullopt while it runs.
  std::optional<std::string> Ended();
  // The same, waiting for it for at most `patience`.
  std::optional<std::string> AwaitEnd(std::chrono::milliseconds patience);
  [[nodiscard]] pid_t pid() const { return pid_; }
  // Asks it to end (SIGTERM); nothing if it has.
  void AskToEnd();

 private:
  ChildProcess(Command command, pid_t pid) : command_(std::move(command)), pid_(pid) {}
  void Kill();

  Command command_;
  pid_t pid_ = 0;  // 0 once it was waited for, or moved from
  std::string end_;
};

// The last `lines` lines of the file, or of its last 64 KiB.
std::string LastLines(const std::string& file, size_t lines);

}  // namespace spanloom::cli::demo
