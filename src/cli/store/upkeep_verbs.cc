// SPDX-License-Identifier: Apache-2.0

#include "cli/store/upkeep_verbs.h"

#include <memory>
#include <optional>
#include <stop_token>

#include "base/text.h"
#include "cli/console/text_format.h"
#include "cli/store/count_progress.h"
#include "cli/store/own_store.h"
#include "cli/store/server_control.h"

namespace spanloom::cli::store {
namespace {

using spanloom::store::DataDir;

// Nullopt if nobody has the directory; else what the server says it did.
StatusOr<std::optional<std::string>> AskOwner(const std::string& directory, std::string_view verb,
                                              std::string_view query, const Terminal& terminal) {
  ASSIGN_OR_RETURN(const std::optional<std::string> owner, DataDir::OwnerOf(directory));
  if (!owner) return std::nullopt;
  terminal.err << "asking " << *owner << "\n";
  ASSIGN_OR_RETURN(std::string answer, AskServer(directory, verb, query));
  return std::optional(std::move(answer));
}

// Returns kCancelled if it is to stop.
Status Compact(OwnStore& own, const Terminal& terminal) {
  const CountProgress progress(
      "bytes merged", own.store().WorkLeft().bytes, [&] { return own.bytes_merged(); }, terminal);
  const std::stop_callback on_stop(terminal.stop, [&] { own.store().Stop().IgnoreError(); });  // told again below
  return own.store().Compact();
}

}  // namespace

Status RunFlush(const std::string& directory, const Terminal& terminal) {
  ASSIGN_OR_RETURN(const auto answer, AskOwner(directory, "flush", "", terminal));
  if (answer) {
    terminal.out << *answer;
    return absl::OkStatus();
  }
  ASSIGN_OR_RETURN(const std::unique_ptr<OwnStore> own, OwnStore::Open(directory, terminal.clock));
  RETURN_IF_ERROR(own->store().Stop());
  terminal.out << console::Grouped(own->opened().log.frames) << " frames of the log are in segments now\n";
  return absl::OkStatus();
}

Status RunCompact(const std::string& directory, const Terminal& terminal) {
  ASSIGN_OR_RETURN(const auto answer, AskOwner(directory, "compact", "", terminal));
  if (answer) {
    terminal.out << *answer;
    return absl::OkStatus();
  }
  ASSIGN_OR_RETURN(const std::unique_ptr<OwnStore> own, OwnStore::Open(directory, terminal.clock));
  RETURN_IF_ERROR(own->store().Flush());
  const size_t before = own->store().WorkLeft().segments;
  const Status compacted = Compact(*own, terminal);
  const size_t after = own->store().WorkLeft().segments;
  RETURN_IF_ERROR(own->store().Stop());
  if (absl::IsCancelled(compacted)) return absl::CancelledError("interrupted; what was merged stays merged");
  RETURN_IF_ERROR(compacted);
  terminal.out << console::CountOf(before, "segment") << " before, " << after << " now\n";
  return absl::OkStatus();
}

std::string DescribeRemoved(const spanloom::store::Removed& removed) {
  return StrCat(console::CountOf(removed.spans, "span"), " removed, nothing is left of ",
                console::CountOf(removed.traces, "trace"), "\n");
}

Status RunPurge(const std::string& directory, const PurgeSelection& selection, const Terminal& terminal) {
  if (selection.IsEverything()) {
    return absl::InvalidArgumentError("purge: say which spans: --trace, --service, --from, --until");
  }
  ASSIGN_OR_RETURN(const auto answer, AskOwner(directory, "purge", selection.ToQuery(), terminal));
  if (answer) {
    terminal.out << *answer;
    return absl::OkStatus();
  }
  ASSIGN_OR_RETURN(const std::unique_ptr<OwnStore> own, OwnStore::Open(directory, terminal.clock));
  ASSIGN_OR_RETURN(const spanloom::store::Removed removed, own->store().Purge(selection.Plan()));
  RETURN_IF_ERROR(own->store().Stop());
  terminal.out << DescribeRemoved(removed);
  return absl::OkStatus();
}

}  // namespace spanloom::cli::store
