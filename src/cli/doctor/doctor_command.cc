// SPDX-License-Identifier: Apache-2.0

#include "cli/doctor/doctor_command.h"

#include <CLI/CLI.hpp>
#include <filesystem>
#include <iostream>
#include <iterator>
#include <string>
#include <system_error>
#include <vector>

#include "base/read_file.h"
#include "base/status.h"
#include "base/text.h"
#include "cli/doctor/cluster.h"
#include "cli/doctor/live.h"
#include "config/duration.h"
#include "doctor/examine.h"
#include "doctor/report.h"

namespace spanloom::cli::doctor {
namespace {

using spanloom::doctor::FileText;

constexpr int kFound = 1;
constexpr int kUsageError = 2;
constexpr size_t kFileBytesMax = 64 << 20;  // guess: what `kubectl get -o yaml` prints of a large namespace, and more
constexpr std::string_view kStandardInput = "-";
constexpr const char* kName = "spanloom doctor";
constexpr const char* kWords =
    "Say why traces are missing or wrong; `spanloom doctor live` and `doctor cluster` ask what runs";
constexpr const char* kLive = "live";
constexpr const char* kLiveWords = "Look at the traces that have arrived, and at what the collector says of itself";
constexpr const char* kCluster = "cluster";
constexpr const char* kClusterWords = "Look at what is deployed in a namespace, and at what has become of it";

StatusOr<FileText> Read(const std::string& name) {
  if (name == kStandardInput) {
    return FileText{"standard input", std::string(std::istreambuf_iterator<char>(std::cin), {})};
  }
  StatusOr<std::string> text = ReadFile(name, kFileBytesMax);
  if (text.ok()) return FileText{name, *std::move(text)};
  std::error_code ignored;
  const std::string_view advice = std::filesystem::is_directory(name, ignored) ? "; name the files in it" : "";
  return absl::NotFoundError(StrCat(name, ": can't be read: ", StdView(text.status().message()), advice));
}

StatusOr<std::vector<FileText>> ReadAll(const std::vector<std::string>& names) {
  std::vector<FileText> files;
  for (const std::string& name : names) {
    ASSIGN_OR_RETURN(FileText file, Read(name));
    files.push_back(std::move(file));
  }
  return files;
}

// Prints what was found; the exit code.
int Report(const std::vector<spanloom::doctor::Finding>& findings, const std::string& output) {
  std::cout << (output == "json" ? ToJson(findings) : ToText(findings)) << std::flush;
  return findings.empty() ? 0 : kFound;
}

void AddOutput(CLI::App& app, std::string& output) {
  app.add_option("--output", output, "text or json")->check(CLI::IsMember({"text", "json"}))->capture_default_str();
}

struct FilesOptions {
  std::vector<std::string> names;
  std::string output = "text";
};

void DeclareFiles(CLI::App& app, FilesOptions& options) {
  app.add_option(
         "FILE", options.names,
         "Values of the llm-d charts, Kubernetes objects, rendered charts, a collector's configuration; - reads "
         "standard input")
      ->required();
  AddOutput(app, options.output);
}

int RunFiles(int argc, char** argv) {
  CLI::App app(kWords, kName);
  FilesOptions options;
  DeclareFiles(app, options);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kUsageError;
  }
  const StatusOr<std::vector<FileText>> files = ReadAll(options.names);
  if (!files.ok()) {
    std::cerr << files.status().message() << "\n";
    return kUsageError;
  }
  return Report(spanloom::doctor::Examine(*files).findings, options.output);
}

void DeclareLive(CLI::App& app, LiveOptions& options, std::string& output) {
  app.add_option("--backend", options.backend, "HOST:PORT of Jaeger's API, or none")->capture_default_str();
  app.add_option("--metrics", options.metrics, "HOST:PORT of the collector's metrics, or none")->capture_default_str();
  app.add_option("--expect", options.expected, "Services that should be there")->delimiter(',');
  app.add_option("--traces", options.traces, "Traces to look at, of each service")
      ->check(CLI::Range(1, 1500))
      ->capture_default_str();
  app.add_option("--settle-seconds", options.settle_seconds,
                 "What may still come is not missed so long after a trace's last span")
      ->check(CLI::Range(0, 86'400))
      ->capture_default_str();
  app.add_option_function<std::string>(
         "--lookback",
         [&options](const std::string& text) {
           const auto lookback = config::ParseDuration(text);
           if (!lookback || lookback->count() <= 0) {
             throw CLI::ValidationError("--lookback",
                                        "expected a duration above 0, such as 1h, 30m or 48h; got " + text);
           }
           options.lookback = *lookback;
         },
         "How long ago a trace may have begun, such as 30m")
      ->type_name("DURATION")
      ->default_str("1h");
  AddOutput(app, output);
}

int RunLive(int argc, char** argv) {
  CLI::App app(kLiveWords, "spanloom doctor live");
  LiveOptions options;
  std::string output = "text";
  DeclareLive(app, options, output);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kUsageError;
  }
  return Report(ExamineLive(options), output);
}

void DeclareCluster(CLI::App& app, ClusterOptions& options, std::string& output) {
  app.add_option("-n,--namespace", options.name_space, "Namespace; if not given, that of the kubeconfig's context");
  app.add_option("--kubeconfig", options.kubeconfig,
                 "File; if not given, $KUBECONFIG, ~/.kube/config, or inside a pod its service account");
  app.add_option("--context", options.context, "Context of the kubeconfig; if not given, the current one");
  AddOutput(app, output);
}

int RunCluster(int argc, char** argv) {
  CLI::App app(kClusterWords, "spanloom doctor cluster");
  ClusterOptions options;
  std::string output = "text";
  DeclareCluster(app, options, output);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kUsageError;
  }
  return Report(ExamineCluster(options), output);
}

}  // namespace

reference::CommandDoc Describe() {
  CLI::App app(kWords, kName);
  FilesOptions files;
  DeclareFiles(app, files);
  LiveOptions live;
  std::string output;
  DeclareLive(*app.add_subcommand(kLive, kLiveWords), live, output);
  ClusterOptions cluster;
  DeclareCluster(*app.add_subcommand(kCluster, kClusterWords), cluster, output);
  return reference::ReadCommand(app);
}

int Run(int argc, char** argv) {
  const std::string_view what = argc > 1 ? argv[1] : "";
  if (what == kLive) return RunLive(argc - 1, argv + 1);
  if (what == kCluster) return RunCluster(argc - 1, argv + 1);
  return RunFiles(argc, argv);
}

}  // namespace spanloom::cli::doctor
