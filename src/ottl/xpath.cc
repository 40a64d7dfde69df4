// SPDX-License-Identifier: Apache-2.0

#include "ottl/xpath.h"

#include <absl/strings/ascii.h>
#include <absl/strings/match.h>
#include <absl/strings/numbers.h>
#include <absl/strings/str_join.h>
#include <absl/strings/str_split.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <variant>

#include "base/text.h"
#include "ottl/utf8.h"
#include "ottl/xpath_parser.h"

namespace spanloom::ottl {
namespace {

using Kind = XPathExpression::Kind;
using Axis = XPathStep::Axis;
using Test = XPathStep::Test;
using Items = std::vector<XPathItem>;
using XPathValue = std::variant<Items, std::string, double, bool>;

constexpr size_t kStepsMax = 100'000;  // some milliseconds. Guess

// Where an expression is evaluated: an item, and its place among those that the step has found.
struct Focus {
  XPathItem item;
  size_t position = 1;
  size_t size = 1;
};

bool IsBefore(const XPathItem& a, const XPathItem& b) {
  const auto rank = [](const XPathItem& item) { return item.attribute ? *item.attribute + 1 : 0; };
  return a.node->order != b.node->order ? a.node->order < b.node->order : rank(a) < rank(b);
}

std::string TextOf(const XPathItem& item) {
  return item.attribute ? item.node->attributes[*item.attribute].second : item.node->InnerText();
}

std::string_view NameOf(const XPathItem& item) {
  return item.attribute ? std::string_view(item.node->attributes[*item.attribute].first) : item.node->name;
}

double NumberOf(const std::string& text) {
  double number = 0;
  const bool is_number = absl::SimpleAtod(absl::StripAsciiWhitespace(text), &number);
  return is_number ? number : std::numeric_limits<double>::quiet_NaN();
}

std::string TextOf(double number) {
  if (std::isnan(number)) return "NaN";
  return StrCat(number);
}

std::string AsText(const XPathValue& value) {
  if (const auto* items = std::get_if<Items>(&value)) return items->empty() ? "" : TextOf(items->front());
  if (const auto* text = std::get_if<std::string>(&value)) return *text;
  if (const auto* number = std::get_if<double>(&value)) return TextOf(*number);
  return std::get<bool>(value) ? "true" : "false";
}

double AsNumber(const XPathValue& value) {
  if (const auto* number = std::get_if<double>(&value)) return *number;
  if (const auto* truth = std::get_if<bool>(&value)) return *truth ? 1 : 0;
  return NumberOf(AsText(value));
}

bool AsBool(const XPathValue& value) {
  if (const auto* items = std::get_if<Items>(&value)) return !items->empty();
  if (const auto* text = std::get_if<std::string>(&value)) return !text->empty();
  if (const auto* number = std::get_if<double>(&value)) return *number != 0 && !std::isnan(*number);
  return std::get<bool>(value);
}

template <typename T>
bool Holds(Kind kind, const T& a, const T& b) {
  switch (kind) {
    case Kind::kEqual:
      return a == b;
    case Kind::kUnequal:
      return a != b;
    case Kind::kLess:
      return a < b;
    case Kind::kLessEqual:
      return a <= b;
    case Kind::kGreater:
      return a > b;
    default:
      return a >= b;
  }
}

// Of values of which none is a set of nodes (XPath 1.0, 3.4).
bool CompareScalars(Kind kind, const XPathValue& a, const XPathValue& b) {
  const bool is_equality = kind == Kind::kEqual || kind == Kind::kUnequal;
  if (is_equality && (std::holds_alternative<bool>(a) || std::holds_alternative<bool>(b))) {
    return Holds(kind, AsBool(a), AsBool(b));
  }
  const bool has_number = std::holds_alternative<double>(a) || std::holds_alternative<double>(b);
  if (is_equality && !has_number) return Holds(kind, AsText(a), AsText(b));
  return Holds(kind, AsNumber(a), AsNumber(b));
}

class XPathEvaluation {
 public:
  explicit XPathEvaluation(XmlNode& document) : document_(document) {}

