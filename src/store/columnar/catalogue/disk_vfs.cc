// SPDX-License-Identifier: Apache-2.0

#include "store/columnar/catalogue/disk_vfs.h"

#include <sqlite3.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <new>
#include <span>
#include <string_view>
#include <utility>

#include "base/check.h"
#include "base/text.h"

namespace spanloom::store::columnar::catalogue {
namespace {

constexpr int kPathBytesMax = 4096;  // PATH_MAX of Linux
constexpr int kSectorBytes = 4096;   // a power cut tears nothing smaller apart from its neighbours; flash pages

}  // namespace

struct DiskVfs::Registration {
  // SQLite reserves memory for one of these and knows its first member.
  struct OpenFile {
    sqlite3_file base;
    Registration* vfs;
    std::unique_ptr<disk::File> file;
    std::string directory;
    bool name_is_new;  // the directory is to be synced with the file
  };

  explicit Registration(disk::Disk& of) : disk(of) {
    static std::atomic<uint64_t> count = 0;
    name = StrCat("spanloom-", ++count);
    const sqlite3_vfs* const system = sqlite3_vfs_find(nullptr);
    CHECK(system != nullptr);
    vfs = *system;  // time, sleep, randomness and libraries stay the system's
    vfs.iVersion = 1;
    vfs.szOsFile = sizeof(OpenFile);
    vfs.mxPathname = kPathBytesMax;
    vfs.pNext = nullptr;
    vfs.zName = name.c_str();
    vfs.pAppData = this;
    vfs.xOpen = Open;
    vfs.xDelete = Delete;
    vfs.xAccess = Access;
    vfs.xFullPathname = FullPathname;
    CHECK(sqlite3_vfs_register(&vfs, 0) == SQLITE_OK);
  }

  ~Registration() { sqlite3_vfs_unregister(&vfs); }

  // SQLite's number for `status`; `otherwise` if it is none of those that SQLite tells apart.
  int Code(const Status& status, int otherwise) {
    if (status.ok()) return SQLITE_OK;
    error = status;
    return absl::IsResourceExhausted(status) ? SQLITE_FULL : otherwise;
  }

  static Registration& Of(sqlite3_vfs* vfs) { return *static_cast<Registration*>(vfs->pAppData); }
  static OpenFile& Of(sqlite3_file* file) { return *reinterpret_cast<OpenFile*>(file); }

  static disk::OpenMode ModeOf(int flags) {
    if ((flags & SQLITE_OPEN_READWRITE) == 0) return disk::OpenMode::kRead;
    if ((flags & SQLITE_OPEN_CREATE) == 0) return disk::OpenMode::kReadWrite;
    return (flags & SQLITE_OPEN_EXCLUSIVE) != 0 ? disk::OpenMode::kCreateExclusive : disk::OpenMode::kCreate;
  }

  static int Open(sqlite3_vfs* base, const char* path, sqlite3_file* target, int flags, int* flags_out) {
    target->pMethods = nullptr;  // SQLite does not close what was not opened
    if (path == nullptr) return SQLITE_CANTOPEN;
    Registration& self = Of(base);
    const auto exists = self.disk.Exists(path);
    if (!exists.ok()) return self.Code(exists.status(), SQLITE_CANTOPEN);
    auto file = self.disk.Open(path, ModeOf(flags));
    if (!file.ok()) return self.Code(file.status(), SQLITE_CANTOPEN);
    new (target) OpenFile{.base = {.pMethods = &kMethods},
                          .vfs = &self,
                          .file = *std::move(file),
                          .directory = disk::DirectoryOf(path),
                          .name_is_new = !*exists};
    if (flags_out != nullptr) *flags_out = flags;
    return SQLITE_OK;
  }

  static int Delete(sqlite3_vfs* base, const char* path, int sync_directory) {
    Registration& self = Of(base);
    const Status removed = self.disk.Remove(path);
    if (absl::IsNotFound(removed)) return SQLITE_IOERR_DELETE_NOENT;
    if (!removed.ok()) return self.Code(removed, SQLITE_IOERR_DELETE);
    if (sync_directory == 0) return SQLITE_OK;
    return self.Code(self.disk.SyncDirectory(disk::DirectoryOf(path)), SQLITE_IOERR_DIR_FSYNC);
  }

  static int Access(sqlite3_vfs* base, const char* path, int, int* result) {
    const auto exists = Of(base).disk.Exists(path);
    if (!exists.ok()) return Of(base).Code(exists.status(), SQLITE_IOERR_ACCESS);
    *result = *exists ? 1 : 0;
    return SQLITE_OK;
  }

