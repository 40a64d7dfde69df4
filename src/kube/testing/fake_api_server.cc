// SPDX-License-Identifier: Apache-2.0

#include "kube/testing/fake_api_server.h"

#include <algorithm>

#include "base/check.h"
#include "base/text.h"

namespace spanloom::kube {
namespace {

std::string StatusObject(int code, std::string_view message) {
  return StrCat(R"({"kind":"Status","apiVersion":"v1","status":"Failure","message":")", message, R"(","code":)", code,
                "}");
}

net::HttpResponse Json(int status, std::string body) {
  net::HttpResponse response;
  response.status = status;
  response.headers.Add("content-type", "application/json");
  response.body = Bytes(std::move(body));
  return response;
}

std::string WithVersion(const std::string& object, uint64_t version) {
  static constexpr std::string_view kMetadata = "\"metadata\":{";
  const size_t at = object.find(kMetadata);
  CHECK(at != std::string::npos);
  const size_t behind = at + kMetadata.size();
  const bool is_empty = object[behind] == '}';
  return StrCat(object.substr(0, behind), "\"resourceVersion\":\"", version, "\"", is_empty ? "" : ",",
                object.substr(behind));
}

// The second part of each pair whose first one is `key`.
std::vector<std::string> Of(const std::vector<std::pair<std::string, std::string>>& pairs, const std::string& key) {
  std::vector<std::string> values;
  for (const auto& [name, value] : pairs) {
    if (name == key) values.push_back(value);
  }
  return values;
}

}  // namespace

// Writes to one watch, in order, as fast as the client takes it. Thread-safe.
class FakeApiServer::Watcher : public std::enable_shared_from_this<Watcher> {
 public:
  explicit Watcher(net::HttpBodyWriter writer) : writer_(std::move(writer)) {}

  void Send(std::string_view bytes) {
    {
      const MutexLock lock(mutex_);
      pending_ += bytes;
    }
    Go();
  }

  void End() {
    {
      const MutexLock lock(mutex_);
      is_ending_ = true;
    }
    Go();
  }

 private:
  void Go() {
    std::string bytes;
    {
      const MutexLock lock(mutex_);
      if (is_writing_ || !writer_) return;
      if (pending_.empty() && !is_ending_) return;
      bytes.swap(pending_);
      is_writing_ = !bytes.empty();
    }
    if (bytes.empty()) return Finish();
    writer_->Write(Bytes(std::move(bytes)), [self = shared_from_this()](const Status&) {
      {
        const MutexLock lock(self->mutex_);
        self->is_writing_ = false;
      }
      self->Go();
    });
  }

  void Finish() {
    std::optional<net::HttpBodyWriter> writer;
    {
      const MutexLock lock(mutex_);
      writer.swap(writer_);
    }
    if (writer) std::move(*writer).Finish();
  }

