// SPDX-License-Identifier: Apache-2.0

#include "doctor/report.h"

#include <gtest/gtest.h>

#include <vector>

namespace spanloom::doctor {
namespace {

const std::vector<Finding> kFindings = {
    {"endpoint-empty", Severity::kError, {"a.yaml", 3}, "it is \"empty\"", "a: b\nc: d"},
    {"nothing-known", Severity::kNote, {"b.yaml", 0}, "nothing", ""},
};

TEST(Report, IsTextForPeople) {
  EXPECT_EQ(ToText(kFindings),
            "a.yaml:3: error: it is \"empty\" [endpoint-empty]\n  fix:\n    a: b\n    c: d\n"
            "b.yaml: note: nothing [nothing-known]\n1 error, 0 warnings, 1 note\n");
  EXPECT_EQ(ToText({}), "nothing found\n");
}

TEST(Report, IsJsonForPrograms) {
  EXPECT_EQ(
      ToJson(kFindings),
      R"({"findings":[{"rule":"endpoint-empty","severity":"error","file":"a.yaml","line":3,"what":"it is \"empty\"",)"
      R"("fix":"a: b\nc: d"},{"rule":"nothing-known","severity":"note","file":"b.yaml","what":"nothing"}],)"
      R"("errors":1,"warnings":0,"notes":1})"
      "\n");
}

}  // namespace
}  // namespace spanloom::doctor
