// SPDX-License-Identifier: Apache-2.0

#include "pipeline/extensions/pprof.h"

#include <absl/algorithm/container.h>
#include <absl/strings/numbers.h>
#include <unistd.h>

#include <fstream>
#include <iterator>
#include <limits>
#include <optional>
#include <utility>

#include "base/bytes.h"
#include "base/log.h"
#include "base/text.h"
#include "base/worker_pool.h"
#include "net/loop_call.h"
#include "pipeline/extensions/cpu_sampler.h"
#include "pipeline/extensions/html_page.h"
#include "pipeline/extensions/pprof_profile.h"

namespace spanloom::pipeline {
namespace {

constexpr uint16_t kPort = 1777;
constexpr std::string_view kPrefix = "/debug/pprof/";
constexpr int64_t kSecondsDefault = 30;  // Go's
constexpr int64_t kSecondsMax = 300;     // guess
// Of Go's net/http/pprof.
constexpr std::string_view kProfiles[] = {"allocs", "block",   "goroutine",    "heap",
                                          "mutex",  "profile", "threadcreate", "trace"};

constexpr ComponentDoc kDoc = {
    .words =
        "Serves a profile of this process's CPU time at /debug/pprof/profile?seconds=30, as the Collector's does: `go "
        "tool pprof PROGRAM http://localhost:1777/debug/pprof/profile`, where PROGRAM is this very binary, which has "
        "the names of functions. One at a time, for at most 300 seconds. The other profiles are those of a Go program: "
        "they answer 501 and say what to do instead. With save_to_file a profile of the whole run is written at the "
        "stop: "
        "of its first ten minutes of CPU time; no other can be made meanwhile.",
    .example = R"(extensions:
  pprof:
    endpoint: localhost:1777
service:
  extensions: [pprof]
)",
};

std::string Advice() {
  return StrCat(
      "This program is not written in Go and has no such profile. For its CPU time: ", kPrefix,
      "profile?seconds=30, or on the machine it runs on:\n\n"
      "  perf record -g -p ",
      getpid(),
      " -- sleep 30\n  perf report\n\nFor its memory: the metric otelcol_process_memory_rss, or heaptrack --pid ",
      getpid(), ".\n");
}

net::HttpResponse Index() {
  HtmlPage page("/debug/pprof/");
  page.Paragraph(
      "profile is one of CPU time, for seconds=30. The others are of a Go program; each says what to do instead.");
  for (const std::string_view profile : kProfiles) page.Link(profile, profile);
  return std::move(page).Finish();
}

// The seconds that a request for a profile asks for; nullopt if it asks for something else.
std::optional<std::chrono::seconds> SecondsOf(const net::HttpRequest& request) {
  int64_t seconds = kSecondsDefault;
  for (const auto& [name, value] : net::ParseQuery(request.query)) {
    if (name == "seconds" && !absl::SimpleAtoi(AbslView(value), &seconds)) return std::nullopt;
  }
  if (seconds < 1 || seconds > kSecondsMax) return std::nullopt;
  return std::chrono::seconds(seconds);
}

std::string MapsOfThisProcess() {
  std::ifstream maps("/proc/self/maps");
  return {std::istreambuf_iterator<char>(maps), {}};
}

// One that is over now and began at these times.
Bytes ProfileOf(CpuSampler& sampler, int64_t begin_unix_ns, int64_t begin_ns, const Clock& clock) {
  return EncodeProfile(sampler.Stop(), ParseCodeMappings(MapsOfThisProcess()), begin_unix_ns,
                       std::chrono::nanoseconds(clock.SteadyNs() - begin_ns));
}

net::HttpResponse Unavailable(const Status& status) {
  return net::TextResponse(503, StrCat("503 ", StdView(status.message()), "\n"));
}

}  // namespace

// Makes one profile at a time. Bound to a loop, but for Profile, which is thread-safe, and Stop.
class PprofExtension::Profiler : public std::enable_shared_from_this<PprofExtension::Profiler> {
 public:
  explicit Profiler(const BuildContext& context)
      : loop_(context.loops.Next()), workers_(context.loops.workers()), clock_(context.clock) {}

  void Profile(std::chrono::seconds duration, net::HttpResponder responder) {
    loop_.Post([self = shared_from_this(), duration, responder = std::move(responder)]() mutable {
      self->Begin(duration, std::move(responder));
    });
  }

  // What is being made is given up. Not on a loop.
  void Stop() {
    RunOn(loop_, [this] {
      is_stopped_ = true;
      timer_.Cancel();
      Abandon(absl::UnavailableError("stopping"));
    });
  }

 private:
  struct Recording {
    std::unique_ptr<CpuSampler> sampler;
    int64_t begin_unix_ns = 0;
    int64_t begin_ns = 0;
    net::HttpResponder responder;
  };

  void Begin(std::chrono::seconds duration, net::HttpResponder responder) {
    if (is_stopped_) return std::move(responder).Respond(Unavailable(absl::UnavailableError("stopping")));
    auto sampler = CpuSampler::Start();
    if (!sampler.ok()) return std::move(responder).Respond(Unavailable(sampler.status()));
    recording_ = std::make_shared<Recording>(
        Recording{*std::move(sampler), clock_.UnixNs(), clock_.SteadyNs(), std::move(responder)});
    timer_ = loop_.PostAfter(duration, [this] { Finish(); });
  }

