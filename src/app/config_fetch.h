// SPDX-License-Identifier: Apache-2.0
//
// The text at a URL that configuration comes from: `--config https://...` and ${https://...}.

#pragma once

#include <chrono>
#include <cstddef>
#include <stop_token>
#include <string>

#include "base/status.h"
#include "config/yaml.h"
#include "net/proxy.h"
#include "net/tls.h"

namespace spanloom::app {

struct FetchOptions {
  std::chrono::milliseconds deadline{10'000};  // for all of it; guess
  size_t bytes_max = config::kYamlBytesMax;    // of the text
  net::TlsClientOptions tls = {};              // of https; as it is, the machine's authorities are trusted
  net::ProxyRules proxies = net::ProxyRules::None();
  std::stop_token hurry = {};  // gives up when it is asked to
};

// GETs `url` ("http://" or "https://", with a user and password as basic authentication if it has them), once. Blocks
// for at most the deadline, or as long as the machine looks up a name, on a loop of its own: not to be called on
// another. A redirect is an error. Errors, which name the URL without its secrets and say what to do: kInvalidArgument
// (no URL), kUnimplemented (a proxy that cannot be spoken to), kNotFound (HTTP 404), kPermissionDenied (401, 403),
// kFailedPrecondition (another status of HTTP), kResourceExhausted (too long a text), kUnavailable and
// kDeadlineExceeded (the server is not there), kCancelled (there is a hurry).
StatusOr<std::string> FetchText(const std::string& url, const FetchOptions& options);

}  // namespace spanloom::app
