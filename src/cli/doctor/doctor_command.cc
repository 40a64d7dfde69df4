// SPDX-License-Identifier: Apache-2.0

#include "cli/doctor/doctor_command.h"

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>
#include <vector>

#include "base/status.h"
#include "base/text.h"
#include "doctor/examine.h"
#include "doctor/report.h"

namespace spanloom::cli::doctor {
namespace {

using spanloom::doctor::Examination;
using spanloom::doctor::FileText;

constexpr int kFound = 1;
constexpr int kUsageError = 2;
constexpr std::string_view kStandardInput = "-";

StatusOr<FileText> Read(const std::string& name) {
  if (name == kStandardInput) {
    return FileText{"standard input", std::string(std::istreambuf_iterator<char>(std::cin), {})};
  }
  std::ifstream file(name, std::ios::binary);
  std::string text(std::istreambuf_iterator<char>(file), {});
  if (!file) return absl::NotFoundError(StrCat(name, ": can't be read: ", std::strerror(errno)));
  return FileText{name, std::move(text)};
}

StatusOr<std::vector<FileText>> ReadAll(const std::vector<std::string>& names) {
  std::vector<FileText> files;
  for (const std::string& name : names) {
    ASSIGN_OR_RETURN(FileText file, Read(name));
    files.push_back(std::move(file));
  }
  return files;
}

}  // namespace

int Run(int argc, char** argv) {
  CLI::App app("Say why traces are missing or wrong", "spanloom doctor");
  std::vector<std::string> names;
  std::string output = "text";
  app.add_option(
         "FILE", names,
         "Values of the llm-d charts, Kubernetes objects, rendered charts, a collector's configuration; - reads "
         "standard input")
      ->required();
  app.add_option("--output", output, "text or json")->check(CLI::IsMember({"text", "json"}))->capture_default_str();
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kUsageError;
  }
  const StatusOr<std::vector<FileText>> files = ReadAll(names);
  if (!files.ok()) {
    std::cerr << files.status().message() << "\n";
    return kUsageError;
  }
  const Examination examination = spanloom::doctor::Examine(*files);
  std::cout << (output == "json" ? ToJson(examination.findings) : ToText(examination.findings)) << std::flush;
  return examination.findings.empty() ? 0 : kFound;
}

}  // namespace spanloom::cli::doctor
