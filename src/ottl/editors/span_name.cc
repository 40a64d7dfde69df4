// SPDX-License-Identifier: Apache-2.0
//
// The editor set_semconv_span_name, which names spans as the semantic conventions of HTTP, RPC, databases and messaging
// do (https://opentelemetry.io/docs/specs/semconv/), from what instrumentation has written of these by their present
// and earlier names.

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/text.h"
#include "ottl/function_table.h"
#include "ottl/lexer.h"
#include "ottl/paths.h"
#include "ottl/text_format.h"

namespace spanloom::ottl {
namespace {

using Type = ParameterType;

// Reads the attributes of one span.
class SemconvName {
 public:
  explicit SemconvName(Evaluation& e) : e_(e) {}

  // "" if the attributes say nothing that makes a name for a span of that kind.
  std::string Of(otlp::SpanKind kind) {
    const bool is_server = kind == otlp::SpanKind::kServer;
    const bool is_client = kind == otlp::SpanKind::kClient;
    std::string name;
    if (is_server) name = Http("http.route");
    if (is_client) name = Http("url.template");
    if (name.empty() && (is_server || is_client)) name = Rpc();
    if (name.empty() && is_client) name = Database();
    const bool is_none = kind == otlp::SpanKind::kUnspecified || kind == otlp::SpanKind::kInternal;
    return name.empty() && !is_none ? Messaging() : name;
  }

 private:
  using Text = std::optional<std::string>;

  [[nodiscard]] std::optional<Value> Find(std::string_view key) const {
    const Value value = ReadAttribute(e_.scene(), AttributeSource::kSpan, key);
    return value.is_nil() && !value.is_unset() ? std::nullopt : std::optional(value);
  }
  // Of the first of the keys that is there.
  Text Get(std::string_view key, std::string_view earlier_key = {}) {
    auto value = Find(key);
    if (!value && !earlier_key.empty()) value = Find(earlier_key);
    return value ? Text(AttributeText(e_, *value)) : std::nullopt;
  }
  // "" of what is missing.
  static std::string Joined(const Text& a, std::string_view separator, const Text& b) {
    const bool has_both = a && b && !a->empty() && !b->empty();
    return StrCat(a.value_or(""), has_both ? separator : "", b.value_or(""));
  }

  std::string Http(std::string_view subject_key) {
    const Text method = Get("http.request.method", "http.method");
    if (!method) return "";
    const Text subject = Get(subject_key);
    return subject ? StrCat(*method, " ", *subject) : *method;
  }

  std::string Rpc() {
    const Text system = Get("rpc.system.name", "rpc.system");
    if (!system) return "";
    const Text method = Get("rpc.method", "rpc.grpc.method");
    const Text service = Get("rpc.service", "rpc.grpc.service");
    if (method) return service ? StrCat(*service, "/", *method) : *method;
    return service ? StrCat(*service, "/*") : *system;
  }

  std::string Database() {
    const Text system = Get("db.system.name", "db.system");
    if (!system) return "";
    if (const Text summary = Get("db.query.summary")) return *summary;
    const std::string name = Joined(Get("db.operation.name", "db.operation"), " ", DatabaseTarget());
    return name.empty() ? *system : name;
  }

  std::string DatabaseTarget() {
    const Text name_space = Get("db.namespace", "db.name");
    for (const char* key : {"db.collection.name", "db.stored_procedure.name"}) {
      const Text target = Get(key);
      if (target) return StrCat(name_space.value_or(""), name_space.value_or("").empty() ? "" : ".", *target);
    }
    return name_space.value_or("").empty() ? Server() : *name_space;
  }

  std::string Messaging() {
    const Text system = Get("messaging.system");
    if (!system) return "";
    const Text operation = Get("messaging.operation.name", "messaging.operation");
    const std::string destination = MessagingDestination();
    if (destination.empty()) return operation ? *operation : *system;
    return operation ? StrCat(*operation, " ", destination) : destination;
  }

