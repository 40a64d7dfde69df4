// SPDX-License-Identifier: Apache-2.0

#include "query/insight_json.h"

#include <string_view>

namespace spanloom::query {
namespace {

constexpr int64_t kNsPerUs = 1'000;
constexpr uint64_t kNsPerSecond = 1'000'000'000;

void WriteCount(const SpanCount& count, JsonWriter& json) {
  json.BeginObject();
  json.Field("part", count.part);
  json.Field("id", count.id);
  json.Field("event", count.event);
  if (!count.cause.empty()) json.Field("cause", count.cause);
  json.Field("spans", count.spans);
  json.EndObject();
}

void WriteQueue(const QueueState& queue, JsonWriter& json) {
  json.BeginObject();
  json.Field("exporter", queue.exporter);
  json.Field("size", queue.size);
  json.Field("capacity", queue.capacity);
  json.EndObject();
}

template <typename Items, typename Write>
void WriteAll(std::string_view key, const Items& items, Write write, JsonWriter& json) {
  json.Key(key);
  json.BeginArray();
  for (const auto& item : items) write(item, json);
  json.EndArray();
}

void WriteText(const std::string& text, JsonWriter& json) {
  json.String(text);
}

void WriteSender(const Sender& sender, JsonWriter& json) {
  json.BeginObject();
  json.Field("receiver", sender.receiver);
  json.Field("transport", sender.transport);
  json.Field("address", sender.address);
  json.Field("program", sender.program);
  WriteAll("services", sender.services, WriteText, json);
  json.Field("connections", sender.connections);
  json.Field("spans_accepted", sender.spans_accepted);
  json.Field("spans_refused", sender.spans_refused);
  json.Field("first_us", sender.first_unix_ns / kNsPerUs);
  json.Field("last_us", sender.last_unix_ns / kNsPerUs);
  json.EndObject();
}

void WriteForgotten(const SenderState& state, JsonWriter& json) {
  json.BeginObject();
  json.Field("senders", state.forgotten);
  json.Field("spans_accepted", state.forgotten_accepted);
  json.Field("spans_refused", state.forgotten_refused);
  json.EndObject();
}

void WriteStore(const StoreState& store, JsonWriter& json) {
  json.BeginObject();
  json.Field("kept", store.kept);
  json.Field("traces", store.stats.traces);
  json.Field("spans", store.stats.spans);
  json.Field("bytes", store.stats.bytes);
  if (store.stats.spans > 0) {
    json.Field("oldest_us", store.stats.oldest_unix_ns / kNsPerUs);
    json.Field("newest_us", store.stats.newest_unix_ns / kNsPerUs);
  }
  if (store.segments) json.Field("segments", *store.segments);
  json.Field("spans_evicted", store.stats.spans_evicted);
  json.Field("spans_expired", store.stats.spans_expired);
  json.Field("spans_purged", store.stats.spans_purged);
  json.Field("spans_duplicate", store.stats.spans_duplicate);
  if (store.retention.age_max_ns) json.Field("age_max_s", *store.retention.age_max_ns / kNsPerSecond);
  if (store.retention.bytes_max) json.Field("bytes_max", *store.retention.bytes_max);
  json.EndObject();
}

}  // namespace

void WriteStatus(const StatusReport& report, JsonWriter& json) {
  json.BeginObject();
  json.Field("now_us", report.now_unix_ns / kNsPerUs);
  json.Field("started_us", report.started_unix_ns / kNsPerUs);
  json.Field("version", report.version);
  WriteAll("counts", report.counts, WriteCount, json);
  WriteAll("queues", report.queues, WriteQueue, json);
  WriteAll("senders", report.senders.senders, WriteSender, json);
  if (report.senders.forgotten > 0) {
    json.Key("senders_forgotten");
    WriteForgotten(report.senders, json);
  }
  json.Key("store");
  WriteStore(report.store, json);
  json.EndObject();
}

}  // namespace spanloom::query