  static int FullPathname(sqlite3_vfs*, const char* path, int size, char* target) {
    const size_t length = std::strlen(path);
    if (length >= static_cast<size_t>(size)) return SQLITE_CANTOPEN;
    std::memcpy(target, path, length + 1);
    return SQLITE_OK;
  }

  static int Close(sqlite3_file* file) {
    Of(file).~OpenFile();
    return SQLITE_OK;
  }

  static int Read(sqlite3_file* file, void* target, int size, sqlite3_int64 offset) {
    const std::span<char> bytes(static_cast<char*>(target), static_cast<size_t>(size));
    const auto read = Of(file).file->ReadAt(static_cast<uint64_t>(offset), bytes);
    if (!read.ok()) return Of(file).vfs->Code(read.status(), SQLITE_IOERR_READ);
    if (*read == bytes.size()) return SQLITE_OK;
    std::ranges::fill(bytes.subspan(*read), '\0');  // SQLite asks for it
    return SQLITE_IOERR_SHORT_READ;
  }

  static int Write(sqlite3_file* file, const void* content, int size, sqlite3_int64 offset) {
    const std::string_view bytes(static_cast<const char*>(content), static_cast<size_t>(size));
    return Of(file).vfs->Code(Of(file).file->WriteAt(static_cast<uint64_t>(offset), bytes), SQLITE_IOERR_WRITE);
  }

  static int Truncate(sqlite3_file* file, sqlite3_int64 size) {
    return Of(file).vfs->Code(Of(file).file->Truncate(static_cast<uint64_t>(size)), SQLITE_IOERR_TRUNCATE);
  }

  static int Sync(sqlite3_file* base, int) {
    OpenFile& self = Of(base);
    if (const Status synced = self.file->Sync(); !synced.ok()) return self.vfs->Code(synced, SQLITE_IOERR_FSYNC);
    if (!self.name_is_new) return SQLITE_OK;
    const Status named = self.vfs->disk.SyncDirectory(self.directory);
    self.name_is_new = !named.ok();
    return self.vfs->Code(named, SQLITE_IOERR_DIR_FSYNC);
  }

  static int FileSize(sqlite3_file* file, sqlite3_int64* size) {
    const auto found = Of(file).file->Size();
    if (!found.ok()) return Of(file).vfs->Code(found.status(), SQLITE_IOERR_FSTAT);
    *size = static_cast<sqlite3_int64>(*found);
    return SQLITE_OK;
  }

  static int Lock(sqlite3_file*, int) { return SQLITE_OK; }

  // No other connection holds one.
  static int CheckReservedLock(sqlite3_file*, int* result) {
    *result = 0;
    return SQLITE_OK;
  }

  static int FileControl(sqlite3_file*, int, void*) { return SQLITE_NOTFOUND; }
  static int SectorSize(sqlite3_file*) { return kSectorBytes; }
  // A write that is cut short by a power cut changes no byte outside of its range.
  static int DeviceCharacteristics(sqlite3_file*) { return SQLITE_IOCAP_POWERSAFE_OVERWRITE; }

  static const sqlite3_io_methods kMethods;

  disk::Disk& disk;
  std::string name;
  sqlite3_vfs vfs;
  Status error;
};

const sqlite3_io_methods DiskVfs::Registration::kMethods = {
    .iVersion = 1,
    .xClose = Close,
    .xRead = Read,
    .xWrite = Write,
    .xTruncate = Truncate,
    .xSync = Sync,
    .xFileSize = FileSize,
    .xLock = Lock,
    .xUnlock = Lock,
    .xCheckReservedLock = CheckReservedLock,
    .xFileControl = FileControl,
    .xSectorSize = SectorSize,
    .xDeviceCharacteristics = DeviceCharacteristics,
    .xShmMap = nullptr,
    .xShmLock = nullptr,
    .xShmBarrier = nullptr,
    .xShmUnmap = nullptr,
    .xFetch = nullptr,
    .xUnfetch = nullptr,
};

DiskVfs::DiskVfs(disk::Disk& disk) : registration_(std::make_unique<Registration>(disk)) {}

DiskVfs::~DiskVfs() = default;

const std::string& DiskVfs::name() const {
  return registration_->name;
}

Status DiskVfs::TakeError() {
  return std::exchange(registration_->error, absl::OkStatus());
}

}  // namespace spanloom::store::columnar::catalogue
