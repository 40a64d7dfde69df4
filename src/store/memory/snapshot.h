// SPDX-License-Identifier: Apache-2.0
//
// The content of a memory store in one file: written at a clean stop, read at the next start. Format:
// docs/formats/snapshot.md.

#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "base/status.h"
#include "store/memory/memory_store.h"

namespace spanloom::store::memory {

inline constexpr uint16_t kSnapshotVersion = 1;
inline constexpr uint32_t kSnapshotFrameBytesMax = 256U << 20;  // no frame is longer; guess

struct SnapshotStats {
  size_t frames = 0;          // read or written whole
  size_t spans = 0;           // in them
  size_t frames_damaged = 0;  // left out when reading; each is named in the log
};

// Writes the traces of `store` to `path`, replacing the file that is there only when the new one is complete. Blocks.
// Errors: those of AtomicFile.
StatusOr<SnapshotStats> WriteSnapshot(const MemoryStore& store, const std::string& path);

// Appends the traces of `path` to `store`, in the order in which they would be evicted. A frame that does not match its
// checksum, or is cut short, is logged with its offset and left out; the rest is read, and the file is set aside as
// `path`.damaged (a second name of it), so that the next WriteSnapshot does not take it away. Blocks.
// After an error other than kNotFound do not write a snapshot there: it would replace what could not be read.
// Errors: kNotFound (no such file), kFailedPrecondition (written by a newer version), kDataLoss (not a snapshot),
// kUnavailable, kPermissionDenied (can't be read).
StatusOr<SnapshotStats> ReadSnapshot(const std::string& path, MemoryStore& store);

}  // namespace spanloom::store::memory
