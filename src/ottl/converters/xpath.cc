// SPDX-License-Identifier: Apache-2.0
//
// Converters that select parts of XML by XPath, and change them.

#include "ottl/xpath.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/text.h"
#include "ottl/function_table.h"

namespace spanloom::ottl {
namespace {

using Type = ParameterType;
using Kind = XmlNode::Kind;

constexpr Parameter kTarget = {"target", Type::kString};
constexpr Parameter kXPath = {"xpath", Type::kStringLiteral};
constexpr Parameter kOptionalXPath = {"xpath", Type::kStringLiteral, true};
constexpr uint8_t kPreparedFromXPath = 1 << 1;
constexpr size_t kInsertedBytesMax = 1 << 20;  // guess

class PreparedXPath final : public Prepared {
 public:
  explicit PreparedXPath(XPath xpath) : xpath_(std::move(xpath)) {}
  [[nodiscard]] const XPath& xpath() const { return xpath_; }

 private:
  XPath xpath_;
};

PreparedOr Prepare(std::string_view text) {
  ASSIGN_OR_RETURN(XPath xpath, XPath::Compile(text));
  return PreparedOr(std::make_unique<PreparedXPath>(std::move(xpath)));
}

PreparedOr PrepareXPath(const Arguments& a) {
  return Prepare(a[1].text());
}

// Left out or empty it is `kDefault`.
template <const char* kDefault>
PreparedOr PrepareXPathOr(const Arguments& a) {
  return Prepare(a.has(1) && !a[1].text().empty() ? a[1].text() : kDefault);
}

constexpr char kEveryAttribute[] = "//@*";
constexpr char kWholeDocument[] = "/";

// A document under work, and what the path selects in it.
struct Selection {
  std::unique_ptr<XmlNode> document;
  std::vector<XPathItem> items;
};

// Fails if the target is no XML. An empty one has nothing to convert, but can be looked into and inserted into.
Selection Selected(Evaluation& e, const Arguments& a, std::string_view function) {
  const std::string_view text = a[0].text();
  auto document = text.empty() && !function.starts_with("Convert") ? ParseXml(text) : ParseXmlWithElement(text);
  if (!document.ok()) {
    e.Fail(StrCat(function, ": ", document.status().message()));
    return {};
  }
  auto items = a.as<PreparedXPath>().xpath().Select(**document);
  if (!items.ok()) {
    e.Fail(StrCat(function, ": ", items.status().message()));
    return {};
  }
  return {*std::move(document), *std::move(items)};
}

Value Written(Evaluation& e, const XmlNode& document) {
  return e.NewString(WriteXml(document));
}

// Elements and texts as they are; of attributes and CDATA the text.
Value GetXml(Evaluation& e, const Arguments& a) {
  const Selection selection = Selected(e, a, "GetXML");
  std::string out;
  for (const auto& [node, attribute] : selection.items) {
    XmlNode text{.kind = Kind::kText};
    text.text = attribute ? node->attributes[*attribute].second : node->text;
    const bool is_as_it_is = !attribute && (node->is(Kind::kElement) || node->is(Kind::kText));
    if (is_as_it_is || attribute || node->is(Kind::kCdata)) out += WriteXml(is_as_it_is ? *node : text);
  }
  return e.failed() ? Value() : e.NewString(out);
}

// Removes those of the attributes that `items` select.
void RemoveAttributes(const std::vector<XPathItem>& items) {
  for (const auto& [node, attribute] : items) {
    if (attribute) node->attributes[*attribute].first.clear();
  }
  const XmlNode* last = nullptr;
  for (const auto& [node, attribute] : items) {
    if (!attribute || node == last) continue;
    std::erase_if(node->attributes, [](const auto& pair) { return pair.first.empty(); });
    last = node;
  }
}

// What goes becomes an empty text; from the end, so that nodes below others go before them.
Value RemoveXml(Evaluation& e, const Arguments& a) {
  Selection selection = Selected(e, a, "RemoveXML");
  if (e.failed()) return {};
  RemoveAttributes(selection.items);
  for (auto item = selection.items.rbegin(); item != selection.items.rend(); ++item) {
    XmlNode& node = *item->node;
    if (item->attribute || node.is(Kind::kDocument) || node.is(Kind::kMarkup)) continue;
    node.kind = Kind::kText;
    node.text.clear();
    node.children.clear();
  }
  return Written(e, *selection.document);
}

Value InsertXml(Evaluation& e, const Arguments& a) {
  const Selection selection = Selected(e, a, "InsertXML");
  if (e.failed()) return {};
  const auto inserted = ParseXmlWithElement(a[2].text());
  if (!inserted.ok()) return e.Fail(StrCat("InsertXML: ", inserted.status().message()));
  if (selection.items.size() * a[2].text().size() > kInsertedBytesMax) {
    return e.Fail(
        StrCat("InsertXML: more than ", kInsertedBytesMax, " bytes would be inserted; select fewer elements"));
  }
  for (const auto& [node, attribute] : selection.items) {
    if (attribute || !(node->is(Kind::kElement) || node->is(Kind::kDocument))) {
      const std::string_view what = attribute ? node->attributes[*attribute].first : node->text;
      return e.Fail(StrCat("InsertXML XPath selected non-element: \"", what, "\""));
    }
    for (const auto& child : (*inserted)->children) node->Add(child->Clone());
  }
  return Written(e, *selection.document);
}

// Attributes become the last children of their elements.
Value ConvertAttributesToElementsXml(Evaluation& e, const Arguments& a) {
  const Selection selection = Selected(e, a, "ConvertAttributesToElementsXML");
  if (e.failed()) return {};
  for (const auto& [node, attribute] : selection.items) {
    if (!attribute) continue;
    const auto& [name, value] = node->attributes[*attribute];
    XmlNode& element = node->Add(Kind::kElement);
    element.name = name;
    element.Add(Kind::kText, value);
  }
  RemoveAttributes(selection.items);
  return Written(e, *selection.document);
}

// Texts that have elements or other texts beside them become elements.
void WrapTexts(XmlNode& parent, const std::string& name) {
  size_t texts = 0;
  size_t elements = 0;
  for (const auto& child : parent.children) {
    if (child->is(Kind::kElement)) WrapTexts(*child, name);
    elements += child->is(Kind::kElement) ? 1 : 0;
    texts += child->is(Kind::kText) ? 1 : 0;
  }
  if (texts == 0 || elements + texts <= 1) return;
  for (const auto& child : parent.children) {
    if (!child->is(Kind::kText)) continue;
    child->Add(Kind::kText, std::move(child->text));
    child->kind = Kind::kElement;
    child->name = name;
    child->text.clear();
  }
}

Value ConvertTextToElementsXml(Evaluation& e, const Arguments& a) {
  const Selection selection = Selected(e, a, "ConvertTextToElementsXML");
  if (e.failed()) return {};
  const std::string name(a.has(2) && !a[2].text().empty() ? a[2].text() : "value");
  for (const auto& [node, attribute] : selection.items) {
    if (!attribute) WrapTexts(*node, name);
  }
  return Written(e, *selection.document);
}

constexpr Function kFunctions[] = {
    {"GetXML", {kTarget, kXPath}, GetXml, PrepareXPath, kPreparedFromXPath},
    {"RemoveXML", {kTarget, kXPath}, RemoveXml, PrepareXPath, kPreparedFromXPath},
    {"InsertXML",
     {kTarget, kXPath, Parameter{"subDocument", Type::kString}},
     InsertXml,
     PrepareXPath,
     kPreparedFromXPath},
    {"ConvertAttributesToElementsXML",
     {kTarget, kOptionalXPath},
     ConvertAttributesToElementsXml,
     PrepareXPathOr<kEveryAttribute>,
     kPreparedFromXPath},
    {"ConvertTextToElementsXML",
     {kTarget, kOptionalXPath, Parameter{"elementName", Type::kStringLiteral, true}},
     ConvertTextToElementsXml,
     PrepareXPathOr<kWholeDocument>,
     kPreparedFromXPath},
};

}  // namespace

std::span<const Function> XPathConverters() {
  return kFunctions;
}

}  // namespace spanloom::ottl
