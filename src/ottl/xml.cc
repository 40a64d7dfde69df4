// SPDX-License-Identifier: Apache-2.0

#include "ottl/xml.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "base/text.h"
#include "ottl/utf8.h"

namespace spanloom::ottl {
namespace {

constexpr int kDepthMax = 256;  // guess

bool IsSpace(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

bool EndsName(char c) {
  return IsSpace(c) || c == '/' || c == '>' || c == '=' || c == '<';
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

class XmlParser {
 public:
  explicit XmlParser(std::string_view xml) : rest_(xml), size_(xml.size()) {}

  StatusOr<XmlElement> Run() {
    RETURN_IF_ERROR(SkipMisc());
    XmlElement root;
    RETURN_IF_ERROR(Element(root, 0));
    RETURN_IF_ERROR(SkipMisc());
    if (!rest_.empty()) return Error("something stands behind the root element");
    return root;
  }

 private:
  [[nodiscard]] Status Error(std::string_view fault) const {
    return absl::InvalidArgumentError(StrCat("could not parse XML: ", fault, " at byte ", size_ - rest_.size()));
  }

  void SkipSpace() {
    while (!rest_.empty() && IsSpace(rest_[0])) rest_.remove_prefix(1);
  }

  // Passes over what begins with `begin`, up to `end`.
  Status Skip(std::string_view begin, std::string_view end) {
    const size_t at = rest_.find(end, begin.size());
    if (at == std::string_view::npos) return Error(StrCat("no ", end));
    rest_.remove_prefix(at + end.size());
    return absl::OkStatus();
  }

  Status SkipMisc() {
    for (SkipSpace(); rest_.starts_with("<?") || rest_.starts_with("<!"); SkipSpace()) RETURN_IF_ERROR(SkipMarkup());
    return absl::OkStatus();
  }

  Status SkipMarkup() {
    if (rest_.starts_with("<?")) return Skip("<?", "?>");
    if (rest_.starts_with("<!--")) return Skip("<!--", "-->");
    const size_t bracket = rest_.find('[');
    return bracket < rest_.find('>') ? Skip("<!", "]>") : Skip("<!", ">");
  }

  StatusOr<std::string> Name() {
    size_t size = 0;
    while (size < rest_.size() && !EndsName(rest_[size])) ++size;
    if (size == 0) return Error("a name is missing");
    std::string name(rest_.substr(0, size));
    rest_.remove_prefix(size);
    return name;
  }

  StatusOr<std::string> Resolved(std::string_view text) const {
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
    return resolved;
  }

  Status Attribute(XmlElement& element) {
    ASSIGN_OR_RETURN(std::string name, Name());
    SkipSpace();
    if (!rest_.starts_with('=')) return Error("an attribute without a value");
    rest_.remove_prefix(1);
    SkipSpace();
    const char quote = rest_.empty() ? '\0' : rest_[0];
    const size_t end = quote == '"' || quote == '\'' ? rest_.find(quote, 1) : std::string_view::npos;
    if (end == std::string_view::npos) return Error("the value of an attribute is not in quotes");
    ASSIGN_OR_RETURN(std::string value, Resolved(rest_.substr(1, end - 1)));
    rest_.remove_prefix(end + 1);
    element.attributes.emplace_back(std::move(name), std::move(value));
    return absl::OkStatus();
  }

  Status Element(XmlElement& element, int depth) {
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

  Status Content(XmlElement& element, int depth) {
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

  Status Part(XmlElement& element, int depth) {
    constexpr std::string_view kCdata = "<![CDATA[";
    if (rest_.starts_with(kCdata)) {
      const size_t end = rest_.find("]]>");
      if (end == std::string_view::npos) return Error("no ]]>");
      element.texts.emplace_back(rest_.substr(kCdata.size(), end - kCdata.size()));
      rest_.remove_prefix(end + 3);
      return absl::OkStatus();
    }
    if (rest_.starts_with("<?") || rest_.starts_with("<!")) return SkipMarkup();
    if (rest_.starts_with('<')) {
      XmlElement child;
      RETURN_IF_ERROR(Element(child, depth + 1));
      element.children.push_back(std::move(child));
      return absl::OkStatus();
    }
    const size_t size = std::min(rest_.find('<'), rest_.size());
    ASSIGN_OR_RETURN(std::string text, Resolved(rest_.substr(0, size)));
    element.texts.push_back(std::move(text));
    rest_.remove_prefix(size);
    return absl::OkStatus();
  }

  std::string_view rest_;
  size_t size_;
};

}  // namespace

StatusOr<XmlElement> ParseXmlDocument(std::string_view xml) {
  return XmlParser(xml).Run();
}

}  // namespace spanloom::ottl
