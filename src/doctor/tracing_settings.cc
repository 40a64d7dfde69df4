// SPDX-License-Identifier: Apache-2.0

#include "doctor/tracing_settings.h"

#include <absl/strings/ascii.h>
#include <absl/strings/numbers.h>
#include <absl/strings/str_split.h>

#include <algorithm>
#include <array>
#include <vector>

#include "base/text.h"

namespace spanloom::doctor {
namespace {

using config::Node;

// vLLM's DetailedTraceModules.
constexpr std::array<std::string_view, 3> kModules = {"model", "worker", "all"};
constexpr std::array<std::string_view, 6> kSamplers = {"always_on",
                                                       "always_off",
                                                       "traceidratio",
                                                       "parentbased_always_on",
                                                       "parentbased_always_off",
                                                       "parentbased_traceidratio"};

std::string Setting(std::string_view key, std::string_view value) {
  return StrCat(key, ": \"", value, "\"");
}

}  // namespace

std::pair<std::string_view, std::string_view> HostAndPort(std::string_view endpoint) {
  const size_t scheme = endpoint.find("://");
  const bool has_resolver = endpoint.starts_with("dns://") || endpoint.starts_with("passthrough://");  // gRPC's names
  if (scheme != std::string_view::npos) endpoint.remove_prefix(scheme + 3);
  if (has_resolver) endpoint.remove_prefix(std::min(endpoint.size(), endpoint.find('/') + 1));  // npos + 1 = 0
  endpoint = endpoint.substr(0, endpoint.find('/'));
  const size_t colon = endpoint.rfind(':');
  if (colon == std::string_view::npos || endpoint.ends_with(']')) return {endpoint, ""};
  return {endpoint.substr(0, colon), endpoint.substr(colon + 1)};
}

bool IsLocal(std::string_view endpoint) {
  const std::string_view host = HostAndPort(endpoint).first;
  const bool is_address = host.find_first_not_of("0123456789.") == std::string_view::npos;
  return host == "localhost" || host == "[::1]" || (is_address && host.starts_with("127."));
}

void CheckEndpoint(const Node& node, std::string_view key, Wire wire, Findings& findings) {
  const std::string_view endpoint = node.is_scalar() ? std::string_view(node.text()) : std::string_view();
  const std::string fix = Setting(key, kEndpoint);
  if (endpoint.empty()) {
    return findings.Error("endpoint-empty", node.source(),
                          StrCat(key, " is empty: spans go to localhost:4317, where nobody listens in a pod"), fix);
  }
  const auto [host, port] = HostAndPort(endpoint);
  if (IsLocal(endpoint)) {
    findings.Error("endpoint-localhost", node.source(),
                   StrCat(key, " is ", endpoint, ": inside a pod that is the pod itself, not the collector"), fix);
  }
  if (port == "4318" && wire == Wire::kGrpc) {
    findings.Error("endpoint-http-port", node.source(),
                   StrCat(key, " names port 4318, which speaks HTTP; llm-d's components and vLLM speak gRPC, on 4317"),
                   Setting(key, StrCat("http://", host, ":4317")));
  }
  if (endpoint.starts_with("https://") && wire == Wire::kGrpc && port != "4318") {
    findings.Warning("endpoint-https", node.source(),
                     StrCat(key,
                            " begins with https: over gRPC, vLLM from 0.16 on, and llm-d's schedulers and proxies up "
                            "to v0.6, speak cleartext whatever the scheme says, and a port with TLS refuses them; "
                            "vLLM can do TLS over HTTP (OTEL_EXPORTER_OTLP_TRACES_PROTOCOL=http/protobuf)"),
                     Setting(key, StrCat("http://", host, ":", port.empty() ? "4317" : port)));
  }
  if (endpoint.find("://") == std::string_view::npos) {
    findings.Warning("endpoint-scheme", node.source(),
                     StrCat(key, " has no scheme: OpenTelemetry's Go SDK takes \"", host,
                            "\" for the scheme and exports to localhost:4317; vLLM takes it either way"),
                     Setting(key, StrCat("http://", endpoint)));
  }
}

void CheckSampler(const Node& node, std::string_view key, Reader reader, Findings& findings) {
  const std::string_view name = node.is_scalar() ? std::string_view(node.text()) : std::string_view();
  if (name == kSampler) return;
  const std::string fix = Setting(key, kSampler);
  if (reader == Reader::kGo) {
    return findings.Error("sampler-go", node.source(),
                          StrCat(key, " is \"", name, "\": llm-d's Go components know ", kSampler,
                                 " alone; with any other they keep 10 % of the traces and ignore the argument"),
                          fix);
  }
  if (std::find(kSamplers.begin(), kSamplers.end(), name) == kSamplers.end()) {
    findings.Error("sampler-unknown", node.source(),
                   StrCat(key, " is \"", name, "\", which is no sampler: vLLM keeps every trace"), fix);
  }
}

void CheckSamplerArgument(const Node& node, std::string_view key, Findings& findings) {
  double share = 0;
  const bool is_share = node.is_scalar() && absl::SimpleAtod(AbslView(node.text()), &share) && share >= 0 && share <= 1;
  if (is_share && share > 0) return;
  if (is_share) {
    return findings.Warning("sampler-argument-zero", node.source(), StrCat(key, " is 0: no trace is kept"),
                            Setting(key, "1.0"));
  }
  const std::string_view text = node.is_scalar() ? std::string_view(node.text()) : std::string_view();
  const bool is_percent = node.is_scalar() && share > 1 && share <= 100;
  findings.Error("sampler-argument", node.source(),
                 StrCat(key, " is \"", text, "\", which is no share from 0 to 1: the Go components keep 10 %, vLLM all",
                        is_percent ? "; a share is not counted in percent" : ""),
                 Setting(key, is_percent ? StrCat(share / 100) : "0.1"));
}

void CheckDetailedTraces(const Node& node, std::string_view key, Findings& findings) {
  const std::string fix = Setting(key, "all");
  if (!node.is_scalar() || node.text().empty()) {
    return findings.Error("detailed-traces", node.source(),
                          StrCat(key, " is empty: vLLM does not start with --collect-detailed-traces \"\""), fix);
  }
  for (const absl::string_view part : absl::StrSplit(AbslView(node.text()), ',')) {
    const std::string_view module = StdView(part);
    if (std::find(kModules.begin(), kModules.end(), module) != kModules.end()) continue;
    findings.Error("detailed-traces", node.source(),
                   StrCat(key, " is \"", node.text(),
                          "\": vLLM knows model, worker and all, and does not start with \"", module, "\""),
                   fix);
  }
}

Image ReadImage(std::string_view reference) {
  Image image;
  reference = reference.substr(0, reference.find('@'));
  image.name = reference.substr(reference.rfind('/') + 1);
  const size_t colon = image.name.find(':');
  if (colon == std::string_view::npos) return image;
  image.tag = image.name.substr(colon + 1);
  image.name = image.name.substr(0, colon);
  std::string_view digits = image.tag;
  if (digits.starts_with('v')) digits.remove_prefix(1);
  const std::vector<absl::string_view> parts = absl::StrSplit(AbslView(digits.substr(0, digits.find('-'))), '.');
  int version = 0;
  for (size_t i = 0; i < 3; ++i) {
    int number = 0;
    if (i < parts.size() && (!absl::SimpleAtoi(parts[i], &number) || number < 0 || number > 999)) return image;
    version = version * 1'000 + number;
  }
  if (parts.size() >= 2) image.version = version;
  return image;
}

void CheckImage(const Node& node, Findings& findings) {
  if (!node.is_scalar()) return;
  const Image image = ReadImage(node.text());
  if (!image.version.has_value()) return;
  const bool is_scheduler = image.name == "llm-d-inference-scheduler";
  const bool is_sidecar = image.name == "llm-d-routing-sidecar";
  if ((is_scheduler || is_sidecar) && *image.version < Version(0, 6)) {
    findings.Error("image-too-old", node.source(),
                   StrCat(image.name, " ", image.tag, " makes no spans; they came with v0.6.0"));
  }
}

}  // namespace spanloom::doctor
