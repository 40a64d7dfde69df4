// SPDX-License-Identifier: Apache-2.0

#include "llmd/wire/kv_transfer_params.h"

#include "base/text.h"
#include "kube/json.h"

namespace spanloom::llmd::wire {
namespace {

using simdjson::dom::element;

Status WrongType(std::string_view key, std::string_view wanted) {
  return absl::InvalidArgumentError(StrCat("kv_transfer_params.", key, " is to be ", wanted));
}

// Reads the value of `key` into `target` if it is there and not null.
template <typename Value>
Status Read(const element& object, std::string_view key, std::string_view wanted, Value& target) {
  element value;
  if (object[key].get(value) != simdjson::SUCCESS || value.is_null()) return absl::OkStatus();
  return value.get(target) == simdjson::SUCCESS ? absl::OkStatus() : WrongType(key, wanted);
}

Status ReadText(const element& object, std::string_view key, std::string& target) {
  std::string_view text;
  RETURN_IF_ERROR(Read(object, key, "a string", text));
  target = text;
  return absl::OkStatus();
}

// What Python takes for true: all but nothing, zero and what is empty.
bool IsTrue(const element& object, std::string_view key) {
  element value;
  if (object[key].get(value) != simdjson::SUCCESS || value.is_null()) return false;
  bool is_true = true;
  double number = 0;
  std::string_view text;
  if (value.get(is_true) == simdjson::SUCCESS) return is_true;
  if (value.get(number) == simdjson::SUCCESS) return number != 0;
  if (value.get(text) == simdjson::SUCCESS) return !text.empty();
  return true;
}

Status ReadBlockIds(const element& object, std::vector<int64_t>& target) {
  element value;
  if (object["remote_block_ids"].get(value) != simdjson::SUCCESS || value.is_null()) return absl::OkStatus();
  simdjson::dom::array list;
  if (value.get(list) != simdjson::SUCCESS) return WrongType("remote_block_ids", "a list of integers");
  if (list.size() == 0) return absl::OkStatus();
  simdjson::dom::array first_group;
  if (list.at(0).get(first_group) == simdjson::SUCCESS) list = first_group;
  for (const element each : list) {
    int64_t id = 0;
    if (each.get(id) != simdjson::SUCCESS) return WrongType("remote_block_ids", "a list of integers");
    target.push_back(id);
  }
  return absl::OkStatus();
}

Status ReadRemote(const element& object, KvTransferParams& params) {
  RETURN_IF_ERROR(ReadText(object, "remote_engine_id", params.remote_engine_id));
  RETURN_IF_ERROR(ReadText(object, "remote_request_id", params.remote_request_id));
  RETURN_IF_ERROR(ReadText(object, "remote_host", params.remote_host));
  RETURN_IF_ERROR(Read(object, "remote_port", "an integer", params.remote_port));
  RETURN_IF_ERROR(Read(object, "tp_size", "an integer", params.tp_size));
  int64_t tokens = -1;
  RETURN_IF_ERROR(Read(object, "remote_num_tokens", "an integer", tokens));
  if (tokens >= 0) params.remote_num_tokens = tokens;
  RETURN_IF_ERROR(ReadText(object, "transfer_id", params.transfer_id));
  return ReadText(object, "remote_bootstrap_addr", params.remote_bootstrap_addr);
}

}  // namespace

StatusOr<KvTransferParams> ParseKvTransferParams(std::string_view json) {
  kube::JsonReader reader;
  ASSIGN_OR_RETURN(const element root, reader.Read(json));
  if (!root.is_object()) return absl::InvalidArgumentError("kv_transfer_params is to be an object");
  KvTransferParams params;
  params.do_remote_decode = IsTrue(root, "do_remote_decode");
  params.do_remote_prefill = IsTrue(root, "do_remote_prefill");
  RETURN_IF_ERROR(ReadBlockIds(root, params.remote_block_ids));
  RETURN_IF_ERROR(ReadRemote(root, params));
  return params;
}

void WriteKvTransferParams(const KvTransferParams& params, JsonWriter& writer) {
  writer.BeginObject();
  writer.Field("do_remote_prefill", params.do_remote_prefill);
  writer.Field("do_remote_decode", params.do_remote_decode);
  writer.Key("remote_block_ids");
  writer.BeginArray();
  writer.BeginArray();
  for (const int64_t id : params.remote_block_ids) writer.Int(id);
  writer.EndArray();
  writer.EndArray();
  writer.Field("remote_engine_id", params.remote_engine_id);
  writer.Field("remote_request_id", params.remote_request_id);
  writer.Field("remote_host", params.remote_host);
  writer.Field("remote_port", params.remote_port);
  writer.Field("tp_size", params.tp_size);
  writer.Field("dcp_size", 1);
  writer.Field("pp_size", 1);
  writer.Field("remote_num_tokens", params.remote_num_tokens.value_or(0));
  writer.Key("remote_blocks_expiry_time");
  writer.Null();
  writer.Field("transfer_mode", "pull");
  if (params.cached_tokens) writer.Field("remote_prefill_cached_tokens", *params.cached_tokens);
  writer.EndObject();
}

}  // namespace spanloom::llmd::wire
