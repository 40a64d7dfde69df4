// SPDX-License-Identifier: Apache-2.0

#include "llmd/wire/request_prompts.h"

#include <limits>
#include <optional>
#include <utility>

#include "base/text.h"
#include "llmd/wire/python_text.h"

namespace spanloom::llmd::wire {
namespace {

using simdjson::dom::array;

constexpr size_t kErrorsMax = 20;  // that are told of one prompt; guess

Status NoPrompt(std::string_view key) {
  if (key != "prompt") return WrongValue(key, "please provide at least one prompt");
  return WrongValue(key, "Either prompt or prompt_embeds must be provided and non-empty.");
}

std::string PlaceOf(std::string_view key, size_t index) {
  return StrCat(key, ".", index);
}

// What is wrong with `id` as a token; nullopt if nothing is.
std::optional<FormError> TokenError(const std::string& place, const element& id) {
  uint64_t number = 0;
  if (id.get(number) == simdjson::SUCCESS && number <= std::numeric_limits<TokenId>::max()) return std::nullopt;
  const auto type = id.type();
  if (type != simdjson::dom::element_type::INT64 && type != simdjson::dom::element_type::UINT64)
    return TypeError(place, id, "int_type");
  if (number > 0) {
    return FormError{"less_than_equal", place, "Input should be less than or equal to 4294967295", PythonInput(id),
                     ", 'ctx': {'le': 4294967295}"};
  }
  return FormError{"greater_than_equal", place, "Input should be greater than or equal to 0", PythonInput(id),
                   ", 'ctx': {'ge': 0}"};
}

StatusOr<std::vector<TokenId>> TokensOf(const array& list, std::string_view place) {
  std::vector<TokenId> tokens;
  tokens.reserve(list.size());
  for (const element each : list) {
    uint64_t id = 0;
    if (each.get(id) != simdjson::SUCCESS || id > std::numeric_limits<TokenId>::max())
      return WrongForm(*TokenError(PlaceOf(place, tokens.size()), each));
    tokens.push_back(static_cast<TokenId>(id));
  }
  return tokens;
}

// A prompt might have been any of four things, and the framework tells what is wrong with it as each of them.
Status WrongPrompt(std::string_view key, const element& value) {
  array list;
  if (value.get(list) != simdjson::SUCCESS) {
    const FormError as_list = TypeError(key, value, "list_type");
    const FormError errors[] = {as_list, as_list, TypeError(key, value, "string_type"), as_list};
    return WrongForm(errors);
  }
  std::vector<FormError> errors;
  const auto tell = [&](auto find) {
    size_t index = 0;
    for (const element each : list) {
      if (errors.size() < kErrorsMax) find(PlaceOf(key, index), each);
      ++index;
    }
  };
  tell([&](const std::string& place, const element& each) {
    if (auto error = TokenError(place, each)) errors.push_back(*std::move(error));
  });
  tell([&](const std::string& place, const element& each) {
    if (!each.is_array()) errors.push_back(TypeError(place, each, "list_type"));
  });
  errors.push_back(TypeError(key, value, "string_type"));
  tell([&](const std::string& place, const element& each) {
    if (!each.is_string()) errors.push_back(TypeError(place, each, "string_type"));
  });
  return WrongForm(errors);
}

}  // namespace

StatusOr<std::vector<TokenId>> ReadTokens(const element& root, std::string_view key) {
  const auto value = FindField(root, key);
  if (!value) return MissingField(root, key);
  array list;
  if (value->get(list) != simdjson::SUCCESS) return WrongType(key, *value, "list_type");
  return TokensOf(list, key);
}

StatusOr<std::vector<Prompt>> ReadPrompts(const element& root, std::string_view key) {
  const auto value = FindField(root, key);
  if (!value) return NoPrompt(key);
  std::string_view text;
  if (value->get(text) == simdjson::SUCCESS) {
    if (text.empty()) return NoPrompt(key);
    return std::vector<Prompt>{std::string(text)};
  }
  array list;
  if (value->get(list) != simdjson::SUCCESS) return WrongPrompt(key, *value);
  if (list.size() == 0) return NoPrompt(key);
  if (list.at(0).is_number()) {
    StatusOr<std::vector<TokenId>> tokens = TokensOf(list, key);
    if (!tokens.ok()) return WrongPrompt(key, *value);
    return std::vector<Prompt>{*std::move(tokens)};
  }
  if (list.size() > kPromptsMax) return WrongValue(key, StrCat("at most ", kPromptsMax, " prompts, got ", list.size()));
  std::vector<Prompt> prompts;
  for (const element each : list) {
    array inner;
    if (each.get(text) == simdjson::SUCCESS) {
      prompts.emplace_back(std::string(text));
    } else if (each.get(inner) == simdjson::SUCCESS) {
      ASSIGN_OR_RETURN(std::vector<TokenId> tokens, TokensOf(inner, PlaceOf(key, prompts.size())));
      prompts.emplace_back(std::move(tokens));
    } else {
      return WrongPrompt(key, *value);
    }
  }
  return prompts;
}

StatusOr<std::vector<std::string>> ReadTextList(const element& root, std::string_view key) {
  const auto value = FindField(root, key);
  if (!value) return MissingField(root, key);
  std::string_view text;
  if (value->get(text) == simdjson::SUCCESS) return std::vector{std::string(text)};
  array list;
  if (value->get(list) != simdjson::SUCCESS) {
    const FormError errors[] = {TypeError(key, *value, "list_type"), TypeError(key, *value, "string_type")};
    return WrongForm(errors);
  }
  if (list.size() == 0) return WrongValue(key, "please provide at least one text");
  if (list.size() > kPromptsMax) return WrongValue(key, StrCat("at most ", kPromptsMax, " texts, got ", list.size()));
  std::vector<std::string> texts;
  for (const element each : list) {
    if (each.get(text) != simdjson::SUCCESS) return WrongType(PlaceOf(key, texts.size()), each, "string_type");
    texts.emplace_back(text);
  }
  return texts;
}

}  // namespace spanloom::llmd::wire
