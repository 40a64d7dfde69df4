// SPDX-License-Identifier: Apache-2.0

#include "pipeline/extensions/pprof_profile.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>

#include "net/compression.h"
#include "otlp/wire/cursor.h"

namespace spanloom::pipeline {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::Pair;
using testing::UnorderedElementsAre;

std::vector<uint64_t> Numbers(std::string_view packed) {
  std::vector<uint64_t> numbers;
  for (otlp::wire::PackedVarints each(packed); each.Next();) numbers.push_back(each.value());
  return numbers;
}

// The messages and texts of a profile, by field.
std::multimap<uint32_t, std::string> Read(const std::string& profile) {
  std::multimap<uint32_t, std::string> fields;
  otlp::wire::Cursor cursor(profile);
  while (cursor.Next()) {
    const bool is_number = cursor.type() == otlp::wire::Type::kVarint;
    fields.emplace(cursor.field(), is_number ? std::to_string(cursor.scalar()) : std::string(cursor.bytes()));
  }
  EXPECT_TRUE(cursor.ok());
  return fields;
}
std::map<uint32_t, std::string> One(const std::string& message) {
  const auto fields = Read(message);
  return {fields.begin(), fields.end()};
}

// Scenario: three samples, two of one stack, in a file that is mapped and outside of it.
// Guarantees: the form of pprof: equal stacks once, with count and time; return addresses one byte earlier; locations
// belong to their file.
TEST(PprofProfile, HasTheFormOfPprof) {
  const CpuSamples samples{.period = 10ms, .stacks = {{0x1010, 0x1020}, {0x5000}, {0x1010, 0x1020}}, .lost = 0};
  const Bytes packed = EncodeProfile(samples, {{0x1000, 0x2000, 0x400, "/bin/x y"}}, 7, 2s);
  const auto unpacked = net::Decompress(net::Compression::kGzip, packed.view(), 1 << 20);
  ASSERT_TRUE(unpacked.ok());
  const auto profile = Read(std::string(unpacked->view()));
  std::vector<std::string> texts;
  for (auto [text, end] = profile.equal_range(6); text != end; ++text) texts.push_back(text->second);
  EXPECT_THAT(texts, ElementsAre("", "samples", "count", "cpu", "nanoseconds", "/bin/x y"));
  std::map<std::string, std::map<uint32_t, std::string>> locations;  // by id
  for (auto [each, end] = profile.equal_range(4); each != end; ++each) {
    auto location = One(each->second);
    locations[location[1]] = location;
  }
  std::map<std::vector<std::string>, std::vector<uint64_t>> found;  // values by the addresses of a stack
  for (auto [each, end] = profile.equal_range(2); each != end; ++each) {
    auto sample = One(each->second);
    std::vector<std::string> addresses;
    for (const uint64_t id : Numbers(sample[1])) addresses.push_back(locations[std::to_string(id)][3]);
    found[addresses] = Numbers(sample[2]);
  }
  EXPECT_THAT(found, UnorderedElementsAre(
                         Pair(ElementsAre(std::to_string(0x1010), std::to_string(0x101f)), ElementsAre(2, 20'000'000)),
                         Pair(ElementsAre(std::to_string(0x5000)), ElementsAre(1, 10'000'000))));
  for (auto& [id, location] : locations) EXPECT_EQ(location[2], location[3] == "20480" ? "" : "1");
  EXPECT_THAT(One(profile.find(3)->second),
              ElementsAre(Pair(1, "1"), Pair(2, "4096"), Pair(3, "8192"), Pair(4, "1024"), Pair(5, "5")));
  EXPECT_EQ(profile.find(9)->second, "7");
  EXPECT_EQ(profile.find(10)->second, "2000000000");
  EXPECT_EQ(profile.find(12)->second, "10000000");
}

// Guarantees: what has code in a file, and nothing else, names with spaces as they are.
TEST(PprofProfile, KnowsWhereCodeIs) {
  const auto mappings = ParseCodeMappings(
      "55d000000000-55d000001000 r--p 00000000 08:01 12   /opt/a b\n"
      "55d000001000-55d000003000 r-xp 00001000 08:01 12   /opt/a b\n"
      "7f0000000000-7f0000001000 rw-p 00000000 00:00 0\n"
      "7f0000002000-7f0000003000 r-xp 00000000 00:00 0    [vdso]\n\nnonsense\n");
  ASSERT_EQ(mappings.size(), 2u);
  EXPECT_EQ(mappings[0].begin, 0x55d000001000u);
  EXPECT_EQ(mappings[0].end, 0x55d000003000u);
  EXPECT_EQ(mappings[0].file_offset, 0x1000u);
  EXPECT_EQ(mappings[0].file, "/opt/a b");
  EXPECT_EQ(mappings[1].file, "[vdso]");
}

}  // namespace
}  // namespace spanloom::pipeline
