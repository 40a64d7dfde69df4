// SPDX-License-Identifier: Apache-2.0
//
// Options of the processor k8s_attributes: names, defaults and rules of the Collector's, v0.155.

#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "config/options.h"
#include "kube/resource.h"

namespace spanloom::pipeline {

// A label or annotation that becomes an attribute.
struct K8sFieldOptions {
  std::string tag_name;
  std::string key;
  std::string key_regex;
  std::string from = "pod";
  void Declare(config::OptionsReader& r);
  [[nodiscard]] Status Validate() const;
};

struct K8sExtractOptions {
  K8sExtractOptions();
  std::vector<std::string> metadata;
  std::vector<K8sFieldOptions> labels;
  std::vector<K8sFieldOptions> annotations;
  bool otel_annotations = false;
  bool deployment_name_from_replicaset = false;
  void Declare(config::OptionsReader& r);
};

struct K8sLabelFilterOptions {
  std::string key;
  std::string value;
  std::string op = "equals";
  void Declare(config::OptionsReader& r);
  [[nodiscard]] Status Validate() const;
};

struct K8sFieldFilterOptions {
  std::string key;
  std::string value;
  std::string op = "equals";
  void Declare(config::OptionsReader& r);
  [[nodiscard]] Status Validate() const;
};

struct K8sFilterOptions {
  std::string node;
  std::string node_from_env_var;
  std::string name_space;
  std::vector<K8sLabelFilterOptions> labels;
  std::vector<K8sFieldFilterOptions> fields;
  void Declare(config::OptionsReader& r);

  // True if node_from_env_var names what is not set: then pods of all nodes are looked at, as by the Collector.
  [[nodiscard]] bool IsNodeUnknown() const;
  // `node`, or what the variable says; "": any.
  [[nodiscard]] std::string NodeName() const;
  [[nodiscard]] kube::Selection PodSelection() const;
};

struct K8sAssociationSourceOptions {
  std::string from;
  std::string name;
  void Declare(config::OptionsReader& r);
  [[nodiscard]] Status Validate() const;
};

struct K8sAssociationOptions {
  static constexpr size_t kSourcesMax = 4;  // the Collector's
  std::vector<K8sAssociationSourceOptions> sources;
  void Declare(config::OptionsReader& r);
  [[nodiscard]] Status Validate() const;
};

struct K8sExcludedPodOptions {
  std::string name;
  void Declare(config::OptionsReader& r);
  [[nodiscard]] Status Validate() const;
};

struct K8sExcludeOptions {
  std::vector<K8sExcludedPodOptions> pods;
  void Declare(config::OptionsReader& r);
};

struct K8sAttributesOptions {
  std::string auth_type = "serviceAccount";
  std::string context;
  std::string kube_config_path;
  bool passthrough = false;
  K8sExtractOptions extract;
  K8sFilterOptions filter;
  std::vector<K8sAssociationOptions> pod_association;
  K8sExcludeOptions exclude;
  bool wait_for_metadata = false;
  std::chrono::nanoseconds wait_for_metadata_timeout = std::chrono::seconds(10);
  std::chrono::nanoseconds pod_delete_grace_period = std::chrono::seconds(120);
  std::chrono::nanoseconds watch_sync_period = std::chrono::minutes(5);  // changes nothing
  void Declare(config::OptionsReader& r);
  [[nodiscard]] Status Validate() const;
};

}  // namespace spanloom::pipeline
