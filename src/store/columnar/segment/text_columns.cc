// SPDX-License-Identifier: Apache-2.0

#include "store/columnar/segment/text_columns.h"

#include <absl/container/flat_hash_set.h>

#include <algorithm>

#include "store/columnar/segment/byte_writer.h"

namespace spanloom::store::columnar {

TextColumns::Dictionary& TextColumns::Of(uint32_t column) {
  if (column >= dictionaries_.size()) dictionaries_.resize(column + 1);
  return dictionaries_[column];
}

// Judged by a sample: more than half of many different ones do not.
bool TextColumns::Repeat(std::span<const SlotValue> values) {
  constexpr size_t kSample = 256;
  constexpr size_t kFew = 32;
  const auto sample = values.first(std::min(values.size(), kSample));
  absl::flat_hash_set<std::string_view> distinct;
  for (const SlotValue& value : sample) {
    if (value.text().size() > kEntryBytesMax) return false;
    distinct.insert(value.text());
  }
  return sample.size() < kFew || distinct.size() * 2 <= sample.size();
}

bool TextColumns::UsesDictionary(uint32_t column, std::span<const SlotValue> first_values) {
  Dictionary& dictionary = Of(column);
  if (!dictionary.is_known) {
    dictionary.is_known = true;
    dictionary.is_left = !Repeat(first_values);
  }
  return !dictionary.is_left;
}

uint32_t TextColumns::Code(uint32_t column, std::string_view text) {
  Dictionary& dictionary = dictionaries_[column];
  ++dictionary.values;
  const std::string_view last = dictionary.last_text;
  if (!text.empty() && text.data() == last.data() && text.size() == last.size()) return dictionary.last_code;
  auto found = dictionary.codes.find(text);
  if (found == dictionary.codes.end()) {
    const auto code = static_cast<uint32_t>(dictionary.texts.size());
    found = dictionary.codes.emplace(dictionary.texts.emplace_back(text), code).first;
    if (text.size() > kEntryBytesMax) dictionary.is_left = true;  // its other values of the page still go there
  }
  dictionary.last_text = text;
  dictionary.last_code = found->second;
  return found->second;
}

void TextColumns::EndPage() {
  for (Dictionary& dictionary : dictionaries_) {
    const size_t entries = dictionary.texts.size();
    if (entries > kEntriesMin && entries * kValuesPerEntry > dictionary.values) dictionary.is_left = true;
    dictionary.last_text = {};
  }
}

std::string TextColumns::Section() const {
  std::string out;
  ByteWriter writer(out);
  writer.Varint(dictionaries_.size());
  for (const Dictionary& dictionary : dictionaries_) {
    writer.Varint(dictionary.texts.size());
    for (const std::string& text : dictionary.texts) writer.Text(text);
  }
  return out;
}

}  // namespace spanloom::store::columnar
