// SPDX-License-Identifier: Apache-2.0
//
// The same edits, made of a slice and of a message of libprotobuf.

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "base/rng.h"
#include "otlp/differential/messages.h"
#include "otlp/request.h"

namespace spanloom::otlp {
namespace {

// What happens to one span. The same for both sides, whatever they draw.
struct Plan {
  bool drop = false;
  int64_t set = -1;  // the value that "key" gets; -1: none
  bool remove = false;
  bool rename_span = false;
  bool set_status = false;
  bool drop_second_event = false;
  int64_t resource_value = -1;  // the value that "key" of the resource gets
};

std::vector<Plan> RandomPlans(Rng& rng, size_t spans) {
  std::vector<Plan> plans(spans);
  for (Plan& plan : plans) {
    plan.drop = rng.Below(5) == 0;
    if (rng.Below(3) == 0) plan.set = static_cast<int64_t>(rng.Below(1000));
    plan.remove = rng.Below(4) == 0;
    plan.rename_span = rng.Below(4) == 0;
    plan.set_status = rng.Below(4) == 0;
    plan.drop_second_event = rng.Below(4) == 0;
    if (rng.Below(6) == 0) plan.resource_value = static_cast<int64_t>(rng.Below(1000));
  }
  return plans;
}

void Edit(const Plan& plan, SpanEditContext& context) {
  SpanEditor& span = context.span();
  if (plan.set >= 0) span.SetInt("key", plan.set);
  if (plan.remove) span.DeleteAttribute("a");
  if (plan.rename_span) span.SetName(span.view().trace_state());
  if (plan.set_status) span.SetStatusMessage("edited");
  if (plan.drop_second_event) {
    size_t index = 0;
    span.EditEvents([&](EventEditor&) { return index++ == 1 ? Fate::kDrop : Fate::kKeep; });
  }
  if (plan.resource_value >= 0) context.resource().SetInt("key", plan.resource_value);
}

using KeyValues = google::protobuf::RepeatedPtrField<KeyValueMessage>;

void EraseKey(KeyValues& attributes, std::string_view key, int from = 0) {
  for (int i = attributes.size() - 1; i >= from; --i) {
    if (attributes[i].key() == key) attributes.DeleteSubrange(i, 1);
  }
}

void SetInt(KeyValues& attributes, std::string_view key, int64_t value) {
  int first = 0;
  while (first < attributes.size() && attributes[first].key() != key) ++first;
  if (first == attributes.size()) attributes.Add();
  KeyValueMessage attribute;
  attribute.set_key(std::string(key));
  attribute.mutable_value()->set_int_value(value);
  attributes[first] = attribute;
  EraseKey(attributes, key, first + 1);
}

void Edit(const Plan& plan, SpanMessage& span) {
  if (plan.set >= 0) SetInt(*span.mutable_attributes(), "key", plan.set);
  if (plan.remove) EraseKey(*span.mutable_attributes(), "a");
  if (plan.rename_span) span.set_name(span.trace_state());
  if (plan.set_status) span.mutable_status()->set_message("edited");
  if (plan.drop_second_event && span.events_size() > 1) span.mutable_events()->DeleteSubrange(1, 1);
}

// Edits, drops what is to be dropped, and removes what is left empty.
void Apply(const std::vector<Plan>& plans, RequestMessage& request) {
  size_t position = 0;
  for (int r = 0; r < request.resource_spans_size(); ++r) {
    auto& resource_spans = *request.mutable_resource_spans(r);
    for (int s = 0; s < resource_spans.scope_spans_size(); ++s) {
      auto& spans = *resource_spans.mutable_scope_spans(s)->mutable_spans();
      for (int i = 0; i < spans.size(); ++position) {
        const Plan& plan = plans[position];
        if (plan.drop) {
          spans.DeleteSubrange(i, 1);
          continue;
        }
        Edit(plan, spans[i++]);
        if (plan.resource_value < 0) continue;
        SetInt(*resource_spans.mutable_resource()->mutable_attributes(), "key", plan.resource_value);
      }
      if (spans.empty()) resource_spans.mutable_scope_spans()->DeleteSubrange(s--, 1);
    }
    if (resource_spans.scope_spans().empty()) request.mutable_resource_spans()->DeleteSubrange(r--, 1);
  }
}

// Scenario: random requests with every oddity; spans are dropped and edited at random, in a slice and in libprotobuf's
// message of the same bytes.
// Guarantees: libprotobuf reads from the slice's copy the message that its own edits gave, unknown fields included.
TEST(DifferentialProperty, EditsOfASliceAreThoseOfAMessage) {
  Rng rng(4);
  size_t edited = 0;
  for (int round = 0; round < 3000; ++round) {
    const std::string wire = RandomRequest(rng, Oddities::kAll);
    auto slice = ReadTraces(Bytes::CopyOf(wire));
    ASSERT_TRUE(slice.ok());
    const std::vector<Plan> plans = RandomPlans(rng, slice->span_count());
    size_t position = 0;
    slice->DropIf([&](const SpanContext&) { return plans[position++].drop; });
    position = 0;
    edited += slice->EditSpans([&](SpanEditContext& context) {
      while (plans[position].drop) ++position;
      Edit(plans[position++], context);
    });
    if (slice->is_whole() || slice->span_count() == 0) continue;

    RequestMessage expected = Parse(wire);
    Apply(plans, expected);
    std::string copy;
    slice->AppendTo(copy);
    ASSERT_EQ(Difference(expected, Parse(copy)), "") << "round " << round;
  }
  EXPECT_GT(edited, 2000u);
}

}  // namespace
}  // namespace spanloom::otlp
