// SPDX-License-Identifier: Apache-2.0

#include "ottl/parser.h"

#include <absl/strings/str_format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/text.h"
#include "ottl/lexer.h"

namespace spanloom::ottl {
namespace {

using Kind = Token::Kind;

// What the original says where a value should stand.
constexpr std::string_view kExpectedValue = "Field (\".\" Field)*";
constexpr std::string_view kExpectedComparison = "<opcomparison> Value";

std::optional<ComparisonOperator> OperatorOf(const Token& token) {
  constexpr std::pair<std::string_view, ComparisonOperator> kOperators[] = {
      {"==", ComparisonOperator::kEqual},  {"!=", ComparisonOperator::kNotEqual},
      {"<", ComparisonOperator::kLess},    {"<=", ComparisonOperator::kLessEqual},
      {">", ComparisonOperator::kGreater}, {">=", ComparisonOperator::kGreaterEqual},
  };
  if (token.kind != Kind::kPunctuation) return std::nullopt;
  for (const auto& [text, op] : kOperators) {
    if (token.text == text) return op;
  }
  return std::nullopt;
}

bool IsArithmetic(const Token& token) {
  return token.kind == Kind::kPunctuation &&
         (token.text == "+" || token.text == "-" || token.text == "*" || token.text == "/");
}

bool IsReserved(std::string_view word) {
  return word == "and" || word == "or" || word == "not";
}

bool CanBeKey(const Operand& operand) {
  if (operand.kind != Operand::Kind::kLiteral) {
    return operand.kind != Operand::Kind::kSymbol && operand.kind != Operand::Kind::kList &&
           operand.kind != Operand::Kind::kMap;
  }
  return !std::holds_alternative<std::monostate>(operand.literal) && !std::holds_alternative<bool>(operand.literal) &&
         !std::holds_alternative<BytesLiteral>(operand.literal);
}

// Recursive descent.
class Parser {
 public:
  // `what` is parsed, for messages: "condition".
  Parser(std::string_view text, std::string_view what, std::vector<Token> tokens)
      : text_(text), what_(what), tokens_(std::move(tokens)) {}

  StatusOr<Expression> RunCondition() {
    ASSIGN_OR_RETURN(Expression condition, Condition());
    RETURN_IF_ERROR(End());
    return condition;
  }

  StatusOr<Operand> RunValue() {
    ASSIGN_OR_RETURN(Operand value, Value());
    RETURN_IF_ERROR(End());
    return value;
  }

  StatusOr<StatementSyntax> RunStatement() {
    StatementSyntax statement;
    if (Peek().kind == Kind::kSymbol && Is(1, "(")) {
      return absl::InvalidArgumentError(
          StrCat("editor names must start with a lowercase letter but got '", Peek().text, "'"));
    }
    if (Peek().kind != Kind::kName || IsReserved(Peek().text)) return Unexpected("Editor");
    ASSIGN_OR_RETURN(statement.call, Call());
    if (Is("[")) {
      return absl::InvalidArgumentError(
          StrCat("only paths and converters may be indexed, not editors, but got ", statement.call.name));
    }
    statement.where.constant = true;
    if (TakeWord("where")) {
      ASSIGN_OR_RETURN(statement.where, Condition());
    }
    RETURN_IF_ERROR(End());
    return statement;
  }

 private:
  // Counts how deep the parser is.
  class Nesting {
   public:
    explicit Nesting(int& depth) : depth_(depth) { ++depth_; }
    ~Nesting() { --depth_; }
    Nesting(const Nesting&) = delete;
    Nesting& operator=(const Nesting&) = delete;

   private:
    int& depth_;
  };

  [[nodiscard]] const Token& Peek(size_t ahead = 0) const {
    return tokens_[std::min(next_ + ahead, tokens_.size() - 1)];
  }

  const Token& Take() { return tokens_[next_++]; }

  [[nodiscard]] bool Is(size_t ahead, std::string_view punctuation) const {
    return Peek(ahead).kind == Kind::kPunctuation && Peek(ahead).text == punctuation;
  }
  [[nodiscard]] bool Is(std::string_view punctuation) const { return Is(0, punctuation); }

  bool TakeIf(std::string_view punctuation) {
    const bool is_next = Is(punctuation);
    next_ += is_next ? 1 : 0;
    return is_next;
  }

