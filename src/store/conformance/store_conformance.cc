// SPDX-License-Identifier: Apache-2.0

#include "store/conformance/store_conformance.h"

#include <absl/strings/escaping.h>

#include <algorithm>
#include <utility>

#include "base/mutex.h"
#include "base/text.h"

namespace spanloom::store {
namespace {

constexpr uint64_t kPatienceNs = 10'000'000'000;

std::string DescribeCells(const Column& column, size_t row) {
  std::string text = " [";
  for (uint32_t i = column.offsets[row]; i < column.offsets[row + 1]; ++i) {
    const Cell& cell = column.cells[i];
    StrAppend(text, static_cast<int>(cell.kind()), ":", absl::CEscape(cell.ToText()), " ");
  }
  return text + "]";
}

std::string DescribeRow(const SpanBatch& batch, const TraceRows& trace, size_t row) {
  std::string text = StrCat(trace.position.id.Hex(), "@", trace.position.latest_start_unix_ns, "/", trace.span_count,
                            " matches ", batch.matches[row]);
  for (const Column& column : batch.columns) StrAppend(text, DescribeCells(column, row));
  if (!batch.places.empty()) {
    const SpanPlace& place = batch.places[row];
    StrAppend(text, " place ", place.ordinal, " ", place.parent_ordinal, " ", place.left, "-", place.right, "^",
              place.parent_left, "/", place.child_count, place.is_orphan ? "!" : "");
  }
  if (!batch.messages.empty()) {
    StrAppend(text, " ", absl::BytesToHexString(AbslView(batch.messages[row].wire.view())), " of ",
              batch.messages[row].resource().service_name());
  }
  return text;
}

}  // namespace

std::vector<RequestRow> DeriveFakeRequests(const Trace& trace, uint64_t now_unix_ns) {
  std::vector<RequestRow> rows;
  bool has_end = false;
  uint64_t latest = 0;
  for (const StoredSpan& stored : trace.spans) {
    const otlp::SpanView span = stored.span();
    has_end = has_end || span.name() == "end";
    latest = std::max(latest, span.start_unix_ns());
    if (span.name() != "request") continue;
    RequestRow row = {.key = {.trace_id = trace.id, .span_id = span.span_id()}};
    row.arrival_unix_ns = span.start_unix_ns();
    row.end_unix_ns = span.end_unix_ns();
    row.service = stored.resource().service_name();
    if (const auto model = otlp::FindAttribute(span.attributes(), "model")) row.model = model->string_value();
    if (const auto ttft = otlp::FindAttribute(span.attributes(), "ttft")) row.ttft_ns = ttft->int_value();
    if (const auto tokens = otlp::FindAttribute(span.attributes(), "tokens")) {
      row.output_tokens = static_cast<uint64_t>(tokens->int_value());
    }
    rows.push_back(std::move(row));
  }
  for (RequestRow& row : rows) row.is_provisional = !has_end && now_unix_ns < latest + kPatienceNs;
  return rows;
}

void StoreConformance::Append(otlp::Batch batch) {
  Notification is_done;
  store().Append(std::move(batch), [&is_done](const Status& status) {
    EXPECT_TRUE(status.ok()) << status;
    is_done.Notify();
  });
  is_done.Wait();
}

void StoreConformance::AppendEach(const std::vector<SpanSpec>& spans) {
  for (const SpanSpec& span : spans) Append(RequestBuilder().FromService("s").Add(span).Build());
}

Trace StoreConformance::GetTrace(const otlp::TraceId& id) {
  auto trace = store().GetTrace(id, {}, {});
  EXPECT_TRUE(trace.ok()) << trace.status();
  return trace.ok() ? *std::move(trace) : Trace{};
}

std::vector<SpanBatch> StoreConformance::Fetch(FetchPlan plan) {
  std::vector<SpanBatch> batches;
  const auto cursor = store().Fetch(std::move(plan));
  EXPECT_TRUE(cursor.ok()) << cursor.status();
  while (cursor.ok()) {
    auto batch = (*cursor)->Next();
    EXPECT_TRUE(batch.ok()) << batch.status();
    if (!batch.ok() || !batch->has_value()) break;
    EXPECT_GT((*batch)->rows(), 0);
    batches.push_back(**std::move(batch));
  }
  return batches;
}

std::vector<Trace> StoreConformance::Find(const FetchPlan& plan) {
  auto traces = FetchTraces(store(), plan);
  EXPECT_TRUE(traces.ok()) << traces.status();
  return traces.ok() ? *std::move(traces) : std::vector<Trace>{};
}

std::vector<uint64_t> StoreConformance::FindNumbers(const FetchPlan& plan) {
  std::vector<uint64_t> numbers;
  for (const SpanBatch& batch : Fetch(plan)) {
    for (const TraceRows& trace : batch.traces) numbers.push_back(NumberOf(trace.position.id.view()));
  }
  return numbers;
}

std::vector<uint64_t> StoreConformance::MatchingSpans(const Predicate& predicate, const TimeRange& starts) {
  std::vector<uint64_t> numbers;
  const FetchPlan plan = {.spansets = {predicate},
                          .starts = starts,
                          .fields = {Field::Of(Intrinsic::kSpanId)},
                          .order = FetchPlan::Order::kAsStored,
                          .traces_max = 1'000'000};
  for (const SpanBatch& batch : Fetch(plan)) {
    for (const Cell& cell : batch.columns.front().cells) numbers.push_back(NumberOf(cell.text()));
  }
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

Predicate Has(Field field, Comparison comparison, Value operand) {
  return Predicate(Condition{.field = std::move(field), .comparison = comparison, .operand = std::move(operand)});
}

Predicate Is(Intrinsic intrinsic, Value operand) {
  return Has(Field::Of(intrinsic), Comparison::kEqual, std::move(operand));
}

Predicate HasTag(std::string key, std::string_view text) {
  return Has(Field::Attribute(AttributeScope::kAnywhere, std::move(key)), Comparison::kHasText, Value::String(text));
}

uint64_t NumberOf(std::string_view id) {
  uint64_t number = 0;
  for (const char byte : id) number = (number << 8) | static_cast<uint8_t>(byte);
  return number;
}

std::string Describe(const FetchPlan& plan) {
  std::string text = plan.join == FetchPlan::Join::kAll ? "all of" : "any of";
  for (const Predicate& spanset : plan.spansets) StrAppend(text, " {", spanset.ToString(), "}");
  StrAppend(text, " in [", plan.starts.begin_unix_ns, ",", plan.starts.end_unix_ns, ") traces");
  for (const otlp::TraceId& id : plan.traces) StrAppend(text, " ", id.Hex());
  StrAppend(text, plan.rows == FetchPlan::Rows::kMatching ? " matching" : " whole", " fields");
  for (const Field& field : plan.fields) StrAppend(text, " ", field.ToString());
  if (plan.after) StrAppend(text, " after ", plan.after->latest_start_unix_ns, " ", plan.after->id.Hex());
  return StrCat(text, plan.order == FetchPlan::Order::kAsStored ? " as stored" : " newest first", ", ", plan.traces_max,
                " traces");
}

std::vector<std::string> Describe(const std::vector<Trace>& traces) {
  std::vector<std::string> described;
  for (const Trace& trace : traces) {
    std::string text = trace.id.Hex();
    for (const StoredSpan& span : trace.spans) {
      StrAppend(text, "\n  ", absl::BytesToHexString(AbslView(span.wire.view())), " of ",
                span.resource().service_name());
    }
    described.push_back(std::move(text));
  }
  return described;
}

std::vector<std::string> Describe(const std::vector<SpanBatch>& batches) {
  std::vector<std::string> described;
  for (const SpanBatch& batch : batches) {
    for (const TraceRows& trace : batch.traces) {
      for (uint32_t i = 0; i < trace.row_count; ++i) {
        described.push_back(DescribeRow(batch, trace, trace.first_row + i));
      }
    }
  }
  return described;
}

}  // namespace spanloom::store
