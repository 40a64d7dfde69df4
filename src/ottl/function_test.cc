// SPDX-License-Identifier: Apache-2.0
//
// Converters and editors by tables: tests/data/ottl/converters.txt says what a value is, editors.txt what a statement
// makes of attributes. Both were written down from the documented behaviour of the Collector's functions
// (pkg/ottl/ottlfuncs).

#include <absl/strings/str_replace.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <span>
#include <string>
#include <vector>

#include "base/testing/test_data.h"
#include "base/text.h"
#include "otlp/batch.h"
#include "otlp/validate.h"
#include "otlp/writer.h"
#include "ottl/compiler.h"
#include "ottl/condition.h"
#include "ottl/function_table.h"
#include "ottl/go_format.h"
#include "ottl/json_value.h"
#include "ottl/parser.h"
#include "ottl/statement.h"
#include "ottl/text_format.h"

namespace spanloom::ottl {
namespace {

using testing::HasSubstr;

struct Row {
  std::string input;
  std::string output;
};

std::vector<Row> ReadTable(std::string_view name) {
  constexpr std::string_view kArrow = "  =>  ";
  std::ifstream file(TestData() / "ottl" / name);
  std::vector<Row> rows;
  for (std::string line; std::getline(file, line);) {
    const size_t arrow = line.find(kArrow);
    if (line.starts_with('#') || arrow == std::string::npos) continue;
    rows.push_back({line.substr(0, arrow), line.substr(arrow + kArrow.size())});
  }
  EXPECT_FALSE(rows.empty()) << name;
  return rows;
}

// "int64 3", "string \"abc\"", "time.Duration 1h0m0s".
// Without the escapes that are there for the sake of HTML.
std::string Readable(const std::string& json) {
  return absl::StrReplaceAll(json, {{"\\u003c", "<"}, {"\\u003e", ">"}, {"\\u0026", "&"}});
}

std::string Shown(const Value& value) {
  const bool is_time = value.is(Value::Kind::kTime) || value.is(Value::Kind::kDuration);
  const std::string shown = is_time ? FormatGo(value) : FormatJson(value);
  return StrCat(value.type_name(), " ", Readable(shown));
}

std::string Evaluated(std::string_view text) {
  Program program;
  Compiler compiler(Context::kSpan, Compiler::Attributes::kDirectly, program);
  const auto syntax = ParseValue(text);
  if (!syntax.ok()) return StrCat("refused: ", syntax.status().message());
  const auto getter = compiler.CompileValue(*syntax);
  if (!getter.ok()) return StrCat("refused: ", getter.status().message());
  const Scene nothing;
  Evaluation evaluation(nothing, Clock::System());
  const Value value = (*getter)->Get(evaluation);
  const std::string shown = Shown(value);
  const Status status = evaluation.TakeStatus();
  return status.ok() ? shown : StrCat("failed: ", status.message());
}

// Scenario: a table of expressions.
// Guarantees: each has the value, the failure, or the refusal that the table says.
TEST(Converters, DoWhatTheTableSays) {
  for (const Row& row : ReadTable("converters.txt")) EXPECT_EQ(Evaluated(row.input), row.output) << row.input;
}

// Scenario: all functions there are, and the reference of the language.
// Guarantees: each stands there with its parameters.
TEST(Converters, AreDocumented) {
  std::ifstream file(TestData() / ".." / ".." / "docs" / "ottl.md");
  const std::string reference((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  for (const std::span<const Function> family : FunctionFamilies()) {
    for (const Function& function : family) {
      std::string signature;
      for (const Parameter& parameter : function.parameters) {
        if (parameter.name.empty()) break;
        const std::string name = parameter.is_optional ? StrCat("[", parameter.name, "]") : std::string(parameter.name);
        StrAppend(signature, signature.empty() ? "" : ", ", name);
      }
      EXPECT_THAT(reference, HasSubstr(StrCat("`", function.name, "(", signature, ")`")));
    }
  }
}

// A request of one span with the attributes of a JSON object.
Bytes RequestOf(std::string_view attributes) {
  Arena arena;
  const auto map = ParseJsonValue(attributes, arena);
  EXPECT_TRUE(map.ok()) << attributes;
  std::string wire;
  otlp::RequestWriter request(wire);
  request.BeginResource({});
  request.BeginScope({});
  otlp::SpanWriter span = request.BeginSpan({.name = "GET /a"});
  for (const Entry& entry : EntriesOf(*map, arena)) span.attributes().Encoded(entry.key, *EncodeValue(entry.value));
  span.End();
  request.End();
  return Bytes(std::move(wire));
}

// What `statements` make of the attributes of a span: JSON with keys in order, or what failed.
std::string Edited(const std::vector<std::string>& statements, std::string_view attributes) {
  const auto list = StatementList::Compile(Context::kSpan, statements);
  if (!list.ok()) return StrCat("refused: ", list.status().message());
  otlp::Slice slice(RequestOf(attributes), 1);
  std::string failure;
  slice.EditSpans([&](otlp::SpanEditContext& context) {
    const Scene scene(context);
    list->Execute(scene, [&](std::string_view, const Status& error) {
      failure = StrCat("failed: ", error.message());
      return false;
    });
  });
  std::string wire;
  slice.AppendTo(wire);
  EXPECT_TRUE(otlp::ValidateTraces(wire).ok());
  std::string shown;
  slice.ForEach([&](const otlp::SpanContext& context) {
    Arena arena;
    shown = Readable(FormatJson(MapOf(context.span.attributes(), arena)));
  });
  return failure.empty() ? shown : failure;
}

// Scenario: a table of statements with attributes before and after.
// Guarantees: each makes of them what the table says, and the request is valid afterwards.
TEST(Editors, DoWhatTheTableSays) {
  constexpr std::string_view kBar = "  |  ";
  for (const Row& row : ReadTable("editors.txt")) {
    const size_t bar = row.input.find(kBar);
    ASSERT_NE(bar, std::string::npos) << row.input;
    EXPECT_EQ(Edited({row.input.substr(0, bar)}, row.input.substr(bar + kBar.size())), row.output) << row.input;
  }
}

// Scenario: statements that use what others left in the cache.
// Guarantees: the cache lives from one statement to the next, and is not part of the span.
TEST(Editors, RememberInTheCache) {
  EXPECT_EQ(
      Edited({R"(set(cache["a"]["b"], attributes["x"]))", R"(delete_key(attributes, "x"))", R"(set(cache["c"], 2))",
              R"(set(attributes["y"], cache["a"]["b"]))", R"(set(attributes["all"], cache))"},
             R"({"x": "v"})"),
      R"({"all":{"a":{"b":"v"},"c":2},"y":"v"})");
}

// Scenario: a statement whose condition does not hold, and a list whose conditions do not.
// Guarantees: nothing happens.
TEST(Editors, AreBoundToConditions) {
  EXPECT_EQ(Edited({R"(set(attributes["a"], 1) where name == "x")",
                    R"(set(attributes["b"], 2) where attributes["a"] == nil)"},
                   "{}"),
            R"({"b":2})");
  const std::vector<std::string> statements = {R"(set(name, "new"))"};
  const std::vector<std::string> conditions = {R"(name == "x")", R"(HasPrefix(name, "POST"))"};
  const auto list = StatementList::Compile(Context::kSpan, statements, conditions);
  ASSERT_TRUE(list.ok()) << list.status();
  otlp::Slice slice(RequestOf("{}"), 1);
  slice.EditSpans([&](otlp::SpanEditContext& context) {
    list->Execute(Scene(context), [](std::string_view, const Status&) { return true; });
  });
  EXPECT_TRUE(slice.is_whole());
}

// Scenario: every path that can be written, and what can be read of it afterwards.
// Guarantees: it is as it was set.
TEST(Editors, WriteEveryPath) {
  const std::vector<std::string> statements = {
      R"(set(name, "n"))",
      R"(set(kind, SPAN_KIND_CLIENT))",
      R"(set(kind.string, "Producer") where kind.string == "Client")",
      R"(set(status.code, STATUS_CODE_ERROR))",
      R"(set(status.message, "m"))",
      R"(set(trace_id, TraceID(0x0102030405060708090a0b0c0d0e0f10)))",
      R"(set(span_id.string, "0102030405060708"))",
      R"(set(parent_span_id, SpanID("0202030405060708")))",
      R"(set(trace_state, "a=b,c=d"))",
      R"(set(trace_state["c"], "e"))",
      R"(set(trace_state["c"], "not=allowed"))",
      R"(set(trace_state["Not allowed"], "e"))",
      R"(set(start_time_unix_nano, 5))",
      R"(set(end_time, start_time + Duration("1s")))",
      R"(set(flags, 257))",
      R"(set(dropped_attributes_count, 1))",
      R"(set(dropped_events_count, 2))",
      R"(set(dropped_links_count, 3))",
      R"(set(resource.attributes["r"], 1.5))",
      R"(set(scope.name, "s"))",
      R"(set(instrumentation_scope.version, "v"))",
      R"(set(scope.attributes["l"], [1, "x", nil]))",
      R"(set(attributes, {"only": {"deep": true}}))",
  };
  const std::vector<std::string> checks = {
      R"(name == "n" and kind == SPAN_KIND_PRODUCER and status.code == 2 and status.message == "m" and )"
      R"(trace_id.string == "0102030405060708090a0b0c0d0e0f10" and span_id == SpanID(0x0102030405060708) and )"
      R"(parent_span_id.string == "0202030405060708" and trace_state == "c=e,a=b" and start_time_unix_nano == 5 and )"
      R"(end_time_unix_nano == 1000000005 and flags == 257 and dropped_attributes_count == 1 and )"
      R"(dropped_events_count == 2 and dropped_links_count == 3 and resource.attributes["r"] == 1.5 and )"
      R"(scope.name == "s" and scope.version == "v" and Len(scope.attributes["l"]) == 3 and )"
      R"(attributes == {"only": {"deep": true}})"};
  const auto list = StatementList::Compile(Context::kSpan, statements);
  const auto check = Conditions::Compile(Context::kSpan, checks);
  ASSERT_TRUE(list.ok()) << list.status();
  ASSERT_TRUE(check.ok()) << check.status();
  otlp::Slice slice(RequestOf(R"({"gone": 1})"), 1);
  const auto no_error = [](std::string_view text, const Status& error) {
    ADD_FAILURE() << text << ": " << error;
    return true;
  };
  slice.EditSpans([&](otlp::SpanEditContext& context) { list->Execute(Scene(context), no_error); });
  EXPECT_EQ(slice.DropIf([&](const otlp::SpanContext& span) { return check->Match(Scene(span), no_error); }), 1u);
}

// Scenario: spans of several kinds with what instrumentation writes of HTTP, RPC, databases and messaging.
// Guarantees: they are named as the conventions say, the name before is kept where it was asked for, and other spans
//   stay as they are.
TEST(Editors, NameSpansByTheSemanticConventions) {
  const auto named = [](std::string_view kind, const std::string& attributes) {
    const std::string name = Edited({StrCat("set(kind, ", kind, ")"), R"(set_semconv_span_name("1.38.0", "was"))",
                                     R"(set(attributes, {"name": name, "was": attributes["was"]}))"},
                                    attributes);
    return absl::StrReplaceAll(name,
                               {{R"(,"was":"GET /a"})", ""}, {R"({"name":)", ""}, {R"(,"was":null})", ", as it was"}});
  };
  constexpr std::string_view kServer = "SPAN_KIND_SERVER";
  constexpr std::string_view kClient = "SPAN_KIND_CLIENT";
  EXPECT_EQ(named(kServer, R"({"http.request.method": "GET", "http.route": "/u/:id"})"), R"("GET /u/:id")");
  EXPECT_EQ(named(kServer, R"({"http.method": "PUT", "url.template": "/x"})"), R"("PUT")");
  EXPECT_EQ(named(kClient, R"({"http.method": "PUT", "url.template": "/x"})"), R"("PUT /x")");
  EXPECT_EQ(named(kServer, R"({"rpc.system": "grpc", "rpc.service": "S", "rpc.method": "M"})"), R"("S/M")");
  EXPECT_EQ(named(kClient, R"({"rpc.system": "grpc", "rpc.service": "S"})"), R"("S/*")");
  EXPECT_EQ(
      named(kClient, R"({"db.system": "pg", "db.operation": "SELECT", "db.name": "d", "db.collection.name": "t"})"),
      R"("SELECT d.t")");
  EXPECT_EQ(named(kClient, R"({"db.system": "pg", "server.address": "h", "server.port": 5})"), R"("h:5")");
  EXPECT_EQ(named(kClient, R"({"db.system": "pg"})"), R"("pg")");
  EXPECT_EQ(
      named("SPAN_KIND_CONSUMER",
            R"({"messaging.system": "k", "messaging.operation": "poll", "messaging.destination.temporary": true})"),
      "\"poll (temporary)\"");
  EXPECT_EQ(named("SPAN_KIND_PRODUCER", R"({"messaging.system": "k", "messaging.destination.name": "t"})"), R"("t")");
  EXPECT_EQ(named("SPAN_KIND_INTERNAL", R"({"http.request.method": "GET"})"), R"("GET /a", as it was)");
  EXPECT_EQ(named(kServer, R"({"db.system": "pg"})"), R"("GET /a", as it was)");
}

// Scenario: versions of the conventions, and contexts.
// Guarantees: those that are known are taken, for spans alone.
TEST(Editors, KnowVersionsOfTheSemanticConventions) {
  const auto status = [](Context context, std::string_view arguments) {
    return CheckStatement(context, StrCat("set_semconv_span_name(", arguments, ")"));
  };
  for (const char* good : {"\"1.37.0\"", "\"1.40.0\"", "\"v1.38\"", "\"1.40.0-rc.1\"", "\"1.39.0+b\", \"was\""}) {
    EXPECT_TRUE(status(Context::kSpan, good).ok()) << good << status(Context::kSpan, good);
  }
  for (const char* bad : {"\"1.36.0\"", "\"1.37.0-rc.1\"", "\"1.40.1\"", "\"2\"", "\"x\"", "\"1.2.3.4\"", "\"\"",
                          "\"1.38.0\", \"\"", "name", ""}) {
    EXPECT_FALSE(status(Context::kSpan, bad).ok()) << bad;
  }
  EXPECT_FALSE(status(Context::kSpanEvent, "\"1.38.0\"").ok());
  EXPECT_FALSE(status(Context::kResource, "\"1.38.0\"").ok());
}

// Scenario: schema URLs that are there and that are not are set, by themselves and from one another, and taken away.
// Guarantees: each statement sees what those before it did, and what is passed on says the same.
TEST(Editors, SetSchemaUrls) {
  std::string wire;
  otlp::RequestWriter request(wire);
  request.BeginResource("", "https://a/1");
  request.BeginScope("");
  request.BeginSpan({.name = "s"}).End();
  request.End();
  otlp::Slice slice(Bytes(std::move(wire)), 1);
  const std::vector<std::string> statements = {
      R"(set(attributes["before"], resource.schema_url))",
      R"(set(scope.schema_url, resource.schema_url))",
      R"(set(resource.schema_url, Concat([scope.schema_url, "new"], "-")))",
      R"(set(resource.schema_url, Concat([resource.schema_url, "er"], "")))",
      R"(set(scope.schema_url, 1))",
      R"(set(scope.schema_url, "") where attributes["before"] == "https://a/1")"};
  const auto list = StatementList::Compile(Context::kSpan, statements);
  ASSERT_TRUE(list.ok()) << list.status();
  std::string failure;
  slice.EditSpans([&](otlp::SpanEditContext& context) {
    list->Execute(Scene(context), [&](std::string_view, const Status& error) {
      failure = std::string(error.message());
      return true;
    });
  });
  EXPECT_EQ(failure, "expected string but got int64");
  std::string copy;
  slice.AppendTo(copy);
  for (const otlp::ResourceSpansView resource : otlp::TracesView(copy).resource_spans()) {
    EXPECT_EQ(resource.schema_url(), "https://a/1-newer");
    for (const otlp::ScopeSpansView scope : resource.scope_spans()) EXPECT_EQ(scope.schema_url(), "");
  }
}

TEST(Editors, RefuseWhatCannotBeChanged) {
  const auto refusal = [](std::string_view text) {
    return std::string(CheckStatement(Context::kSpan, text).message());
  };
  EXPECT_THAT(refusal("set(resource.nothing, \"x\")"), HasSubstr("segment \"nothing\" from path"));
  EXPECT_THAT(refusal("set(\"name\", 1)"), HasSubstr("must be a path"));
  EXPECT_THAT(refusal("sett(name, 1)"), HasSubstr("undefined function \"sett\""));
  EXPECT_THAT(refusal("replace_pattern(name, \"[\", \"\")"),
              HasSubstr("couldn't create function: the regex pattern supplied to replace_pattern"));
}

}  // namespace
}  // namespace spanloom::ottl
