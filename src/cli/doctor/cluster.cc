// SPDX-License-Identifier: Apache-2.0

#include "cli/doctor/cluster.h"

#include <absl/strings/ascii.h>

#include <memory>
#include <set>
#include <utility>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/text.h"
#include "config/yaml.h"
#include "doctor/cluster_rules.h"
#include "doctor/document.h"
#include "kube/api_client.h"
#include "kube/cluster_access.h"
#include "kube/endpoint_slice.h"
#include "kube/resource.h"
#include "net/loop.h"
#include "net/loop_call.h"

namespace spanloom::cli::doctor {
namespace {

using config::Node;
using kube::Resource;
using spanloom::doctor::ClusterView;
using spanloom::doctor::Findings;
using spanloom::doctor::NamedService;
using spanloom::doctor::TextAt;

constexpr int kPageObjects = 100;
constexpr int kPagesMax = 50;  // 5,000 objects of a kind; guess
constexpr std::string_view kNoNamespace = "default";

struct Kind {
  Resource resource;
  std::string_view name;  // what its objects say in "kind"; items of a list do not
};

constexpr Kind kServices = {{.group = "", .version = "v1", .plural = "services"}, "Service"};
constexpr Kind kSlices = {kube::kEndpointSlices, "EndpointSlice"};
constexpr Kind kKinds[] = {
    {{.group = "apps", .version = "v1", .plural = "deployments"}, "Deployment"},
    {{.group = "apps", .version = "v1", .plural = "statefulsets"}, "StatefulSet"},
    {{.group = "apps", .version = "v1", .plural = "daemonsets"}, "DaemonSet"},
    {{.group = "apps", .version = "v1", .plural = "replicasets"}, "ReplicaSet"},
    {{.group = "leaderworkerset.x-k8s.io", .version = "v1", .plural = "leaderworkersets"}, "LeaderWorkerSet"},
    {{.group = "opentelemetry.io", .version = "v1beta1", .plural = "opentelemetrycollectors"},
     "OpenTelemetryCollector"},
    {{.group = "", .version = "v1", .plural = "configmaps"}, "ConfigMap"},
    {{.group = "", .version = "v1", .plural = "pods"}, "Pod"},
    {{.group = "", .version = "v1", .plural = "events"}, "Event"},
};

// An item of a list as an object that says what it is, and where it stands: "deployment/vllm-decode".
Node Named(const Node& item, const Kind& kind) {
  const config::Source source{
      StrCat(absl::AsciiStrToLower(AbslView(kind.name)), "/", TextAt(item, {"metadata", "name"})), 0};
  std::vector<Node::Entry> entries = {
      {"apiVersion", source, Node::Scalar(std::string(kind.resource.version), Node::Style::kQuoted, source)},
      {"kind", source, Node::Scalar(std::string(kind.name), Node::Style::kQuoted, source)}};
  for (const Node::Entry& entry : item.entries()) {
    if (entry.key == "apiVersion" || entry.key == "kind") continue;
    entries.push_back({entry.key, source, entry.value.WithSource(source)});
  }
  return Node::Map(std::move(entries), source);
}

// Asks one API server. Not for a loop's thread.
class Cluster {
 public:
  static StatusOr<std::unique_ptr<Cluster>> Open(kube::ClusterAccess access) {
    std::unique_ptr<Cluster> cluster(new Cluster());
    net::Loop& loop = cluster->loop();
    auto client = net::RunOn(
        loop, [&] { return kube::ApiClient::Create(cluster->loops_, loop, Clock::System(), std::move(access)); });
    RETURN_IF_ERROR(client.status());
    cluster->client_ = *std::move(client);
    return cluster;
  }
  ~Cluster() {
    net::RunOn(loop(), [this] { client_.reset(); });
  }
  Cluster(const Cluster&) = delete;
  Cluster& operator=(const Cluster&) = delete;

  // All objects of a kind in a namespace.
  StatusOr<std::vector<Node>> List(const Kind& kind, const std::string& name_space) {
    const kube::Selection selection{.name_space = name_space};
    std::vector<Node> objects;
    std::string token;
    for (int page = 0; page < kPagesMax; ++page) {
      ASSIGN_OR_RETURN(const Bytes answer, Get({.path = PathOf(kind.resource, selection),
                                                .query = ListQuery(selection, kPageObjects, token),
                                                .accept = AcceptOf(kind.resource, true),
                                                .permission = RbacRule(kind.resource, selection)}));
      ASSIGN_OR_RETURN(const Node list, config::ParseYaml(answer.view(), kind.resource.plural));
      if (const Node* items = list.Find("items")) {
        for (const Node& item : items->items()) objects.push_back(Named(item, kind));
      }
      token = TextAt(list, {"metadata", "continue"});
      if (token.empty()) return objects;
    }
    return absl::ResourceExhaustedError(StrCat("there are more than ", kPagesMax * kPageObjects, " ",
                                               kind.resource.plural, " in namespace ", name_space));
  }

