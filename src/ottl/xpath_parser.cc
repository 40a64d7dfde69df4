// SPDX-License-Identifier: Apache-2.0

#include "ottl/xpath_parser.h"

#include <absl/strings/ascii.h>
#include <absl/strings/numbers.h>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "base/text.h"

namespace spanloom::ottl {
namespace {

using Kind = XPathExpression::Kind;
using Axis = XPathStep::Axis;
using Test = XPathStep::Test;

constexpr int kDepthMax = 32;  // guess

constexpr XPathFunction kFunctions[] = {
    {"not", 1, 1},      {"true", 0, 0},        {"false", 0, 0},         {"position", 0, 0},       {"last", 0, 0},
    {"count", 1, 1},    {"name", 0, 1},        {"local-name", 0, 1},    {"string", 0, 1},         {"number", 0, 1},
    {"contains", 2, 2}, {"starts-with", 2, 2}, {"string-length", 0, 1}, {"normalize-space", 0, 1}};

struct Operator {
  std::string_view sign;
  Kind kind;
};

constexpr Operator kEqualities[] = {{"=", Kind::kEqual}, {"!=", Kind::kUnequal}};
constexpr Operator kRelations[] = {
    {"<=", Kind::kLessEqual}, {">=", Kind::kGreaterEqual}, {"<", Kind::kLess}, {">", Kind::kGreater}};
constexpr std::pair<std::string_view, Axis> kAxes[] = {
    {"child", Axis::kChild}, {"descendant", Axis::kDescendant}, {"descendant-or-self", Axis::kDescendantOrSelf},
    {"self", Axis::kSelf},   {"parent", Axis::kParent},         {"attribute", Axis::kAttribute}};

bool IsNameStart(char c) {
  return absl::ascii_isalpha(static_cast<unsigned char>(c)) || c == '_' || static_cast<unsigned char>(c) >= 0x80;
}

bool IsNamePart(char c) {
  return IsNameStart(c) || absl::ascii_isdigit(static_cast<unsigned char>(c)) || c == '-' || c == '.';
}

bool IsDigit(char c) {
  return absl::ascii_isdigit(static_cast<unsigned char>(c));
}

class XPathParser {
 public:
  explicit XPathParser(std::string_view text) : rest_(text), size_(text.size()) {}

  StatusOr<XPathExpression> Run() {
    ASSIGN_OR_RETURN(XPathExpression expression, Union());
    SkipSpace();
    if (!rest_.empty()) return Error("this is not expected");
    if (expression.kind != Kind::kPath && expression.kind != Kind::kUnion) return Error("it selects no nodes");
    return expression;
  }

 private:
  [[nodiscard]] Status Error(std::string_view fault) const {
    return absl::InvalidArgumentError(StrCat("invalid xpath: ", fault, " at byte ", size_ - rest_.size()));
  }

  void SkipSpace() { rest_ = StdView(absl::StripLeadingAsciiWhitespace(AbslView(rest_))); }
  [[nodiscard]] bool Peek(std::string_view sign) {
    SkipSpace();
    return rest_.starts_with(sign);
  }
  bool Take(std::string_view sign) {
    if (!Peek(sign)) return false;
    rest_.remove_prefix(sign.size());
    return true;
  }
  // A word of the language, and not the beginning of a name.
  bool TakeWord(std::string_view word) {
    if (!Peek(word) || (rest_.size() > word.size() && IsNamePart(rest_[word.size()]))) return false;
    rest_.remove_prefix(word.size());
    return true;
  }

  std::string_view TakeName() {
    size_t size = 0;
    if (!rest_.empty() && IsNameStart(rest_[0])) {
      while (size < rest_.size() && IsNamePart(rest_[size])) ++size;
    }
    const std::string_view name = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return name;
  }

  static XPathExpression Joined(Kind kind, XPathExpression left, XPathExpression right) {
    XPathExpression joined{.kind = kind};
    joined.operands.push_back(std::move(left));
    joined.operands.push_back(std::move(right));
    return joined;
  }

  StatusOr<XPathExpression> Or() {
    ASSIGN_OR_RETURN(XPathExpression left, And());
    while (TakeWord("or")) {
      ASSIGN_OR_RETURN(XPathExpression right, And());
      left = Joined(Kind::kOr, std::move(left), std::move(right));
    }
    return left;
  }

