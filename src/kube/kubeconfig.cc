// SPDX-License-Identifier: Apache-2.0
//
// The part of cluster_access.h that reads kubeconfig files. Source: Kubernetes, "kubeconfig (v1)".

#include <absl/strings/escaping.h>
#include <absl/strings/numbers.h>
#include <absl/strings/str_split.h>

#include <filesystem>

#include "base/read_file.h"
#include "base/text.h"
#include "config/yaml.h"
#include "kube/cluster_access.h"
#include "net/host_port.h"

namespace spanloom::kube {
namespace {

using config::Node;

constexpr uint16_t kHttpsPort = 443;
constexpr uint16_t kHttpPort = 80;

std::string KubeconfigPath(const std::string& path, const Surroundings& surroundings) {
  const std::string home = surroundings.variable("HOME").value_or("");
  if (path.starts_with("~/")) return home + path.substr(1);
  if (!path.empty()) return path;
  for (const absl::string_view part : absl::StrSplit(surroundings.variable("KUBECONFIG").value_or(""), ':')) {
    if (!part.empty()) return std::string(part);
  }
  return home + "/.kube/config";
}

StatusOr<std::string> ReadText(const std::string& path) {
  StatusOr<std::string> content = ReadFile(path, config::kYamlBytesMax);
  if (content.ok()) return content;
  return absl::NotFoundError(StrCat("can't read the kubeconfig ", path, ": ", StdView(content.status().message())));
}

// The text of `key`, or "".
std::string TextOf(const Node& map, std::string_view key) {
  const Node* const value = map.Find(key);
  return value != nullptr && value->is_scalar() ? value->text() : "";
}

// One kubeconfig. `path` is for messages and for files that it names relative to itself.
class Kubeconfig {
 public:
  Kubeconfig(const Node& root, std::string path) : root_(root), path_(std::move(path)) {}

  StatusOr<ClusterAccess> AccessOf(const std::string& context_name) const {
    const std::string name = context_name.empty() ? TextOf(root_, "current-context") : context_name;
    if (name.empty()) return absl::NotFoundError(StrCat(path_, " has no current-context; name one with context"));
    ASSIGN_OR_RETURN(const Node* const context, EntryOf("contexts", "context", name));
    ASSIGN_OR_RETURN(const Node* const cluster, EntryOf("clusters", "cluster", TextOf(*context, "cluster")));
    ClusterAccess access;
    access.default_namespace = TextOf(*context, "namespace");
    RETURN_IF_ERROR(ReadCluster(*cluster, access));
    if (const std::string user_name = TextOf(*context, "user"); !user_name.empty()) {
      ASSIGN_OR_RETURN(const Node* const user, EntryOf("users", "user", user_name));
      RETURN_IF_ERROR(ReadUser(*user, user_name, access));
    }
    return access;
  }

 private:
  // The `kind` of the element called `name` of the list `list`.
  StatusOr<const Node*> EntryOf(std::string_view list, std::string_view kind, const std::string& name) const {
    const Node* const entries = root_.Find(list);
    if (entries != nullptr && entries->is_list()) {
      for (const Node& entry : entries->items()) {
        if (TextOf(entry, "name") != name) continue;
        const Node* const content = entry.Find(kind);
        if (content != nullptr && content->is_map()) return content;
      }
    }
    return absl::NotFoundError(StrCat(path_, ": ", list, " has no \"", name, "\""));
  }

  [[nodiscard]] std::string FileOf(const std::string& name) const {
    if (name.empty()) return "";
    return (std::filesystem::path(path_).parent_path() / name).string();
  }

  // What `key`-data says in base64, or else the file that `key` names.
  Status ReadPem(const Node& map, const std::string& key, std::string& pem, std::string& file) const {
    const std::string data = TextOf(map, key + "-data");
    file = data.empty() ? FileOf(TextOf(map, key)) : "";
    if (data.empty() || absl::Base64Unescape(data, &pem)) return absl::OkStatus();
    return absl::InvalidArgumentError(StrCat(path_, ": ", key, "-data is not base64"));
  }

  Status ReadServer(const std::string& url, ClusterAccess& access) const {
    const bool is_secure = url.starts_with("https://");
    if (!is_secure && !url.starts_with("http://")) {
      return absl::InvalidArgumentError(StrCat(path_, ": server \"", url, "\" is no URL (https://HOST:PORT)"));
    }
    const std::string_view rest = std::string_view(url).substr(url.find("//") + 2);
    const size_t slash = std::min(rest.find('/'), rest.size());
    const std::string_view host = rest.substr(0, slash);
    access.base_path = std::string(rest.substr(slash));
    while (access.base_path.ends_with('/')) access.base_path.pop_back();
    const bool has_port = host.rfind(':') != std::string_view::npos && !host.ends_with(']');
    access.endpoint = has_port ? std::string(host) : StrCat(host, ":", is_secure ? kHttpsPort : kHttpPort);
    if (is_secure) access.tls.emplace();
    return absl::OkStatus();
  }

  Status ReadCluster(const Node& cluster, ClusterAccess& access) const {
    RETURN_IF_ERROR(ReadServer(TextOf(cluster, "server"), access));
    if (!TextOf(cluster, "proxy-url").empty()) {
      return absl::UnimplementedError(StrCat(path_, ": proxy-url is not supported; name the API server itself"));
    }
    if (!access.tls) return absl::OkStatus();
    net::TlsClientOptions& tls = *access.tls;
    RETURN_IF_ERROR(ReadPem(cluster, "certificate-authority", tls.ca_pem, tls.ca_file));
    tls.insecure_skip_verify = TextOf(cluster, "insecure-skip-tls-verify") == "true";
    tls.server_name_override = TextOf(cluster, "tls-server-name");
    return absl::OkStatus();
  }

  Status ReadUser(const Node& user, const std::string& name, ClusterAccess& access) const {
    for (const char* key : {"exec", "auth-provider", "as", "as-groups", "as-uid", "as-user-extra"}) {
      if (user.Find(key) == nullptr) continue;
      return absl::UnimplementedError(
          StrCat(path_, ": user \"", name, "\" has ", key,
                 ", which is not supported; give it a token, a tokenFile or a client certificate"));
    }
    access.token_file = FileOf(TextOf(user, "tokenFile"));
    if (access.token_file.empty()) access.token = TextOf(user, "token");
    if (const std::string username = TextOf(user, "username"); !username.empty()) {
      access.basic_auth = StrCat(username, ":", TextOf(user, "password"));
    }
    if (!access.tls) return absl::OkStatus();
    RETURN_IF_ERROR(ReadPem(user, "client-certificate", access.tls->cert_pem, access.tls->cert_file));
    return ReadPem(user, "client-key", access.tls->key_pem, access.tls->key_file);
  }

  const Node& root_;
  const std::string path_;
};

}  // namespace

StatusOr<ClusterAccess> KubeconfigAccess(const std::string& path, const std::string& context,
                                         const Surroundings& surroundings) {
  const std::string file = KubeconfigPath(path, surroundings);
  ASSIGN_OR_RETURN(const std::string content, ReadText(file));
  ASSIGN_OR_RETURN(const Node root, config::ParseYaml(content, file));
  return Kubeconfig(root, file).AccessOf(context);
}

}  // namespace spanloom::kube
