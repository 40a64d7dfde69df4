// SPDX-License-Identifier: Apache-2.0

#include "pipeline/exporters/request_encoder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "otlp/json/transcode.h"
#include "otlp/request.h"
#include "pipeline/testing/requests.h"

namespace spanloom::pipeline {
namespace {

using testing::Each;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Le;
using testing::SizeIs;

std::vector<std::string> Names(size_t count, size_t bytes) {
  std::vector<std::string> names;
  for (size_t i = 0; i < count; ++i) names.push_back(std::to_string(i) + std::string(bytes, 'x'));
  return names;
}

std::vector<std::string> NamesIn(const std::vector<ExportRequest>& requests) {
  std::vector<std::string> names;
  for (const ExportRequest& request : requests) {
    const auto content =
        net::Decompress(net::Compression::kGzip, request.message.Joined().view(), request.encoded_bytes);
    const std::vector<std::string> found = NamesOf(otlp::Batch(*otlp::ReadTraces(*content)));
    EXPECT_EQ(found.size(), request.spans);
    names.insert(names.end(), found.begin(), found.end());
  }
  return names;
}

std::vector<size_t> SizesOf(const std::vector<ExportRequest>& requests) {
  std::vector<size_t> sizes;
  for (const ExportRequest& request : requests) sizes.push_back(request.encoded_bytes);
  return sizes;
}

// Scenario: 6 MB in 600 spans.
// Guarantees: more than one request, none above 4 MiB, with all spans in order.
TEST(RequestEncoder, KeepsBelowWhatReceiversTake) {
  const RequestEncoder encoder(net::Compression::kGzip);
  const std::vector<std::string> names = Names(600, 10'000);
  const std::vector<ExportRequest> requests = encoder.Encode(BatchOf(names));
  EXPECT_THAT(requests, SizeIs(2));
  EXPECT_THAT(SizesOf(requests), Each(Le(kRequestBytesMax)));
  EXPECT_EQ(NamesIn(requests), names);
}

// Scenario: a refusal that names 100 kB; the request is cut up, and so is one that comes later. A span of 150 kB is
// among them. Guarantees: no request of several spans is larger; the large span has one of its own; nothing is lost.
TEST(RequestEncoder, CutsToTheLimitThatItLearned) {
  RequestEncoder encoder(net::Compression::kGzip);
  std::vector<std::string> names = Names(9, 30'000);
  names[4] = std::string(150'000, 'y');
  const std::vector<ExportRequest> whole = encoder.Encode(BatchOf(names));
  ASSERT_THAT(whole, SizeIs(1));
  ASSERT_TRUE(encoder.LearnLimit(
      absl::ResourceExhaustedError("grpc: received message after decompression larger than max 100000"), whole[0]));
  for (const std::vector<ExportRequest>& parts : {encoder.Split(whole[0]), encoder.Encode(BatchOf(names))}) {
    EXPECT_EQ(NamesIn(parts), names);
    for (const ExportRequest& part : parts) EXPECT_TRUE(part.encoded_bytes <= 100'000 || part.spans == 1);
  }
}

// Scenario: refusals as implementations word them, of a request of 1,000,000 bytes.
// Guarantees: the limit that they name, or half of the request; an error about something else teaches nothing.
TEST(RequestEncoder, UnderstandsRefusals) {
  const auto learned = [](const Status& refusal) {
    RequestEncoder encoder(net::Compression::kNone);
    const bool is_about_size = encoder.LearnLimit(refusal, {.message = {}, .spans = 5, .encoded_bytes = 1'000'000});
    return is_about_size ? encoder.request_bytes_max() : 0;
  };
  const auto exhausted = [](std::string_view text) { return absl::ResourceExhaustedError(std::string(text)); };
  EXPECT_EQ(learned(exhausted("grpc: received message larger than max (1000000 vs. 409600)")), 409'600u);
  EXPECT_EQ(learned(exhausted("Received message larger than max (1000000 vs. 500001)")), 500'001u);
  EXPECT_EQ(learned(exhausted("gRPC message exceeds maximum size 800000: 1000000")), 800'000u);
  EXPECT_EQ(learned(absl::OutOfRangeError(
                "Error, decoded message length too large: found 1000000 bytes, the limit is: 700000 bytes")),
            700'000u);
  EXPECT_EQ(learned(absl::FailedPreconditionError("http: request body too large")), 500'000u);
  EXPECT_EQ(learned(exhausted("quota of 500000 requests exceeded")), 0u);
  EXPECT_EQ(learned(WithRetryDelay(exhausted("body too large"), std::chrono::milliseconds(1))), 0u);
  EXPECT_EQ(learned(absl::UnavailableError("connection refused")), 0u);
}

// Scenario: one span alone.
// Guarantees: it can't be cut; its name and trace are known for the log.
TEST(RequestEncoder, NamesWhatCannotBeCut) {
  const RequestEncoder encoder(net::Compression::kGzip);
  const std::vector<ExportRequest> requests = encoder.Encode(BatchOf({"chat"}));
  EXPECT_THAT(encoder.Split(requests[0]), IsEmpty());
  EXPECT_EQ(encoder.FirstSpan(requests[0]).name, "chat");
  EXPECT_EQ(encoder.FirstSpan(requests[0]).trace_id, "01010101010101010101010101010101");
}

// Scenario: JSON that is cut up.
// Guarantees: each part is JSON with its spans.
TEST(RequestEncoder, CutsJsonToo) {
  const RequestEncoder encoder(net::Compression::kNone, RequestEncoding::kJson);
  const std::vector<ExportRequest> parts = encoder.Split(encoder.Encode(BatchOf({"a", "b"}))[0]);
  std::vector<std::string> names;
  for (const ExportRequest& part : parts) {
    const auto wire = otlp::TranscodeTracesJson(part.message.Joined().view());
    ASSERT_TRUE(wire.ok()) << part.message.Joined().view();
    for (const std::string& name : NamesOf(otlp::Batch(*otlp::ReadTraces(Bytes(*wire))))) names.push_back(name);
  }
  EXPECT_THAT(names, ElementsAre("a", "b"));
}

// Scenario: copies of one batch go to two exporters with gzip and one without; then one copy is changed.
// Guarantees: both gzip exporters send the same bytes in memory; the changed copy is encoded for itself.
TEST(RequestEncoder, CompressesOnceForCopies) {
  const RequestEncoder gzip(net::Compression::kGzip);
  otlp::Batch batch = BatchOf({"a", "b"});
  batch.Add(BatchOf({"c"}));
  batch.ShareForms();
  const otlp::Batch copy = batch;
  EXPECT_EQ(gzip.Encode(batch)[0].message.Joined().view().data(), gzip.Encode(copy)[0].message.Joined().view().data());
  const RequestEncoder better(net::Compression::kGzip, RequestEncoding::kProtobuf, otlp::Signal::kTraces, 9);
  EXPECT_NE(better.Encode(batch)[0].message.Joined().view().data(),
            gzip.Encode(batch)[0].message.Joined().view().data());
  const RequestEncoder plain(net::Compression::kNone);
  EXPECT_EQ(plain.Encode(batch)[0].message.Joined().view().data(),
            plain.Encode(copy)[0].message.Joined().view().data());
  otlp::Batch changed = batch;
  changed.slices()[0].DropIf([](const otlp::SpanContext& context) { return context.span.name() == "a"; });
  EXPECT_THAT(NamesIn(gzip.Encode(changed)), ElementsAre("b", "c"));
  EXPECT_THAT(NamesIn(gzip.Encode(batch)), ElementsAre("a", "b", "c"));
}

}  // namespace
}  // namespace spanloom::pipeline
