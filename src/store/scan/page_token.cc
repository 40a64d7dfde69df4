// SPDX-License-Identifier: Apache-2.0

#include "store/scan/page_token.h"

#include <absl/strings/escaping.h>

#include <bit>
#include <cstring>

#include "base/text.h"
#include "store/crc32c.h"

namespace spanloom::store::scan {
namespace {

// Before it is written in hexadecimal: order (2 bytes: column, direction), kind (1), scalar or text length (8), text,
// key, CRC-32C of all that (4). Little-endian.
constexpr size_t kHeaderBytes = 11;
constexpr size_t kChecksumBytes = 4;

template <typename Number>
void AppendNumber(Number number, std::string& out) {
  out.append(reinterpret_cast<const char*>(&number), sizeof(number));
}

template <typename Number>
Number LoadNumber(std::string_view bytes) {
  Number number = 0;
  std::memcpy(&number, bytes.data(), sizeof(number));
  return number;
}

uint64_t ScalarOf(const Cell& cell) {
  if (cell.kind() >= ValueKind::kString) return cell.text().size();
  return cell.kind() == ValueKind::kDouble ? std::bit_cast<uint64_t>(cell.double_value())
                                           : static_cast<uint64_t>(cell.int_value());
}

Value ValueOf(ValueKind kind, uint64_t scalar, std::string_view text) {
  switch (kind) {
    case ValueKind::kNone:
      return {};
    case ValueKind::kBool:
      return Value::Bool(scalar != 0);
    case ValueKind::kInt:
      return Value::Int(static_cast<int64_t>(scalar));
    case ValueKind::kDouble:
      return Value::Double(std::bit_cast<double>(scalar));
    default:
      return Value(Cell::String(text, kind));
  }
}

Status NotAPage() {
  return absl::InvalidArgumentError("not a page of this question: take it as it came, with the same order");
}

}  // namespace

bool ComesBefore(const RowPlace& a, const RowPlace& b, bool is_descending) {
  const bool a_is_absent = a.value.kind() == ValueKind::kNone;
  const bool b_is_absent = b.value.kind() == ValueKind::kNone;
  if (a_is_absent != b_is_absent) return b_is_absent;
  if (a.value != b.value) return (a.value < b.value) != is_descending;
  return a.key < b.key;
}

std::string EncodePageToken(const RowPlace& last, uint8_t column, bool is_descending) {
  const Cell cell = last.value.cell();
  std::string bytes;
  AppendNumber(column, bytes);
  AppendNumber(static_cast<uint8_t>(is_descending ? 1 : 0), bytes);
  AppendNumber(static_cast<uint8_t>(cell.kind()), bytes);
  AppendNumber(ScalarOf(cell), bytes);
  if (cell.kind() >= ValueKind::kString) bytes += cell.text();
  bytes += last.key;
  AppendNumber(Crc32c(bytes), bytes);
  return absl::BytesToHexString(bytes);
}

StatusOr<RowPlace> DecodePageToken(std::string_view token, uint8_t column, bool is_descending) {
  for (const char digit : token) {
    if (!((digit >= '0' && digit <= '9') || (digit >= 'a' && digit <= 'f'))) return NotAPage();
  }
  if (token.size() % 2 != 0 || token.size() < 2 * (kHeaderBytes + kChecksumBytes)) return NotAPage();
  const std::string bytes = absl::HexStringToBytes(AbslView(token));
  const std::string_view content = std::string_view(bytes).substr(0, bytes.size() - kChecksumBytes);
  if (Crc32c(content) != LoadNumber<uint32_t>(std::string_view(bytes).substr(content.size()))) return NotAPage();
  const auto kind = static_cast<ValueKind>(content[2]);
  if (content[0] != static_cast<char>(column) || (content[1] != 0) != is_descending || kind > ValueKind::kText) {
    return NotAPage();
  }
  const auto scalar = LoadNumber<uint64_t>(content.substr(3));
  const std::string_view rest = content.substr(kHeaderBytes);
  const uint64_t text_bytes = kind >= ValueKind::kString ? scalar : 0;
  if (text_bytes > rest.size()) return NotAPage();
  return RowPlace{.value = ValueOf(kind, scalar, rest.substr(0, text_bytes)),
                  .key = std::string(rest.substr(text_bytes))};
}

}  // namespace spanloom::store::scan