  Mutex mutex_;
  std::string pending_ ABSL_GUARDED_BY(mutex_);
  bool is_writing_ ABSL_GUARDED_BY(mutex_) = false;
  bool is_ending_ ABSL_GUARDED_BY(mutex_) = false;
  std::optional<net::HttpBodyWriter> writer_;
};

FakeApiServer::FakeApiServer(net::LoopPool& loops) : loops_(loops) {
  Start();
}

FakeApiServer::~FakeApiServer() {
  Stop();
}

void FakeApiServer::Start() {
  net::ServerOptions options;
  options.name = "api";
  options.endpoint = endpoint_;
  options.http = [this](net::HttpRequest request, net::HttpResponder responder) {
    Handle(std::move(request), std::move(responder));
  };
  auto server = net::Server::Create(loops_, metrics_, std::move(options));
  CHECK(server.ok());
  server_ = *std::move(server);
  endpoint_ = server_->endpoint();
}

void FakeApiServer::Stop() {
  EndWatches();
  if (server_ != nullptr) server_->Stop(std::chrono::milliseconds(0));
  server_.reset();
}

std::string FakeApiServer::Kubeconfig() const {
  return StrCat("apiVersion: v1\nkind: Config\ncurrent-context: fake\n",
                "contexts: [{name: fake, context: {cluster: fake, user: fake}}]\n",
                "clusters: [{name: fake, cluster: {server: 'http://", endpoint_, "'}}]\n",
                "users: [{name: fake, user: {token: fake}}]\n");
}

void FakeApiServer::Announce(std::string_view type, const std::string& collection, const std::string& name_space,
                             const std::string& object) {
  events_.push_back({version_, collection, name_space, StrCat(R"({"type":")", type, R"(","object":)", object, "}\n")});
  for (const auto& [place, watcher] : watchers_) {
    const bool is_meant = place.collection == collection;
    if (is_meant && (place.name_space.empty() || place.name_space == name_space)) watcher->Send(events_.back().line);
  }
}

void FakeApiServer::Put(const std::string& collection, const std::string& name_space, const std::string& name,
                        const std::string& object) {
  const MutexLock lock(mutex_);
  std::string& kept = collections_[collection][StrCat(name_space, "/", name)];
  const bool is_new = kept.empty();
  kept = WithVersion(object, ++version_);
  std::erase(kept, '\n');  // events are lines
  Announce(is_new ? "ADDED" : "MODIFIED", collection, name_space, kept);
}

void FakeApiServer::Delete(const std::string& collection, const std::string& name_space, const std::string& name) {
  const MutexLock lock(mutex_);
  const auto entry = collections_[collection].extract(StrCat(name_space, "/", name));
  CHECK(!entry.empty());
  ++version_;
  Announce("DELETED", collection, name_space, entry.mapped());
}

void FakeApiServer::DemandAuthorization(std::string header) {
  const MutexLock lock(mutex_);
  authorization_ = std::move(header);
}

void FakeApiServer::Refuse(const std::string& collection, int http_status, std::string body) {
  const MutexLock lock(mutex_);
  refusals_[collection] = {http_status, std::move(body)};
}

void FakeApiServer::Allow(const std::string& collection) {
  const MutexLock lock(mutex_);
  refusals_.erase(collection);
}

void FakeApiServer::Compact() {
  const MutexLock lock(mutex_);
  compacted_ = ++version_;
  events_.clear();
}

void FakeApiServer::HoldWatches(bool hold) {
  const MutexLock lock(mutex_);
  holds_watches_ = hold;
}

void FakeApiServer::SendRaw(const std::string& collection, const std::string& bytes) {
  const MutexLock lock(mutex_);
  for (const auto& [place, watcher] : watchers_) {
    if (place.collection == collection) watcher->Send(bytes);
  }
}

void FakeApiServer::EndWatches() {
  const MutexLock lock(mutex_);
  for (const auto& [place, watcher] : watchers_) watcher->End();
  watchers_.clear();
}

size_t FakeApiServer::watches(const std::string& collection) const {
  const MutexLock lock(mutex_);
  const auto found = watch_counts_.find(collection);
  return found == watch_counts_.end() ? 0 : found->second;
}

std::vector<std::string> FakeApiServer::queries(const std::string& collection) const {
  const MutexLock lock(mutex_);
  return Of(queries_, collection);
}

std::vector<std::string> FakeApiServer::accepts(const std::string& collection) const {
  const MutexLock lock(mutex_);
  return Of(accepts_, collection);
}

uint64_t FakeApiServer::version() const {
  const MutexLock lock(mutex_);
  return version_;
}

// "/api/v1/namespaces/prod/pods" is "/api/v1/pods" within "prod"; "/api/v1/namespaces" is a collection.
FakeApiServer::Place FakeApiServer::PlaceOf(const std::string& path) {
  static constexpr std::string_view kWithin = "/namespaces/";
  const size_t at = path.find(kWithin);
  if (at == std::string::npos) return {path, ""};
  const size_t name = at + kWithin.size();
  const size_t end = std::min(path.find('/', name), path.size());
  return {path.substr(0, at) + path.substr(end), path.substr(name, end - name)};
}

std::optional<net::HttpResponse> FakeApiServer::RefusalOf(const net::HttpRequest& request, const Place& place) {
  if (!authorization_.empty() && request.headers.Get("authorization") != authorization_) {
    return Json(401, StatusObject(401, "Unauthorized"));
  }
  const auto refusal = refusals_.find(place.collection);
  if (refusal == refusals_.end()) return std::nullopt;
  return Json(refusal->second.first, refusal->second.second);
}

void FakeApiServer::Handle(net::HttpRequest request, net::HttpResponder responder) {
  const MutexLock lock(mutex_);
  const Place place = PlaceOf(request.path);
  queries_.emplace_back(place.collection, request.query);
  accepts_.emplace_back(place.collection, request.headers.Get("accept"));
  if (auto refusal = RefusalOf(request, place)) return std::move(responder).Respond(*std::move(refusal));
  std::map<std::string, std::string> parameters;
  for (auto& [name, value] : net::ParseQuery(request.query)) parameters[name] = value;
  if (!parameters.contains("watch")) return std::move(responder).Respond(List(place, parameters));
  Watch(place, std::stoull(parameters["resourceVersion"]), std::move(responder));
}

net::HttpResponse FakeApiServer::List(const Place& place, const std::map<std::string, std::string>& parameters) {
  const auto parameter = [&](const std::string& name) {
    const auto found = parameters.find(name);
    return found == parameters.end() ? std::string() : found->second;
  };
  // A continue token is "VERSION,KEY": the version of the list, and the last key it has shown.
  std::string token = parameter("continue");
  uint64_t version = version_;
  std::string last;
  if (!token.empty()) {
    version = std::stoull(token);
    last = token.substr(token.find(',') + 1);
    if (version < compacted_) return Json(410, StatusObject(410, "The provided continue parameter is too old"));
  }
  const size_t limit = parameter("limit").empty() ? SIZE_MAX : std::stoull(parameter("limit"));
  std::string items;
  size_t count = 0;
  token.clear();
  for (const auto& [key, object] : collections_[place.collection]) {
    if (key <= last || (!place.name_space.empty() && !key.starts_with(place.name_space + "/"))) continue;
    if (count == limit) {
      token = StrCat(version, ",", last);
      break;
    }
    StrAppend(items, count++ == 0 ? "" : ",", object);
    last = key;
  }
  return Json(200, StrCat(R"({"kind":"List","apiVersion":"v1","metadata":{"resourceVersion":")", version,
                          R"(","continue":")", token, R"("},"items":[)", items, "]}"));
}

void FakeApiServer::Watch(const Place& place, uint64_t version, net::HttpResponder responder) {
  ++watch_counts_[place.collection];
  const auto watcher = std::make_shared<Watcher>(std::move(responder).Stream(Json(200, "")));
  if (version < compacted_) {
    watcher->Send(StrCat(R"({"type":"ERROR","object":)", StatusObject(410, "too old resource version"), "}\n"));
    return watcher->End();
  }
  if (!holds_watches_) {
    for (const Event& event : events_) {
      const bool is_meant = event.collection == place.collection && event.version > version;
      if (is_meant && (place.name_space.empty() || place.name_space == event.name_space)) watcher->Send(event.line);
    }
  }
  watchers_.emplace_back(holds_watches_ ? Place{"(held)", ""} : place, watcher);
}

}  // namespace spanloom::kube