  bool TakeWord(std::string_view word) {
    const bool is_next = Peek().kind == Kind::kName && Peek().text == word;
    next_ += is_next ? 1 : 0;
    return is_next;
  }

  [[nodiscard]] Status Error(std::string_view fault) const {
    return absl::InvalidArgumentError(
        StrCat(what_, " has invalid syntax: ", Position(text_, Peek().offset), ": ", fault));
  }

  [[nodiscard]] std::string Found() const {
    return "unexpected token " + (Peek().kind == Kind::kEnd ? "\"<EOF>\"" : Quoted(Peek().text));
  }
  [[nodiscard]] Status Unexpected(std::string_view expected) const {
    return Error(StrCat(Found(), " (expected ", expected, ")"));
  }

  [[nodiscard]] Status End() const { return Peek().kind == Kind::kEnd ? absl::OkStatus() : Error(Found()); }

  [[nodiscard]] Status CheckDepth() const {
    if (depth_ <= kExpressionDepthMax) return absl::OkStatus();
    return Error(absl::StrFormat("expressions nest more than %d deep", kExpressionDepthMax));
  }

  template <typename Part>
  StatusOr<Expression> Joined(Expression::Kind kind, std::string_view word, Part parse_part) {
    ASSIGN_OR_RETURN(Expression first, parse_part());
    if (Peek().kind != Kind::kName || Peek().text != word) return first;
    Expression joined{.kind = kind};
    joined.operands.push_back(std::move(first));
    while (TakeWord(word)) {
      ASSIGN_OR_RETURN(Expression next, parse_part());
      joined.operands.push_back(std::move(next));
    }
    return joined;
  }

  StatusOr<Expression> Condition() {
    return Joined(Expression::Kind::kOr, "or", [this] { return Conjunction(); });
  }

  StatusOr<Expression> Conjunction() {
    return Joined(Expression::Kind::kAnd, "and", [this] { return Term(); });
  }

  StatusOr<Expression> Term() {
    if (!TakeWord("not")) return PlainTerm();
    ASSIGN_OR_RETURN(Expression operand, PlainTerm());
    Expression negation{.kind = Expression::Kind::kNot};
    negation.operands.push_back(std::move(operand));
    return negation;
  }

  StatusOr<Expression> PlainTerm() {
    if (!Is("(") || ParenthesesHoldSum()) return CallOrComparison();
    const Nesting nesting(depth_);
    RETURN_IF_ERROR(CheckDepth());
    Take();
    ASSIGN_OR_RETURN(Expression condition, Condition());
    if (!TakeIf(")")) return Unexpected("\")\"");
    return condition;
  }

  // Parentheses may hold a condition or a part of a sum: what follows them tells.
  [[nodiscard]] bool ParenthesesHoldSum() const {
    size_t open = 0;
    for (size_t i = 0; next_ + i < tokens_.size(); ++i) {
      if (Is(i, "(")) ++open;
      if (Is(i, ")") && --open == 0) return OperatorOf(Peek(i + 1)).has_value() || IsArithmetic(Peek(i + 1));
    }
    return false;
  }

  StatusOr<Expression> CallOrComparison() {
    Expression expression;
    ASSIGN_OR_RETURN(expression.comparison.left, Value());
    const Operand& left = expression.comparison.left;
    const auto op = OperatorOf(Peek());
    if (op) {
      Take();
      expression.kind = Expression::Kind::kComparison;
      expression.comparison.op = *op;
      ASSIGN_OR_RETURN(expression.comparison.right, Value());
      return expression;
    }
    if (left.kind == Operand::Kind::kCall) {
      expression.kind = Expression::Kind::kCall;
      return expression;
    }
    const auto* constant = std::get_if<bool>(&left.literal);
    if (left.kind != Operand::Kind::kLiteral || constant == nullptr) return Unexpected(kExpectedComparison);
    return Expression{.kind = Expression::Kind::kConstant, .constant = *constant};
  }

