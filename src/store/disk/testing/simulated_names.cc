// SPDX-License-Identifier: Apache-2.0

#include "store/disk/testing/simulated_names.h"

#include <functional>
#include <iterator>
#include <utility>

#include "store/disk/disk.h"

namespace spanloom::store::disk {
namespace {

// Makes of each node one other node, however often it is asked for.
class NodeCopier {
 public:
  explicit NodeCopier(std::function<SimulatedFile(const SimulatedFile&)> of_file) : of_file_(std::move(of_file)) {}

  SimulatedNodePtr operator()(const SimulatedNodePtr& node) {
    if (node == nullptr) return nullptr;
    SimulatedNodePtr& copy = copies_[node];
    if (copy == nullptr) {
      copy = std::make_shared<SimulatedNode>(SimulatedNode{node->is_directory, of_file_(node->file)});
    }
    return copy;
  }

  template <typename Names>
  Names OfAll(const Names& names) {
    Names copies;
    for (const auto& [path, node] : names) copies.emplace(path, (*this)(node));
    return copies;
  }

 private:
  const std::function<SimulatedFile(const SimulatedFile&)> of_file_;
  std::map<SimulatedNodePtr, SimulatedNodePtr> copies_;
};

void RemoveOrphans(SimulatedNames::Map& names) {
  // A directory sorts before what lies in it.
  for (auto name = names.begin(); name != names.end();) {
    const bool is_root = name->first == "/";
    name = is_root || names.contains(DirectoryOf(name->first)) ? std::next(name) : names.erase(name);
  }
}

}  // namespace

SimulatedNames::SimulatedNames() {
  seen_["/"] = std::make_shared<SimulatedNode>(SimulatedNode{.is_directory = true, .file = {}});
  safe_ = seen_;
}

SimulatedNodePtr SimulatedNames::Find(std::string_view path) const {
  const auto found = seen_.find(path);
  return found == seen_.end() ? nullptr : found->second;
}

void SimulatedNames::Apply(const NameChange& change, Map& names) {
  for (const auto& [path, node] : change.names) {
    if (node == nullptr) {
      names.erase(path);
    } else {
      names[path] = node;
    }
  }
}

void SimulatedNames::Change(std::map<std::string, SimulatedNodePtr> names) {
  NameChange change{.names = std::move(names), .unsynced = {}};
  for (const auto& [path, node] : change.names) change.unsynced.insert(DirectoryOf(path));
  Apply(change, seen_);
  changes_.push_back(std::move(change));
}

void SimulatedNames::Sync(const std::string& directory) {
  for (NameChange& change : changes_) change.unsynced.erase(directory);
  auto first = changes_.begin();
  for (; first != changes_.end() && first->unsynced.empty(); ++first) Apply(*first, safe_);
  changes_.erase(changes_.begin(), first);
}

SimulatedNames SimulatedNames::Copy() const {
  NodeCopier copier([](const SimulatedFile& file) { return file; });
  SimulatedNames copy;
  copy.seen_ = copier.OfAll(seen_);
  copy.safe_ = copier.OfAll(safe_);
  for (const NameChange& change : changes_) copy.changes_.push_back({copier.OfAll(change.names), change.unsynced});
  return copy;
}

SimulatedNames SimulatedNames::AfterPowerLoss(Rng& rng) const {
  Map left = safe_;
  const bool is_journaled = rng.Below(2) == 0;
  const size_t prefix = rng.Below(changes_.size() + 1);
  for (size_t i = 0; i < changes_.size(); ++i) {
    const bool is_written = is_journaled ? i < prefix : rng.Below(2) == 0;
    if (is_written || changes_[i].unsynced.empty()) Apply(changes_[i], left);
  }
  RemoveOrphans(left);
  NodeCopier copier([&rng](const SimulatedFile& file) { return SimulatedFile::Safe(file.AfterPowerLoss(rng)); });
  SimulatedNames names;
  names.seen_ = copier.OfAll(left);
  names.safe_ = names.seen_;
  return names;
}

}  // namespace spanloom::store::disk
