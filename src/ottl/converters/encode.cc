// SPDX-License-Identifier: Apache-2.0
//
// Converters between encodings.

#include <absl/strings/escaping.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "base/text.h"
#include "ottl/function_table.h"
#include "ottl/letter_case.h"
#include "ottl/utf8.h"

namespace spanloom::ottl {
namespace {

using Kind = Value::Kind;
using Type = ParameterType;

// A variant of base64. RFC 4648.
struct Base64 {
  std::string_view name;
  bool is_url_safe = false;
  bool is_padded = true;
};

constexpr Base64 kVariants[] = {
    {"base64", false, true}, {"base64-raw", false, false}, {"base64-url", true, true}, {"base64-raw-url", true, false}};

const Base64* FindVariant(std::string_view name) {
  for (const Base64& variant : kVariants) {
    if (variant.name == name) return &variant;
  }
  return nullptr;
}

std::optional<std::string> DecodeBase64(std::string_view text, const Base64& variant) {
  std::string plain;
  for (const char c : text) {
    if (c != '\r' && c != '\n') plain.push_back(c);
  }
  const bool has_padding = plain.find('=') != std::string::npos;
  const std::string_view foreign = variant.is_url_safe ? "+/ \t" : "-_ \t";
  const bool is_sized = variant.is_padded ? plain.size() % 4 == 0 : !has_padding;
  if (!is_sized || plain.find_first_of(foreign) != std::string::npos) return std::nullopt;
  std::string decoded;
  const bool is_done =
      variant.is_url_safe ? absl::WebSafeBase64Unescape(plain, &decoded) : absl::Base64Unescape(plain, &decoded);
  if (!is_done) return std::nullopt;
  return decoded;
}

Value Base64Decode(Evaluation& e, const Arguments& a) {
  const auto decoded = DecodeBase64(a[0].text(), kVariants[0]);
  return decoded ? e.NewString(*decoded) : e.Fail("Base64Decode: illegal base64 data");
}

Value Base64Encode(Evaluation& e, const Arguments& a) {
  const Base64* variant = a.has(1) ? FindVariant(a[1].text()) : &kVariants[0];
  if (variant == nullptr) return e.Fail(StrCat("Base64Encode: unsupported variant: ", a[1].text()));
  const absl::string_view text = AbslView(a[0].text());
  std::string encoded = variant->is_url_safe ? absl::WebSafeBase64Escape(text) : absl::Base64Escape(text);
  while (!variant->is_padded && encoded.ends_with('=')) encoded.pop_back();
  while (variant->is_padded && encoded.size() % 4 != 0) encoded.push_back('=');
  return e.NewString(encoded);
}

// A byte a character.
std::string FromLatin1(std::string_view text) {
  std::string decoded;
  for (const char c : text) AppendUtf8(decoded, static_cast<uint8_t>(c));
  return decoded;
}

std::string FromUtf16(std::string_view text, bool is_big_endian) {
  constexpr uint32_t kReplacement = 0xfffd;
  std::string decoded;
  const auto unit = [&](size_t at) {
    const auto first = static_cast<uint8_t>(text[at]);
    const auto second = static_cast<uint8_t>(text[at + 1]);
    return static_cast<uint32_t>(is_big_endian ? first << 8 | second : second << 8 | first);
  };
  for (size_t at = 0; at + 1 < text.size(); at += 2) {
    const uint32_t high = unit(at);
    const bool is_pair = high >= 0xd800 && high < 0xdc00 && at + 3 < text.size();
    const uint32_t low = is_pair ? unit(at + 2) : 0;
    if (is_pair && low >= 0xdc00 && low < 0xe000) {
      AppendUtf8(decoded, 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00));
      at += 2;
    } else {
      AppendUtf8(decoded, high >= 0xd800 && high < 0xe000 ? kReplacement : high);
    }
  }
  if (text.size() % 2 != 0) AppendUtf8(decoded, kReplacement);  // half a unit
  return decoded;
}

class Decoding final : public Prepared {
 public:
  enum class Charset : uint8_t { kUtf8, kLatin1, kUtf16Be, kUtf16Le };

  explicit Decoding(const Base64& variant) : base64_(&variant) {}
  explicit Decoding(Charset charset) : charset_(charset) {}

  // nullopt if the text is not so encoded.
  [[nodiscard]] std::optional<std::string> Decode(std::string_view text) const {
    if (base64_ != nullptr) return DecodeBase64(text, *base64_);
    if (charset_ == Charset::kUtf8) return std::string(text);
    return charset_ == Charset::kLatin1 ? FromLatin1(text) : FromUtf16(text, charset_ == Charset::kUtf16Be);
  }

 private:
  const Base64* base64_ = nullptr;
  Charset charset_ = Charset::kUtf8;
};

PreparedOr PrepareDecode(const Arguments& a) {
  using Charset = Decoding::Charset;
  constexpr std::pair<std::string_view, Charset> kCharsets[] = {
      {"utf-8", Charset::kUtf8},      {"utf8", Charset::kUtf8},         {"us-ascii", Charset::kUtf8},
      {"ascii", Charset::kUtf8},      {"utf8-raw", Charset::kUtf8},     {"nop", Charset::kUtf8},
      {"", Charset::kUtf8},           {"iso-8859-1", Charset::kLatin1}, {"latin1", Charset::kLatin1},
      {"utf-16", Charset::kUtf16Le},  {"utf16", Charset::kUtf16Le},     {"utf-16le", Charset::kUtf16Le},
      {"utf-16be", Charset::kUtf16Be}};
  if (const Base64* variant = FindVariant(a[1].text())) return std::make_unique<Decoding>(*variant);
  const std::string name = ToLower(a[1].text());
  for (const auto& [known, charset] : kCharsets) {
    if (known == name) return std::make_unique<Decoding>(charset);
  }
  return absl::InvalidArgumentError(StrCat("unsupported encoding '", a[1].text(), "'"));
}

Value Decode(Evaluation& e, const Arguments& a) {
  if (!a[0].is(Kind::kString) && !a[0].is(Kind::kBytes)) {
    return e.Fail(StrCat("unsupported type provided to Decode function: ", a[0].type_name()));
  }
  const auto decoded = a.as<Decoding>().Decode(a[0].text());
  return decoded ? e.NewString(*decoded) : e.Fail("could not decode: illegal base64 data");
}

constexpr Function kFunctions[] = {
    {"Base64Decode", {Parameter{"target", Type::kString}}, Base64Decode},
    {"Base64Encode", {Parameter{"target", Type::kString}, Parameter{"variant", Type::kString, true}}, Base64Encode},
    {"Decode", {Parameter{"target"}, Parameter{"encoding", Type::kString}}, Decode, PrepareDecode, 1 << 1},
};

}  // namespace

std::span<const Function> EncodingConverters() {
  return kFunctions;
}

}  // namespace spanloom::ottl
