// SPDX-License-Identifier: Apache-2.0
//
// A connection to one SQLite database on a Disk, with errors that name the file. The only place that calls SQLite's
// statements.

#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/status.h"
#include "store/columnar/catalogue/disk_vfs.h"
#include "store/disk/disk.h"

struct sqlite3;
struct sqlite3_stmt;

namespace spanloom::store::columnar::catalogue {

class SqliteConnection;

// A prepared statement. Parameters and columns count from 0. Must not outlive its connection; thread-compatible.
class SqliteStatement {
 public:
  SqliteStatement(SqliteStatement&&) noexcept = default;

  SqliteStatement& Bind(int parameter, int64_t value);
  // `content` must live until the statement is stepped to its end.
  SqliteStatement& BindBlob(int parameter, std::string_view content);
  SqliteStatement& BindText(int parameter, std::string_view content);

  // To the next row; false if there is none. Errors: as SqliteConnection.
  StatusOr<bool> Step();
  // For a statement without rows.
  Status Run();

  [[nodiscard]] int64_t Integer(int column) const;
  // Text or blob; valid until the next Step.
  [[nodiscard]] std::string_view Content(int column) const;

 private:
  friend class SqliteConnection;
  struct Finalizer {
    void operator()(sqlite3_stmt* statement) const;
  };

  SqliteStatement(SqliteConnection& connection, sqlite3_stmt* statement);

  SqliteConnection* connection_;
  std::unique_ptr<sqlite3_stmt, Finalizer> statement_;
};

// Thread-compatible; blocks on the disk. Errors name the file and the next step: those of the disk, as they were;
// kDataLoss for all that SQLite itself finds wrong.
class SqliteConnection {
 public:
  // Opens the database, creating an empty one where there is no file. A journal that a crash has left is rolled back by
  // the first statement that reads. Errors name it `name`. `disk` must outlive the result.
  static StatusOr<std::unique_ptr<SqliteConnection>> Open(disk::Disk& disk, const std::string& path, std::string name);

  SqliteConnection(const SqliteConnection&) = delete;
  SqliteConnection& operator=(const SqliteConnection&) = delete;
  ~SqliteConnection();

  StatusOr<SqliteStatement> Prepare(std::string_view sql);
  // One statement, or several divided by ";", without parameters; rows are ignored.
  Status Execute(std::string_view sql);
  // The first column of the first row.
  StatusOr<int64_t> QueryInteger(std::string_view sql);

  // kDataLoss: `what` is wrong with the file, and the next step.
  [[nodiscard]] Status Damaged(std::string_view what) const;

 private:
  friend class SqliteStatement;

  SqliteConnection(disk::Disk& disk, std::string name);
  // Those of the disk that SQLite got over.
  void ForgetErrors();
  // The Status of SQLite's last error.
  Status Error();

  const std::string name_;
  DiskVfs vfs_;
  sqlite3* database_ = nullptr;
};

}  // namespace spanloom::store::columnar::catalogue
