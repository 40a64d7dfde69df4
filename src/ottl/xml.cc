// SPDX-License-Identifier: Apache-2.0

#include "ottl/xml.h"

#include <absl/strings/ascii.h>
#include <absl/strings/str_format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <vector>

#include "base/text.h"
#include "base/utf8.h"
#include "ottl/utf8.h"

namespace spanloom::ottl {
namespace {

constexpr int kDepthMax = 256;         // guess
constexpr size_t kNodesMax = 1 << 16;  // some 10 MiB; guess

bool IsSpace(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

// Beyond ASCII, names are not looked into.
bool BeginsName(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return absl::ascii_isalpha(byte) || c == '_' || c == ':' || byte >= 0x80;
}
bool ContinuesName(char c) {
  return BeginsName(c) || absl::ascii_isdigit(static_cast<unsigned char>(c)) || c == '.' || c == '-';
}

// XML 1.0, 2.2.
bool IsXmlCharacter(uint32_t code_point) {
  return code_point == '\t' || code_point == '\n' || code_point == '\r' ||
         (code_point >= 0x20 && code_point < 0xd800) || (code_point >= 0xe000 && code_point < 0xfffe) ||
         code_point >= 0x10000;
}

// "\r\n" and "\r" as "\n": XML 1.0, 2.11.
std::string WithPlainLineEnds(std::string_view text) {
  std::string plain;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool is_second = text[i] == '\n' && i > 0 && text[i - 1] == '\r';
    if (!is_second) plain += text[i] == '\r' ? '\n' : text[i];
  }
  return plain;
}

// The character that `&name;` stands for.
std::optional<uint32_t> Entity(std::string_view name) {
  constexpr std::pair<std::string_view, char> kEntities[] = {
      {"lt", '<'}, {"gt", '>'}, {"amp", '&'}, {"quot", '"'}, {"apos", '\''}};
  for (const auto& [entity, character] : kEntities) {
    if (entity == name) return static_cast<uint32_t>(character);
  }
  if (!name.starts_with('#')) return std::nullopt;
  const bool is_hex = name.starts_with("#x");
  const std::string_view digits = name.substr(is_hex ? 2 : 1);
  uint32_t rune = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), rune, is_hex ? 16 : 10);
  if (error != std::errc() || end != digits.data() + digits.size() || rune > 0x10ffff) return std::nullopt;
  return rune;
}

std::string_view WithoutSpace(std::string_view text) {
  while (!text.empty() && IsSpace(text.front())) text.remove_prefix(1);
  while (!text.empty() && IsSpace(text.back())) text.remove_suffix(1);
  return text;
}

class XmlParser {
 public:
  explicit XmlParser(std::string_view xml) : rest_(xml), size_(xml.size()) {}

  StatusOr<std::unique_ptr<XmlNode>> Run() {
    auto document = std::make_unique<XmlNode>();
    while (!rest_.empty()) RETURN_IF_ERROR(Part(*document, -1));
    return document;
  }

 private:
  using Kind = XmlNode::Kind;

  [[nodiscard]] Status Error(std::string_view fault) const {
    return absl::InvalidArgumentError(StrCat("could not parse XML: ", fault, " at byte ", size_ - rest_.size()));
  }

  Status AddTo(XmlNode& parent, Kind kind, std::string_view text = {}) {
    if (++nodes_ > kNodesMax) return Error("too many nodes");
    parent.Add(kind, std::string(text)).order = nodes_;
    return absl::OkStatus();
  }

  void SkipSpace() {
    while (!rest_.empty() && IsSpace(rest_[0])) rest_.remove_prefix(1);
  }

  // What stands between `begin`, which is next, and `end`; it is taken with both.
  StatusOr<std::string_view> TakeBetween(std::string_view begin, std::string_view end) {
    const size_t at = rest_.find(end, begin.size());
    if (at == std::string_view::npos) return Error(StrCat("no ", end));
    const std::string_view taken = rest_.substr(begin.size(), at - begin.size());
    rest_.remove_prefix(at + end.size());
    return taken;
  }

  // <?...?>, <!...> or <!...[...]>
  Status Markup(XmlNode& parent) {
    const std::string_view before = rest_;
    const bool has_subset = !rest_.starts_with("<?") && rest_.find('[') < rest_.find('>');
    RETURN_IF_ERROR(TakeBetween("<!", rest_.starts_with("<?") ? "?>" : has_subset ? "]>" : ">").status());
    return AddTo(parent, Kind::kMarkup, before.substr(0, before.size() - rest_.size()));
  }

  StatusOr<std::string> Name() {
    size_t size = 0;
    while (size < rest_.size() && ContinuesName(rest_[size])) ++size;
    if (size == 0 || !BeginsName(rest_[0])) return Error("a name is missing");
    std::string name(rest_.substr(0, size));
    if (std::count(name.begin(), name.end(), ':') > 1) return Error("a name with two colons");
    rest_.remove_prefix(size);
    return name;
  }

