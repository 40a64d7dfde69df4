// SPDX-License-Identifier: Apache-2.0

#include "llmd/wire/kv_event.h"

#include <absl/strings/escaping.h>
#include <gtest/gtest.h>

#include "llmd/wire/message_pack.h"

namespace spanloom::llmd::wire {
namespace {

std::string Hex(const std::string& bytes) {
  return absl::BytesToHexString(bytes);
}

// Scenario: one event of each kind, in both forms.
// Guarantees: the bytes are those of MessagePack's specification: fields in vLLM's order, with their names in a map.
TEST(KvEvent, HasBothForms) {
  const std::vector<KvEvent> stored = {BlockStored{.hashes = {1ULL << 63}, .tokens = {1, 300}, .block_tokens = 2}};
  EXPECT_EQ(Hex(EncodeKvEvents(stored, 0.5, 3, KvEventForm::kList)),
            "93cb3fe000000000000091"
            "98ab426c6f636b53746f726564"
            "91cf8000000000000000"
            "c0"
            "9201cd012c"
            "02"
            "c0"
            "a3475055"
            "c0"
            "03");
  const std::vector<KvEvent> removed = {BlockRemoved{.hashes = {5}}, AllBlocksCleared{}};
  EXPECT_EQ(Hex(EncodeKvEvents(removed, 0, 0, KvEventForm::kMap)),
            "93cb000000000000000092"
            "83a474797065ac426c6f636b52656d6f766564"
            "ac626c6f636b5f686173686573"
            "9105"
            "a66d656469756d"
            "a3475055"
            "81a474797065b0416c6c426c6f636b73436c6561726564"
            "00");
}

// Guarantees: each value takes the shortest form there is for it.
TEST(MessagePack, TakesTheShortestForm) {
  std::string out;
  MessagePackWriter writer(out);
  for (const uint64_t value : {0x7fULL, 0x80ULL, 0x100ULL, 0x10000ULL, 0x100000000ULL}) writer.Uint(value);
  EXPECT_EQ(Hex(out), "7fcc80cd0100ce00010000cf0000000100000000");
  out.clear();
  writer.BeginArray(16);
  writer.BeginMap(16);
  writer.Bool(true);
  writer.Binary("a");
  EXPECT_EQ(Hex(out), "dc0010de0010c3c40161");
  out.clear();
  writer.String(std::string(32, 'a'));
  EXPECT_EQ(Hex(out.substr(0, 3)), "d92061");
}

}  // namespace
}  // namespace spanloom::llmd::wire
