// SPDX-License-Identifier: Apache-2.0

#include "app/simulator_foreign_flags.h"

#include <CLI/CLI.hpp>
#include <array>
#include <string_view>

#include "base/text.h"

namespace spanloom::app {
namespace {

struct ForeignFlag {
  std::string_view name;
  bool is_switch = false;
  std::string_view refusal = {};  // "": it is taken
};

constexpr std::string_view kTokenizer =
    "token ids here are those of a stand-in for a tokenizer, and nobody else is asked for them; leave it out";
constexpr std::string_view kImages = "answers here are text alone; leave it out";

constexpr std::array<ForeignFlag, 33> kForeign = {{
    {"--enforce-eager", true},
    {"--no-enforce-eager", true},
    {"--no-mm-encoder-only", true},
    {"--no-omni", true},
    {"--skip-tool-validation", true},
    {"--force-dummy-tokenizer", true},
    {"--dataset-in-memory", true},
    {"--add_dir_header", true},
    {"--alsologtostderr", true},
    {"--logtostderr", true},
    {"--one_output", true},
    {"--skip_headers", true},
    {"--skip_log_headers", true},
    {"--log_backtrace_at"},
    {"--log_dir"},
    {"--log_file"},
    {"--log_file_max_size"},
    {"--stderrthreshold"},
    {"--vmodule"},
    {"--mm-processor-kwargs"},
    {"--ec-transfer-config"},
    {"--max-cpu-loras"},
    {"--zmq-max-connect-attempts"},
    {"--render-url", false, kTokenizer},
    {"--render-timeout", false, kTokenizer},
    {"--mm-render-timeout", false, kTokenizer},
    {"--uds-socket-path", false, kTokenizer},
    {"--mm-encoder-only", true, "there is a model of text alone here; leave it out"},
    {"--omni", true, kImages},
    {"--image-emission-rate", false, kImages},
    {"--time-to-generate-image", false, kImages},
    {"--time-to-generate-image-std-dev", false, kImages},
    {"--log-http", true, "requests are not logged here; ask a proxy in front of it, and leave it out"},
}};

bool IsGiven(const ForeignFlags& flags, const ForeignFlag& flag) {
  const std::string name(flag.name);
  return flag.is_switch ? flags.switches.at(name) : !flags.values.at(name).empty();
}

}  // namespace

void DeclareForeignFlags(CLI::App& command, ForeignFlags& flags) {
  for (const ForeignFlag& flag : kForeign) {
    const std::string name(flag.name);
    const std::string words =
        flag.refusal.empty() ? "Taken, and without effect here" : StrCat("Refused: ", flag.refusal);
    if (flag.is_switch) {
      command.add_flag(name, flags.switches[name], words)->group("Of others");
    } else {
      command.add_option(name, flags.values[name], words)->type_name("TEXT")->group("Of others");
    }
  }
}

std::vector<std::string> WithoutEffect(const ForeignFlags& flags) {
  std::vector<std::string> given;
  for (const ForeignFlag& flag : kForeign) {
    if (flag.refusal.empty() && IsGiven(flags, flag)) given.emplace_back(flag.name);
  }
  return given;
}

Status RefuseMissing(const ForeignFlags& flags) {
  for (const ForeignFlag& flag : kForeign) {
    if (flag.refusal.empty() || !IsGiven(flags, flag)) continue;
    return absl::InvalidArgumentError(StrCat(flag.name, ": ", flag.refusal));
  }
  return absl::OkStatus();
}

}  // namespace spanloom::app
