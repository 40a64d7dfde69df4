// SPDX-License-Identifier: Apache-2.0
//
// The names on a disk that can lose power: which file or directory each path is, and which of that is safe.

#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/rng.h"
#include "store/disk/testing/simulated_file.h"

namespace spanloom::store::disk {

// What a name stands for.
struct SimulatedNode {
  bool is_directory = false;
  SimulatedFile file;  // of a file
};

using SimulatedNodePtr = std::shared_ptr<SimulatedNode>;  // shared: several names, and open files without a name

// Holds "/" from the start. Thread-compatible.
class SimulatedNames {
 public:
  using Map = std::map<std::string, SimulatedNodePtr, std::less<>>;  // by path

  SimulatedNames();

  [[nodiscard]] const Map& seen() const { return seen_; }
  // Null if there is no such path.
  [[nodiscard]] SimulatedNodePtr Find(std::string_view path) const;

  // Sets paths (null: takes them away), in one step.
  void Change(std::map<std::string, SimulatedNodePtr> names);

  // What was changed in `directory` is safe. A change in two directories is safe when both were synced.
  void Sync(const std::string& directory);

  // A copy that shares nothing, with what is safe and what is not.
  [[nodiscard]] SimulatedNames Copy() const;

  // What a power cut may leave: of the changes that are not safe the first few, or any; of the files, what
  // SimulatedFile says. A file without its directory is gone. All that is left is safe.
  [[nodiscard]] SimulatedNames AfterPowerLoss(Rng& rng) const;

 private:
  struct NameChange {
    std::map<std::string, SimulatedNodePtr> names;
    std::set<std::string> unsynced;  // directories; empty: it is safe
  };

  static void Apply(const NameChange& change, Map& names);

  Map seen_;
  Map safe_;                         // without what is in changes_
  std::vector<NameChange> changes_;  // in order, from the first that is not safe
};

}  // namespace spanloom::store::disk
