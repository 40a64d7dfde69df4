// SPDX-License-Identifier: Apache-2.0

#include "ottl/paths.h"

#include <absl/strings/str_format.h>

#include <limits>
#include <span>
#include <utility>

#include "base/text.h"
#include "otlp/ids.h"

namespace spanloom::ottl {
namespace {

using Kind = Value::Kind;

// Writers: `write` is called with a value of kind `kind`.
template <typename Write>
void WriteKind(Evaluation& e, const Value& value, Kind kind, std::string_view name, Write write) {
  if (!value.is(kind)) {
    e.Fail(StrCat("expected ", name, " but got ", value.type_name()));
    return;
  }
  write();
}

template <typename Write>
void WriteText(Evaluation& e, const Value& value, Write write) {
  WriteKind(e, value, Kind::kString, "string", [&] { write(value.text()); });
}

template <typename Integer, typename Write>
void WriteInteger(Evaluation& e, const Value& value, Write write) {
  WriteKind(e, value, Kind::kInt, "int64", [&] { write(static_cast<Integer>(value.int_value())); });
}

template <typename Write>
void WriteTime(Evaluation& e, const Value& value, Write write) {
  WriteKind(e, value, Kind::kTime, "time.Time", [&] { write(static_cast<uint64_t>(value.ns())); });
}

template <typename Id, typename Write>
void WriteId(Evaluation& e, const Value& value, Kind kind, std::string_view name, Write write) {
  WriteKind(e, value, kind, name, [&] { write(*Id::FromBytes(value.text())); });
}

template <typename Id, typename Write>
void WriteHex(Evaluation& e, const Value& value, std::optional<Id> (*parse)(std::string_view), Write write) {
  WriteText(e, value, [&](std::string_view hex) {
    const auto id = hex.size() == 2 * sizeof(Id) ? parse(hex) : std::nullopt;
    if (id) {
      write(*id);
    } else {
      e.Fail(StrCat("an id needs ", 2 * sizeof(Id), " hexadecimal digits"));
    }
  });
}

// Of messages, which no expression makes: those of the span itself are what it has.
void WriteSame(Evaluation& e, const Value& value, Value::Messages messages) {
  const std::string_view wanted = Value::MessagesOf(messages, 0).type_name();
  if (value.type_name() != wanted) e.Fail(StrCat("expects ", wanted, " but got ", value.type_name()));
}

template <typename Int>
Value Number(Int value) {
  return Value::Int(static_cast<int64_t>(value));
}

Value Messages(Value::Messages messages, size_t count) {
  return Value::MessagesOf(messages, static_cast<int64_t>(count));
}

Value Time(uint64_t unix_ns) {
  return Value::Time(static_cast<int64_t>(unix_ns));
}

std::string_view KindName(otlp::SpanKind kind) {
  constexpr std::string_view kNames[] = {"Unspecified", "Internal", "Server", "Client", "Producer", "Consumer"};
  const auto index = static_cast<size_t>(kind);
  return index < std::size(kNames) ? kNames[index] : std::string_view();
}

constexpr std::pair<std::string_view, int64_t> kEnums[] = {
    {"SPAN_KIND_UNSPECIFIED", 0}, {"SPAN_KIND_INTERNAL", 1}, {"SPAN_KIND_SERVER", 2},
    {"SPAN_KIND_CLIENT", 3},      {"SPAN_KIND_PRODUCER", 4}, {"SPAN_KIND_CONSUMER", 5},
    {"STATUS_CODE_UNSET", 0},     {"STATUS_CODE_OK", 1},     {"STATUS_CODE_ERROR", 2},
};

std::string_view KindSymbol(otlp::SpanKind kind) {
  for (const auto& [name, number] : kEnums) {
    if (number == static_cast<int64_t>(kind)) return name;
  }
  return {};
}

void WriteKindName(Evaluation& e, const Value& value, std::string_view (*name_of)(otlp::SpanKind)) {
  WriteText(e, value, [&](std::string_view name) {
    for (int kind = 0; kind <= static_cast<int>(otlp::SpanKind::kConsumer); ++kind) {
      if (name_of(static_cast<otlp::SpanKind>(kind)) == name) {
        e.scene().span_editor()->SetKind(static_cast<otlp::SpanKind>(kind));
        return;
      }
    }
    e.Fail(StrCat("unknown span kind: '", name, "'"));
  });
}

constexpr Field kResourceFields[] = {
    {"dropped_attributes_count", [](Evaluation& e) { return Number(e.scene().resource().dropped_attributes_count()); },
     [](Evaluation& e, const Value& v) {
       WriteInteger<uint32_t>(e, v, [&](auto n) { e.scene().resource_editor()->SetDroppedAttributesCount(n); });
     }},
    {"schema_url", [](Evaluation& e) { return Value::String(e.scene().resource_schema_url()); },
     [](Evaluation& e, const Value& v) {
       WriteText(e, v, [&](auto t) { e.scene().resource_schema_url_editor()->Set(t); });
     }},
};

constexpr Field kScopeFields[] = {
    {"name", [](Evaluation& e) { return Value::String(e.scene().scope().name()); },
     [](Evaluation& e, const Value& v) { WriteText(e, v, [&](auto t) { e.scene().scope_editor()->SetName(t); }); }},
    {"version", [](Evaluation& e) { return Value::String(e.scene().scope().version()); },
     [](Evaluation& e, const Value& v) { WriteText(e, v, [&](auto t) { e.scene().scope_editor()->SetVersion(t); }); }},
    {"dropped_attributes_count", [](Evaluation& e) { return Number(e.scene().scope().dropped_attributes_count()); },
     [](Evaluation& e, const Value& v) {
       WriteInteger<uint32_t>(e, v, [&](auto n) { e.scene().scope_editor()->SetDroppedAttributesCount(n); });
     }},
    {"schema_url", [](Evaluation& e) { return Value::String(e.scene().scope_schema_url()); },
     [](Evaluation& e, const Value& v) {
       WriteText(e, v, [&](auto t) { e.scene().scope_schema_url_editor()->Set(t); });
     }},
};

constexpr Field kSpanFields[] = {
    {"name", [](Evaluation& e) { return Value::String(e.scene().span().name()); },
     [](Evaluation& e, const Value& v) { WriteText(e, v, [&](auto t) { e.scene().span_editor()->SetName(t); }); }},
    {"kind", [](Evaluation& e) { return Number(e.scene().span().kind()); },
     [](Evaluation& e, const Value& v) {
       WriteInteger<int32_t>(e, v, [&](auto n) { e.scene().span_editor()->SetKind(static_cast<otlp::SpanKind>(n)); });
     }},
    {"kind.string", [](Evaluation& e) { return Value::String(KindName(e.scene().span().kind())); },
     [](Evaluation& e, const Value& v) { WriteKindName(e, v, KindName); }},
    {"kind.deprecated_string", [](Evaluation& e) { return Value::String(KindSymbol(e.scene().span().kind())); },
     [](Evaluation& e, const Value& v) { WriteKindName(e, v, KindSymbol); }},
    {"status.code", [](Evaluation& e) { return Number(e.scene().span().status_code()); },
     [](Evaluation& e, const Value& v) {
       WriteInteger<int32_t>(e, v,
                             [&](auto n) { e.scene().span_editor()->SetStatusCode(static_cast<otlp::StatusCode>(n)); });
     }},
    {"status.message", [](Evaluation& e) { return Value::String(e.scene().span().status_message()); },
     [](Evaluation& e, const Value& v) {
       WriteText(e, v, [&](auto t) { e.scene().span_editor()->SetStatusMessage(t); });
     }},
    {"trace_id", [](Evaluation& e) { return Value::TraceId(e.scene().span().trace_id().view()); },
     [](Evaluation& e, const Value& v) {
       WriteId<otlp::TraceId>(e, v, Kind::kTraceId, "pcommon.TraceID",
                              [&](const auto& id) { e.scene().span_editor()->SetTraceId(id); });
     }},
    {"trace_id.string", [](Evaluation& e) { return e.NewString(e.scene().span().trace_id().Hex()); },
     [](Evaluation& e, const Value& v) {
       WriteHex<otlp::TraceId>(e, v, otlp::ParseTraceId,
                               [&](const auto& id) { e.scene().span_editor()->SetTraceId(id); });
     }},
    {"span_id", [](Evaluation& e) { return Value::SpanId(e.scene().span().span_id().view()); },
     [](Evaluation& e, const Value& v) {
       WriteId<otlp::SpanId>(e, v, Kind::kSpanId, "pcommon.SpanID",
                             [&](const auto& id) { e.scene().span_editor()->SetSpanId(id); });
     }},
    {"span_id.string", [](Evaluation& e) { return e.NewString(e.scene().span().span_id().Hex()); },
     [](Evaluation& e, const Value& v) {
       WriteHex<otlp::SpanId>(e, v, otlp::ParseSpanId, [&](const auto& id) { e.scene().span_editor()->SetSpanId(id); });
     }},
    {"parent_span_id", [](Evaluation& e) { return Value::SpanId(e.scene().span().parent_span_id().view()); },
     [](Evaluation& e, const Value& v) {
       WriteId<otlp::SpanId>(e, v, Kind::kSpanId, "pcommon.SpanID",
                             [&](const auto& id) { e.scene().span_editor()->SetParentSpanId(id); });
     }},
    {"parent_span_id.string", [](Evaluation& e) { return e.NewString(e.scene().span().parent_span_id().Hex()); },
     [](Evaluation& e, const Value& v) {
       WriteHex<otlp::SpanId>(e, v, otlp::ParseSpanId,
                              [&](const auto& id) { e.scene().span_editor()->SetParentSpanId(id); });
     }},
    {"trace_state", [](Evaluation& e) { return Value::String(e.scene().span().trace_state()); },
     [](Evaluation& e, const Value& v) {
       WriteText(e, v, [&](auto t) { e.scene().span_editor()->SetTraceState(t); });
     }},
    {"start_time", [](Evaluation& e) { return Time(e.scene().span().start_unix_ns()); },
     [](Evaluation& e, const Value& v) {
       WriteTime(e, v, [&](uint64_t ns) { e.scene().span_editor()->SetStartTime(ns); });
     }},
    {"start_time_unix_nano", [](Evaluation& e) { return Number(e.scene().span().start_unix_ns()); },
     [](Evaluation& e, const Value& v) {
       WriteInteger<uint64_t>(e, v, [&](auto ns) { e.scene().span_editor()->SetStartTime(ns); });
     }},
    {"end_time", [](Evaluation& e) { return Time(e.scene().span().end_unix_ns()); },
     [](Evaluation& e, const Value& v) {
       WriteTime(e, v, [&](uint64_t ns) { e.scene().span_editor()->SetEndTime(ns); });
     }},
    {"end_time_unix_nano", [](Evaluation& e) { return Number(e.scene().span().end_unix_ns()); },
     [](Evaluation& e, const Value& v) {
       WriteInteger<uint64_t>(e, v, [&](auto ns) { e.scene().span_editor()->SetEndTime(ns); });
     }},
    {"flags", [](Evaluation& e) { return Number(e.scene().span().flags()); },
     [](Evaluation& e, const Value& v) {
       if (v.is(Kind::kInt) && (v.int_value() < 0 || v.int_value() > UINT32_MAX)) {
         e.Fail(StrCat("value ", v.int_value(), " is out of range for uint32"));
         return;
       }
       WriteInteger<uint32_t>(e, v, [&](auto n) { e.scene().span_editor()->SetFlags(n); });
     }},
    {"dropped_attributes_count", [](Evaluation& e) { return Number(e.scene().span().dropped_attributes_count()); },
     [](Evaluation& e, const Value& v) {
       WriteInteger<uint32_t>(e, v, [&](auto n) { e.scene().span_editor()->SetDroppedAttributesCount(n); });
     }},
    {"dropped_events_count", [](Evaluation& e) { return Number(e.scene().span().dropped_events_count()); },
     [](Evaluation& e, const Value& v) {
       WriteInteger<uint32_t>(e, v, [&](auto n) { e.scene().span_editor()->SetDroppedEventsCount(n); });
     }},
    {"dropped_links_count", [](Evaluation& e) { return Number(e.scene().span().dropped_links_count()); },
     [](Evaluation& e, const Value& v) {
       WriteInteger<uint32_t>(e, v, [&](auto n) { e.scene().span_editor()->SetDroppedLinksCount(n); });
     }},
    {"status", [](Evaluation&) { return Value::MessagesOf(Value::Messages::kStatus, 0); },
     [](Evaluation& e, const Value& v) { WriteSame(e, v, Value::Messages::kStatus); }},
    {"events", [](Evaluation& e) { return Messages(Value::Messages::kEvents, e.scene().span().events().Count()); },
     [](Evaluation& e, const Value& v) { WriteSame(e, v, Value::Messages::kEvents); }},
    {"links", [](Evaluation& e) { return Messages(Value::Messages::kLinks, e.scene().span().links().Count()); },
     [](Evaluation& e, const Value& v) { WriteSame(e, v, Value::Messages::kLinks); }},
};

constexpr Field kEventFields[] = {
    {"name", [](Evaluation& e) { return Value::String(e.scene().event().name()); },
     [](Evaluation& e, const Value& v) { WriteText(e, v, [&](auto t) { e.scene().event_editor()->SetName(t); }); }},
    {"time", [](Evaluation& e) { return Time(e.scene().event().time_unix_ns()); },
     [](Evaluation& e, const Value& v) {
       WriteTime(e, v, [&](uint64_t ns) { e.scene().event_editor()->SetTime(ns); });
     }},
    {"time_unix_nano", [](Evaluation& e) { return Number(e.scene().event().time_unix_ns()); },
     [](Evaluation& e, const Value& v) {
       WriteInteger<uint64_t>(e, v, [&](auto ns) { e.scene().event_editor()->SetTime(ns); });
     }},
    {"dropped_attributes_count", [](Evaluation& e) { return Number(e.scene().event().dropped_attributes_count()); },
     [](Evaluation& e, const Value& v) {
       WriteInteger<uint32_t>(e, v, [&](auto n) { e.scene().event_editor()->SetDroppedAttributesCount(n); });
     }},
    {"event_index", [](Evaluation& e) { return Number(e.scene().event_index()); },
     [](Evaluation& e, const Value&) { e.Fail("the path \"event_index\" cannot be changed"); }},
};

std::span<const Field> FieldsOf(Context context) {
  switch (context) {
    case Context::kResource:
      return kResourceFields;
    case Context::kScope:
      return kScopeFields;
    case Context::kSpan:
      return kSpanFields;
    case Context::kSpanEvent:
      return kEventFields;
  }
  return {};
}

Status InvalidPath(Context context, std::string_view segment, const Operand& path) {
  return absl::InvalidArgumentError(
      StrCat("segment \"", segment, "\" from path \"", PathText(path),
             "\" is not a valid path nor a valid OTTL keyword for the ", ContextName(context),
             " context - review https://github.com/open-telemetry/opentelemetry-collector-contrib/tree/main/pkg/ottl/"
             "contexts/ottl",
             ContextName(context), " to see all valid paths"));
}

// The field that the segments from `begin` on spell, or the segment that spells none.
StatusOr<const Field*> FindField(Context context, const Operand& path, size_t begin) {
  std::string name;
  for (size_t i = begin; i < path.segments.size(); ++i) {
    name.append(name.empty() ? "" : ".").append(path.segments[i].name);
  }
  const std::string& first = path.segments[begin].name;
  std::string_view unknown = first;
  for (const Field& field : FieldsOf(context)) {
    if (field.name == name) return &field;
    const bool begins_alike = StdView(AbslView(field.name)).starts_with(first + ".") || field.name == first;
    if (begins_alike && begin + 1 < path.segments.size()) unknown = path.segments[begin + 1].name;
  }
  return InvalidPath(context, unknown, path);
}

Status CheckKeys(const Operand& path, bool takes_keys) {
  for (size_t i = 0; i < path.segments.size(); ++i) {
    const bool is_last = i + 1 == path.segments.size();
    if (path.segments[i].keys.empty() || (is_last && takes_keys)) continue;
    return absl::InvalidArgumentError(
        StrCat("path \"", PathText(path), "\" takes no key behind \"", path.segments[i].name, "\""));
  }
  return absl::OkStatus();
}

template <typename Visit>
auto VisitAttributes(const Scene& scene, AttributeSource source, Visit visit) {
  switch (source) {
    case AttributeSource::kResource:
      return visit(scene.resource().attributes());
    case AttributeSource::kScope:
      return visit(scene.scope().attributes());
    case AttributeSource::kSpan:
      return visit(scene.span().attributes());
    default:
      return visit(scene.event().attributes());
  }
}

}  // namespace

std::optional<Context> PrefixOf(const Operand& path) {
  if (path.segments.size() < 2 || !path.segments.front().keys.empty()) return std::nullopt;
  const std::string& first = path.segments.front().name;
  if (first == "resource") return Context::kResource;
  if (first == "scope" || first == "instrumentation_scope") return Context::kScope;
  if (first == "span") return Context::kSpan;
  if (first == "spanevent") return Context::kSpanEvent;
  return std::nullopt;
}

StatusOr<PathRoot> ResolvePath(Context context, const Operand& path) {
  const auto prefix = PrefixOf(path);
  // A context sees those in front of it.
  if (prefix && *prefix > context) return InvalidPath(context, path.segments.front().name, path);
  const Context owner = prefix.value_or(context);
  const size_t begin = prefix ? 1 : 0;
  const PathSegment& last = path.segments.back();
  PathRoot root{.keys = &last.keys};
  const bool is_single = begin + 1 == path.segments.size();
  if (is_single && last.name == "attributes") {
    root.kind = PathRoot::Kind::kAttributes;
    root.source = static_cast<AttributeSource>(owner);
  } else if (is_single && last.name == "cache" && owner == context) {
    root.kind = PathRoot::Kind::kCache;
  } else {
    ASSIGN_OR_RETURN(root.field, FindField(owner, path, begin));
    if (is_single && last.name == "trace_state") root.kind = PathRoot::Kind::kTraceState;
  }
  RETURN_IF_ERROR(CheckKeys(path, root.kind != PathRoot::Kind::kField));
  return root;
}

StatusOr<int64_t> ResolveEnum(Context context, std::string_view symbol) {
  if (!HasEnums(context)) {
    const std::string_view name = context == Context::kScope ? "instrumentation scope" : "resource";
    return absl::InvalidArgumentError(StrCat(name, " context does not provide Enum support"));
  }
  for (const auto& [name, number] : kEnums) {
    if (symbol == name) return number;
  }
  return absl::InvalidArgumentError(StrCat("enum symbol, ", symbol, ", not found"));
}

Value ReadAttribute(const Scene& scene, AttributeSource source, std::string_view key) {
  const auto value =
      VisitAttributes(scene, source, [key](const auto& attributes) { return otlp::FindAttribute(attributes, key); });
  return value ? Value::Of(*value) : Value();
}

Value ReadAttributes(Evaluation& evaluation, AttributeSource source) {
  return VisitAttributes(evaluation.scene(), source,
                         [&](const auto& attributes) { return MapOf(attributes, evaluation.arena()); });
}

otlp::MessageEditor* AttributesEditor(const Scene& scene, AttributeSource source) {
  switch (source) {
    case AttributeSource::kResource:
      return scene.resource_editor();
    case AttributeSource::kScope:
      return scene.scope_editor();
    case AttributeSource::kSpan:
      return scene.span_editor();
    default:
      return scene.event_editor();
  }
}

}  // namespace spanloom::ottl
