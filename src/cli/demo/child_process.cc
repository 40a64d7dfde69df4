// SPDX-License-Identifier: Apache-2.0

#include "cli/demo/child_process.h"

#include <absl/strings/str_join.h>
#include <absl/strings/str_split.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fstream>

#include "base/text.h"

namespace spanloom::cli::demo {
namespace {

constexpr std::streamoff kTailBytesMax = 64 << 10;
constexpr int kNotRun = 127;  // as a shell says it

std::vector<std::string> EnvironmentOf(const Command& command) {
  std::vector<std::string> all;
  for (char** each = environ; *each != nullptr; ++each) {
    const std::string_view variable = *each;
    const std::string_view name = variable.substr(0, variable.find('='));
    const bool is_given = std::any_of(command.environment.begin(), command.environment.end(),
                                      [name](const auto& given) { return given.first == name; });
    if (!is_given) all.emplace_back(variable);
  }
  for (const auto& [name, value] : command.environment) all.push_back(StrCat(name, "=", value));
  return all;
}

std::vector<char*> Pointers(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

// In the new process; only what is safe between fork and exec.
[[noreturn]] void Become(const char* program, char** arguments, char** environment, int log, pid_t parent) {
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (getppid() != parent) _exit(kNotRun);  // it has ended meanwhile
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  dup2(log, STDOUT_FILENO);
  dup2(log, STDERR_FILENO);
  execve(program, arguments, environment);
  _exit(kNotRun);
}

std::string EndText(int status) {
  if (WIFSIGNALED(status)) return StrCat("signal ", WTERMSIG(status));
  return StrCat("exit status ", WEXITSTATUS(status));
}

}  // namespace

StatusOr<ChildProcess> ChildProcess::Start(Command command) {
  std::vector<std::string> argument_texts = {command.program};
  argument_texts.insert(argument_texts.end(), command.arguments.begin(), command.arguments.end());
  std::vector<std::string> environment_texts = EnvironmentOf(command);
  const std::vector<char*> arguments = Pointers(argument_texts);
  const std::vector<char*> environment = Pointers(environment_texts);
  const int log = open(command.log_file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (log < 0) {
    return absl::UnavailableError(AbslView(StrCat(command.name, ": ", command.log_file, ": ", std::strerror(errno))));
  }
  const pid_t parent = getpid();
  const pid_t pid = fork();
  if (pid == 0) {
    Become(command.program.c_str(), const_cast<char**>(arguments.data()), const_cast<char**>(environment.data()), log,
           parent);
  }
  const int fork_error = errno;
  close(log);
  if (pid < 0) return absl::UnavailableError(AbslView(StrCat(command.name, ": ", std::strerror(fork_error))));
  return ChildProcess(std::move(command), pid);
}

ChildProcess::ChildProcess(ChildProcess&& other) noexcept
    : command_(std::move(other.command_)), pid_(std::exchange(other.pid_, 0)), end_(std::move(other.end_)) {}

ChildProcess& ChildProcess::operator=(ChildProcess&& other) noexcept {
  if (this != &other) {
    Kill();
    command_ = std::move(other.command_);
    pid_ = std::exchange(other.pid_, 0);
    end_ = std::move(other.end_);
  }
  return *this;
}

ChildProcess::~ChildProcess() {
  Kill();
}

std::optional<std::string> ChildProcess::Ended() {
  if (pid_ == 0) return end_;
  int status = 0;
  if (waitpid(pid_, &status, WNOHANG) != pid_) return std::nullopt;
  pid_ = 0;
  end_ = EndText(status);
  return end_;
}

std::optional<std::string> ChildProcess::AwaitEnd(std::chrono::milliseconds patience) {
  if (pid_ != 0) {
    const int handle = static_cast<int>(syscall(SYS_pidfd_open, pid_, 0));
    pollfd ended = {.fd = handle, .events = POLLIN, .revents = 0};
    poll(&ended, 1, static_cast<int>(patience.count()));
    close(handle);
  }
  return Ended();
}

void ChildProcess::AskToEnd() {
  if (!Ended()) kill(pid_, SIGTERM);
}

void ChildProcess::Kill() {
  if (pid_ == 0) return;
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
  pid_ = 0;
}

std::string LastLines(const std::string& file, size_t lines) {
  std::ifstream in(file, std::ios::binary | std::ios::ate);
  if (!in) return "";
  const std::streamoff size = in.tellg();
  std::string text(static_cast<size_t>(std::min(size, kTailBytesMax)), '\0');
  in.seekg(size - static_cast<std::streamoff>(text.size()));
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  std::vector<std::string> all = absl::StrSplit(text, '\n', absl::SkipEmpty());
  if (all.size() > lines) all.erase(all.begin(), all.end() - static_cast<std::ptrdiff_t>(lines));
  return absl::StrJoin(all, "\n");
}

}  // namespace spanloom::cli::demo
