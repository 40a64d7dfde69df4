// SPDX-License-Identifier: Apache-2.0

#include "ottl/parser.h"

#include <absl/strings/str_format.h>

#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <vector>

#include "ottl/lexer.h"

namespace spanloom::ottl {
namespace {

using Kind = Token::Kind;

constexpr std::array<std::string_view, 8> kUnsupportedOperators = {"<", "<=", ">", ">=", "+", "-", "*", "/"};
constexpr std::string_view kExpectedValue = "a string, a number, true, false, nil, an enum or a path";

// Recursive descent; only parentheses recurse.
class Parser {
 public:
  Parser(std::string_view text, std::vector<Token> tokens) : text_(text), tokens_(std::move(tokens)) {}

  StatusOr<Expression> Run() {
    ASSIGN_OR_RETURN(Expression condition, Condition(0));
    if (Peek().kind != Kind::kEnd) return Unexpected("\"and\", \"or\" or the end");
    return condition;
  }

 private:
  [[nodiscard]] const Token& Peek() const { return tokens_[next_]; }

  Token Take() { return tokens_[next_++]; }

  [[nodiscard]] bool Is(Kind kind, std::string_view text) const { return Peek().kind == kind && Peek().text == text; }

  bool TakeIf(Kind kind, std::string_view text) {
    if (!Is(kind, text)) return false;
    ++next_;
    return true;
  }

  [[nodiscard]] Status Error(std::string_view fault) const {
    return absl::InvalidArgumentError(
        absl::StrFormat("condition has invalid syntax: %s: %s", Position(text_, Peek().offset), fault));
  }

  [[nodiscard]] Status Unexpected(std::string_view expected) const {
    const Token& token = Peek();
    const auto& unsupported = kUnsupportedOperators;
    if (token.kind == Kind::kPunctuation &&
        std::find(unsupported.begin(), unsupported.end(), token.text) != unsupported.end()) {
      return Error(absl::StrFormat("operator \"%s\" is not supported; supported are == != and or not", token.text));
    }
    const std::string found = token.kind == Kind::kEnd ? "\"<EOF>\"" : Quoted(token.text);
    return Error(absl::StrFormat("unexpected token %s (expected %s)", found, expected));
  }

  // Operands joined by `word`; one alone stays as it is.
  template <typename ParseOperand>
  StatusOr<Expression> Joined(Expression::Kind kind, std::string_view word, ParseOperand parse_operand) {
    ASSIGN_OR_RETURN(Expression first, parse_operand());
    if (!Is(Kind::kName, word)) return first;
    Expression joined{.kind = kind, .constant = false, .comparison = {}, .operands = {}};
    joined.operands.push_back(std::move(first));
    while (TakeIf(Kind::kName, word)) {
      ASSIGN_OR_RETURN(Expression operand, parse_operand());
      joined.operands.push_back(std::move(operand));
    }
    return joined;
  }

  StatusOr<Expression> Condition(int depth) {
    return Joined(Expression::Kind::kOr, "or", [this, depth] { return Conjunction(depth); });
  }

  StatusOr<Expression> Conjunction(int depth) {
    return Joined(Expression::Kind::kAnd, "and", [this, depth] { return Term(depth); });
  }

  StatusOr<Expression> Term(int depth) {
    if (!TakeIf(Kind::kName, "not")) return PlainTerm(depth);
    ASSIGN_OR_RETURN(Expression operand, PlainTerm(depth));
    Expression negation{.kind = Expression::Kind::kNot, .constant = false, .comparison = {}, .operands = {}};
    negation.operands.push_back(std::move(operand));
    return negation;
  }

  StatusOr<Expression> PlainTerm(int depth) {
    if (!Is(Kind::kPunctuation, "(")) return ConstantOrComparison();
    if (depth == kExpressionDepthMax) {
      return Error(absl::StrFormat("parentheses nest more than %d deep", kExpressionDepthMax));
    }
    Take();
    ASSIGN_OR_RETURN(Expression condition, Condition(depth + 1));
    if (!TakeIf(Kind::kPunctuation, ")")) return Unexpected("\")\"");
    return condition;
  }

