// SPDX-License-Identifier: Apache-2.0

#include "config/yaml.h"

#include <absl/algorithm/container.h>
#include <yaml-cpp/anchor.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <istream>
#include <map>
#include <optional>
#include <sstream>
#include <utility>
#include <vector>

#include "base/text.h"

namespace spanloom::config {
namespace {

// A problem met while yaml-cpp calls back; it leaves the parser as an exception and becomes a Status in ParseYaml.
struct Refusal {
  Source source;
  std::string text;
};

size_t CountNodes(const Node& node) {
  size_t count = 1;
  for (const Node& item : node.items()) count += CountNodes(item);
  for (const Node::Entry& entry : node.entries()) count += CountNodes(entry.value);
  return count;
}

// Builds the tree from yaml-cpp's events. Lives for one document.
class TreeBuilder final : public YAML::EventHandler {
 public:
  explicit TreeBuilder(std::string_view file) : file_(file) {}

  Node Take() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override { AddLeaf(mark, anchor, Node::Null(At(mark))); }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override;
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override;
  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    Open(mark, anchor, Node::Kind::kList);
  }
  void OnSequenceEnd() override { Close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    Open(mark, anchor, Node::Kind::kMap);
  }
  void OnMapEnd() override { Close(); }

 private:
  struct OpenNode {
    Node::Kind kind;
    YAML::Mark mark;
    YAML::anchor_t anchor;
    std::vector<Node> items;
    std::vector<Node::Entry> entries;
    std::vector<Node> merged;  // values of "<<"
    std::optional<Node> key;   // read, its value is still to come
  };

  [[nodiscard]] Source At(const YAML::Mark& mark) const { return {file_, mark.line + 1}; }
  void Open(const YAML::Mark& mark, YAML::anchor_t anchor, Node::Kind kind);
  void Close();
  void AddLeaf(const YAML::Mark& mark, YAML::anchor_t anchor, Node node);
  void Add(const YAML::Mark& mark, Node node);
  void AddToMap(OpenNode& map, const YAML::Mark& mark, Node node);
  void CountUp(const YAML::Mark& mark, size_t nodes);

  const std::string file_;
  std::vector<OpenNode> open_;  // from the root inwards
  std::map<YAML::anchor_t, Node> anchors_;
  size_t node_count_ = 0;
  Node root_;
};

void TreeBuilder::OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                           const std::string& value) {
  // yaml-cpp's tags: "?" plain, "!" quoted or block, else as written.
  const bool plain = tag == "?" || tag.empty();
  if (plain && TypeOfPlain(value) == ScalarType::kNull) return AddLeaf(mark, anchor, Node::Null(At(mark)));
  AddLeaf(mark, anchor, Node::Scalar(value, plain ? Node::Style::kPlain : Node::Style::kQuoted, At(mark)));
}

void TreeBuilder::OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) {
  const auto found = anchors_.find(anchor);
  if (found == anchors_.end()) throw Refusal{At(mark), "an alias stands inside the value that it names"};
  CountUp(mark, CountNodes(found->second));
  Add(mark, found->second);
}

void TreeBuilder::CountUp(const YAML::Mark& mark, size_t nodes) {
  node_count_ += nodes;
  if (node_count_ > kYamlNodesMax) {
    throw Refusal{At(mark), StrCat("more than ", kYamlNodesMax, " values, aliases counted at every use")};
  }
}

void TreeBuilder::Open(const YAML::Mark& mark, YAML::anchor_t anchor, Node::Kind kind) {
  if (open_.size() >= static_cast<size_t>(kYamlDepthMax)) {
    throw Refusal{At(mark), StrCat("nested deeper than ", kYamlDepthMax, " levels")};
  }
  CountUp(mark, 1);
  open_.push_back(OpenNode{kind, mark, anchor, {}, {}, {}, std::nullopt});
}

// Keys of the map itself win over those of "<<".
void AppendMerged(const Node& merged, std::vector<Node::Entry>& entries) {
  for (const Node& item : merged.items()) AppendMerged(item, entries);
  for (const Node::Entry& entry : merged.entries()) {
    if (absl::c_none_of(entries, [&](const Node::Entry& e) { return e.key == entry.key; })) entries.push_back(entry);
  }
}

void TreeBuilder::Close() {
  OpenNode done = std::move(open_.back());
  open_.pop_back();
  for (const Node& merged : done.merged) AppendMerged(merged, done.entries);
  Node node = done.kind == Node::Kind::kList ? Node::List(std::move(done.items), At(done.mark))
                                             : Node::Map(std::move(done.entries), At(done.mark));
  if (done.anchor != YAML::NullAnchor) anchors_[done.anchor] = node;
  Add(done.mark, std::move(node));
}

void TreeBuilder::AddLeaf(const YAML::Mark& mark, YAML::anchor_t anchor, Node node) {
  CountUp(mark, 1);
  if (anchor != YAML::NullAnchor) anchors_[anchor] = node;
  Add(mark, std::move(node));
}

void TreeBuilder::Add(const YAML::Mark& mark, Node node) {
  if (open_.empty()) {
    root_ = std::move(node);
  } else if (open_.back().kind == Node::Kind::kList) {
    open_.back().items.push_back(std::move(node));
  } else {
    AddToMap(open_.back(), mark, std::move(node));
  }
}

void TreeBuilder::AddToMap(OpenNode& map, const YAML::Mark& mark, Node node) {
  if (!map.key) {
    if (!node.is_scalar() && !node.is_null()) throw Refusal{At(mark), "a key must be a scalar"};
    map.key = std::move(node);
    return;
  }
  const Node key = *std::exchange(map.key, std::nullopt);
  if (key.text() == "<<" && key.style() == Node::Style::kPlain) {
    map.merged.push_back(std::move(node));
    return;
  }
  for (const Node::Entry& entry : map.entries) {
    if (entry.key != key.text()) continue;
    throw Refusal{key.source(), StrCat("mapping key \"", key.text(), "\" already defined at line ", entry.source.line)};
  }
  map.entries.push_back({key.text(), key.source(), std::move(node)});
}

Status Refused(const Source& source, std::string_view text) {
  return absl::InvalidArgumentError(StrCat(source.ToString(), ": not valid YAML: ", text));
}

StatusOr<Node> ParseDocument(std::string_view text, std::string_view file) {
  std::istringstream stream{std::string(text)};
  YAML::Parser parser(stream);
  TreeBuilder first(file);
  if (!parser.HandleNextDocument(first)) return Node::Null({std::string(file), 1});
  TreeBuilder second(file);
  if (parser.HandleNextDocument(second)) {
    const Node root = second.Take();
    if (!root.is_null()) return Refused(root.source(), "a second document; give it a file and a --config of its own");
  }
  return first.Take();
}

}  // namespace

// The one place where yaml-cpp's exceptions, and ours on their way through it, become a Status.
StatusOr<Node> ParseYaml(std::string_view text, std::string_view file) {
  if (text.size() > kYamlBytesMax) {
    return absl::InvalidArgumentError(StrCat(file, ": larger than ", kYamlBytesMax, " bytes"));
  }
  try {
    return ParseDocument(text, file);
  } catch (const Refusal& refusal) {
    return Refused(refusal.source, refusal.text);
  } catch (const YAML::Exception& error) {
    return Refused({std::string(file), error.mark.line + 1}, error.msg);
  }
}

}  // namespace spanloom::config
