// SPDX-License-Identifier: Apache-2.0
//
// Where the process sends what it tells about itself: the exporters of service.telemetry.traces and .metrics. The keys
// are those of the OpenTelemetry configuration schema 0.3 (OtlpExporter, OtlpMetricExporter, ConsoleExporter).

#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "config/options.h"
#include "net/compression.h"
#include "otlp/signal.h"
#include "sdk/otlp_sender.h"

namespace spanloom::pipeline {

struct OwnOtlpOptions {
  sdk::OtlpProtocol protocol = sdk::OtlpProtocol::kGrpc;
  std::string endpoint = {};
  config::StringMap headers = {};
  std::string headers_list = {};  // "name=value,name=value"
  bool insecure = false;
  std::string certificate = {};  // files
  std::string client_certificate = {};
  std::string client_key = {};
  net::Compression compression = net::Compression::kNone;
  int64_t timeout = 10'000;  // ms
  void Declare(config::OptionsReader& r);
  [[nodiscard]] Status Validate() const;

  // How to send `signal` there. The options are valid.
  [[nodiscard]] sdk::OtlpSenderOptions Destination(otlp::Signal signal) const;
};

// No keys: standard output.
struct OwnConsoleOptions {
  void Declare(config::OptionsReader&) {}
};

}  // namespace spanloom::pipeline