  StatusOr<XPathExpression> And() {
    ASSIGN_OR_RETURN(XPathExpression left, Equality());
    while (TakeWord("and")) {
      ASSIGN_OR_RETURN(XPathExpression right, Equality());
      left = Joined(Kind::kAnd, std::move(left), std::move(right));
    }
    return left;
  }

  std::optional<Kind> TakeOneOf(std::span<const Operator> operators) {
    for (const auto& [sign, kind] : operators) {
      if (Take(sign)) return kind;
    }
    return std::nullopt;
  }

  StatusOr<XPathExpression> Equality() {
    ASSIGN_OR_RETURN(XPathExpression left, Relation());
    while (const auto kind = TakeOneOf(kEqualities)) {
      ASSIGN_OR_RETURN(XPathExpression right, Relation());
      left = Joined(*kind, std::move(left), std::move(right));
    }
    return left;
  }

  StatusOr<XPathExpression> Relation() {
    ASSIGN_OR_RETURN(XPathExpression left, Union());
    while (const auto kind = TakeOneOf(kRelations)) {
      ASSIGN_OR_RETURN(XPathExpression right, Union());
      left = Joined(*kind, std::move(left), std::move(right));
    }
    return RefusingArithmetic(std::move(left));
  }

  StatusOr<XPathExpression> RefusingArithmetic(XPathExpression expression) {
    for (const std::string_view sign : {"+", "-", "*"}) {
      if (Peek(sign)) return Error("arithmetic is not supported");
    }
    if (TakeWord("div") || TakeWord("mod")) return Error("arithmetic is not supported");
    return expression;
  }

  StatusOr<XPathExpression> Union() {
    ASSIGN_OR_RETURN(XPathExpression first, Primary());
    if (!Peek("|")) return first;
    XPathExpression all{.kind = Kind::kUnion};
    all.operands.push_back(std::move(first));
    while (Take("|")) {
      ASSIGN_OR_RETURN(XPathExpression next, Primary());
      all.operands.push_back(std::move(next));
    }
    for (const XPathExpression& operand : all.operands) {
      if (operand.kind != Kind::kPath) return Error("a union is of paths");
    }
    return all;
  }

  StatusOr<XPathExpression> Primary() {
    SkipSpace();
    if (rest_.empty()) return Error("an expression is missing");
    const char c = rest_[0];
    if (c == '\'' || c == '"') return Text(c);
    if (IsDigit(c) || c == '-' || (c == '.' && rest_.size() > 1 && IsDigit(rest_[1]))) return Number();
    if (c == '(') return Parenthesised();
    if (c == '$') return Error("variables are not supported");
    if (const XPathFunction* function = NextFunction()) return Call(*function);
    return Path();
  }

  StatusOr<XPathExpression> Text(char quote) {
    const size_t end = rest_.find(quote, 1);
    if (end == std::string_view::npos) return Error("a text is not closed");
    XPathExpression text{.kind = Kind::kString, .text = std::string(rest_.substr(1, end - 1))};
    rest_.remove_prefix(end + 1);
    return text;
  }

  StatusOr<XPathExpression> Number() {
    size_t size = 1;
    while (size < rest_.size() && (IsDigit(rest_[size]) || rest_[size] == '.')) ++size;
    XPathExpression number{.kind = Kind::kNumber};
    if (!absl::SimpleAtod(AbslView(rest_.substr(0, size)), &number.number)) return Error("this is no number");
    rest_.remove_prefix(size);
    return number;
  }

  StatusOr<XPathExpression> Parenthesised() {
    if (++depth_ > kDepthMax) return Error("brackets nest too deeply");
    rest_.remove_prefix(1);
    ASSIGN_OR_RETURN(XPathExpression inner, Or());
    if (!Take(")")) return Error("no )");
    if (Peek("[") || Peek("/")) return Error("steps behind brackets are not supported");
    --depth_;
    return inner;
  }

  // The function that is called next; nullptr if what is next is no call of one that is known.
  const XPathFunction* NextFunction() {
    const std::string_view before = rest_;
    const std::string_view name = TakeName();
    const bool is_call = Peek("(");
    rest_ = before;
    const auto* found = std::find_if(std::begin(kFunctions), std::end(kFunctions),
                                     [name](const XPathFunction& function) { return function.name == name; });
    return is_call && found != std::end(kFunctions) ? found : nullptr;
  }