  StatusOr<Operand> Value() {
    const Nesting nesting(depth_);
    RETURN_IF_ERROR(CheckDepth());
    const Token& token = Peek();
    const auto literal = [&](Literal value) {
      Take();
      return Operand{.kind = Operand::Kind::kLiteral, .offset = token.offset, .literal = std::move(value)};
    };
    if (token.kind == Kind::kString || token.kind == Kind::kBytes) return literal(token.value);
    if (token.kind == Kind::kName && token.text == "nil") return literal({});
    if (token.kind == Kind::kName && token.text == "true") return literal(true);
    if (token.kind == Kind::kName && token.text == "false") return literal(false);
    if (token.kind == Kind::kSymbol && !Is(1, "(")) {
      Take();
      return Operand{.kind = Operand::Kind::kSymbol, .offset = token.offset, .name = std::string(token.text)};
    }
    if (Is("[")) return List();
    if (Is("{")) return Map();
    return Sum();
  }

  // Operands joined by operators of one precedence, from left to right.
  template <typename Part>
  StatusOr<Operand> Chain(std::string_view operators, Part parse_part) {
    ASSIGN_OR_RETURN(Operand result, parse_part());
    while (IsArithmetic(Peek()) && operators.find(Peek().text[0]) != std::string_view::npos) {
      Operand joined{.kind = Operand::Kind::kArithmetic, .offset = Peek().offset, .op = Peek().text[0]};
      Take();
      ASSIGN_OR_RETURN(Operand right, parse_part());
      joined.operands.push_back(std::move(result));
      joined.operands.push_back(std::move(right));
      result = std::move(joined);
      if (++chained_ > kTermsMax) return Error(absl::StrFormat("more than %d operators", kTermsMax));
    }
    return result;
  }

  StatusOr<Operand> Sum() {
    return Chain("+-", [this] { return Product(); });
  }
  StatusOr<Operand> Product() {
    return Chain("*/", [this] { return Factor(); });
  }

  StatusOr<Operand> Factor() {
    const size_t offset = Peek().offset;
    if (TakeIf("-")) {
      if (Peek().kind == Kind::kInt || Peek().kind == Kind::kFloat) return Number("-");
      ASSIGN_OR_RETURN(Operand operand, UnsignedFactor());
      Operand negation{.kind = Operand::Kind::kNegation, .offset = offset};
      negation.operands.push_back(std::move(operand));
      return negation;
    }
    if (!TakeIf("+")) return UnsignedFactor();
    if (Peek().kind == Kind::kInt || Peek().kind == Kind::kFloat) return Number("+");
    return UnsignedFactor();
  }

  StatusOr<Operand> UnsignedFactor() {
    const Token& token = Peek();
    if (token.kind == Kind::kInt || token.kind == Kind::kFloat) return Number("");
    if (token.kind == Kind::kSymbol && Is(1, "(")) return Converter();
    if (token.kind == Kind::kName && Is(1, "(")) {
      return absl::InvalidArgumentError(
          StrCat("converter names must start with an uppercase letter but got '", token.text, "'"));
    }
    if (token.kind == Kind::kName && !IsReserved(token.text)) return Path();
    if (!Is("(")) return Unexpected(kExpectedValue);
    const Nesting nesting(depth_);
    RETURN_IF_ERROR(CheckDepth());
    Take();
    ASSIGN_OR_RETURN(Operand sum, Sum());
    if (!TakeIf(")")) return Unexpected("\")\"");
    return sum;
  }

  StatusOr<Operand> Number(std::string_view sign) {
    const Token& token = Peek();
    const std::string digits = StrCat(sign == "-" ? sign : "", token.text);
    Operand number{.kind = Operand::Kind::kLiteral, .offset = token.offset};
    number.op = sign.empty() ? '\0' : sign[0];
    const auto read = [&](auto value) {
      const bool is_read = std::from_chars(digits.data(), digits.data() + digits.size(), value).ec == std::errc();
      number.literal = value;
      return is_read;
    };
    const bool is_read = token.kind == Kind::kFloat ? read(double{}) : read(int64_t{});
    if (!is_read) return Error("number out of range " + Quoted(digits));
    Take();
    return number;
  }

  StatusOr<Operand> Path() {
    Operand path{.kind = Operand::Kind::kPath, .offset = Peek().offset};
    do {
      if (Peek().kind != Kind::kName) return Unexpected("Field");
      PathSegment segment{.name = std::string(Take().text), .keys = {}};
      RETURN_IF_ERROR(Keys(segment.keys));
      path.segments.push_back(std::move(segment));
    } while (TakeIf("."));
    return path;
  }

