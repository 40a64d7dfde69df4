// SPDX-License-Identifier: Apache-2.0

#include "kube/endpoint_slice.h"

#include <gtest/gtest.h>

#include "kube/json.h"

namespace spanloom::kube {
namespace {

// Guarantees: the first address of each endpoint; what says nothing of being ready is; what has no address is left out.
TEST(EndpointSlice, ReadsEndpoints) {
  JsonReader reader;
  const auto object = reader.Read(R"({"metadata":{"name":"samplers-x1","namespace":"mon"},"addressType":"IPv4",
    "endpoints":[{"addresses":["10.0.0.7","10.0.0.8"],"conditions":{"ready":true},"hostname":"samplers-0"},
                 {"addresses":["10.0.0.9"],"conditions":{"ready":false}},
                 {"addresses":["10.0.0.10"],"conditions":{"ready":null}},
                 {"addresses":[]},{"addresses":["10.0.0.11"]}]})");
  ASSERT_TRUE(object.ok());
  const EndpointSlice slice = ReadEndpointSlice(*object);
  EXPECT_EQ(slice.meta.name, "samplers-x1");
  EXPECT_EQ(slice.address_type, "IPv4");
  ASSERT_EQ(slice.endpoints.size(), 4u);
  EXPECT_EQ(slice.endpoints[0].address, "10.0.0.7");
  EXPECT_EQ(slice.endpoints[0].hostname, "samplers-0");
  EXPECT_TRUE(slice.endpoints[0].is_ready);
  EXPECT_FALSE(slice.endpoints[1].is_ready);
  EXPECT_TRUE(slice.endpoints[2].is_ready);
  EXPECT_TRUE(slice.endpoints[3].is_ready);
}

// Guarantees: an object of another kind is a slice without anything.
TEST(EndpointSlice, ReadsWhatIsNone) {
  JsonReader reader;
  EXPECT_TRUE(ReadEndpointSlice(*reader.Read(R"({"endpoints":7})")).endpoints.empty());
  EXPECT_TRUE(ReadEndpointSlice(*reader.Read("[]")).endpoints.empty());
}

}  // namespace
}  // namespace spanloom::kube
