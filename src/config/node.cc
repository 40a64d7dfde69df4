// SPDX-License-Identifier: Apache-2.0

#include "config/node.h"

#include <absl/algorithm/container.h>
#include <absl/strings/ascii.h>
#include <absl/strings/match.h>
#include <absl/strings/numbers.h>
#include <absl/strings/str_replace.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <system_error>

#include "base/text.h"

namespace spanloom::config {
namespace {

constexpr std::string_view kNullTexts[] = {"", "~", "null", "Null", "NULL"};
constexpr std::string_view kTrueTexts[] = {"true", "True", "TRUE"};
constexpr std::string_view kFalseTexts[] = {"false", "False", "FALSE"};
constexpr std::string_view kInfinityTexts[] = {".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"};
constexpr std::string_view kMinusInfinityTexts[] = {"-.inf", "-.Inf", "-.INF"};
constexpr std::string_view kNanTexts[] = {".nan", ".NaN", ".NAN"};

// Base and digits of a number without its sign: "0x1f" is 16 and "1f".
std::pair<int, std::string_view> SplitBase(std::string_view digits) {
  if (digits.size() < 2 || digits[0] != '0') return {10, digits};
  switch (digits[1]) {
    case 'x':
    case 'X':
      return {16, digits.substr(2)};
    case 'o':
    case 'O':
      return {8, digits.substr(2)};
    case 'b':
    case 'B':
      return {2, digits.substr(2)};
    default:
      return {8, digits.substr(1)};
  }
}

std::optional<int64_t> ParseInt(std::string_view text) {
  std::string plain = absl::StrReplaceAll(AbslView(text), {{"_", ""}});
  std::string_view rest = plain;
  const bool negative = rest.starts_with('-');
  if (negative || rest.starts_with('+')) rest.remove_prefix(1);
  if (rest.empty() || text.starts_with('_') || !absl::ascii_isdigit(static_cast<unsigned char>(rest[0]))) {
    return std::nullopt;
  }
  const auto [base, digits] = SplitBase(rest);
  const std::string signed_digits = StrCat(negative ? "-" : "", digits);
  int64_t value = 0;
  const char* end = signed_digits.data() + signed_digits.size();
  const auto [stop, error] = std::from_chars(signed_digits.data(), end, value, base);
  if (digits.empty() || error != std::errc() || stop != end) return std::nullopt;
  return value;
}

std::optional<double> ParseSpecialDouble(std::string_view text) {
  if (absl::c_linear_search(kInfinityTexts, text)) return std::numeric_limits<double>::infinity();
  if (absl::c_linear_search(kMinusInfinityTexts, text)) return -std::numeric_limits<double>::infinity();
  if (absl::c_linear_search(kNanTexts, text)) return std::numeric_limits<double>::quiet_NaN();
  return std::nullopt;
}

std::optional<double> ParseDouble(std::string_view text) {
  if (const auto special = ParseSpecialDouble(text)) return special;
  // SimpleAtod also takes "inf", "nan" and hexadecimal, which are strings in YAML.
  const bool numeric = absl::c_all_of(text, [](char c) {
    return absl::ascii_isdigit(static_cast<unsigned char>(c)) ||
           std::string_view("+-.eE").find(c) != std::string_view::npos;
  });
  double value = 0;
  if (!numeric || text.empty() || !absl::SimpleAtod(AbslView(text), &value)) return std::nullopt;
  return value;
}

bool IsPlainScalar(const Node& node) {
  return node.is_scalar() && node.style() == Node::Style::kPlain;
}

}  // namespace

std::string Source::ToString() const {
  return line > 0 ? StrCat(file, ":", line) : file;
}

Node::Node(Kind kind, Source source) : kind_(kind), source_(std::move(source)) {}

Node Node::Null(Source source) {
  return Node(Kind::kNull, std::move(source));
}

Node Node::Scalar(std::string text, Style style, Source source) {
  Node node(Kind::kScalar, std::move(source));
  node.text_ = std::move(text);
  node.style_ = style;
  return node;
}

Node Node::List(std::vector<Node> items, Source source) {
  Node node(Kind::kList, std::move(source));
  node.items_ = std::move(items);
  return node;
}

Node Node::Map(std::vector<Entry> entries, Source source) {
  Node node(Kind::kMap, std::move(source));
  node.entries_ = std::move(entries);
  return node;
}

const Node* Node::Find(std::string_view key) const {
  const auto entry = absl::c_find_if(entries_, [&](const Entry& e) { return e.key == key; });
  return entry == entries_.end() ? nullptr : &entry->value;
}

Node Node::WithExpandedText(std::string text) const {
  Node node = *this;
  node.expanded_text_ = std::move(text);
  return node;
}

Node Node::WithSource(const Source& source) const {
  Node node = *this;
  node.source_ = source;
  for (Node& item : node.items_) item = item.WithSource(source);
  for (Entry& entry : node.entries_) entry = Entry{entry.key, source, entry.value.WithSource(source)};
  return node;
}

ScalarType TypeOfPlain(std::string_view text) {
  if (absl::c_linear_search(kNullTexts, text)) return ScalarType::kNull;
  if (absl::c_linear_search(kTrueTexts, text) || absl::c_linear_search(kFalseTexts, text)) return ScalarType::kBool;
  if (ParseInt(text)) return ScalarType::kInt;
  return ParseDouble(text) ? ScalarType::kDouble : ScalarType::kString;
}

std::string_view TypeName(const Node& node) {
  static constexpr std::string_view kScalarNames[] = {"null", "bool", "int", "float", "string"};
  switch (node.kind()) {
    case Node::Kind::kNull:
      return "null";
    case Node::Kind::kList:
      return "list";
    case Node::Kind::kMap:
      return "map";
    case Node::Kind::kScalar:
      break;
  }
  if (node.style() == Node::Style::kQuoted) return "string";
  return kScalarNames[static_cast<size_t>(TypeOfPlain(node.text()))];
}

std::optional<bool> ReadBool(const Node& node) {
  if (!IsPlainScalar(node) || TypeOfPlain(node.text()) != ScalarType::kBool) return std::nullopt;
  return absl::c_linear_search(kTrueTexts, std::string_view(node.text()));
}

std::optional<int64_t> ReadInt(const Node& node) {
  return IsPlainScalar(node) ? ParseInt(node.text()) : std::nullopt;
}

std::optional<double> ReadDouble(const Node& node) {
  if (const auto integer = ReadInt(node)) return static_cast<double>(*integer);
  return IsPlainScalar(node) ? ParseDouble(node.text()) : std::nullopt;
}

std::optional<std::string> ReadString(const Node& node) {
  if (node.expanded_text()) return node.expanded_text();
  if (!node.is_scalar()) return std::nullopt;
  if (node.style() == Node::Style::kQuoted || TypeOfPlain(node.text()) == ScalarType::kString) return node.text();
  return std::nullopt;
}

bool SameContent(const Node& a, const Node& b) {
  if (a.kind() != b.kind() || a.style() != b.style() || a.text() != b.text() ||
      a.expanded_text() != b.expanded_text() || a.entries().size() != b.entries().size()) {
    return false;
  }
  for (const Node::Entry& entry : a.entries()) {
    const Node* other = b.Find(entry.key);
    if (other == nullptr || !SameContent(entry.value, *other)) return false;
  }
  return std::equal(a.items().begin(), a.items().end(), b.items().begin(), b.items().end(), SameContent);
}

}  // namespace spanloom::config