 private:
  Cluster() = default;
  net::Loop& loop() { return loops_.At(0); }

  StatusOr<Bytes> Get(kube::ApiRequest request) {
    Notification answered;
    StatusOr<Bytes> answer = absl::UnknownError("");
    net::RunOn(loop(), [&] {
      client_->Get(std::move(request), [&](StatusOr<Bytes> body) {
        answer = std::move(body);
        answered.Notify();
      });
    });
    answered.Wait();
    return answer;
  }

  net::LoopPool loops_{1};
  std::unique_ptr<kube::ApiClient> client_;  // bound to the loop
};

// Reads what the rules look at, and says what could not be read.
class Reading {
 public:
  Reading(Cluster& cluster, std::string name_space, Findings& findings)
      : cluster_(cluster), findings_(findings), view_{.name_space = std::move(name_space)} {}

  // False if the server is not there: each further question would wait in vain.
  bool ReadNamespace() {
    for (const Kind& kind : kKinds) {
      if (!Read(kind, view_.name_space)) return false;
    }
    return ReadServices(view_.name_space);
  }

  // The Services of other namespaces to which something is sent.
  bool ReadOthers() {
    std::set<std::string> others;
    for (const NamedService& named : ServicesNamedIn(view_)) others.insert(named.name_space);
    others.erase(view_.name_space);
    for (const std::string& other : others) {
      if (!ReadServices(other)) return false;
    }
    return true;
  }

  [[nodiscard]] const ClusterView& view() const { return view_; }

 private:
  bool ReadServices(const std::string& name_space) { return Read(kServices, name_space) && Read(kSlices, name_space); }

  bool Read(const Kind& kind, const std::string& name_space) {
    StatusOr<std::vector<Node>> objects = cluster_.List(kind, name_space);
    if (objects.ok()) {
      view_.objects.insert(view_.objects.end(), objects->begin(), objects->end());
      return true;
    }
    if (absl::IsNotFound(objects.status())) return true;  // the server has no such kind
    const config::Source where{name_space, 0};
    const std::string why = StrCat(kind.resource.plural, " can't be read: ", StdView(objects.status().message()));
    const bool is_gone = absl::IsUnavailable(objects.status()) || absl::IsDeadlineExceeded(objects.status()) ||
                         IsRefused(objects.status());
    findings_.Error(is_gone ? "cluster-no-answer" : "cluster-unread", where, why);
    if (kind.name == kServices.name || kind.name == kSlices.name) view_.unread_namespaces.insert(name_space);
    return !is_gone;
  }

  // Nobody is let in: no other question would be answered.
  static bool IsRefused(const Status& status) { return absl::IsUnauthenticated(status); }

  Cluster& cluster_;
  Findings& findings_;
  ClusterView view_;
};

StatusOr<kube::ClusterAccess> AccessFor(const ClusterOptions& options) {
  const kube::Surroundings surroundings = kube::Surroundings::OfThisProcess();
  const bool is_in_pod = surroundings.variable("KUBERNETES_SERVICE_HOST").has_value() && options.kubeconfig.empty() &&
                         options.context.empty() && !surroundings.variable("KUBECONFIG").has_value();
  if (is_in_pod) return kube::InClusterAccess(surroundings);
  return kube::KubeconfigAccess(options.kubeconfig, options.context, surroundings);
}

}  // namespace

std::vector<spanloom::doctor::Finding> ExamineCluster(const ClusterOptions& options) {
  Findings findings;
  const auto no_answer = [&](const Status& status) {
    findings.Error("cluster-no-answer", {"cluster", 0}, std::string(status.message()));
    return std::move(findings).Take();
  };
  StatusOr<kube::ClusterAccess> access = AccessFor(options);
  if (!access.ok()) return no_answer(access.status());
  std::string name_space = options.name_space.empty() ? access->default_namespace : options.name_space;
  if (name_space.empty()) name_space = kNoNamespace;
  const StatusOr<std::unique_ptr<Cluster>> cluster = Cluster::Open(*std::move(access));
  if (!cluster.ok()) return no_answer(cluster.status());
  Reading reading(**cluster, std::move(name_space), findings);
  if (reading.ReadNamespace() && reading.ReadOthers()) CheckCluster(reading.view(), findings);
  return std::move(findings).Take();
}

}  // namespace spanloom::cli::doctor