  StatusOr<Expression> ConstantOrComparison() {
    ASSIGN_OR_RETURN(Value left, ParseValue());
    const size_t offset = Peek().offset;
    const bool is_equal = TakeIf(Kind::kPunctuation, "==");
    if (!is_equal && !TakeIf(Kind::kPunctuation, "!=")) {
      const Literal* literal = std::get_if<Literal>(&left);
      if (literal == nullptr || !std::holds_alternative<bool>(*literal)) return Unexpected("<opcomparison> Value");
      return Expression{Expression::Kind::kConstant, std::get<bool>(*literal), {}, {}};
    }
    ASSIGN_OR_RETURN(Value right, ParseValue());
    const auto op = is_equal ? ComparisonOperator::kEqual : ComparisonOperator::kNotEqual;
    return Expression{
        Expression::Kind::kComparison, false, Comparison{std::move(left), op, std::move(right), offset}, {}};
  }

  StatusOr<Value> ParseValue() {
    switch (Peek().kind) {
      case Kind::kLiteral:
        return Value(Take().value);
      case Kind::kSymbol:
        return Symbol();
      case Kind::kName:
        return Name();
      default:
        return Unexpected(kExpectedValue);
    }
  }

  StatusOr<Value> Symbol() {
    const Token token = Take();
    if (Is(Kind::kPunctuation, "(")) {
      return absl::InvalidArgumentError(absl::StrFormat("%s: undefined function %s: functions are not supported",
                                                        Position(text_, token.offset), Quoted(token.text)));
    }
    return Value(EnumSymbol{std::string(token.text), token.offset});
  }

  StatusOr<Value> Name() {
    const std::string_view word = Peek().text;
    if (word == "and" || word == "or" || word == "not") return Unexpected(kExpectedValue);
    if (TakeIf(Kind::kName, "nil")) return Value(Literal());
    if (TakeIf(Kind::kName, "true")) return Value(Literal(true));
    if (TakeIf(Kind::kName, "false")) return Value(Literal(false));
    return ParsePath();
  }

  StatusOr<Value> ParsePath() {
    Path path{.segments = {}, .offset = Peek().offset};
    do {
      if (Peek().kind != Kind::kName) return Unexpected("the name of a field");
      PathSegment segment{.name = std::string(Take().text), .keys = {}};
      RETURN_IF_ERROR(Keys(segment));
      path.segments.push_back(std::move(segment));
    } while (TakeIf(Kind::kPunctuation, "."));
    return Value(std::move(path));
  }

  Status Keys(PathSegment& segment) {
    while (TakeIf(Kind::kPunctuation, "[")) {
      const Literal& key = Peek().value;
      if (const auto* name = std::get_if<std::string>(&key)) {
        segment.keys.emplace_back(*name);
      } else if (const auto* index = std::get_if<int64_t>(&key)) {
        segment.keys.emplace_back(*index);
      } else {
        return Unexpected("a string or an integer");
      }
      Take();
      if (!TakeIf(Kind::kPunctuation, "]")) return Unexpected("\"]\"");
    }
    return absl::OkStatus();
  }

  std::string_view text_;
  std::vector<Token> tokens_;  // the last one is kEnd, which is never taken
  size_t next_ = 0;
};

}  // namespace

StatusOr<Expression> ParseCondition(std::string_view text) {
  if (text.size() > kConditionBytesMax) {
    return absl::InvalidArgumentError(
        absl::StrFormat("the condition has %d bytes; at most %d are allowed", text.size(), kConditionBytesMax));
  }
  auto tokens = Lex(text);
  if (!tokens.ok()) return Annotate(tokens.status(), "condition has invalid syntax");
  return Parser(text, *std::move(tokens)).Run();
}

}  // namespace spanloom::ottl
