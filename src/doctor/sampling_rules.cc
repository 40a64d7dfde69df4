// SPDX-License-Identifier: Apache-2.0

#include "doctor/sampling_rules.h"

#include <absl/strings/numbers.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/text.h"

namespace spanloom::doctor {
namespace {

using config::Node;

struct Share {
  double value;
  config::Source where;
  std::string_view of;
};

// The share that a values file keeps, if it turns tracing on; what it does not say is its chart's default.
std::optional<Share> ShareOf(const Node* tracing, double by_default, std::string_view of) {
  if (tracing == nullptr || !IsTruthy(tracing->Find("enabled"))) return std::nullopt;
  const Node* written = At(*tracing, {"sampling", "samplerArg"});
  if (written == nullptr) return Share{by_default, tracing->source(), of};
  double value = 0;
  if (!absl::SimpleAtod(AbslView(written->text()), &value)) return std::nullopt;
  return Share{value, written->source(), of};
}

}  // namespace

void CheckSampling(std::span<const Document> documents, Findings& findings) {
  std::vector<Share> shares;
  const auto add = [&](const std::optional<Share>& share) {
    if (share.has_value()) shares.push_back(*share);
  };
  for (const Document& document : documents) {
    if (document.kind == Document::Kind::kModelService)
      add(ShareOf(document.root.Find("tracing"), 1.0, "vLLM and the proxy"));
    if (document.kind != Document::Kind::kRouter) continue;
    add(ShareOf(At(document.root, {"inferenceExtension", "tracing"}), 0.1, "the scheduler"));
    add(ShareOf(At(document.root, {"router", "tracing"}), 0.1, "the scheduler"));
  }
  for (size_t i = 1; i < shares.size(); ++i) {
    const Share& a = shares[0];
    const Share& b = shares[i];
    if (a.value == b.value || a.of == b.of) continue;
    findings.Warning("sampling-differs", b.where,
                     StrCat(b.of, " keep", b.of == "the scheduler" ? "s" : "", " ", b.value,
                            " of the traces that they begin, ", a.of, " ", a.value, " (", a.where.ToString(),
                            "): requests that reach vLLM past the scheduler are kept at another rate"),
                     StrCat("samplerArg: \"", a.value, "\""));
  }
}

}  // namespace spanloom::doctor
