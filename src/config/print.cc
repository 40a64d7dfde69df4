// SPDX-License-Identifier: Apache-2.0

#include "config/print.h"

#include <absl/algorithm/container.h>
#include <absl/strings/ascii.h>
#include <absl/strings/match.h>

#include <string_view>

#include "base/json_writer.h"
#include "base/text.h"

namespace spanloom::config {
namespace {

constexpr std::string_view kRedactedText = "[REDACTED]";
constexpr std::string_view kSecretWords[] = {"token",      "password", "secret",   "authorization",
                                             "credential", "api_key",  "key_pem",  "apikey",
                                             "hmac_key",   "htpasswd", "proxy_url"};

bool NamesSecret(std::string_view key) {
  const std::string lower = absl::AsciiStrToLower(AbslView(key));
  return absl::c_any_of(kSecretWords, [&](std::string_view word) { return lower.find(word) != std::string::npos; });
}

bool IsPlainSafe(std::string_view text) {
  static constexpr std::string_view kSafe = "_./-";
  if (text.empty() || text.front() == '-' || text.front() == '.') return false;
  return absl::c_all_of(text, [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || kSafe.find(c) != std::string_view::npos;
  });
}

// A text that readers of YAML 1.1, or the Collector's, take for a truth value or a date.
bool IsTakenForAnother(std::string_view text) {
  static constexpr std::string_view kTruths[] = {"yes", "no", "on", "off"};
  const bool is_date = text.size() > 4 && text[4] == '-' &&
                       absl::c_all_of(text.substr(0, 4), [](unsigned char c) { return absl::ascii_isdigit(c); });
  return is_date || absl::c_linear_search(kTruths, std::string_view(absl::AsciiStrToLower(AbslView(text))));
}

std::string QuotedScalar(std::string_view text) {
  std::string quoted = "\"";
  AppendJsonEscaped(text, quoted);
  return quoted + "\"";
}

std::string ScalarText(const Node& node) {
  if (node.style() == Node::Style::kPlain && TypeOfPlain(node.text()) != ScalarType::kString) return node.text();
  const bool plain =
      IsPlainSafe(node.text()) && TypeOfPlain(node.text()) == ScalarType::kString && !IsTakenForAnother(node.text());
  return plain ? node.text() : QuotedScalar(node.text());
}

// True if all below `key` is not to be seen.
bool IsHidden(std::string_view key, Secrets secrets) {
  return secrets == Secrets::kRedacted && (key == "headers" || NamesSecret(key));
}

class Printer {
 public:
  explicit Printer(Secrets secrets) : secrets_(secrets) {}

  // The value after "key:" or "-": on the same line, or in a block below. `in_list`: a map's first key follows "- ".
  void PrintValue(const Node& node, int indent, bool in_list, bool secret);
  std::string Take() { return std::move(out_); }

 private:
  void PrintEntries(const Node& map, int indent, bool first_on_line, bool secret);
  void PrintItems(const Node& list, int indent, bool secret);

  const Secrets secrets_;
  std::string out_;
};

void Printer::PrintEntries(const Node& map, int indent, bool first_on_line, bool secret) {
  for (const Node::Entry& entry : map.entries()) {
    if (!std::exchange(first_on_line, false)) out_.append(static_cast<size_t>(indent), ' ');
    const bool plain_key = IsPlainSafe(entry.key) && TypeOfPlain(entry.key) == ScalarType::kString;
    StrAppend(out_, plain_key ? entry.key : QuotedScalar(entry.key), ":");
    PrintValue(entry.value, indent + 2, false, secret || IsHidden(entry.key, secrets_));
  }
}

void Printer::PrintItems(const Node& list, int indent, bool secret) {
  for (const Node& item : list.items()) {
    StrAppend(out_, std::string(static_cast<size_t>(indent), ' '), "-");
    PrintValue(item, indent + 2, true, secret);
  }
}

void Printer::PrintValue(const Node& node, int indent, bool in_list, bool secret) {
  if (node.is_map() && !node.entries().empty()) {
    out_ += in_list ? ' ' : '\n';
    PrintEntries(node, indent, in_list, secret);
  } else if (node.is_list() && !node.items().empty()) {
    out_ += '\n';
    PrintItems(node, indent, secret);
  } else if (node.is_map() || node.is_list()) {
    out_ += node.is_map() ? " {}\n" : " []\n";
  } else if (node.is_null()) {
    out_ += " null\n";
  } else {
    StrAppend(out_, " ", secret ? QuotedScalar(kRedactedText) : ScalarText(node), "\n");
  }
}

void WriteScalar(const Node& node, JsonWriter& writer) {
  if (const auto boolean = ReadBool(node)) return writer.Bool(*boolean);
  if (const auto integer = ReadInt(node)) return writer.Int(*integer);
  if (const auto number = ReadDouble(node)) return writer.Double(*number);
  writer.String(node.text());
}

void WriteValue(const Node& node, Secrets secrets, bool hidden, JsonWriter& writer) {
  if (node.is_map()) {
    writer.BeginObject();
    for (const Node::Entry& entry : node.entries()) {
      writer.Key(entry.key);
      WriteValue(entry.value, secrets, hidden || IsHidden(entry.key, secrets), writer);
    }
    writer.EndObject();
  } else if (node.is_list()) {
    writer.BeginArray();
    for (const Node& item : node.items()) WriteValue(item, secrets, hidden, writer);
    writer.EndArray();
  } else if (node.is_null()) {
    writer.Null();
  } else if (hidden) {
    writer.String(kRedactedText);
  } else {
    WriteScalar(node, writer);
  }
}

}  // namespace

std::string ToYaml(const Node& node, Secrets secrets) {
  // The root is printed as if it were a list item: without a key before it, and with nothing in front of its first key.
  Printer printer(secrets);
  printer.PrintValue(node, 0, true, false);
  std::string text = printer.Take();
  return text.substr(1);
}

std::string ToJson(const Node& node, Secrets secrets) {
  std::string text;
  JsonWriter writer(text);
  WriteValue(node, secrets, false, writer);
  return text + "\n";
}

}  // namespace spanloom::config
