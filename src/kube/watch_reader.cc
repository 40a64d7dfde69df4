// SPDX-License-Identifier: Apache-2.0

#include "kube/watch_reader.h"

#include "base/text.h"
#include "kube/api_error.h"

namespace spanloom::kube {
namespace {

using simdjson::dom::element;

// "metadata" of an object; the object itself if it has none, which has none of its texts.
element MetadataOf(const element& object) {
  element metadata;
  return object["metadata"].get(metadata) == simdjson::SUCCESS ? metadata : object;
}

}  // namespace

StatusOr<WatchReader::Page> WatchReader::ReadPage(std::string_view body, bool is_first) {
  const auto root = json_.Read(body);
  if (!root.ok()) return Annotate(root.status(), what_);
  simdjson::dom::array items;
  element items_value;
  const bool has_items = (*root)["items"].get(items_value) == simdjson::SUCCESS;
  const bool is_list = has_items && items_value.get(items) == simdjson::SUCCESS;
  // An empty list may be written as null.
  if (!has_items || !(is_list || items_value.is_null())) {
    return absl::InvalidArgumentError(StrCat(what_, ": the answer is no list of objects"));
  }
  const element metadata = MetadataOf(*root);
  if (is_first) sink_.BeginList();
  std::vector<element> objects;
  if (is_list) objects.assign(items.begin(), items.end());
  sink_.AddListed(objects);
  Page page = {.resource_version = std::string(TextAt(metadata, "resourceVersion")),
               .continue_token = std::string(TextAt(metadata, "continue"))};
  if (page.continue_token.empty()) {
    sink_.EndList();
    json_.Release();
  }
  return page;
}

Status WatchReader::ReadLines(const std::vector<std::string>& lines, std::string& resource_version) {
  for (const std::string& line : lines) RETURN_IF_ERROR(ReadLine(line, resource_version));
  return absl::OkStatus();
}

Status WatchReader::ReadLine(std::string_view line, std::string& resource_version) {
  const auto event = json_.Read(line);
  if (!event.ok()) return Annotate(event.status(), StrCat(what_, ": an event of the watch"));
  const std::string_view type = TextAt(*event, "type");
  element object;
  if (type.empty() || (*event)["object"].get(object) != simdjson::SUCCESS || !object.is_object()) {
    return absl::InvalidArgumentError(StrCat(what_, ": an event of the watch has no type or object"));
  }
  if (type == "ERROR") {
    int64_t code = 0;
    if (object["code"].get(code) != simdjson::SUCCESS) code = 0;
    return ApiError(static_cast<int>(code), simdjson::minify(object), what_, permission_);
  }
  const std::string_view version = TextAt(MetadataOf(object), "resourceVersion");
  if (!version.empty()) resource_version = std::string(version);
  if (type == "ADDED") sink_.Apply(ReflectorSink::Change::kAdded, object);
  if (type == "MODIFIED") sink_.Apply(ReflectorSink::Change::kModified, object);
  if (type == "DELETED") sink_.Apply(ReflectorSink::Change::kDeleted, object);
  // BOOKMARK says the version alone; types that are added later are not known to matter.
  return absl::OkStatus();
}

}  // namespace spanloom::kube
