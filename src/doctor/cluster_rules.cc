// SPDX-License-Identifier: Apache-2.0

#include "doctor/cluster_rules.h"

#include <absl/strings/str_join.h>
#include <absl/strings/str_split.h>

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

#include "base/text.h"
#include "doctor/collector_configs.h"
#include "doctor/containers.h"
#include "doctor/document.h"
#include "doctor/examine.h"
#include "doctor/switches.h"
#include "doctor/tracing_settings.h"
#include "doctor/vllm_arguments.h"
#include "kube/endpoint_slice.h"

namespace spanloom::doctor {
namespace {

using config::Node;

constexpr std::string_view kGrpcPort = "4317";

std::string_view NameOf(const Node& object) {
  return TextAt(object, {"metadata", "name"});
}

std::string_view NamespaceOf(const Node& object) {
  return TextAt(object, {"metadata", "namespace"});
}

std::vector<const Node*> OfKind(const ClusterView& view, std::string_view kind, std::string_view name_space) {
  std::vector<const Node*> objects;
  for (const Node& object : view.objects) {
    if (TextAt(object, {"kind"}) == kind && NamespaceOf(object) == name_space) objects.push_back(&object);
  }
  return objects;
}

const Node* FindObject(const ClusterView& view, std::string_view kind, std::string_view name_space,
                       std::string_view name) {
  for (const Node* object : OfKind(view, kind, name_space)) {
    if (NameOf(*object) == name) return object;
  }
  return nullptr;
}

// "otel-collector", "otel-collector.monitoring.svc.cluster.local": the Service's name and namespace. nullopt for an
// address, a variable, or a host of another kind.
std::optional<std::pair<std::string, std::string>> ServiceOf(std::string_view host, std::string_view own_namespace) {
  const std::vector<std::string> labels = absl::StrSplit(AbslView(host), '.');
  const bool is_name = !host.empty() && (host[0] >= 'a' && host[0] <= 'z') && host != "localhost";
  if (!is_name) return std::nullopt;
  if (labels.size() == 1) return std::pair(labels[0], std::string(own_namespace));
  const bool is_in_cluster = labels.size() == 2 ? labels[1] == own_namespace : labels[2] == "svc";
  if (!is_in_cluster) return std::nullopt;
  return std::pair(labels[0], labels[1]);
}

class EndpointReader {
 public:
  explicit EndpointReader(std::string_view name_space) : name_space_(name_space) {}

  void Read(const Node& object) {
    for (const Node* container : ContainersOf(object)) ReadContainer(*container);
    for (const Node& config : CollectorConfigsOf(object)) ReadConfig(config);
  }
  std::vector<NamedService> Take() && { return std::move(services_); }

 private:
  void Add(std::string_view endpoint, std::string_view key, const config::Source& where) {
    const auto [host, port] = HostAndPort(endpoint);
    const auto service = ServiceOf(host, name_space_);
    if (!service.has_value()) return;
    services_.push_back({.endpoint = std::string(endpoint),
                         .name = service->first,
                         .name_space = service->second,
                         .port = std::string(port),
                         .key = std::string(key),
                         .where = where});
  }

  void ReadContainer(const Node& container) {
    for (const Node& variable : NodesAt(container, "env")) {
      const std::string_view name = TextAt(variable, {"name"});
      if (name != "OTEL_EXPORTER_OTLP_ENDPOINT" && name != "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") continue;
      Add(TextAt(variable, {"value"}), name, variable.source());
    }
    if (const auto word = ArgumentOf(WordsOf(container), kTracesEndpointFlag)) {
      Add(word->text, kTracesEndpointFlag, word->where);
    }
  }

  void ReadConfig(const Node& config) {
    const Node* exporters = config.Find("exporters");
    if (exporters == nullptr || !exporters->is_map()) return;
    for (const Node::Entry& exporter : exporters->entries()) {
      if (!exporter.key.starts_with("otlp")) continue;
      Add(TextAt(exporter.value, {"endpoint"}), StrCat("endpoint of exporter ", exporter.key), exporter.source);
    }
  }

  const std::string_view name_space_;
  std::vector<NamedService> services_;
};

// True for what somebody wrote, not a controller: a ReplicaSet's pods say what its Deployment says.
bool IsWritten(const Node& object) {
  return At(object, {"metadata", "ownerReferences"}) == nullptr;
}

// "a, b, c"; "none" without any.
std::string Alternatives(const std::vector<std::string>& names) {
  if (names.empty()) return "none";
  return absl::StrJoin(names, ", ");
}

std::vector<std::string> PortsOf(const Node& service) {
  std::vector<std::string> ports;
  const Node* spec = service.Find("spec");
  if (spec == nullptr) return ports;
  for (const Node& entry : NodesAt(*spec, "ports")) ports.emplace_back(TextAt(entry, {"port"}));
  return ports;
}

bool HasPort(const Node& service, std::string_view port) {
  const std::vector<std::string> ports = PortsOf(service);
  return std::find(ports.begin(), ports.end(), port) != ports.end();
}

class ServiceRules {
 public:
  ServiceRules(const ClusterView& view, Findings& findings) : view_(view), findings_(findings) {}

