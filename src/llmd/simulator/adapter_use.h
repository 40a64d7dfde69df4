// SPDX-License-Identifier: Apache-2.0
//
// Which LoRA adapters an engine's sequences are of: those that run, of which a batch may have --max-loras, and those
// that wait. What vllm:lora_requests_info says.

#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace spanloom::llmd::simulator {

// Where a sequence is, as far as its adapter is concerned.
enum class AdapterPlace : uint8_t { kNone, kWaiting, kRunning };

// Sequence-bound: the engine. Holds as many names as there are sequences. "" is no adapter, and not counted.
class AdapterUse {
 public:
  // A sequence of `name` goes from one place to another.
  void Move(const std::string& name, AdapterPlace from, AdapterPlace to);

  [[nodiscard]] bool IsRunning(const std::string& name) const { return running_.contains(name); }
  [[nodiscard]] size_t running_count() const { return running_.size(); }

  // The names, sorted, with a comma between them.
  [[nodiscard]] std::string RunningNames() const { return Join(running_); }
  [[nodiscard]] std::string WaitingNames() const { return Join(waiting_); }

  // Whether either list has changed since the last call.
  bool TakeChange();

 private:
  using Counts = std::map<std::string, size_t>;  // sequences by adapter
  static std::string Join(const Counts& counts);
  void Count(Counts& counts, const std::string& name, bool is_added);

  Counts running_;
  Counts waiting_;
  bool has_changed_ = false;
};

}  // namespace spanloom::llmd::simulator
