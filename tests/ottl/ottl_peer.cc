// SPDX-License-Identifier: Apache-2.0
//
//   ottl_peer STATEMENTS SPANS
// carries out each statement on each span, which is as it came each time. STATEMENTS has a statement a line, SPANS an
// ExportTraceServiceRequest with one span a line, both in hexadecimal digits. Prints a line for each pair:
//   SPAN STATEMENT ok|failed REASON REQUEST
// by their numbers from 0, reason and request in hexadecimal digits; and for each statement that does not compile
//   - STATEMENT refused REASON -

#include <absl/strings/escaping.h>

#include <fstream>
#include <iostream>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/text.h"
#include "otlp/batch.h"
#include "ottl/scene.h"
#include "ottl/statement.h"

namespace spanloom::ottl {
namespace {

std::vector<std::string> HexLines(const char* path) {
  std::vector<std::string> lines;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) lines.push_back(absl::HexStringToBytes(line));
  return lines;
}

// A dash for nothing, so that a line always has as many words.
std::string Hex(std::string_view bytes) {
  return bytes.empty() ? "-" : absl::BytesToHexString(AbslView(bytes));
}

std::vector<std::optional<StatementList>> Compiled(const std::vector<std::string>& texts) {
  std::vector<std::optional<StatementList>> lists;
  for (const std::string& text : texts) {
    auto list = StatementList::Compile(Context::kSpan, std::vector<std::string>{text});
    if (!list.ok()) std::cout << "- " << lists.size() << " refused " << Hex(StdView(list.status().message())) << " -\n";
    lists.push_back(list.ok() ? std::optional(*std::move(list)) : std::nullopt);
  }
  return lists;
}

// "ok|failed REASON REQUEST".
std::string Outcome(const StatementList& statement, const std::string& request) {
  std::optional<std::string> reason;
  otlp::Slice slice(Bytes(std::string(request)), 1);
  slice.EditSpans([&](otlp::SpanEditContext& span) {
    statement.Execute(Scene(span), [&](std::string_view, const Status& error) {
      reason = std::string(error.message());
      return true;
    });
  });
  std::string changed;
  slice.AppendTo(changed);
  return StrCat(reason ? "failed " : "ok ", Hex(reason.value_or("")), " ", Hex(changed));
}

int Main(const char* statements_path, const char* spans_path) {
  const std::vector<std::optional<StatementList>> statements = Compiled(HexLines(statements_path));
  const std::vector<std::string> spans = HexLines(spans_path);
  for (size_t span = 0; span < spans.size(); ++span) {
    for (size_t i = 0; i < statements.size(); ++i) {
      if (statements[i]) std::cout << span << " " << i << " " << Outcome(*statements[i], spans[span]) << "\n";
    }
  }
  return 0;
}

}  // namespace
}  // namespace spanloom::ottl

int main(int argc, char** argv) {
  if (argc == 3) return spanloom::ottl::Main(argv[1], argv[2]);
  std::cerr << "usage: ottl_peer STATEMENTS SPANS\n";
  return 2;
}