  std::string MessagingDestination() {
    const auto is_true = [this](std::string_view key) {
      const auto value = Find(key);
      return value && value->is(Value::Kind::kBool) && value->bool_value();
    };
    if (is_true("messaging.destination.temporary")) return "(temporary)";
    if (is_true("messaging.destination.anonymous")) return "(anonymous)";
    if (const Text name = Get("messaging.destination.template")) return *name;
    if (const Text name = Get("messaging.destination.name", "messaging.destination")) return *name;
    return Server();
  }

  std::string Server() {
    const Text address = Get("server.address");
    if (!address) return "";
    const Text port = Get("server.port");
    return port ? StrCat(*address, ":", *port) : *address;
  }

  Evaluation& e_;
};

Value SetSemconvSpanName(Evaluation& e, const Arguments& a) {
  const std::string before(e.scene().span().name());
  const std::string name = SemconvName(e).Of(e.scene().span().kind());
  if (name.empty() || name == before) return {};
  e.scene().span_editor()->SetName(name);
  if (a.has(1)) e.scene().span_editor()->SetString(a[1].text(), before);
  return {};
}

// [major, minor, patch] and whether something comes in front of that release, as "1.40.0-rc.1" does.
struct Version {
  std::array<int64_t, 3> numbers{};
  bool is_early = false;
};

// Numbers that are left out are 0. nullopt if it is no version as https://semver.org has them.
std::optional<Version> ParseVersion(std::string_view text) {
  if (text.starts_with("v")) text.remove_prefix(1);
  Version version;
  const size_t end = std::min(text.find_first_of("-+"), text.size());
  std::string_view numbers = text.substr(0, end);
  for (size_t i = 0; i < version.numbers.size(); ++i) {
    const size_t point = numbers.find('.');
    const std::string_view digits = numbers.substr(0, point);
    const auto number = ParseInteger(digits);
    if (!number || digits.find_first_not_of("0123456789") != std::string_view::npos) return std::nullopt;
    version.numbers[i] = *number;
    if (point == std::string_view::npos) break;
    if (i + 1 == version.numbers.size()) return std::nullopt;
    numbers.remove_prefix(point + 1);
  }
  version.is_early = end < text.size() && text[end] == '-';
  return text.ends_with("-") || text.ends_with("+") ? std::nullopt : std::optional(version);
}

class Checked final : public Prepared {};

PreparedOr PrepareSetSemconvSpanName(const Arguments& a) {
  constexpr std::array<int64_t, 3> kOldest = {1, 37, 0};
  constexpr std::array<int64_t, 3> kNewest = {1, 40, 0};
  const auto version = ParseVersion(a[0].text());
  if (!version) {
    return absl::InvalidArgumentError(
        StrCat("failed to parse semconv version ", Quoted(a[0].text()), ": invalid semantic version"));
  }
  const bool is_too_old = version->numbers < kOldest || (version->numbers == kOldest && version->is_early);
  if (is_too_old || version->numbers > kNewest) {
    return absl::InvalidArgumentError(
        StrCat("unsupported semconv version ", Quoted(a[0].text()), ": must be between 1.37.0 and 1.40.0"));
  }
  if (a.has(1) && a[1].text().empty()) {
    return absl::InvalidArgumentError("originalSpanNameAttribute cannot be an empty string");
  }
  return std::make_unique<Checked>();
}

constexpr Function kFunctions[] = {
    {.name = "set_semconv_span_name",
     .parameters = {Parameter{"semconvVersion", Type::kStringLiteral},
                    Parameter{"originalSpanNameAttribute", Type::kStringLiteral, true}},
     .call = SetSemconvSpanName,
     .prepare = PrepareSetSemconvSpanName,
     .prepared_from = 1 << 0 | 1 << 1,
     .is_of_spans = true},
};

}  // namespace

std::span<const Function> SpanNameEditors() {
  return kFunctions;
}

}  // namespace spanloom::ottl