  // OK if it consists of characters that XML may have.
  [[nodiscard]] Status CheckCharacters(std::string_view text) const {
    for (size_t at = 0, size = 0; at < text.size(); at += size) {
      size = Utf8SequenceLength(text, at);
      if (size == 0) return Error("invalid UTF-8");
      const uint32_t code_point = Utf8CodePoint(text.substr(at, size));
      if (!IsXmlCharacter(code_point)) return Error(absl::StrFormat("illegal character code U+%04X", code_point));
    }
    return absl::OkStatus();
  }

  // With entities resolved.
  [[nodiscard]] StatusOr<std::string> Resolved(std::string_view written) const {
    const std::string plain = WithPlainLineEnds(written);
    std::string_view text = plain;
    std::string resolved;
    while (!text.empty()) {
      const size_t ampersand = std::min(text.find('&'), text.size());
      resolved += text.substr(0, ampersand);
      text.remove_prefix(ampersand);
      if (text.empty()) break;
      const size_t semicolon = text.find(';');
      const auto rune = semicolon == std::string_view::npos ? std::nullopt : Entity(text.substr(1, semicolon - 1));
      if (!rune) return Error("an entity that is not known");
      AppendUtf8(resolved, *rune);
      text.remove_prefix(semicolon + 1);
    }
    RETURN_IF_ERROR(CheckCharacters(resolved));
    return resolved;
  }

  Status Attribute(XmlNode& element) {
    ASSIGN_OR_RETURN(std::string name, Name());
    SkipSpace();
    if (!rest_.starts_with('=')) return Error("an attribute without a value");
    rest_.remove_prefix(1);
    SkipSpace();
    const char quote = rest_.empty() ? '\0' : rest_[0];
    const size_t end = quote == '"' || quote == '\'' ? rest_.find(quote, 1) : std::string_view::npos;
    if (end == std::string_view::npos) return Error("the value of an attribute is not in quotes");
    if (rest_.substr(0, end).find('<') != std::string_view::npos) return Error("a < in quotes");
    ASSIGN_OR_RETURN(std::string value, Resolved(rest_.substr(1, end - 1)));
    rest_.remove_prefix(end + 1);
    if (++nodes_ > kNodesMax) return Error("too many nodes");
    element.attributes.emplace_back(std::move(name), std::move(value));
    return absl::OkStatus();
  }

  Status Element(XmlNode& element, int depth) {
    if (depth > kDepthMax) return Error("elements nest too deeply");
    if (!rest_.starts_with('<')) return Error("an element is missing");
    rest_.remove_prefix(1);
    ASSIGN_OR_RETURN(element.name, Name());
    for (SkipSpace(); !rest_.empty() && rest_[0] != '>' && rest_[0] != '/'; SkipSpace()) {
      RETURN_IF_ERROR(Attribute(element));
    }
    if (rest_.starts_with("/>")) {
      rest_.remove_prefix(2);
      return absl::OkStatus();
    }
    if (!rest_.starts_with('>')) return Error("a tag is not closed");
    rest_.remove_prefix(1);
    return Content(element, depth);
  }

  Status Content(XmlNode& element, int depth) {
    while (!rest_.starts_with("</")) {
      if (rest_.empty()) return Error(StrCat("the element ", element.name, " is not closed"));
      RETURN_IF_ERROR(Part(element, depth));
    }
    rest_.remove_prefix(2);
    ASSIGN_OR_RETURN(const std::string name, Name());
    SkipSpace();
    if (name != element.name || !rest_.starts_with('>'))
      return Error(StrCat("the element ", element.name, " is closed as ", name));
    rest_.remove_prefix(1);
    return absl::OkStatus();
  }

  Status Part(XmlNode& parent, int depth) {
    constexpr std::string_view kCdata = "<![CDATA[";
    constexpr std::string_view kComment = "<!--";
    if (rest_.starts_with(kCdata)) {
      ASSIGN_OR_RETURN(const std::string_view text, TakeBetween(kCdata, "]]>"));
      RETURN_IF_ERROR(CheckCharacters(text));
      return AddTo(parent, Kind::kCdata, WithPlainLineEnds(text));
    }
    if (rest_.starts_with(kComment)) {
      ASSIGN_OR_RETURN(const std::string_view text, TakeBetween(kComment, "-->"));
      if (text.find("--") != std::string_view::npos || text.ends_with('-')) return Error("a -- in a comment");
      return AddTo(parent, Kind::kComment, text);
    }
    if (rest_.starts_with("<![")) return Error("a <![ that begins no CDATA");
    if (rest_.starts_with("<?") || rest_.starts_with("<!")) return Markup(parent);
    if (rest_.starts_with('<')) {
      RETURN_IF_ERROR(AddTo(parent, Kind::kElement));
      return Element(*parent.children.back(), depth + 1);
    }
    const size_t size = std::min(rest_.find('<'), rest_.size());
    if (rest_.substr(0, size).find("]]>") != std::string_view::npos) return Error("a ]]> that ends no CDATA");
    ASSIGN_OR_RETURN(const std::string text, Resolved(rest_.substr(0, size)));
    rest_.remove_prefix(size);
    return WithoutSpace(text).empty() ? absl::OkStatus() : AddTo(parent, Kind::kText, text);
  }

