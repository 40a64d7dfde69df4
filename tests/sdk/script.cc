// SPDX-License-Identifier: Apache-2.0

#include "tests/sdk/script.h"

#include <absl/strings/numbers.h>
#include <absl/strings/str_split.h>

#include <cstdio>
#include <memory>
#include <thread>
#include <utility>

#include "base/check.h"
#include "net/http.h"

namespace spanloom::sdk {
namespace {

int64_t Int(const std::string& text) {
  int64_t value = 0;
  CHECK(absl::SimpleAtoi(text, &value));
  return value;
}

double Double(const std::string& text) {
  double value = 0;
  CHECK(absl::SimpleAtod(text, &value));
  return value;
}

bool Bool(const std::string& text) {
  return text == "true";
}

template <typename T>
std::vector<T> List(const std::string& text, T (*read)(const std::string&)) {
  std::vector<T> values;
  for (const std::string& item : std::vector<std::string>(absl::StrSplit(text, '|'))) values.push_back(read(item));
  return values;
}

}  // namespace

std::string_view Script::Keep(const std::string& key) {
  return keys_.emplace_back(key);
}

const TraceContext& Script::ContextOf(const std::string& name) const {
  static const TraceContext none;
  if (name == "-") return none;
  return name == "remote" ? remote_ : spans_.at(name).context();
}

void Script::Extract(const Fields& fields) {
  net::HttpHeaders headers;
  for (size_t i = 1; i < fields.size(); ++i) {
    const size_t equals = fields[i].find('=');
    headers.Add(fields[i].substr(0, equals), fields[i].substr(equals + 1));
  }
  remote_ = sdk::Extract(headers, tracer_.propagation());
}

void Script::Start(const Fields& fields) {
  spans_[fields.at(1)] = tracer_.Start(fields.at(4), static_cast<otlp::SpanKind>(Int(fields[2])), ContextOf(fields[3]));
}

void Script::Set(const Fields& fields) {
  Span& span = spans_.at(fields.at(1));
  const std::string_view key = Keep(fields.at(2));
  const std::string& value = fields.at(4);
  switch (fields[3].at(0)) {
    case 's':
      return void(span.SetString(key, value));
    case 'i':
      return void(span.SetInt(key, Int(value)));
    case 'd':
      return void(span.SetDouble(key, Double(value)));
    case 'b':
      return void(span.SetBool(key, Bool(value)));
    case 'S':
      return void(span.SetStrings(key, std::vector<std::string>(absl::StrSplit(value, '|'))));
    case 'I':
      return void(span.SetInts(key, List<int64_t>(value, Int)));
    case 'D':
      return void(span.SetDoubles(key, List<double>(value, Double)));
    case 'B': {
      const std::vector<bool> read = List<bool>(value, Bool);
      const auto values = std::make_unique<bool[]>(read.size());  // std::vector<bool> is no array
      std::copy(read.begin(), read.end(), values.get());
      return void(span.SetBools(key, {values.get(), read.size()}));
    }
    default:
      CHECK(false);
  }
}

Attributes Script::AttributesOf(const Fields& fields) {
  Attributes attributes;
  for (size_t i = 3; i + 2 < fields.size(); i += 3) {
    Attribute attribute = {.key = Keep(fields[i]), .value = fields[i + 2]};
    if (fields[i + 1] == "i") attribute.value = Int(fields[i + 2]);
    if (fields[i + 1] == "d") attribute.value = Double(fields[i + 2]);
    if (fields[i + 1] == "b") attribute.value = Bool(fields[i + 2]);
    attributes.push_back(std::move(attribute));
  }
  return attributes;
}

void Script::End(const std::string& span) {
  std::thread([&] { spans_.at(span).End(); }).join();
}

void Script::PrintHeaders(const std::string& span) const {
  net::HttpHeaders headers;
  Inject(spans_.at(span).context(), headers, tracer_.propagation());
  const char* separator = "";
  for (const auto& [name, value] : headers.fields()) {
    std::printf("%s%s=%s", std::exchange(separator, "\t"), name.c_str(), value.c_str());
  }
  std::printf("\n");
}

void Script::Run(const std::string& line) {
  const Fields fields = absl::StrSplit(line, '\t');
  const std::string& command = fields[0];
  if (command == "extract") return Extract(fields);
  if (command == "start") return Start(fields);
  if (command == "set") return Set(fields);
  if (command == "end") return End(fields.at(1));
  if (command == "inject") return PrintHeaders(fields.at(1));
  Span& span = spans_.at(fields.at(1));
  if (command == "event") {
    span.AddEvent(fields.at(2), AttributesOf(fields));
  } else if (command == "link") {
    span.AddLink(ContextOf(fields.at(2)), AttributesOf(fields));
  } else {
    CHECK(command == "status");
    span.SetStatus(static_cast<otlp::StatusCode>(Int(fields.at(2))), fields.at(3));
  }
}

}  // namespace spanloom::sdk
