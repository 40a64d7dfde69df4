// SPDX-License-Identifier: Apache-2.0
//
// Prompts in the JSON body of a request: texts and token ids. For sources of this folder.

#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "llmd/wire/openai_request.h"
#include "llmd/wire/request_fields.h"

namespace spanloom::llmd::wire {

// The list of token ids at `key`, which has to be there.
StatusOr<std::vector<TokenId>> ReadTokens(const element& root, std::string_view key);

// A text, a list of texts, a list of token ids, or a list of such lists: at least one prompt, at most kPromptsMax.
StatusOr<std::vector<Prompt>> ReadPrompts(const element& root, std::string_view key);

// A text or a list of them, at least one and at most kPromptsMax.
StatusOr<std::vector<std::string>> ReadTextList(const element& root, std::string_view key);

}  // namespace spanloom::llmd::wire