  void Check(const NamedService& named) {
    if (view_.unread_namespaces.contains(named.name_space)) return;
    const Node* service = FindObject(view_, "Service", named.name_space, named.name);
    if (service == nullptr) return NoService(named);
    if (TextAt(*service, {"spec", "type"}) == "ExternalName") return;
    const std::string_view port = named.port.empty() ? kGrpcPort : std::string_view(named.port);
    if (!HasPort(*service, port)) return NoPort(named, *service, port);
    if (TakersOf(named) == 0) NoTaker(named, *service);
  }

 private:
  void NoService(const NamedService& named) {
    std::vector<std::string> others;
    for (const Node* service : OfKind(view_, "Service", named.name_space)) {
      if (HasPort(*service, kGrpcPort)) others.emplace_back(NameOf(*service));
    }
    findings_.Error("cluster-no-service", named.where,
                    StrCat(named.key, " is ", named.endpoint, ", and there is no Service ", named.name,
                           " in namespace ", named.name_space, "; with port 4317 there: ", Alternatives(others)),
                    others.empty() ? StrCat("deploy/install-tracing.sh -n ", named.name_space)
                                   : StrCat(named.key, ": \"http://", others[0], ":4317\""));
  }

  void NoPort(const NamedService& named, const Node& service, std::string_view port) {
    findings_.Error("cluster-service-port", named.where,
                    StrCat(named.key, " is ", named.endpoint, ", and Service ", named.name, " has no port ", port,
                           "; it has ", Alternatives(PortsOf(service))));
  }

  // Ready addresses behind the Service.
  [[nodiscard]] size_t TakersOf(const NamedService& named) const {
    size_t takers = 0;
    for (const Node* slice : OfKind(view_, "EndpointSlice", named.name_space)) {
      const Node* labels = At(*slice, {"metadata", "labels"});
      if (labels == nullptr || TextAt(*labels, {kube::kServiceNameLabel}) != named.name) continue;
      const auto& endpoints = NodesAt(*slice, "endpoints");
      takers += std::count_if(endpoints.begin(), endpoints.end(), [](const Node& each) {
        return TextAt(each, {"conditions", "ready"}) != "false";
      });
    }
    return takers;
  }

  void NoTaker(const NamedService& named, const Node& service) {
    std::vector<std::string> labels;
    if (const Node* selector = At(service, {"spec", "selector"}); selector != nullptr && selector->is_map()) {
      for (const Node::Entry& entry : selector->entries()) labels.push_back(StrCat(entry.key, "=", entry.value.text()));
    }
    const std::string selector = absl::StrJoin(labels, ",");
    findings_.Error("cluster-service-no-pod", named.where,
                    StrCat(named.key, " is ", named.endpoint, ", and no pod of Service ", named.name, " is ready (",
                           selector.empty() ? "it has no selector" : selector, ")"),
                    selector.empty() ? "" : StrCat("kubectl get pods -n ", named.name_space, " -l ", selector));
  }