  [[nodiscard]] bool is_exhausted() const { return steps_ > kStepsMax; }

  Items Select(const XPathExpression& expression, const XPathItem& from) {
    if (expression.kind == Kind::kUnion) {
      Items all;
      for (const XPathExpression& path : expression.operands) {
        const Items some = Select(path, from);
        all.insert(all.end(), some.begin(), some.end());
      }
      return Sorted(std::move(all));
    }
    Items items = {expression.is_absolute ? XPathItem{.node = &document_} : from};
    for (const XPathStep& step : expression.steps) {
      Items next;
      for (const XPathItem& item : items) Walk(step, item, next);
      items = Sorted(std::move(next));
    }
    return items;
  }

  XPathValue Evaluate(const XPathExpression& expression, const Focus& focus) {
    switch (expression.kind) {
      case Kind::kPath:
      case Kind::kUnion:
        return Select(expression, focus.item);
      case Kind::kNumber:
        return expression.number;
      case Kind::kString:
        return expression.text;
      case Kind::kOr:
        return IsTrue(expression.operands[0], focus) || IsTrue(expression.operands[1], focus);
      case Kind::kAnd:
        return IsTrue(expression.operands[0], focus) && IsTrue(expression.operands[1], focus);
      case Kind::kFunction:
        return Call(expression, focus);
      default:
        return Compare(expression.kind, Evaluate(expression.operands[0], focus),
                       Evaluate(expression.operands[1], focus));
    }
  }

 private:
  bool IsTrue(const XPathExpression& expression, const Focus& focus) { return AsBool(Evaluate(expression, focus)); }

  static Items Sorted(Items items) {
    std::sort(items.begin(), items.end(), IsBefore);
    items.erase(std::unique(items.begin(), items.end()), items.end());
    return items;
  }

  // Appends what `step` finds from `item`.
  void Walk(const XPathStep& step, const XPathItem& item, Items& out) {
    Items found;
    switch (step.axis) {
      case Axis::kSelf:
        Offer(step, item, found);
        break;
      case Axis::kParent:
        if (item.attribute) Offer(step, {.node = item.node}, found);
        if (!item.attribute && item.node->parent != nullptr) Offer(step, {.node = item.node->parent}, found);
        break;
      case Axis::kAttribute:
        for (size_t i = 0; !item.attribute && i < item.node->attributes.size(); ++i) {
          Offer(step, {.node = item.node, .attribute = i}, found);
        }
        break;
      case Axis::kDescendantOrSelf:
        Offer(step, item, found);
        [[fallthrough]];
      case Axis::kDescendant:
        if (!item.attribute) OfferBelow(step, *item.node, true, found);
        break;
      case Axis::kChild:
        if (!item.attribute) OfferBelow(step, *item.node, false, found);
        break;
    }
    for (const XPathExpression& predicate : step.predicates) found = Kept(predicate, found);
    out.insert(out.end(), found.begin(), found.end());
  }

  void OfferBelow(const XPathStep& step, XmlNode& node, bool is_deep, Items& found) {
    for (const auto& child : node.children) {
      if (is_exhausted()) return;
      Offer(step, {.node = child.get()}, found);
      if (is_deep) OfferBelow(step, *child, true, found);
    }
  }

  void Offer(const XPathStep& step, const XPathItem& item, Items& found) {
    ++steps_;
    if (!is_exhausted() && Fits(step, item)) found.push_back(item);
  }

  static bool Fits(const XPathStep& step, const XPathItem& item) {
    const bool has_name = item.attribute || item.node->is(XmlNode::Kind::kElement);
    switch (step.test) {
      case Test::kName:
        return has_name && NameOf(item) == step.name;
      case Test::kAnyName:
        return has_name;
      case Test::kText:
        return !item.attribute && item.node->is_text();
      case Test::kComment:
        return !item.attribute && item.node->is(XmlNode::Kind::kComment);
      case Test::kNode:
        return true;
    }
    return false;
  }