  std::string_view rest_;
  size_t size_;
  size_t nodes_ = 0;
};

std::string_view PrefixOf(std::string_view name) {
  const size_t colon = name.find(':');
  return colon == std::string_view::npos || colon == 0 || colon + 1 == name.size() ? std::string_view()
                                                                                   : name.substr(0, colon);
}

// OK if each element's prefix is declared by it or above it. `declared` are those of above.
Status CheckPrefixes(const XmlNode& node, std::vector<std::string_view>& declared) {
  const size_t before = declared.size();
  for (const auto& [name, value] : node.attributes) {
    if (PrefixOf(name) == "xmlns") declared.push_back(std::string_view(name).substr(sizeof "xmlns:" - 1));
  }
  const std::string_view prefix = PrefixOf(node.name);
  if (!prefix.empty() && prefix != "xml" && std::find(declared.begin(), declared.end(), prefix) == declared.end()) {
    return absl::InvalidArgumentError(StrCat("could not parse XML: namespace ", prefix, " is missing"));
  }
  for (const auto& child : node.children) RETURN_IF_ERROR(CheckPrefixes(*child, declared));
  declared.resize(before);
  return absl::OkStatus();
}

// As Go's html.EscapeString writes it, and so the Collector.
void AppendEscaped(std::string& out, std::string_view text) {
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&#34;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  }
}

void AppendXml(std::string& out, const XmlNode& node) {
  switch (node.kind) {
    case XmlNode::Kind::kDocument:
      for (const auto& child : node.children) AppendXml(out, *child);
      return;
    case XmlNode::Kind::kElement:
      StrAppend(out, "<", node.name);
      for (const auto& [name, value] : node.attributes) {
        StrAppend(out, " ", name, "=\"");
        AppendEscaped(out, value);
        out += '"';
      }
      out += '>';
      for (const auto& child : node.children) AppendXml(out, *child);
      return StrAppend(out, "</", node.name, ">");
    case XmlNode::Kind::kText:
      return AppendEscaped(out, WithoutSpace(node.text));
    case XmlNode::Kind::kCdata:
      return StrAppend(out, "<![CDATA[", node.text, "]]>");
    case XmlNode::Kind::kComment:
      return StrAppend(out, "<!--", node.text, "-->");
    case XmlNode::Kind::kMarkup:
      out += node.text;
      return;
  }
}

}  // namespace

XmlNode& XmlNode::Add(std::unique_ptr<XmlNode> child) {
  child->parent = this;
  children.push_back(std::move(child));
  return *children.back();
}

XmlNode& XmlNode::Add(Kind child_kind, std::string child_text) {
  auto child = std::make_unique<XmlNode>();
  child->kind = child_kind;
  child->text = std::move(child_text);
  return Add(std::move(child));
}

std::unique_ptr<XmlNode> XmlNode::Clone() const {
  auto copy = std::make_unique<XmlNode>();
  copy->kind = kind;
  copy->name = name;
  copy->text = text;
  copy->attributes = attributes;
  copy->order = order;
  for (const auto& child : children) copy->Add(child->Clone());
  return copy;
}

std::string XmlNode::InnerText() const {
  if (is_text()) return text;
  std::string inner;
  for (const auto& child : children) inner += child->InnerText();
  return inner;
}

StatusOr<std::unique_ptr<XmlNode>> ParseXml(std::string_view xml) {
  return XmlParser(xml).Run();
}

StatusOr<std::unique_ptr<XmlNode>> ParseXmlWithElement(std::string_view xml) {
  ASSIGN_OR_RETURN(std::unique_ptr<XmlNode> document, ParseXml(xml));
  const bool has_element = std::any_of(document->children.begin(), document->children.end(),
                                       [](const auto& child) { return child->is(XmlNode::Kind::kElement); });
  if (!has_element) return absl::InvalidArgumentError("could not parse XML: an element is missing");
  std::vector<std::string_view> declared;
  RETURN_IF_ERROR(CheckPrefixes(*document, declared));
  return document;
}

StatusOr<std::unique_ptr<XmlNode>> ParseXmlDocument(std::string_view xml) {
  ASSIGN_OR_RETURN(std::unique_ptr<XmlNode> document, ParseXml(xml));
  std::unique_ptr<XmlNode> root;
  for (auto& child : document->children) {
    if (child->is_text())
      return absl::InvalidArgumentError("could not parse XML: there is text beside the root element");
    if (!child->is(XmlNode::Kind::kElement)) continue;
    if (root != nullptr) return absl::InvalidArgumentError("could not parse XML: there are two root elements");
    root = std::move(child);
    root->parent = nullptr;
  }
  if (root == nullptr) return absl::InvalidArgumentError("could not parse XML: an element is missing");
  return root;
}

std::string WriteXml(const XmlNode& node) {
  std::string out;
  AppendXml(out, node);
  return out;
}

}  // namespace spanloom::ottl
