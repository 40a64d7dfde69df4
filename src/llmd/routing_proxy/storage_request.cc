// SPDX-License-Identifier: Apache-2.0

#include "llmd/routing_proxy/storage_request.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "base/text.h"
#include "llmd/routing_proxy/error_answer.h"
#include "llmd/wire/span_names.h"

namespace spanloom::llmd::routing_proxy {
namespace {

namespace key = wire::span_key;

constexpr std::string_view kThreshold = "cache_hit_threshold";
constexpr std::string_view kDeclined = "cache_threshold";
constexpr std::string_view kData = "data:";

// True if the answer's first choice ended for want of cached blocks.
bool IsDeclined(std::string_view answer) {
  const StatusOr<wire::JsonObject> object = wire::JsonObject::Parse(answer);
  if (!object.ok()) return false;
  const auto choice = wire::FirstElement(object->Find("choices").value_or(""));
  if (!choice.has_value()) return false;
  const StatusOr<wire::JsonObject> first = wire::JsonObject::Parse(*choice);
  return first.ok() && first->FindPlainString("finish_reason") == kDeclined;
}

// The same of the first event of a stream.
bool IsDeclinedEvent(std::string_view events) {
  const size_t begin = events.find(kData);
  if (begin == std::string_view::npos) return false;
  std::string_view line = events.substr(begin + kData.size());
  line = line.substr(0, line.find_first_of("\r\n"));
  return IsDeclined(line);
}

bool HasWholeEvent(std::string_view events) {
  const size_t begin = events.find(kData);
  if (begin == std::string_view::npos) return false;
  const std::string_view rest = events.substr(begin);
  return rest.find("\n\n") != std::string_view::npos || rest.find("\r\n\r\n") != std::string_view::npos;
}

bool IsEventStream(const net::HttpResponseHead& head) {
  return head.headers.Get("content-type").starts_with("text/event-stream");
}

}  // namespace

void StorageRequest::OnObject() {
  if (object().Find(kThreshold).has_value()) return TryDecode();
  PrefillFirst();
}

void StorageRequest::PrefillFirst() {
  const bool has_threshold =
      shared().options.connector == Connector::kSharedStorage || object().Find(kThreshold).has_value();
  const auto edit = [one_token = OneToken(), has_threshold](wire::JsonObject& object) {
    one_token(object);
    object.Set("stream", "false");  // nobody reads the answer
    object.Remove("stream_options");
    if (has_threshold) object.Set(kThreshold, "0");
  };
  Edited(edit, [this](Bytes body) { Prefill(std::move(body)); });
}

void StorageRequest::OnPrefillDone(const net::HttpResponse&) {
  const bool has_threshold =
      shared().options.connector == Connector::kSharedStorage || object().Find(kThreshold).has_value();
  if (!has_threshold) return Decode(body());
  Edited([](wire::JsonObject& object) { object.Set(kThreshold, "0"); },
         [this](Bytes body) { Decode(std::move(body)); });
}

void StorageRequest::TryDecode() {
  DecodeWith(body(), [this](net::HttpResponseHead answer) { OnTriedHead(std::move(answer)); });
}

void StorageRequest::OnTriedHead(net::HttpResponseHead answer) {
  if (answer.status >= 300) return Relay(std::move(answer));
  tried_head_ = std::move(answer);
  ReadTried();
}

void StorageRequest::ReadTried() {
  decode_leg().Read([this](const StatusOr<Bytes>& piece) { OnTriedPiece(piece); });
}

void StorageRequest::OnTriedPiece(const StatusOr<Bytes>& piece) {
  const auto keep = shared_from_this();
  if (!piece.ok()) {
    shared().metrics.decode_errors.Add(1);
    const auto text = StdView(piece.status().message());
    return Answer(DecodeFailed(piece.status()), "decode_cut", text);
  }
  const bool is_at_end = piece->empty();
  if (!is_declined_) tried_.append(piece->view());
  if (is_declined_ && !is_at_end) return ReadTried();
  DecideTried(is_at_end);
}

// Whether what was read is an answer, or says that there will be none.
void StorageRequest::DecideTried(bool is_at_end) {
  const bool is_stream = IsEventStream(tried_head_);
  if (!is_declined_) is_declined_ = is_stream ? IsDeclinedEvent(tried_) : (is_at_end && IsDeclined(tried_));
  if (is_declined_) {
    if (!is_at_end) return ReadTried();  // the little that is left
    DropDecode();
    return PrefillFirst();
  }
  const bool is_known = is_at_end || (is_stream && HasWholeEvent(tried_));
  if (!is_known && tried_.size() < shared().options.answer_bytes_max) return ReadTried();
  request_span().SetBool(key::kDisaggregationUsed, false);
  request_span().SetString(key::kReason, "cache_hit");
  Relay(std::move(tried_head_), Bytes(std::move(tried_)), is_at_end);
}

}  // namespace spanloom::llmd::routing_proxy