  void Finish() {
    const bool is_queued = workers_.Submit([recording = recording_, &clock = clock_] {
      net::HttpResponse response;
      response.headers.Add("content-type", "application/octet-stream");
      response.headers.Add("content-disposition", "attachment; filename=\"profile\"");
      response.body = ProfileOf(*recording->sampler, recording->begin_unix_ns, recording->begin_ns, clock);
      std::move(recording->responder).Respond(std::move(response));
    });
    if (!is_queued) return Abandon(absl::UnavailableError("the workers have too much to do"));
    recording_.reset();
  }

  void Abandon(const Status& why) {
    if (recording_ == nullptr) return;
    recording_->sampler.reset();
    std::move(recording_->responder).Respond(Unavailable(why));
    recording_.reset();
  }

  net::Loop& loop_;
  WorkerPool& workers_;
  const Clock& clock_;
  net::Timer timer_;
  std::shared_ptr<Recording> recording_;  // null while none is made; shared with the worker that ends it
  bool is_stopped_ = false;
};

// A profile from Begin to Finish, for a file that is there from the beginning. Not on a loop.
class PprofExtension::SavedProfile {
 public:
  static StatusOr<std::unique_ptr<SavedProfile>> Begin(const std::string& path, const Clock& clock) {
    std::ofstream file(path, std::ios::binary | std::ios::trunc);
    if (!file) return absl::FailedPreconditionError(StrCat("save_to_file: ", path, " can't be written"));
    ASSIGN_OR_RETURN(std::unique_ptr<CpuSampler> sampler, CpuSampler::Start());
    return std::unique_ptr<SavedProfile>(new SavedProfile(std::move(file), std::move(sampler), clock));
  }

  // False if it could not be written.
  bool Finish() {
    const Bytes profile = ProfileOf(*sampler_, begin_unix_ns_, begin_ns_, clock_);
    file_.write(profile.view().data(), static_cast<std::streamsize>(profile.view().size()));
    file_.close();
    return !file_.fail();
  }

 private:
  SavedProfile(std::ofstream file, std::unique_ptr<CpuSampler> sampler, const Clock& clock)
      : file_(std::move(file)),
        sampler_(std::move(sampler)),
        clock_(clock),
        begin_unix_ns_(clock.UnixNs()),
        begin_ns_(clock.SteadyNs()) {}

  std::ofstream file_;
  const std::unique_ptr<CpuSampler> sampler_;
  const Clock& clock_;
  const int64_t begin_unix_ns_;
  const int64_t begin_ns_;
};

void PprofOptions::Declare(config::OptionsReader& r) {
  r.Field("endpoint", endpoint, "Address to listen on, HOST:PORT; port 1777 if it is left out.");
  r.Field("block_profile_fraction", block_profile_fraction, "Taken without effect, with a warning unless it is 0.",
          {.min = std::numeric_limits<int32_t>::min(),
           .max = std::numeric_limits<int32_t>::max(),
           .unit = "events for one that is profiled"});
  r.Field("mutex_profile_fraction", mutex_profile_fraction, "Taken without effect, with a warning unless it is 0.",
          {.min = std::numeric_limits<int32_t>::min(),
           .max = std::numeric_limits<int32_t>::max(),
           .unit = "events for one that is profiled"});
  r.Field("save_to_file", save_to_file, "File that a profile of CPU time, from start to stop, is written to.");
  r.Unsupported("dialer", "remove it; nothing is dialled");
}

PprofExtension::PprofExtension(const ComponentId& id, PprofOptions options, const BuildContext& context)
    : id_(id.ToString()),
      options_(std::move(options)),
      profiler_(std::make_shared<Profiler>(context)),
      server_(id_, HttpServerOptions{.endpoint = options_.endpoint}, kPort, context),
      clock_(context.clock) {}

PprofExtension::~PprofExtension() = default;

Status PprofExtension::Start() {
  for (const auto& [option, fraction] : {std::pair("block_profile_fraction", options_.block_profile_fraction),
                                         {"mutex_profile_fraction", options_.mutex_profile_fraction}}) {
    if (fraction == 0) continue;
    Log(LogLevel::kWarn, "an option has no effect: this program is not written in Go and has no such profile",
        {{"extension", id_}, {"option", option}});
  }
  if (!options_.save_to_file.empty()) {
    ASSIGN_OR_RETURN(saved_, SavedProfile::Begin(options_.save_to_file, clock_));
  }
  return server_.Start([profiler = profiler_](const net::HttpRequest& request, net::HttpResponder responder) {
    if (request.path != StrCat(kPrefix, "profile")) return std::move(responder).Respond(Answer(request.path));
    if (const auto seconds = SecondsOf(request)) return profiler->Profile(*seconds, std::move(responder));
    std::move(responder).Respond(
        net::TextResponse(400, StrCat("400 seconds must be between 1 and ", kSecondsMax, "\n")));
  });
}

void PprofExtension::Stop(std::chrono::milliseconds grace) {
  profiler_->Stop();
  server_.Stop(grace);
  if (saved_ != nullptr && !saved_->Finish()) {
    Log(LogLevel::kError, "the profile can't be written",
        {{"extension", id_}, {"save_to_file", options_.save_to_file}});
  }
  saved_.reset();
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
