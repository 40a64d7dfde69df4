// SPDX-License-Identifier: Apache-2.0

#include "net/grpc/metadata.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/rng.h"
#include "net/client.h"
#include "net/testing/net_fixture.h"

namespace spanloom::net::grpc {
namespace {

using testing::ElementsAre;
using testing::Pair;

HttpHeaders Metadata(const Fields& fields) {
  HttpHeaders metadata;
  for (const auto& [name, value] : fields) metadata.Add(name, value);
  return metadata;
}

TEST(Metadata, IsSentAsHttp2Wants) {
  const auto fields = EncodeMetadata(Metadata({{"X-Tenant", "blue\r\nü"}, {"x-a-bin", std::string("\0\1\2\xff", 4)}}));
  EXPECT_THAT(*fields, ElementsAre(Pair("x-tenant", "blue  ü"), Pair("x-a-bin", "AAEC/w")));
}

TEST(Metadata, RefusesNamesOfTheProtocol) {
  for (const char* const name : {":path", "grpc-status", "Grpc-Anything", "content-type", "te", "User-Agent", "host",
                                 "connection", "transfer-encoding", "content-length"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(ValidateMetadata(Metadata({{name, "x"}})))) << name;
  }
  EXPECT_TRUE(ValidateMetadata(Metadata({{"authorization", "Bearer x"}, {"traceparent", "00"}})).ok());
}

TEST(Metadata, RefusesNamesThatHttp2DoesNotAllow) {
  for (const char* const name : {"", "a b", "a:b", "ü", "a\n"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(ValidateMetadata(Metadata({{name, "x"}})))) << name;
  }
}

TEST(Metadata, IsBounded) {
  const auto with = [](size_t bytes) { return ValidateMetadata(Metadata({{"x", std::string(bytes, 'y')}})); };
  EXPECT_TRUE(with(kMetadataBytesMax - 33).ok());
  EXPECT_TRUE(absl::IsResourceExhausted(with(kMetadataBytesMax - 32)));
}

TEST(Metadata, TakesApartBytesThatWereJoined) {
  HttpHeaders fields = Metadata({{"a", "b,c"}, {"x-bin", "AAE,AgM="}, {"y-bin", ""}});
  ASSERT_TRUE(DecodeBinaryMetadata(fields).ok());
  EXPECT_THAT(fields.fields(), ElementsAre(Pair("a", "b,c"), Pair("x-bin", std::string("\0\1", 2)),
                                           Pair("x-bin", "\2\3"), Pair("y-bin", "")));
}

TEST(Metadata, RefusesWhatIsNotBase64) {
  HttpHeaders fields = Metadata({{"x-bin", "AAE,?"}});
  EXPECT_TRUE(absl::IsInternal(DecodeBinaryMetadata(fields)));
}

TEST(Metadata, LeavesOutWhatIsTheProtocols) {
  const auto metadata = MetadataOf(Metadata({{":status", "200"}, {"grpc-status", "0"}, {"x", "1"}, {"y-bin", "AA"}}));
  EXPECT_THAT(metadata->fields(), ElementsAre(Pair("x", "1"), Pair("y-bin", std::string("\0", 1))));
}

TEST(Metadata, BytesComeBackAsTheyWereProperty) {
  Rng rng(7);
  for (uint64_t i = 0; i < 200; ++i) {
    const std::string bytes = RandomBytes(rng.Next() % 100, i);
    const auto fields = EncodeMetadata(Metadata({{"x-bin", bytes}}));
    EXPECT_EQ(MetadataOf(Metadata(*fields))->Get("x-bin"), bytes);
  }
}

}  // namespace
}  // namespace spanloom::net::grpc
