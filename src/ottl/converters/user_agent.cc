// SPDX-License-Identifier: Apache-2.0
//
// The converter of User-Agent headers.

#include "ottl/user_agent.h"

#include <vector>

#include "ottl/function_table.h"

namespace spanloom::ottl {
namespace {

Value UserAgentOf(Evaluation& e, const Arguments& a) {
  const UserAgent agent = ParseUserAgent(a[0].text());
  std::vector<Entry> entries = {{"user_agent.name", e.NewString(agent.name)},
                                {"user_agent.version", e.NewString(agent.version)},
                                {"user_agent.original", a[0]},
                                {"os.name", e.NewString(agent.os_name)}};
  if (!agent.os_version.empty()) entries.push_back({"os.version", e.NewString(agent.os_version)});
  return e.NewMap(entries);
}

constexpr Function kFunctions[] = {
    {"UserAgent", {Parameter{"userAgent", ParameterType::kString}}, UserAgentOf},
};

}  // namespace

std::span<const Function> UserAgentConverters() {
  return kFunctions;
}

}  // namespace spanloom::ottl
