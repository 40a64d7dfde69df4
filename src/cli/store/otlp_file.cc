// SPDX-License-Identifier: Apache-2.0

#include "cli/store/otlp_file.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/bytes.h"
#include "base/text.h"
#include "otlp/json/transcode.h"
#include "otlp/json/write.h"
#include "otlp/request.h"

namespace spanloom::cli::store {
namespace {

constexpr size_t kLengthBytes = 4;

bool IsBlank(std::string_view line) {
  return line.find_first_not_of(" \t\r") == std::string_view::npos;
}

std::string EncodeLength(size_t bytes) {
  std::string length;
  for (int shift = 24; shift >= 0; shift -= 8) length += static_cast<char>(bytes >> shift & 0xff);
  return length;
}

uint64_t DecodeLength(const std::array<char, kLengthBytes>& bytes) {
  uint64_t length = 0;
  for (const char byte : bytes) length = length << 8 | static_cast<uint8_t>(byte);
  return length;
}

}  // namespace

StatusOr<OtlpFormat> ParseOtlpFormat(std::string_view name) {
  if (name == "json") return OtlpFormat::kJson;
  if (name == "proto") return OtlpFormat::kProto;
  return absl::InvalidArgumentError(StrCat("the format ", name, " is none of json, proto"));
}

StatusOr<std::string> EncodeRequest(std::string request, OtlpFormat format) {
  if (format == OtlpFormat::kProto) return StrCat(EncodeLength(request.size()), request);
  ASSIGN_OR_RETURN(otlp::Slice slice, otlp::ReadTraces(Bytes(std::move(request))));
  std::string line;
  otlp::WriteJson(otlp::Batch(std::move(slice)), line);
  line += '\n';
  return line;
}

StatusOr<std::optional<otlp::Slice>> OtlpFileReader::Next() {
  if (!format_) {
    const int first = in_.peek();
    if (first == std::istream::traits_type::eof()) return End();
    const bool is_json = std::string_view("{ \t\r\n").find(static_cast<char>(first)) != std::string_view::npos;
    format_ = is_json ? OtlpFormat::kJson : OtlpFormat::kProto;
  }
  return *format_ == OtlpFormat::kJson ? NextLine() : NextMessage();
}

StatusOr<std::optional<otlp::Slice>> OtlpFileReader::End() const {
  if (in_.bad()) return absl::DataLossError(StrCat(name_, ": can't be read behind byte ", bytes_));
  return std::nullopt;
}

StatusOr<std::optional<otlp::Slice>> OtlpFileReader::NextLine() {
  std::string line;
  do {
    if (!std::getline(in_, line)) return End();
    ++line_;
    bytes_ += line.size() + (in_.eof() ? 0 : 1);
  } while (IsBlank(line));
  const auto annotate = [&](const Status& status) { return Annotate(status, StrCat(name_, ", line ", line_)); };
  StatusOr<std::string> request = otlp::TranscodeTracesJson(line);
  if (!request.ok()) return annotate(request.status());
  StatusOr<otlp::Slice> slice = otlp::ReadTraces(Bytes(*std::move(request)));
  if (!slice.ok()) return annotate(slice.status());
  return std::optional(*std::move(slice));
}

StatusOr<std::optional<otlp::Slice>> OtlpFileReader::NextMessage() {
  const uint64_t offset = bytes_;
  const auto damaged = [&](std::string_view why) {
    return absl::DataLossError(StrCat(name_, ", byte ", offset, ": ", why));
  };
  std::array<char, kLengthBytes> prefix{};
  in_.read(prefix.data(), prefix.size());
  if (in_.gcount() == 0) return End();
  const uint64_t length = DecodeLength(prefix);
  if (static_cast<size_t>(in_.gcount()) < prefix.size()) return damaged("the file is cut short");
  if (length > kRequestBytesMax) {
    return damaged(StrCat("a request of ", length, " bytes; the limit is ", kRequestBytesMax,
                          ". Is this a file of OTLP requests, not compressed?"));
  }
  std::string request;
  constexpr size_t kPiece = 1 << 20;  // so that a length alone takes no memory
  while (request.size() < length) {
    const size_t before = request.size();
    const size_t wanted = std::min<uint64_t>(kPiece, length - before);
    request.resize(before + wanted);
    in_.read(request.data() + before, static_cast<std::streamsize>(wanted));
    if (static_cast<size_t>(in_.gcount()) < wanted) return damaged("the file is cut short");
  }
  bytes_ += prefix.size() + length;
  StatusOr<otlp::Slice> slice = otlp::ReadTraces(Bytes(std::move(request)));
  if (!slice.ok()) return Annotate(slice.status(), StrCat(name_, ", byte ", offset));
  return std::optional(*std::move(slice));
}

}  // namespace spanloom::cli::store
