// SPDX-License-Identifier: Apache-2.0
//
// OTLP/JSON against libprotobuf's JSON. The two differ by design in ids (hexadecimal against base64), so these are left
// out.

#include <google/protobuf/util/json_util.h>
#include <gtest/gtest.h>

#include <string>

#include "base/rng.h"
#include "otlp/differential/messages.h"
#include "otlp/json/transcode.h"
#include "otlp/json/write.h"
#include "otlp/request.h"

namespace spanloom::otlp {
namespace {

void ClearIds(RequestMessage& request) {
  for (auto& resource_spans : *request.mutable_resource_spans()) {
    for (auto& scope_spans : *resource_spans.mutable_scope_spans()) {
      for (SpanMessage& span : *scope_spans.mutable_spans()) {
        span.clear_trace_id();
        span.clear_span_id();
        span.clear_parent_span_id();
        for (auto& link : *span.mutable_links()) {
          link.clear_trace_id();
          link.clear_span_id();
        }
      }
    }
  }
}

// Makes the messages that our JSON always has.
void MakeWhatIsAlwaysWritten(google::protobuf::Message& message) {
  const google::protobuf::Descriptor& descriptor = *message.GetDescriptor();
  const google::protobuf::Reflection& reflection = *message.GetReflection();
  for (int i = 0; i < descriptor.field_count(); ++i) {
    const google::protobuf::FieldDescriptor* field = descriptor.field(i);
    if (field->cpp_type() != google::protobuf::FieldDescriptor::CPPTYPE_MESSAGE) continue;
    if (field->is_repeated()) {
      for (int j = 0; j < reflection.FieldSize(message, field); ++j) {
        MakeWhatIsAlwaysWritten(*reflection.MutableRepeatedMessage(&message, field, j));
      }
    } else if (field->containing_oneof() == nullptr || reflection.HasField(message, field)) {
      MakeWhatIsAlwaysWritten(*reflection.MutableMessage(&message, field));
    }
  }
}

RequestMessage RandomMessage(Rng& rng) {
  RequestMessage message = Parse(RandomRequest(rng, Oddities::kNone));
  ClearIds(message);
  MakeWhatIsAlwaysWritten(message);
  return message;
}

// Scenario: random messages without ids, written as JSON by us and read by libprotobuf.
// Guarantees: it reads the same message.
TEST(DifferentialProperty, LibprotobufReadsOurJson) {
  Rng rng(5);
  for (int round = 0; round < 1500; ++round) {
    const RequestMessage message = RandomMessage(rng);
    const auto slice = ReadTraces(Bytes(message.SerializeAsString()));
    ASSERT_TRUE(slice.ok());
    if (slice->span_count() == 0) continue;
    std::string json;
    WriteJson(Batch(*slice), json);
    RequestMessage read;
    const auto status = google::protobuf::util::JsonStringToMessage(json, &read);
    ASSERT_TRUE(status.ok()) << "round " << round << ": " << status << ": " << json.substr(0, 2000);
    ASSERT_EQ(Difference(message, read), "") << "round " << round;
  }
}

// Scenario: random messages without ids, written as JSON by libprotobuf, enums as names and as numbers, and read by us.
// Guarantees: we read the same message.
TEST(DifferentialProperty, WeReadTheJsonOfLibprotobuf) {
  Rng rng(6);
  for (int round = 0; round < 1500; ++round) {
    const RequestMessage message = RandomMessage(rng);
    google::protobuf::util::JsonPrintOptions options;
    options.always_print_enums_as_ints = rng.Below(2) == 0;
    options.preserve_proto_field_names = rng.Below(2) == 0;
    std::string json;
    ASSERT_TRUE(google::protobuf::util::MessageToJsonString(message, &json, options).ok());
    const auto wire = TranscodeTracesJson(json);
    ASSERT_TRUE(wire.ok()) << "round " << round << ": " << wire.status();
    ASSERT_EQ(Difference(message, Parse(*wire)), "") << "round " << round;
  }
}

}  // namespace
}  // namespace spanloom::otlp
