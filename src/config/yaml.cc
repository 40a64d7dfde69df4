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

constexpr std::string_view kCoreTags = "tag:yaml.org,2002:";  // what !! stands for

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

// A text that is said to be of a type (`!!int "5"`) is read as if it stood there plain.
bool IsTyped(const std::string& tag) {
  return tag == StrCat(kCoreTags, "int") || tag == StrCat(kCoreTags, "float") || tag == StrCat(kCoreTags, "bool") ||
         tag == StrCat(kCoreTags, "null");
}

// True if a text that is plain is of the type that `tag` names; a float may be written as an integer.
bool IsOfType(std::string_view tag, const std::string& value) {
  const std::string_view name = tag.substr(kCoreTags.size());
  const ScalarType type = TypeOfPlain(value);
  return name == TypeName(Node::Scalar(value, Node::Style::kPlain, {})) ||
         (name == "float" && type == ScalarType::kInt);
}

void TreeBuilder::OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                           const std::string& value) {
  // yaml-cpp's tags: "?" plain, "!" quoted or block, else as written.
  const bool typed = IsTyped(tag);
  if (typed && !IsOfType(tag, value)) {
    throw Refusal{At(mark), StrCat("\"", value, "\" is no ", tag.substr(kCoreTags.size()), ", as its tag says")};
  }
  const bool plain = tag == "?" || tag.empty() || typed;
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

bool IsMergeable(const Node& node) {
  const auto is_map = [](const Node& item) { return item.is_map(); };
  return node.is_map() || (node.is_list() && absl::c_all_of(node.items(), is_map));
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
    if (!IsMergeable(node)) throw Refusal{At(mark), "<< needs a map or a list of maps"};
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

// A character that YAML 1.2 lets stand in a text (section 5.1). Of a mark of byte order only the first one may stand.
bool IsPrintable(char32_t c) {
  return c == '\t' || c == '\n' || c == '\r' || (c >= 0x20 && c <= 0x7e) || c == 0x85 || (c >= 0xa0 && c <= 0xd7ff) ||
         (c >= 0xe000 && c <= 0xfffd) || (c >= 0x10000 && c <= 0x10ffff);
}

// The next character of `text`, which is not empty, and how many bytes it has; 0 bytes if they are no UTF-8.
std::pair<char32_t, size_t> NextCharacter(std::string_view text) {
  const auto first = static_cast<unsigned char>(text[0]);
  const size_t size = first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
  if (size == 0 || size > text.size()) return {0, 0};
  if (size == 1) return {first, 1};
  char32_t character = first & (0x7fu >> size);
  for (const char byte : text.substr(1, size - 1)) {
    const auto more = static_cast<unsigned char>(byte);
    if ((more & 0xc0u) != 0x80u) return {0, 0};
    character = character << 6 | (more & 0x3fu);
  }
  const bool is_overlong = (size == 3 && character < 0x800) || (size == 4 && character < 0x10000);
  return {character, is_overlong ? 0 : size};
}

// yaml-cpp puts a replacement in the place of what can't be read.
Status CheckCharacters(std::string_view text, std::string_view file) {
  if (text.starts_with("\xfe\xff") || text.starts_with("\xff\xfe")) return absl::OkStatus();  // UTF-16
  int line = 1;
  while (!text.empty()) {
    const auto [character, size] = NextCharacter(text);
    if (size == 0) return Refused({std::string(file), line}, "bytes that are no UTF-8");
    if (!IsPrintable(character)) return Refused({std::string(file), line}, "a control character");
    if (character == '\n') ++line;
    text.remove_prefix(size);
  }
  return absl::OkStatus();
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

StatusOr<std::vector<Node>> ParseDocuments(std::string_view text, std::string_view file) {
  std::istringstream stream{std::string(text)};
  YAML::Parser parser(stream);
  std::vector<Node> documents;
  while (true) {
    TreeBuilder document(file);
    if (!parser.HandleNextDocument(document)) return documents;
    documents.push_back(document.Take());
  }
}

// The one place where yaml-cpp's exceptions, and ours on their way through it, become a Status.
template <typename Parse>
auto Guarded(Parse parse, std::string_view text, std::string_view file) -> decltype(parse(text, file)) {
  if (text.size() > kYamlBytesMax) {
    return absl::InvalidArgumentError(StrCat(file, ": larger than ", kYamlBytesMax, " bytes"));
  }
  RETURN_IF_ERROR(CheckCharacters(text, file));
  try {
    return parse(text, file);
  } catch (const Refusal& refusal) {
    return Refused(refusal.source, refusal.text);
  } catch (const YAML::Exception& error) {
    return Refused({std::string(file), error.mark.line + 1}, error.msg);
  }
}

}  // namespace

StatusOr<Node> ParseYaml(std::string_view text, std::string_view file) {
  return Guarded(ParseDocument, text, file);
}

StatusOr<std::vector<Node>> ParseYamlStream(std::string_view text, std::string_view file) {
  return Guarded(ParseDocuments, text, file);
}

}  // namespace spanloom::config