  const ClusterView& view_;
  Findings& findings_;
};

// A custom resource of the OpenTelemetry Operator, of which nobody has made anything.
void CheckOperator(const ClusterView& view, Findings& findings) {
  for (const Node* object : OfKind(view, "OpenTelemetryCollector", view.name_space)) {
    const std::string name = StrCat(NameOf(*object), "-collector");
    const auto exists = [&](std::string_view kind) { return FindObject(view, kind, view.name_space, name) != nullptr; };
    if (TextAt(*object, {"spec", "mode"}) == "sidecar") continue;
    if (exists("Deployment") || exists("StatefulSet") || exists("DaemonSet")) continue;
    findings.Error("cluster-no-operator", object->source(),
                   StrCat("there is an OpenTelemetryCollector, and no workload ", name,
                          ": the OpenTelemetry Operator does not run, or does not watch this namespace"),
                   "kubectl get pods -A -l app.kubernetes.io/name=opentelemetry-operator");
  }
}

// What a condition says that has `status`; nullptr if there is none.
const Node* FindCondition(const Node& object, std::string_view type, std::string_view status) {
  const Node* state = object.Find("status");
  if (state == nullptr) return nullptr;
  for (const Node& condition : NodesAt(*state, "conditions")) {
    if (TextAt(condition, {"type"}) == type && TextAt(condition, {"status"}) == status) return &condition;
  }
  return nullptr;
}

// How the container ended before, for a reason that says no more than that it did.
std::string LastEnd(const Node& container) {
  const Node* last = At(container, {"lastState", "terminated"});
  if (last == nullptr) return "";
  const std::string_view message = TextAt(*last, {"message"});
  return StrCat("; it ended with ", TextAt(*last, {"exitCode"}), " (", TextAt(*last, {"reason"}), ")",
                message.empty() ? "" : ": ", message);
}

void CheckPod(const Node& pod, Findings& findings) {
  if (const Node* condition = FindCondition(pod, "PodScheduled", "False")) {
    return findings.Error("cluster-pod-unscheduled", pod.source(),
                          StrCat("no node takes the pod: ", TextAt(*condition, {"message"})));
  }
  const Node* status = pod.Find("status");
  if (status == nullptr) return;
  for (const std::string_view key : {"initContainerStatuses", "containerStatuses"}) {
    for (const Node& container : NodesAt(*status, key)) {
      const Node* waiting = At(container, {"state", "waiting"});
      const std::string_view reason = waiting == nullptr ? std::string_view() : TextAt(*waiting, {"reason"});
      if (reason.empty() || reason == "ContainerCreating" || reason == "PodInitializing") continue;
      const std::string_view message = TextAt(*waiting, {"message"});
      findings.Error("cluster-pod-waits", pod.source(),
                     StrCat("container ", TextAt(container, {"name"}), " does not run: ", reason,
                            message.empty() ? "" : ": ", message, LastEnd(container)),
                     reason == "CrashLoopBackOff" ? StrCat("kubectl logs -n ", NamespaceOf(pod), " ", NameOf(pod),
                                                           " -c ", TextAt(container, {"name"}), " --previous")
                                                  : "");
    }
  }
}

// What the API server said when the controller last wanted to make a pod; "" if it has made all, or nothing is known.
std::string RefusalOf(const ClusterView& view, const Node& controller) {
  if (const Node* condition = FindCondition(controller, "ReplicaFailure", "True")) {
    return std::string(TextAt(*condition, {"message"}));
  }
  const Node* wanted = At(controller, {"spec", "replicas"});
  const Node* made = At(controller, {"status", "replicas"});
  if (wanted == nullptr || config::ReadInt(*wanted) <= (made == nullptr ? 0 : config::ReadInt(*made))) return "";
  std::string_view message;
  std::string_view latest;
  for (const Node* event : OfKind(view, "Event", NamespaceOf(controller))) {
    const bool is_of_it = TextAt(*event, {"involvedObject", "name"}) == NameOf(controller) &&
                          TextAt(*event, {"involvedObject", "kind"}) == TextAt(controller, {"kind"});
    const std::string_view time = TextAt(*event, {"lastTimestamp"});  // of one form, so they compare as texts
    if (!is_of_it || TextAt(*event, {"reason"}) != "FailedCreate" || time < latest) continue;
    latest = time;
    message = TextAt(*event, {"message"});
  }
  return std::string(message);
}

// Pods that a controller may not make (over a quota, against the namespace's pod security), or has yet to replace.
void CheckController(const ClusterView& view, const Node& object, Findings& findings) {
  if (const std::string refusal = RefusalOf(view, object); !refusal.empty()) {
    findings.Error("cluster-no-pods", object.source(), StrCat("its pods are refused: ", refusal));
  }
  const std::string_view replicas = TextAt(object, {"status", "replicas"});
  const std::string_view updated = TextAt(object, {"status", "updatedReplicas"});
  if (TextAt(object, {"kind"}) != "Deployment" || replicas.empty() || replicas == "0" || replicas == updated) return;
  const std::string_view done = updated.empty() ? "0" : updated;
  findings.Warning("cluster-rollout", object.source(),
                   replicas == "1" ? "its pod runs what was there before; what was deployed last has none yet"
                                   : StrCat("of ", replicas, " pods ", done, done == "1" ? " has" : " have",
                                            " what was deployed last; the others run what was there before"),
                   StrCat("kubectl rollout status -n ", NamespaceOf(object), " deployment/", NameOf(object)));
}

}  // namespace

std::vector<NamedService> ServicesNamedIn(const ClusterView& view) {
  EndpointReader reader(view.name_space);
  for (const Node& object : view.objects) {
    if (NamespaceOf(object) == view.name_space && IsWritten(object)) reader.Read(object);
  }
  return std::move(reader).Take();
}

void CheckCluster(const ClusterView& view, Findings& findings) {
  std::vector<Document> written;
  for (const Node& object : view.objects) {
    if (NamespaceOf(object) != view.name_space) continue;
    if (TextAt(object, {"kind"}) == "Pod") CheckPod(object, findings);
    if (!IsWritten(object)) continue;
    written.push_back({.kind = Document::Kind::kManifest, .root = object});
    CheckController(view, object, findings);
  }
  CheckDocuments(written, findings);
  CheckOperator(view, findings);
  ServiceRules services(view, findings);
  const std::vector<NamedService> named = ServicesNamedIn(view);
  for (const NamedService& each : named) services.Check(each);
  if (named.empty()) {
    findings.Note("cluster-no-sender", {view.name_space, 0},
                  "nothing in this namespace sends spans to a Service: no container has an OTLP endpoint, nor has a "
                  "collector an otlp exporter");
  }
}

}  // namespace spanloom::doctor
