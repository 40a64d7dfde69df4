// SPDX-License-Identifier: Apache-2.0
//
// Answers of Anthropic's Messages API as vLLM writes them, from what a chat completion would say: whole, as a stream of
// named events, and errors.

#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "llmd/wire/openai_answer.h"

namespace spanloom::llmd::wire {

// {"type": "error", "error": {"type", "message"}}.
[[nodiscard]] std::string MessageErrorBody(const ApiError& error);

// A whole answer.
[[nodiscard]] std::string MessageBody(const AnswerHead& head, const Choice& choice, const Usage& usage,
                                      const std::optional<KvTransferParams>& kv_transfer_params);

// The stream of one answer. Thread-compatible.
class MessageStream {
 public:
  // Events are appended to `out`: that the message begins, with its prompt counted; what the next choice of a chat
  // completion has, a piece of text or a call of a tool; and all that ends.
  void AppendBegin(const AnswerHead& head, const Usage& usage, std::string& out);
  void AppendChoice(const Choice& choice, std::string& out);
  void AppendEnd(const Usage& usage, std::string& out);

 private:
  void StopBlock(std::string& out);

  int64_t block_ = 0;               // the index of the content block under way, or of the next one
  bool is_in_text_ = false;         // a block of text is under way
  std::string finish_reason_ = {};  // of a chat completion
};

}  // namespace spanloom::llmd::wire
