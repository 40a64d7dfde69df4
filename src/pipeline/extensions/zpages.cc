// SPDX-License-Identifier: Apache-2.0

#include "pipeline/extensions/zpages.h"

#include <absl/strings/str_join.h>
#include <absl/time/time.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "base/json_writer.h"
#include "base/process_memory.h"
#include "base/text.h"
#include "config/duration.h"
#include "pipeline/extensions/html_page.h"

namespace spanloom::pipeline {
namespace {

constexpr uint16_t kPort = 55679;
constexpr std::string_view kFindingsPath = "/debug/findingsz";

constexpr ComponentDoc kDoc = {
    .words =
        "Pages that say what runs in this process: /debug/servicez (build, memory, uptime), /debug/findingsz (what is "
        "wrong; with ?format=json for programs), /debug/pipelinez, /debug/extensionz, /debug/featurez and "
        "/debug/tracez. Whoever reaches the port may read them, unless `auth` "
        "says who may.",
    .example = R"(extensions:
  zpages:
    endpoint: localhost:55679
service:
  extensions: [zpages]
)",
};

std::string Listed(const std::vector<std::string>& ids) {
  return absl::StrJoin(ids, ", ");
}

std::string TimeText(int64_t unix_ns) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", absl::FromUnixNanos(unix_ns), absl::UTCTimeZone());
}

std::vector<std::vector<std::string>> RowsOf(const std::vector<ComponentStatus>& components) {
  std::vector<std::vector<std::string>> rows;
  for (const ComponentStatus& component : components) {
    rows.push_back({std::string(KindText(component.kind)), component.id, component.pipeline,
                    std::string(StateText(component.state)), TimeText(component.since_unix_ns), component.message});
  }
  return rows;
}

const std::vector<std::string>& ComponentHeader() {
  static const std::vector<std::string> header = {"Kind", "Id", "Of", "State", "Since", "Message"};
  return header;
}

net::HttpResponse FeaturePage() {
  HtmlPage page("Feature gates");
  page.Paragraph("There are none: what this program does is said by its configuration alone.");
  return std::move(page).Finish();
}

net::HttpResponse TracePage() {
  HtmlPage page("Traces of this process");
  page.Paragraph(
      "The spans of this process about itself are not kept here. service.telemetry.traces in the configuration sends "
      "them to a backend.");
  return std::move(page).Finish();
}

}  // namespace

void ExpvarOptions::Declare(config::OptionsReader& r) {
  r.Field("enabled", enabled, "Whether /debug/expvarz answers with the process's numbers as JSON.");
}

void ZPagesOptions::Declare(config::OptionsReader& r) {
  DeclarePageServer(r, server, "Address to listen on, HOST:PORT or unix:/PATH; port 55679 if it is left out.");
  r.Field("expvar", expvar, "The page for programs.");
}

ZPagesExtension::ZPagesExtension(const ComponentId& id, ZPagesOptions options, const BuildContext& context,
                                 findings::FindingsSource* findings)
    : options_(std::move(options)),
      context_(context),
      findings_(findings),
      server_(id.ToString(), options_.server, kPort, context) {}

Status ZPagesExtension::Start() {
  if (findings_ != nullptr) findings_page_.emplace(*findings_);
  return server_.Start([this](const net::HttpRequest& request, net::HttpResponder responder) {
    if (findings_page_ && request.path == kFindingsPath) return findings_page_->Respond(request, std::move(responder));
    std::move(responder).Respond(Answer(request.path));
  });
}

void ZPagesExtension::Stop(std::chrono::milliseconds grace) {
  if (findings_page_) findings_page_->GiveUp();
  server_.Stop(grace);
  findings_page_.reset();
}

void ZPagesExtension::SetReady(bool ready) {
  ready_since_steady_ns_ = context_.clock.SteadyNs();
  ready_since_unix_ns_ = ready ? context_.clock.UnixNs() : 0;
}

std::vector<Endpoint> ZPagesExtension::endpoints() const {
  return server_.endpoints("zpages", "/debug/servicez");
}

std::vector<std::string> ZPagesExtension::claims() const {
  return server_.claims();
}

