// SPDX-License-Identifier: Apache-2.0
//
// The zpages extension: pages that say what runs in this process, for an operator with a browser.

#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/options.h"
#include "findings/findings_source.h"
#include "pipeline/extensions/findings_page.h"
#include "pipeline/page_server.h"
#include "pipeline/registry.h"

namespace spanloom::pipeline {

struct ExpvarOptions {
  bool enabled = false;
  void Declare(config::OptionsReader& r);
};

struct ZPagesOptions {
  HttpServerOptions server = {};
  ExpvarOptions expvar = {};
  void Declare(config::OptionsReader& r);
  [[nodiscard]] Status Validate() const { return server.Validate(); }
};

class ZPagesExtension final : public Extension {
 public:
  // `findings` answers /debug/findingsz and must outlive this; null: there is no such page.
  ZPagesExtension(const ComponentId& id, ZPagesOptions options, const BuildContext& context,
                  findings::FindingsSource* findings = nullptr);

  Status Start() override;
  void Stop(std::chrono::milliseconds grace) override;
  void SetReady(bool ready) override;
  [[nodiscard]] std::vector<Endpoint> endpoints() const override;
  [[nodiscard]] std::vector<std::string> claims() const override;

  // The page of a path, but for findings; 404 if there is none. Thread-safe.
  [[nodiscard]] net::HttpResponse Answer(std::string_view path) const;

 private:
  [[nodiscard]] net::HttpResponse ServicePage() const;
  [[nodiscard]] net::HttpResponse PipelinePage() const;
  [[nodiscard]] net::HttpResponse ExtensionPage() const;
  [[nodiscard]] net::HttpResponse VariablesPage() const;
  [[nodiscard]] std::vector<ComponentStatus> Components(bool extensions) const;
  // Since the pipelines run; 0 while they do not.
  [[nodiscard]] std::chrono::nanoseconds Uptime() const;

  const ZPagesOptions options_;
  const BuildContext context_;
  findings::FindingsSource* const findings_;
  std::atomic<int64_t> ready_since_unix_ns_ = 0;    // 0: not ready
  std::atomic<int64_t> ready_since_steady_ns_ = 0;  // the same by the clock that does not jump
  std::optional<FindingsPage> findings_page_;       // from Start to Stop
  PageServer server_;
};

// Extension type "zpages". `findings` as there.
void RegisterZPagesExtension(Registry& registry, findings::FindingsSource* findings = nullptr);

}  // namespace spanloom::pipeline