  // A number is a position.
  Items Kept(const XPathExpression& predicate, const Items& items) {
    Items kept;
    for (size_t i = 0; i < items.size() && !is_exhausted(); ++i) {
      const Focus focus = {.item = items[i], .position = i + 1, .size = items.size()};
      const XPathValue value = Evaluate(predicate, focus);
      const auto* position = std::get_if<double>(&value);
      if (position != nullptr ? *position == static_cast<double>(i + 1) : AsBool(value)) kept.push_back(items[i]);
    }
    return kept;
  }

  // What a value stands for in a comparison: a set for each of its nodes.
  std::vector<XPathValue> Alternatives(const XPathValue& value, const XPathValue& other) {
    const auto* items = std::get_if<Items>(&value);
    if (items == nullptr) return {value};
    if (std::holds_alternative<bool>(other)) return {AsBool(value)};
    std::vector<XPathValue> texts;
    for (const XPathItem& item : *items) {
      if (is_exhausted()) break;
      texts.emplace_back(Paid(TextOf(item)));
    }
    return texts;
  }

  // Long texts count for more than one step.
  std::string Paid(std::string text) {
    steps_ += text.size() / 64;
    return text;
  }

  bool Compare(Kind kind, const XPathValue& a, const XPathValue& b) {
    for (const XPathValue& left : Alternatives(a, b)) {
      for (const XPathValue& right : Alternatives(b, a)) {
        ++steps_;
        if (is_exhausted()) return false;
        if (CompareScalars(kind, left, right)) return true;
      }
    }
    return false;
  }

  XPathValue Call(const XPathExpression& call, const Focus& focus) {
    std::vector<XPathValue> operands;
    for (const XPathExpression& operand : call.operands) operands.push_back(Evaluate(operand, focus));
    const XPathValue first = operands.empty() ? XPathValue(Items{focus.item}) : operands[0];
    const std::string_view name = call.text;
    if (name == "not") return !AsBool(first);
    if (name == "true" || name == "false") return name == "true";
    if (name == "position") return static_cast<double>(focus.position);
    if (name == "last") return static_cast<double>(focus.size);
    if (name == "count") return static_cast<double>(std::get<Items>(first).size());
    if (name == "number") return AsNumber(first);
    if (name == "name" || name == "local-name") return NameOfFirst(std::get<Items>(first), name == "local-name");
    const std::string text = Paid(AsText(first));
    if (name == "contains") return absl::StrContains(text, AsText(operands[1]));
    if (name == "starts-with") return text.starts_with(AsText(operands[1]));
    if (name == "string-length") return static_cast<double>(CharactersOf(text));
    if (name == "normalize-space") return Normalized(text);
    return text;  // string()
  }

  static std::string NameOfFirst(const Items& items, bool is_local) {
    if (items.empty()) return "";
    const std::string_view name = NameOf(items.front());
    return std::string(is_local ? name.substr(name.find(':') + 1) : name);
  }

  static size_t CharactersOf(std::string_view text) {
    size_t count = 0;
    for (; !text.empty(); ++count) text.remove_prefix(Utf8Size(text));
    return count;
  }

  static std::string Normalized(const std::string& text) {
    return absl::StrJoin(absl::StrSplit(text, absl::ByAnyChar(" \t\r\n"), absl::SkipEmpty()), " ");
  }

  XmlNode& document_;
  size_t steps_ = 0;
};

}  // namespace

StatusOr<XPath> XPath::Compile(std::string_view text) {
  ASSIGN_OR_RETURN(XPathExpression expression, ParseXPath(text));
  return XPath(std::move(expression));
}

StatusOr<std::vector<XPathItem>> XPath::Select(XmlNode& document) const {
  XPathEvaluation evaluation(document);
  Items items = evaluation.Select(expression_, {.node = &document});
  if (evaluation.is_exhausted()) {
    return absl::ResourceExhaustedError(
        StrCat("the xpath takes more than ", kStepsMax, " steps; name elements instead of //"));
  }
  return items;
}

}  // namespace spanloom::ottl
