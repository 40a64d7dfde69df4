// SPDX-License-Identifier: Apache-2.0

#include "config/print.h"

#include <gtest/gtest.h>

#include "config/yaml.h"

namespace spanloom::config {
namespace {

std::string Printed(std::string_view text, Secrets secrets = Secrets::kShown) {
  return ToYaml(*ParseYaml(text, "f"), secrets);
}

// Scenario: nested lists, empty values, and strings that look like other types.
// Guarantees: reading the print gives the same print again, so no type has changed.
TEST(Print, WhatIsPrintedReadsBackTheSame) {
  const std::string text =
      "a:\n  - b: 1\n    c: \"2\"\n  -\n    - x\n    - \"true\"\n  - {}\n  - []\nd: null\ne: \"name == \\\"GET\\\"\"\n"
      "\"f: g\": \"-\"\nh: \"line\\nbreak\"\ni: 1.5\n";
  const std::string once = Printed(text);
  EXPECT_EQ(Printed(once), once);
  EXPECT_EQ(once,
            "a:\n  - b: 1\n    c: \"2\"\n  -\n    - x\n    - \"true\"\n  - {}\n  - []\nd: null\n"
            "e: \"name == \\\"GET\\\"\"\n\"f: g\": \"-\"\nh: \"line\\nbreak\"\ni: 1.5\n");
}

// Scenario: texts that other readers of YAML take for truth values or dates.
// Guarantees: they are quoted; durations are not.
TEST(Print, QuotesWhatOthersReadDifferently) {
  EXPECT_EQ(Printed("[yes, 'Off', y, 2020-01-01, 10s, nope]"),
            "- \"yes\"\n- \"Off\"\n- y\n- \"2020-01-01\"\n- 10s\n- nope\n");
}

// Scenario: a configuration with credentials is printed for a bug report.
// Guarantees: headers and secrets are hidden, the rest is not.
TEST(Print, RedactsHeadersAndSecrets) {
  EXPECT_EQ(
      Printed("headers: {x-tenant: llm, authorization: Bearer abc}\nbearer_token: t\nendpoint: a:1\n"
              "tls: {key_pem: k, ca_file: /ca}\nhmac_key: k\nhtpasswd: {inline: u:p}\nproxy_url: http://u:p@h:1\n",
              Secrets::kRedacted),
      "headers:\n  x-tenant: \"[REDACTED]\"\n  authorization: \"[REDACTED]\"\nbearer_token: \"[REDACTED]\"\n"
      "endpoint: \"a:1\"\ntls:\n  key_pem: \"[REDACTED]\"\n  ca_file: /ca\nhmac_key: \"[REDACTED]\"\n"
      "htpasswd:\n  inline: \"[REDACTED]\"\nproxy_url: \"[REDACTED]\"\n");
}

// Scenario: every type of value, a number that JSON writes in another way, and credentials.
// Guarantees: types are kept, credentials are hidden.
TEST(Print, JsonKeepsTypesAndHidesSecrets) {
  const auto node = ParseYaml("a: [1, 0x10, 1.5, true, null, \"1\", x]\nheaders: {k: v}\nm: {}\n", "f");
  EXPECT_EQ(ToJson(*node, Secrets::kRedacted),
            R"({"a":[1,16,1.5,true,null,"1","x"],"headers":{"k":"[REDACTED]"},"m":{}})"
            "\n");
}

// Scenario: documents that are one value.
// Guarantees: they are printed as such.
TEST(Print, PrintsRootScalarsAndEmptyMaps) {
  EXPECT_EQ(Printed(""), "null\n");
  EXPECT_EQ(Printed("{}"), "{}\n");
  EXPECT_EQ(Printed("x"), "x\n");
}

}  // namespace
}  // namespace spanloom::config
