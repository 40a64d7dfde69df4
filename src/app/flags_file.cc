// SPDX-License-Identifier: Apache-2.0

#include "app/flags_file.h"

#include <absl/algorithm/container.h>

#include <CLI/CLI.hpp>

#include "base/json_writer.h"
#include "base/text.h"
#include "config/nearest.h"
#include "config/yaml.h"

namespace spanloom::app {
namespace {

using config::Node;

Status Wrong(const config::Source& at, std::string_view what) {
  return absl::InvalidArgumentError(StrCat(at.ToString(), ": ", what));
}

void WriteJson(const Node& node, JsonWriter& writer) {
  if (node.is_null()) return writer.Null();
  if (node.is_map()) {
    writer.BeginObject();
    for (const Node::Entry& entry : node.entries()) {
      writer.Key(entry.key);
      WriteJson(entry.value, writer);
    }
    return writer.EndObject();
  }
  if (node.is_list()) {
    writer.BeginArray();
    for (const Node& item : node.items()) WriteJson(item, writer);
    return writer.EndArray();
  }
  if (const auto truth = config::ReadBool(node)) return writer.Bool(*truth);
  if (const auto whole = config::ReadInt(node)) return writer.Int(*whole);
  const auto number = config::ReadDouble(node);
  number ? writer.Double(*number) : writer.String(node.text());
}

std::string ValueOf(const Node& node) {
  if (node.is_scalar()) return node.text();
  std::string json;
  JsonWriter writer(json);
  WriteJson(node, writer);
  return json;
}

std::vector<std::string> FlagNames(const CLI::App& command) {
  std::vector<std::string> names;
  for (const CLI::Option* const option : command.get_options()) {
    for (const std::string& name : option->get_lnames()) {
      if (name != "help" && name != "config") names.push_back(name);
    }
  }
  return names;
}

// Reads one entry after the other into the arguments.
class Reader {
 public:
  Reader(const CLI::App& command, const std::vector<std::string>& groups)
      : command_(command), groups_(groups), names_(FlagNames(command)) {}

  Status ReadTop(const Node& root) {
    for (const Node::Entry& entry : root.entries()) {
      const bool is_group = entry.value.is_map() && absl::c_linear_search(groups_, entry.key);
      RETURN_IF_ERROR(is_group ? ReadGroup(root, entry) : Read(entry));
    }
    return absl::OkStatus();
  }

  std::vector<std::string> TakeArguments() { return std::move(arguments_); }

 private:
  // A flag that stands in its group may not stand beside it as well.
  Status ReadGroup(const Node& root, const Node::Entry& group) {
    for (const Node::Entry& entry : group.value.entries()) {
      if (root.Find(entry.key) != nullptr)
        return Wrong(entry.source,
                     StrCat("\"", entry.key, "\" stands below \"", group.key, "\" and beside it; say it once"));
      RETURN_IF_ERROR(Read(entry));
    }
    return absl::OkStatus();
  }

  Status Read(const Node::Entry& entry) {
    if (!absl::c_linear_search(names_, entry.key)) {
      return Wrong(entry.source, StrCat("\"", entry.key, "\" is no flag of ", command_.get_name(),
                                        config::DidYouMean(entry.key, names_), "; --help lists them"));
    }
    const CLI::Option& option = *command_.get_option(StrCat("--", entry.key));
    if (option.count() > 0 || entry.value.is_null()) return absl::OkStatus();
    const bool takes_several = option.get_items_expected_max() > 1;
    if (!entry.value.is_list()) return Add(entry, entry.value);
    if (!takes_several) return Wrong(entry.source, StrCat("\"", entry.key, "\" takes one value, not a list"));
    for (const Node& item : entry.value.items()) RETURN_IF_ERROR(Add(entry, item));
    return absl::OkStatus();
  }

  Status Add(const Node::Entry& entry, const Node& value) {
    const std::string text = ValueOf(value);
    if (!text.empty()) {
      arguments_.push_back(StrCat("--", entry.key, "=", text));
      return absl::OkStatus();
    }
    arguments_.push_back(StrCat("--", entry.key));  // with an equals sign, what follows would be its value
    arguments_.emplace_back();
    return absl::OkStatus();
  }

  const CLI::App& command_;
  const std::vector<std::string>& groups_;
  const std::vector<std::string> names_;
  std::vector<std::string> arguments_;
};

}  // namespace

StatusOr<std::vector<std::string>> ReadFlagsFile(std::string_view text, const std::string& file,
                                                 const CLI::App& command, const std::vector<std::string>& groups) {
  ASSIGN_OR_RETURN(const Node root, config::ParseYaml(text, file));
  if (root.is_null()) return std::vector<std::string>();
  if (!root.is_map()) return Wrong(root.source(), "is to be a map of flags and their values");
  Reader reader(command, groups);
  RETURN_IF_ERROR(reader.ReadTop(root));
  return reader.TakeArguments();
}

}  // namespace spanloom::app