net::HttpResponse ZPagesExtension::Answer(std::string_view path) const {
  if (path == "/debug/servicez") return ServicePage();
  if (path == "/debug/pipelinez") return PipelinePage();
  if (path == "/debug/extensionz") return ExtensionPage();
  if (path == "/debug/featurez") return FeaturePage();
  if (path == "/debug/tracez") return TracePage();
  if (path == "/debug/expvarz" && options_.expvar.enabled) return VariablesPage();
  return net::TextResponse(404, "404 page not found\n");
}

std::chrono::nanoseconds ZPagesExtension::Uptime() const {
  return std::chrono::nanoseconds(ready_since_unix_ns_ == 0 ? 0 : context_.clock.SteadyNs() - ready_since_steady_ns_);
}

std::vector<ComponentStatus> ZPagesExtension::Components(bool extensions) const {
  std::vector<ComponentStatus> components;
  if (context_.board == nullptr) return components;
  for (ComponentStatus& component : context_.board->Snapshot()) {
    if ((component.kind == ComponentKind::kExtension) == extensions) components.push_back(std::move(component));
  }
  return components;
}

net::HttpResponse ZPagesExtension::ServicePage() const {
  HtmlPage page("Service");
  if (findings_ != nullptr) page.Link("findingsz", "Findings");
  page.Link("pipelinez", "Pipelines");
  page.Link("extensionz", "Extensions");
  page.Link("featurez", "Feature gates");
  page.Link("tracez", "Traces of this process");
  page.Heading("Build");
  for (std::string_view rest = context_.build; !rest.empty();) {
    const size_t end = std::min(rest.find('\n'), rest.size());
    page.Paragraph(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  page.Heading("Runtime");
  const int64_t since_ns = ready_since_unix_ns_;
  page.Table({"What", "Value"}, {{"Process", StrCat(getpid())},
                                 {"Ready since", since_ns == 0 ? "not ready" : TimeText(since_ns)},
                                 {"Uptime", config::FormatDuration(Uptime())},
                                 {"Loops", StrCat(context_.loops.size())},
                                 {"Resident memory (bytes)", StrCat(ResidentBytes().value_or(0))}});
  return std::move(page).Finish();
}

net::HttpResponse ZPagesExtension::PipelinePage() const {
  HtmlPage page("Pipelines");
  std::vector<std::vector<std::string>> rows;
  const auto pipelines =
      context_.pipelines == nullptr ? std::vector<PipelineDescription>() : context_.pipelines->Snapshot();
  for (const PipelineDescription& pipeline : pipelines) {
    rows.push_back({pipeline.id, std::string(otlp::SignalText(pipeline.signal)), pipeline.changes_items ? "yes" : "no",
                    Listed(pipeline.receivers), Listed(pipeline.processors), Listed(pipeline.exporters)});
  }
  page.Table({"Pipeline", "Signal", "Mutates data", "Receivers", "Processors", "Exporters"}, rows);
  page.Heading("Components");
  page.Table(ComponentHeader(), RowsOf(Components(false)));
  return std::move(page).Finish();
}

net::HttpResponse ZPagesExtension::ExtensionPage() const {
  HtmlPage page("Extensions");
  page.Table(ComponentHeader(), RowsOf(Components(true)));
  return std::move(page).Finish();
}

net::HttpResponse ZPagesExtension::VariablesPage() const {
  std::string body;
  JsonWriter json(body);
  json.BeginObject();
  json.Field("pid", static_cast<int64_t>(getpid()));
  json.Field("uptime_ns", static_cast<int64_t>(Uptime().count()));
  json.Field("resident_bytes", ResidentBytes().value_or(0));
  json.EndObject();
  net::HttpResponse response;
  response.headers.Add("content-type", "application/json");
  response.body = Bytes(std::move(body));
  return response;
}

void RegisterZPagesExtension(Registry& registry, findings::FindingsSource* findings) {
  registry.extensions.Add<ZPagesOptions>(
      "zpages", kDoc, [findings](const ComponentId& id, ZPagesOptions options, const BuildContext& context) {
        return std::make_unique<ZPagesExtension>(id, std::move(options), context, findings);
      });
}

}  // namespace spanloom::pipeline