  StatusOr<XPathExpression> Call(const XPathFunction& function) {
    if (++depth_ > kDepthMax) return Error("brackets nest too deeply");
    rest_.remove_prefix(function.name.size());
    Take("(");
    XPathExpression call{.kind = Kind::kFunction, .text = std::string(function.name)};
    while (!Take(")")) {
      if (!call.operands.empty() && !Take(",")) return Error("no )");
      ASSIGN_OR_RETURN(XPathExpression operand, Or());
      call.operands.push_back(std::move(operand));
    }
    if (call.operands.size() < function.operands_min || call.operands.size() > function.operands_max) {
      return Error(StrCat(function.name, "() has another number of arguments"));
    }
    const bool takes_nodes = function.name == "count" || function.name == "name" || function.name == "local-name";
    for (const XPathExpression& operand : call.operands) {
      if (takes_nodes && operand.kind != Kind::kPath && operand.kind != Kind::kUnion) {
        return Error(StrCat(function.name, "() takes a path"));
      }
    }
    --depth_;
    return call;
  }

  StatusOr<XPathExpression> Path() {
    XPathExpression path{.kind = Kind::kPath};
    path.is_absolute = rest_.starts_with('/');
    if (Take("//")) {
      path.steps.push_back(ToAnyNode(Axis::kDescendantOrSelf));
    } else if (Take("/") && !BeginsStep()) {
      return path;
    }
    while (true) {
      ASSIGN_OR_RETURN(XPathStep step, Step());
      path.steps.push_back(std::move(step));
      if (Take("//")) {
        path.steps.push_back(ToAnyNode(Axis::kDescendantOrSelf));
      } else if (!Take("/")) {
        return path;
      }
    }
  }

  static XPathStep ToAnyNode(Axis axis) {
    XPathStep step;
    step.axis = axis;
    return step;
  }

  [[nodiscard]] bool BeginsStep() {
    SkipSpace();
    return !rest_.empty() && (IsNameStart(rest_[0]) || rest_[0] == '*' || rest_[0] == '@' || rest_[0] == '.');
  }

  StatusOr<XPathStep> Step() {
    XPathStep step;
    if (Take("..")) return ToAnyNode(Axis::kParent);
    if (Take(".")) return ToAnyNode(Axis::kSelf);
    if (Take("@")) {
      step.axis = Axis::kAttribute;
    } else {
      RETURN_IF_ERROR(TakeAxis(step));
    }
    RETURN_IF_ERROR(TakeTest(step));
    while (Take("[")) {
      if (++depth_ > kDepthMax) return Error("brackets nest too deeply");
      ASSIGN_OR_RETURN(XPathExpression predicate, Or());
      if (!Take("]")) return Error("no ]");
      step.predicates.push_back(std::move(predicate));
      --depth_;
    }
    return step;
  }

  Status TakeAxis(XPathStep& step) {
    SkipSpace();
    const std::string_view before = rest_;
    const std::string_view name = TakeName();
    if (!Take("::")) {
      rest_ = before;
      return absl::OkStatus();
    }
    for (const auto& [known, axis] : kAxes) {
      if (known != name) continue;
      step.axis = axis;
      return absl::OkStatus();
    }
    return Error(StrCat("the axis ", name, " is not supported"));
  }

  Status TakeTest(XPathStep& step) {
    SkipSpace();
    if (Take("*")) {
      step.test = Test::kAnyName;
      return absl::OkStatus();
    }
    std::string name(TakeName());
    if (name.empty()) return Error("a name is missing");
    if (!Peek("(")) {
      if (Take(":")) {
        const std::string_view local = TakeName();
        if (local.empty()) return Error("a name is missing");
        StrAppend(name, ":", local);
      }
      step.test = Test::kName;
      step.name = std::move(name);
      return absl::OkStatus();
    }
    if (name != "text" && name != "comment" && name != "node") return Error(StrCat("there is no function ", name));
    Take("(");
    if (!Take(")")) return Error(StrCat(name, "() takes nothing"));
    step.test = name == "text" ? Test::kText : name == "comment" ? Test::kComment : Test::kNode;
    return absl::OkStatus();
  }

  std::string_view rest_;
  size_t size_;
  int depth_ = 0;
};

}  // namespace

std::span<const XPathFunction> XPathFunctions() {
  return kFunctions;
}

StatusOr<XPathExpression> ParseXPath(std::string_view text) {
  return XPathParser(text).Run();
}

}  // namespace spanloom::ottl
