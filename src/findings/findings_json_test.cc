// SPDX-License-Identifier: Apache-2.0

#include "findings/findings_json.h"

#include <gtest/gtest.h>

#include <string>

namespace spanloom::findings {
namespace {

// Scenario: two findings, one of a file with a fix, one of none.
// Guarantees: each as the doctor writes it, what is not there left out; counted by severity; with when it was found.
TEST(FindingsJson, WritesFindingsAsTheDoctorDoes) {
  const FindingsReport report{
      .looked_unix_ns = 1'700'000'000'000'001'999,
      .findings = {{.rule = "filter-drops-get",
                    .severity = "error",
                    .where = "collector.yaml",
                    .line = 8,
                    .what = "it \"drops\"",
                    .fix = "- a\n- b"},
                   {.rule = "live-orphans", .severity = "warning", .where = "the store", .what = "3 spans"}},
      .left_out = {"traces of 2 services: too slow"}};
  std::string text;
  JsonWriter json(text);
  WriteFindings(report, json);
  EXPECT_EQ(text, R"({"looked_us":1700000000000001,"findings":[{"rule":"filter-drops-get","severity":"error",)"
                  R"("file":"collector.yaml","line":8,"what":"it \"drops\"","fix":"- a\n- b"},)"
                  R"({"rule":"live-orphans","severity":"warning","file":"the store","what":"3 spans"}],)"
                  R"("errors":1,"warnings":1,"notes":0,"left_out":["traces of 2 services: too slow"]})");
}

}  // namespace
}  // namespace spanloom::findings
