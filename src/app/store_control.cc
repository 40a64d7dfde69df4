// SPDX-License-Identifier: Apache-2.0

#include "app/store_control.h"

#include <chrono>
#include <string_view>
#include <utility>

#include "base/text.h"
#include "cli/store/purge_selection.h"
#include "cli/store/server_control.h"
#include "cli/store/upkeep_verbs.h"

namespace spanloom::app {

StatusOr<std::unique_ptr<StoreControl>> StoreControl::Serve(net::LoopPool& loops, MetricRegistry& metrics,
                                                            const std::string& directory,
                                                            store::columnar::ColumnarStore& store) {
  std::unique_ptr<StoreControl> control(new StoreControl(store));
  net::ServerOptions options;
  options.name = "control";
  options.endpoint = cli::store::ControlEndpoint(directory);
  options.http = [control = control.get()](const net::HttpRequest& request, net::HttpResponder responder) {
    control->Answer(request, std::move(responder));
  };
  ASSIGN_OR_RETURN(control->server_, net::Server::Create(loops, metrics, std::move(options)));
  return control;
}

StoreControl::~StoreControl() {
  Stop();
}

void StoreControl::Stop() {
  if (server_ != nullptr) server_->Stop(std::chrono::milliseconds(0));
}

void StoreControl::Answer(const net::HttpRequest& request, net::HttpResponder responder) {
  const std::string verb = request.path.substr(request.path.starts_with('/') ? 1 : 0);
  if (request.method != "POST" || (verb != "flush" && verb != "compact" && verb != "purge")) {
    return std::move(responder).Respond(net::TextResponse(404, "there are POST /flush, /compact and /purge\n"));
  }
  // Shared with the task, which is not run if there is no room for it.
  const auto held = std::make_shared<net::HttpResponder>(std::move(responder));
  const bool is_queued = workers_.Submit([this, verb, query = request.query, held] {
    const StatusOr<std::string> done = Do(verb, query);
    std::move(*held).Respond(done.ok() ? net::TextResponse(200, *done)
                                       : net::TextResponse(500, StrCat(done.status().message(), "\n")));
  });
  if (!is_queued) std::move(*held).Respond(net::TextResponse(503, "too much is asked for at once; try again\n"));
}

StatusOr<std::string> StoreControl::Purge(std::string_view query) {
  ASSIGN_OR_RETURN(const cli::store::PurgeSelection selection, cli::store::PurgeSelection::FromQuery(query));
  if (selection.IsEverything()) return absl::InvalidArgumentError("it is not said which spans");
  ASSIGN_OR_RETURN(const store::Removed removed, store_.Purge(selection.Plan()));
  return cli::store::DescribeRemoved(removed);
}

StatusOr<std::string> StoreControl::Do(std::string_view verb, std::string_view query) {
  if (verb == "purge") return Purge(query);
  RETURN_IF_ERROR(store_.Flush());
  const size_t before = store_.WorkLeft().segments;
  if (verb == "flush") return StrCat("all that is acknowledged is in segments, ", before, " of them\n");
  RETURN_IF_ERROR(store_.Compact());
  return StrCat(before, " segments before, ", store_.WorkLeft().segments, " now\n");
}

}  // namespace spanloom::app
