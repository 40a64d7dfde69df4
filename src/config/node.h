// SPDX-License-Identifier: Apache-2.0
//
// A configuration as a tree of our own: null, scalar, list or map, each knowing the file and line it was written in.
// What yaml.h parses, merge.h and expand.h transform, and options.h reads structs from.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace spanloom::config {

// Where something was written.
struct Source {
  std::string file;  // as the user named it; "--set a.b=c" for a setting of the command line
  int line = 0;      // from 1; 0 if there are no lines

  // "config.yaml:12", or the file alone.
  [[nodiscard]] std::string ToString() const;
};

// Immutable; a value, copied deeply. The transformations make new trees.
class Node {
 public:
  enum class Kind : uint8_t { kNull, kScalar, kList, kMap };
  // Quoted scalars (and block scalars) are strings whatever they look like; plain ones are typed by their text.
  enum class Style : uint8_t { kPlain, kQuoted };
  struct Entry;

  Node() = default;  // null, from nowhere
  static Node Null(Source source);
  static Node Scalar(std::string text, Style style, Source source);
  static Node List(std::vector<Node> items, Source source);
  // Keys must be distinct; their order is kept.
  static Node Map(std::vector<Entry> entries, Source source);

  [[nodiscard]] Kind kind() const { return kind_; }
  [[nodiscard]] bool is_null() const { return kind_ == Kind::kNull; }
  [[nodiscard]] bool is_map() const { return kind_ == Kind::kMap; }
  [[nodiscard]] bool is_list() const { return kind_ == Kind::kList; }
  [[nodiscard]] bool is_scalar() const { return kind_ == Kind::kScalar; }
  [[nodiscard]] const Source& source() const { return source_; }

  // Of a scalar; unescaped.
  [[nodiscard]] const std::string& text() const { return text_; }
  [[nodiscard]] Style style() const { return style_; }
  // Of a list.
  [[nodiscard]] const std::vector<Node>& items() const { return items_; }
  // Of a map, in order.
  [[nodiscard]] const std::vector<Entry>& entries() const;
  // The value of `key`; nullptr if there is none or this is no map.
  [[nodiscard]] const Node* Find(std::string_view key) const;

  // The text that ${...} was replaced by, before it was read as YAML. A field that wants a string takes this, so that
  // VERSION=1.10 stays "1.10" there and is a number elsewhere.
  [[nodiscard]] const std::optional<std::string>& expanded_text() const { return expanded_text_; }
  [[nodiscard]] Node WithExpandedText(std::string text) const;
  // The same tree, every node of it said to come from `source`.
  [[nodiscard]] Node WithSource(const Source& source) const;

 private:
  Node(Kind kind, Source source);

  Kind kind_ = Kind::kNull;
  Style style_ = Style::kPlain;
  Source source_;
  std::string text_;
  std::optional<std::string> expanded_text_;
  std::vector<Node> items_;
  std::vector<Entry> entries_;
};

struct Node::Entry {
  std::string key;
  Source source;  // of the key
  Node value;
};

inline const std::vector<Node::Entry>& Node::entries() const {
  return entries_;
}

// True if both say the same, wherever they were written; the order of a map's keys does not matter.
[[nodiscard]] bool SameContent(const Node& a, const Node& b);

// What a scalar's text means, by the rules of YAML 1.2 as go-yaml v3 applies them (the Collector's parser): "yes" is a
// string, 0x10, 0o17, 017 and 1_000 are integers.
enum class ScalarType : uint8_t { kNull, kBool, kInt, kDouble, kString };

[[nodiscard]] ScalarType TypeOfPlain(std::string_view text);

// "null", "bool", "int", "float", "string", "list" or "map", for messages.
[[nodiscard]] std::string_view TypeName(const Node& node);

// Each is nullopt unless `node` is a plain scalar of that type. A double takes integers too.
[[nodiscard]] std::optional<bool> ReadBool(const Node& node);
[[nodiscard]] std::optional<int64_t> ReadInt(const Node& node);
[[nodiscard]] std::optional<double> ReadDouble(const Node& node);
// A string scalar, or what ${...} was replaced by.
[[nodiscard]] std::optional<std::string> ReadString(const Node& node);

}  // namespace spanloom::config
