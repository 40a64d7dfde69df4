// SPDX-License-Identifier: Apache-2.0
//
// Answers of OpenAI's Responses API: one message of text, whole or as the events of a stream, each with its name and
// number.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "llmd/wire/openai_answer.h"
#include "llmd/wire/openai_request.h"

namespace spanloom::llmd::wire {

// The text so far, and how it ended: "length" is incomplete, anything else complete.
struct ResponseText {
  std::string_view text = {};
  std::string_view finish_reason = {};  // "": it goes on
};

// What an answer says of its request. Borrows both, which must outlive it.
struct ResponseRequest {
  const Sampling& sampling;
  const EchoedFields& echoed;
  int64_t tokens_max = 0;  // that the answer may have
};

// A whole answer.
[[nodiscard]] std::string ResponseBody(const AnswerHead& head, const ResponseRequest& request, const ResponseText& text,
                                       const Usage& usage, const std::optional<KvTransferParams>& kv_transfer_params);

// The stream of one answer. Thread-compatible.
class ResponseStream {
 public:
  // Events are appended to `out`: that the answer and its message begin, a piece of text, and all that ends.
  void AppendBegin(const AnswerHead& head, const ResponseRequest& request, std::string& out);
  void AppendDelta(const AnswerHead& head, std::string_view piece, std::string& out);
  void AppendEnd(const AnswerHead& head, const ResponseRequest& request, std::string_view finish_reason,
                 const Usage& usage, std::string& out);

 private:
  template <typename WriteFirst, typename WriteLast>
  void AppendEvent(std::string_view type, WriteFirst write_first, WriteLast write_last, std::string& out);

  int64_t next_number_ = 0;
  std::string text_;  // of all pieces: the last events repeat it
};

}  // namespace spanloom::llmd::wire