  Status Keys(std::vector<Operand>& keys) {
    while (Is("[")) {
      const size_t bracket = next_++;
      ASSIGN_OR_RETURN(Operand key, Value());
      if (!CanBeKey(key)) {
        next_ = bracket;
        return Error(Found());
      }
      keys.push_back(std::move(key));
      if (!TakeIf("]")) return Unexpected("\"]\"");
    }
    return absl::OkStatus();
  }

  StatusOr<Operand> Converter() {
    ASSIGN_OR_RETURN(Operand call, Call());
    RETURN_IF_ERROR(Keys(call.keys));
    return call;
  }

  // A name and its arguments.
  StatusOr<Operand> Call() {
    const Nesting nesting(depth_);
    RETURN_IF_ERROR(CheckDepth());
    Operand call{.kind = Operand::Kind::kCall, .offset = Peek().offset, .name = std::string(Peek().text)};
    Take();
    if (!TakeIf("(")) return Unexpected("\"(\"");
    if (TakeIf(")")) return call;
    do {
      RETURN_IF_ERROR(Argument(call));
    } while (TakeIf(","));
    // In the Collector's grammar keys may follow.
    if (!TakeIf(")")) return Unexpected("\")\" Key*");
    return call;
  }

  Status Argument(Operand& call) {
    std::string name;
    if (Peek().kind == Kind::kName && Is(1, "=")) {
      name = Take().text;
      Take();
    }
    ASSIGN_OR_RETURN(Operand value, Value());
    call.names.push_back(std::move(name));
    call.operands.push_back(std::move(value));
    return absl::OkStatus();
  }

  StatusOr<Operand> List() {
    Operand list{.kind = Operand::Kind::kList, .offset = Peek().offset};
    Take();
    if (TakeIf("]")) return list;
    do {
      ASSIGN_OR_RETURN(Operand element, Value());
      list.operands.push_back(std::move(element));
    } while (TakeIf(","));
    if (!TakeIf("]")) return Unexpected("\"]\"");
    return list;
  }

  StatusOr<Operand> Map() {
    Operand map{.kind = Operand::Kind::kMap, .offset = Peek().offset};
    Take();
    while (!TakeIf("}")) {
      if (Peek().kind != Kind::kString) return Unexpected("\"}\"");
      map.names.push_back(std::get<std::string>(Take().value));
      if (!TakeIf(":")) return Unexpected("\":\"");
      ASSIGN_OR_RETURN(Operand value, Value());
      map.operands.push_back(std::move(value));
      if (!TakeIf(",") && !Is("}")) return Unexpected("\"}\"");
    }
    return map;
  }

  static constexpr int kTermsMax = 256;  // operators of sums in one text, which nest to the left; guess

  std::string_view text_;
  std::string_view what_;
  std::vector<Token> tokens_;  // the last one is kEnd, which is never taken
  size_t next_ = 0;
  int depth_ = 0;
  int chained_ = 0;
};

StatusOr<Parser> ParserOf(std::string_view text, std::string_view what) {
  if (text.size() > kTextBytesMax) {
    return absl::InvalidArgumentError(
        absl::StrFormat("the %s has %d bytes; at most %d are allowed", what, text.size(), kTextBytesMax));
  }
  auto tokens = Lex(text);
  if (!tokens.ok()) return Annotate(tokens.status(), StrCat(what, " has invalid syntax"));
  return Parser(text, what, *std::move(tokens));
}

}  // namespace

std::string PathText(const Operand& path) {
  std::string text;
  for (const PathSegment& segment : path.segments) text.append(text.empty() ? "" : ".").append(segment.name);
  return text;
}

StatusOr<Expression> ParseCondition(std::string_view text) {
  ASSIGN_OR_RETURN(Parser parser, ParserOf(text, "condition"));
  return parser.RunCondition();
}

StatusOr<StatementSyntax> ParseStatement(std::string_view text) {
  ASSIGN_OR_RETURN(Parser parser, ParserOf(text, "statement"));
  return parser.RunStatement();
}

StatusOr<Operand> ParseValue(std::string_view text) {
  ASSIGN_OR_RETURN(Parser parser, ParserOf(text, "value expression"));
  return parser.RunValue();
}

}  // namespace spanloom::ottl
