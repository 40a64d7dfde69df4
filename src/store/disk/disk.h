// SPDX-License-Identifier: Apache-2.0
//
// The disk as a parameter: all that the embedded store asks of a file system. PosixDisk is the machine's; tests run the
// same code on testing/simulated_disk.h, which fails and loses power on command.
//
// What is written is safe from the end of the process at once, and from a loss of power after Sync. A name that was
// given, changed or taken away is safe after SyncDirectory; Sync of a new file does not keep its name.

#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace spanloom::store::disk {

// Every call blocks. Errors are those of store::FileError and name the path: kResourceExhausted for a full disk or
// quota, kNotFound, kAlreadyExists, kPermissionDenied, else kUnavailable.

// An open file; closed when destroyed. ReadAt and Size from any thread at any time, the others from one at a time.
class File {
 public:
  virtual ~File() = default;

  // Reads `target.size()` bytes that begin at `offset`; fewer only at the end of the file. Returns how many.
  virtual StatusOr<size_t> ReadAt(uint64_t offset, std::span<char> target) const = 0;

  // Writes over what is there, and beyond the end; a gap reads as zeros. After an error a beginning of `content` may be
  // written.
  virtual Status WriteAt(uint64_t offset, std::string_view content) = 0;

  // Writes all parts, one after the other, behind the end of the file, in as few calls of the system as it takes.
  // Nothing is copied. After an error any beginning of them may be written; Size says how much.
  virtual Status Append(std::span<const std::string_view> parts) = 0;

  // Forces content and size to the device. After an error nobody knows what is safe of all that was written since the
  // last success, and a later success says nothing about it: the system may have forgotten it (errors of fsync(2) are
  // told once).
  virtual Status Sync() = 0;

  // Cuts the file, or extends it with zeros.
  virtual Status Truncate(uint64_t size_bytes) = 0;

  virtual StatusOr<uint64_t> Size() const = 0;
};

enum class OpenMode {
  kRead,             // must exist; the calls that write fail
  kReadWrite,        // must exist
  kCreate,           // created if it is not there; keeps its content if it is
  kCreateExclusive,  // must not exist
};

// Thread-safe. Paths are taken as they are; directories are separated by "/".
class Disk {
 public:
  virtual ~Disk() = default;

  virtual StatusOr<std::unique_ptr<File>> Open(const std::string& path, OpenMode mode) = 0;

  virtual StatusOr<bool> Exists(const std::string& path) = 0;

  // Gives a file another name, in one step; a file that has that name loses it.
  virtual Status Rename(const std::string& from, const std::string& to) = 0;

  // Takes a name away. The content goes with its last name and its last open File.
  virtual Status Remove(const std::string& path) = 0;

  // Gives a file a second name in the same file system, which must not be taken.
  virtual Status Link(const std::string& existing, const std::string& added) = 0;

  // Nothing happens if the directory is there; its parent must be.
  virtual Status CreateDirectory(const std::string& path) = 0;

  // The names (not the paths) of the files in a directory, sorted; directories are left out.
  virtual StatusOr<std::vector<std::string>> List(const std::string& directory) = 0;

  // Forces the names in a directory to the device.
  virtual Status SyncDirectory(const std::string& directory) = 0;

  // What an unprivileged user may still write on the file system of `directory`.
  virtual StatusOr<uint64_t> FreeBytes(const std::string& directory) = 0;
};

// `directory` "/" `name`.
[[nodiscard]] std::string Join(std::string_view directory, std::string_view name);

// The directory that `path` lies in; "." if it names none.
[[nodiscard]] std::string DirectoryOf(std::string_view path);

// Appends all that `from` has, as it is read, to `to`. Returns how many bytes.
StatusOr<uint64_t> AppendAll(const File& from, File& to);

}  // namespace spanloom::store::disk
