// SPDX-License-Identifier: Apache-2.0
//
// Every function, with attributes and times of a span as arguments: whatever these say, it fails or gives a value, and
// the span is valid afterwards. An input is two integers and a double (8 bytes each), then two texts with a line's end
// between them. The second text is also the literal of functions that compile one (a time's format, a delimiter).

#include <absl/strings/escaping.h>
#include <absl/strings/str_replace.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <iostream>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "base/text.h"
#include "base/utf8.h"
#include "otlp/batch.h"
#include "otlp/validate.h"
#include "otlp/wire/writer.h"
#include "ottl/scene.h"
#include "ottl/statement.h"

namespace spanloom::ottl {
namespace {

// What an input says. Texts are views into it.
struct Input {
  int64_t i = 0;
  int64_t j = 0;
  double d = 0;
  std::string_view s;
  std::string_view t;
};

Input ReadInput(std::string_view bytes) {
  Input input;
  const auto take = [&](auto& number) {
    const std::string_view part = bytes.substr(0, sizeof number);
    std::memcpy(&number, part.data(), part.size());
    bytes.remove_prefix(part.size());
  };
  take(input.i);
  take(input.j);
  take(input.d);
  const size_t end = bytes.find('\n');
  input.s = bytes.substr(0, end);
  if (end != std::string_view::npos) input.t = bytes.substr(end + 1);
  return input;
}

// `write` writes the fields of the AnyValue.
template <typename Write>
void AddAttribute(otlp::wire::Writer& writer, std::string_view key, Write write) {
  const auto attribute = writer.Begin(9);
  writer.Bytes(1, key);
  const auto value = writer.Begin(2);
  write();
  writer.End(value);
  writer.End(attribute);
}

// One span from `i` to `j`, with an attribute for each field, s twice: as a text and as bytes.
Bytes Request(const Input& input) {
  std::string out;
  otlp::wire::Writer writer(out);
  const auto resource_spans = writer.Begin(1);
  const auto scope_spans = writer.Begin(2);
  const auto span = writer.Begin(2);
  writer.Bytes(5, "GET");
  writer.Fixed64(7, static_cast<uint64_t>(input.i));
  writer.Fixed64(8, static_cast<uint64_t>(input.j));
  AddAttribute(writer, "s", [&] { writer.Bytes(1, input.s); });
  AddAttribute(writer, "t", [&] { writer.Bytes(1, input.t); });
  AddAttribute(writer, "i", [&] { writer.Varint(3, static_cast<uint64_t>(input.i)); });
  AddAttribute(writer, "j", [&] { writer.Varint(3, static_cast<uint64_t>(input.j)); });
  AddAttribute(writer, "d", [&] { writer.Double(4, input.d); });
  AddAttribute(writer, "b", [&] { writer.Bytes(7, input.s); });
  writer.End(span);
  writer.End(scope_spans);
  writer.End(resource_spans);
  return Bytes(std::move(out));
}

// Values whose functions compile nothing of the input. s, t, i, j, d, b stand for the attributes.
constexpr const char* kValues[] = {
    R"_(start_time + Duration($s))_",
    R"_(start_time - Duration($t))_",
    R"_(UnixNano(start_time + Duration($s)))_",
    R"_(end_time - start_time)_",
    R"_(String(end_time - start_time))_",
    R"_(Hours(end_time - start_time))_",
    R"_(Minutes(Duration($s)))_",
    R"_(Milliseconds(Duration($s) + Duration($t)))_",
    R"_(UnixNano(TruncateTime(start_time, Duration($s))))_",
    R"_(FormatTime(TruncateTime(end_time, Duration($s)), "%A %F %T.%L %j %I %p %z"))_",
    R"_(FormatTime(Unix($i, $j), "%Y-%m-%dT%H:%M:%S.%s%z %B %e %y %l"))_",
    R"_(UnixMilli(Time($s, "%Y-%m-%dT%H:%M:%S.%L%z")))_",
    R"_(UnixMicro(Time($s, "%a %b %e %H:%M:%S %Z %Y")))_",
    R"_(Day(Time($s, "%d/%B/%y %I:%M %p", "America/New_York")))_",
    R"_(Weekday(start_time) + Year(end_time) + Month(start_time) + Hour(end_time) + Nanosecond(start_time))_",
    R"_(URL($s))_",
    R"_(IsInCIDR($s, [$t]))_",
    R"_(IsInCIDR($s, ["10.0.0.0/8", "fe80::/10"]))_",
    R"_(CommunityID($s, $i, $t, $j))_",
    R"_(CommunityID($s, $i, $t, $j, "UDP", $i))_",
    R"_(ParseCSV($s, $t))_",
    R"_(ParseCSV($s, $t, ";", ",", "lazyQuotes"))_",
    R"_(ParseCSV($s, $t, ",", ",", "ignoreQuotes"))_",
    R"_(Base64Decode($s))_",
    R"_(Base64Encode($s, "base64-raw-url"))_",
    R"_(Decode($s, "base64-url"))_",
    R"_(Decode($b, "utf-16le"))_",
    R"_(Decode($b, "utf-16be"))_",
    R"_(ExtractPatterns($s, "(?P<a>\\w+)\\s+(?P<b>.*)"))_",
    R"_(ExtractGrokPatterns($s, "%{IP:ip} %{NUMBER:n:float} %{TIMESTAMP_ISO8601:at} %{GREEDYDATA:rest}"))_",
    R"_(Concat([MD5($s), SHA1($t), SHA256($s), SHA512($t), String(FNV($s)), XXH3($t), XXH128($s)], $t))_",
    R"_(Concat([String(Murmur3Hash($s)), Murmur3Hash128($t)], ""))_",
    R"_(ParseKeyValue($s))_",
    R"_(ToKeyValueString(ParseKeyValue($s, "=", ";")))_",
    R"_(ToKeyValueString(ParseJSON($s), ":", ",", true))_",
    R"_(Len($s) + Len(ParseJSON($s)) + Len(Split($s, $t)))_",
    R"_(Keys(ParseJSON($s)))_",
    R"_(Values(ParseJSON($s)))_",
    R"_(ContainsValue(Split($s, ","), $t))_",
    R"_(Coalesce([nil, ParseJSON($s), $t]))_",
    R"_(Index($s, $t))_",
    R"_(Index(Split($s, ","), $t))_",
    R"_(Sort(ParseJSON($s), "desc"))_",
    R"_(Sort(Split($s, $t)))_",
    R"_(SliceToMap(ParseJSON($s)))_",
    R"_(SliceToMap(ParseJSON($s), ["a", "b"], ["c"]))_",
    R"_(Log($d))_",
    R"_(Log($s))_",
    R"_(IsValidLuhn($s))_",
    R"_(IsValidLuhn($i))_",
    R"_(ParseJSON($s))_",
    R"_(ParseInt($s, $i))_",
    R"_(ParseInt($s, 16))_",
    R"_(ParseSeverity($i, {"error": [{"range": "5xx"}, {"equals": ["x"]}], "info": [{"range": {"min": 1, "max": 3}}]}))_",
    R"_(ParseSeverity($s, ParseJSON($t)))_",
    R"_(HasPrefix($s, $t))_",
    R"_(HasSuffix($s, $t))_",
    R"_(IsMatch($s, $t))_",
    R"_(Split($s, $t))_",
    R"_(Substring($s, $i, $j))_",
    R"_(Substring($s, $i, $j, true))_",
    R"_(Trim(TrimPrefix(TrimSuffix($s, $t), $t)))_",
    R"_(Concat([ToLowerCase($s), ToUpperCase($s), ToSnakeCase($s), ToCamelCase($s)], $t))_",
    R"_(ConvertCase($s, "snake"))_",
    R"_(ConvertCase($s, "camel"))_",
    R"_(Format("%5d|%-3s|%08.2f|%x|%q|%v|%t|%e", [$i, $s, $d, $j, $t, ParseJSON($s), true, $d]))_",
    R"_(Format("%s %d", [$i, $s]))_",
    R"_(Concat([String($d), String($i), String($b), String(ParseJSON($s))], ""))_",
    R"_(Int($s) + Int($d))_",
    R"_($i / $j + $i * $j - $i)_",
    R"_(-$i + Int(-$d))_",
    R"_($d / Double($s))_",
    R"_(Bool($s))_",
    R"_(Hex($b))_",
    R"_(Hex($s))_",
    R"_(String(TraceID($b)))_",
    R"_(String(SpanID($s)))_",
    R"_(UserAgent($s))_",
    R"_(ParseXML($s))_",
    R"_(ParseSimplifiedXML($s))_",
    R"_(GetXML($s, "//a[@x='1']/b|/c/text()"))_",
    R"_(RemoveXML($s, "/a/*[2]"))_",
    R"_(InsertXML($s, "//a", $t))_",
    R"_(ConvertAttributesToElementsXML($s))_",
    R"_(ConvertTextToElementsXML($s))_",
    R"_(ParseJSON($s)["a"][$i])_",
    R"_($t[$i])_",
};

constexpr const char* kEditors[] = {
    R"_(replace_pattern($s, "(\\w)(\\w*)", "$2${1}$$", SHA256, "<%s>"))_",
    R"_(replace_pattern($s, $t, "-"))_",
    R"_(replace_match($s, "*a?[b-d]*", $t))_",
    R"_(replace_all_patterns(attributes, "value", "[a-m]+", $t))_",
    R"_(replace_all_patterns(attributes, "key", "^(.)", "$1$1"))_",
    R"_(replace_all_matches(attributes, "*{x,y}", $t))_",
    R"_(merge_maps(attributes, ParseJSON($s), "upsert"))_",
    R"_(set(attributes["m"], ParseJSON($s)))_",
    R"_(flatten(attributes, "p", 2))_",
    R"_(flatten(attributes, "", 9, true))_",
    R"_(truncate_all(attributes, 3))_",
    R"_(truncate_all(attributes, 5, true, ".."))_",
    R"_(append(attributes["m"], $t, [$i, $d]))_",
    R"_(set(attributes["l"], Split($s, ",")))_",
    R"_(delete_index(attributes["l"], $i, $j))_",
    R"_(limit(attributes, 4, ["s"]))_",
    R"_(delete_key(attributes["m"], $t))_",
    R"_(delete_matching_keys(attributes, $t))_",
    R"_(stringify_all(attributes))_",
    R"_(keep_keys(attributes, [$t, "s"]))_",
    R"_(set(start_time_unix_nano, $i))_",
    R"_(set(end_time, start_time + Duration($s)))_",
    R"_(set(trace_state, $s))_",
    R"_(set(trace_state["k"], $t))_",
    R"_(set(name, $s))_",
    R"_(set(span_id.string, $s))_",
};

// The literal is the second text.
constexpr const char* kCompiled[] = {
    R"_(FormatTime(Time($s, LITERAL), LITERAL))_",
    R"_(UnixNano(Time($s, LITERAL, "Europe/Paris")))_",
    R"_(FormatTime(end_time, LITERAL))_",
    R"_(Format(LITERAL, [$i, $s, $d]))_",
    R"_(ParseKeyValue($s, LITERAL, ";"))_",
    R"_(ParseCSV($s, "a,b", LITERAL))_",
    R"_(ExtractPatterns($s, LITERAL))_",
    R"_(ExtractGrokPatterns($s, LITERAL, true))_",
    R"_(ParseInt($s, LITERAL))_",
    R"_(GetXML($s, LITERAL))_",
    R"_(ConvertTextToElementsXML($s, "//*", LITERAL))_",
};

std::string WithPaths(std::string_view text) {
  return absl::StrReplaceAll(AbslView(text), {{"$s", R"(attributes["s"])"},
                                              {"$t", R"(attributes["t"])"},
                                              {"$i", R"(attributes["i"])"},
                                              {"$j", R"(attributes["j"])"},
                                              {"$d", R"(attributes["d"])"},
                                              {"$b", R"(attributes["b"])"}});
}

std::string Assignment(std::string_view value) {
  return StrCat("set(attributes[\"out\"], ", WithPaths(value), ")");
}

// A text that does not compile ends the fuzzer.
StatementList Compiled(const std::vector<std::string>& texts) {
  StatusOr<StatementList> statements = StatementList::Compile(Context::kSpan, texts);
  if (!statements.ok()) std::cerr << statements.status() << "\n";
  CHECK(statements.ok());
  return *std::move(statements);
}

// Those of the two tables.
const std::vector<StatementList>& Fixed() {
  static const std::vector<StatementList> lists = [] {
    std::vector<std::string> values;
    for (const char* const value : kValues) values.push_back(Assignment(value));
    std::vector<std::string> editors;
    for (const char* const editor : kEditors) editors.push_back(WithPaths(editor));
    std::vector<StatementList> compiled;
    compiled.push_back(Compiled(values));
    compiled.push_back(Compiled(editors));
    return compiled;
  }();
  return lists;
}

void Run(const StatementList& statements, const Input& input) {
  otlp::Slice slice(Request(input), 1);
  slice.EditSpans([&](otlp::SpanEditContext& context) {
    statements.Execute(Scene(context), [](std::string_view, const Status&) { return true; });
  });
  std::string wire;
  slice.AppendTo(wire);
  CHECK(otlp::ValidateTraces(wire).ok());
}

void RunCompiled(const Input& input) {
  const std::string literal = StrCat("\"", StdView(absl::Utf8SafeCEscape(AbslView(input.t))), "\"");
  for (const char* const text : kCompiled) {
    const std::string value = absl::StrReplaceAll(text, {{"LITERAL", AbslView(literal)}});
    const auto statements = StatementList::Compile(Context::kSpan, std::vector<std::string>{Assignment(value)});
    if (statements.ok()) Run(*statements, input);
  }
}

int RunAll(std::string_view bytes) {
  const Input input = ReadInput(bytes);
  if (!IsUtf8(input.s) || !IsUtf8(input.t)) return -1;  // not for the corpus
  for (const StatementList& statements : Fixed()) Run(statements, input);
  RunCompiled(input);
  return 0;
}

}  // namespace
}  // namespace spanloom::ottl

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  return spanloom::ottl::RunAll({reinterpret_cast<const char*>(bytes), size});
}
