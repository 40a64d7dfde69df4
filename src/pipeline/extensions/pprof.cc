// SPDX-License-Identifier: Apache-2.0

#include "pipeline/extensions/pprof.h"

#include <absl/algorithm/container.h>
#include <unistd.h>

#include <limits>
#include <utility>

#include "base/log.h"
#include "base/text.h"
#include "pipeline/extensions/html_page.h"

namespace spanloom::pipeline {
namespace {

constexpr uint16_t kPort = 1777;
constexpr std::string_view kPrefix = "/debug/pprof/";
// Of Go's net/http/pprof.
constexpr std::string_view kProfiles[] = {"allocs", "block",   "goroutine",    "heap",
                                          "mutex",  "profile", "threadcreate", "trace"};

constexpr ComponentDoc kDoc = {
    .words =
        "Takes the place of the Collector's pprof, so that its configuration loads. This program is not written in Go "
        "and serves no profile: /debug/pprof/profile answers 501 and says how to get one. In short: "
        "`perf record -g -p PID -- sleep 30`, then `perf report`, or `perf script` for a flame graph. "
        "block_profile_fraction, mutex_profile_fraction and save_to_file have no effect.",
    .example = R"(extensions:
  pprof:
    endpoint: localhost:1777
service:
  extensions: [pprof]
)",
};

std::string Advice() {
  return StrCat(
      "This program serves no profiles of its own. For its CPU time, on the machine it runs on:\n\n"
      "  perf record -g -p ",
      getpid(),
      " -- sleep 30\n  perf report\n\nFor its memory: the metric otelcol_process_memory_rss, or heaptrack --pid ",
      getpid(), ".\n");
}

net::HttpResponse Index() {
  HtmlPage page("/debug/pprof/");
  page.Paragraph("Profiles of a Go program that are not to be had here; each says what to do instead.");
  for (const std::string_view profile : kProfiles) page.Link(profile, profile);
  return std::move(page).Finish();
}

}  // namespace

void PprofOptions::Declare(config::OptionsReader& r) {
  r.Field("endpoint", endpoint, "Address to listen on, HOST:PORT; port 1777 if it is left out.");
  r.Field("block_profile_fraction", block_profile_fraction, "Taken, without effect.",
          {.min = std::numeric_limits<int32_t>::min(),
           .max = std::numeric_limits<int32_t>::max(),
           .unit = "events for one that is profiled"});
  r.Field("mutex_profile_fraction", mutex_profile_fraction, "Taken, without effect.",
          {.min = std::numeric_limits<int32_t>::min(),
           .max = std::numeric_limits<int32_t>::max(),
           .unit = "events for one that is profiled"});
  r.Field("save_to_file", save_to_file, "Taken, without effect: no file is written.");
  r.Unsupported("dialer", "remove it; nothing is dialled");
}

PprofExtension::PprofExtension(const ComponentId& id, PprofOptions options, const BuildContext& context)
    : id_(id.ToString()),
      options_(std::move(options)),
      server_(id_, HttpServerOptions{.endpoint = options_.endpoint}, kPort, context) {}

Status PprofExtension::Start() {
  if (!options_.save_to_file.empty()) {
    Log(LogLevel::kWarn, "no profile is saved: save_to_file has no effect",
        {{"extension", id_}, {"save_to_file", options_.save_to_file}});
  }
  return server_.Start([](const net::HttpRequest& request, net::HttpResponder responder) {
    std::move(responder).Respond(Answer(request.path));
  });
}

void PprofExtension::Stop(std::chrono::milliseconds grace) {
  server_.Stop(grace);
}

std::vector<Endpoint> PprofExtension::endpoints() const {
  return server_.endpoints("pprof", kPrefix);
}

std::vector<std::string> PprofExtension::claims() const {
  return server_.claims();
}

net::HttpResponse PprofExtension::Answer(std::string_view path) {
  if (path == kPrefix) return Index();
  if (path.starts_with(kPrefix) && absl::c_linear_search(kProfiles, path.substr(kPrefix.size()))) {
    return net::TextResponse(501, Advice());
  }
  return net::TextResponse(404, "404 page not found\n");
}

void RegisterPprofExtension(Registry& registry) {
  registry.extensions.Add<PprofOptions>("pprof", kDoc,
                                        [](const ComponentId& id, PprofOptions options, const BuildContext& context) {
                                          return std::make_unique<PprofExtension>(id, std::move(options), context);
                                        });
}

}  // namespace spanloom::pipeline
