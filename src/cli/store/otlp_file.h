// SPDX-License-Identifier: Apache-2.0
//
// Files of OTLP requests, one after the other, in the two forms that the OpenTelemetry Collector's file exporter
// writes:
//
//   json   a request in OTLP/JSON on each line
//   proto  a request in protobuf behind its length, of four bytes, the highest first

#pragma once

#include <cstdint>
#include <istream>
#include <optional>
#include <string>
#include <string_view>

#include "base/status.h"
#include "otlp/batch.h"

namespace spanloom::cli::store {

enum class OtlpFormat { kJson, kProto };

// "json" or "proto"; kInvalidArgument names both.
[[nodiscard]] StatusOr<OtlpFormat> ParseOtlpFormat(std::string_view name);

// A request in protobuf as a file of that form has it. Errors: those of otlp::ReadTraces.
[[nodiscard]] StatusOr<std::string> EncodeRequest(std::string request, OtlpFormat format);

// Reads a file of either form: which, its first byte says. JSON begins with '{' or white space; no length within the
// limit does.
// Thread-compatible. `in` must outlive it.
class OtlpFileReader {
 public:
  static constexpr size_t kRequestBytesMax = 64 << 20;  // of one request in protobuf; guess

  // `name` is for errors.
  OtlpFileReader(std::string name, std::istream& in) : name_(std::move(name)), in_(in) {}

  // The next request; nullopt at the end. Errors, with the place: kInvalidArgument for what is no request, after which
  // the next one of a JSON file can be read; kDataLoss for a file that is cut short, has no form of these or can't be
  // read, after which nothing can.
  StatusOr<std::optional<otlp::Slice>> Next();

  // That were read.
  [[nodiscard]] uint64_t bytes() const { return bytes_; }

 private:
  StatusOr<std::optional<otlp::Slice>> End() const;
  StatusOr<std::optional<otlp::Slice>> NextLine();
  StatusOr<std::optional<otlp::Slice>> NextMessage();

  const std::string name_;
  std::istream& in_;
  std::optional<OtlpFormat> format_;
  uint64_t line_ = 0;
  uint64_t bytes_ = 0;
};

}  // namespace spanloom::cli::store
