// SPDX-License-Identifier: Apache-2.0

#include "store/columnar/catalogue/sqlite_connection.h"

#include <sqlite3.h>

#include <utility>

#include "base/check.h"
#include "base/text.h"

namespace spanloom::store::columnar::catalogue {

void SqliteStatement::Finalizer::operator()(sqlite3_stmt* statement) const {
  sqlite3_finalize(statement);  // its error is that of the last step, which was told
}

SqliteStatement::SqliteStatement(SqliteConnection& connection, sqlite3_stmt* statement)
    : connection_(&connection), statement_(statement) {}

SqliteStatement& SqliteStatement::Bind(int parameter, int64_t value) {
  CHECK(sqlite3_bind_int64(statement_.get(), parameter + 1, value) == SQLITE_OK);
  return *this;
}

SqliteStatement& SqliteStatement::BindBlob(int parameter, std::string_view content) {
  // A null pointer would be NULL, not an empty blob.
  const char* const bytes = content.empty() ? "" : content.data();
  CHECK(sqlite3_bind_blob64(statement_.get(), parameter + 1, bytes, content.size(), SQLITE_STATIC) == SQLITE_OK);
  return *this;
}

SqliteStatement& SqliteStatement::BindText(int parameter, std::string_view content) {
  const char* const bytes = content.empty() ? "" : content.data();
  CHECK(sqlite3_bind_text64(statement_.get(), parameter + 1, bytes, content.size(), SQLITE_STATIC, SQLITE_UTF8) ==
        SQLITE_OK);
  return *this;
}

StatusOr<bool> SqliteStatement::Step() {
  connection_->ForgetErrors();
  const int result = sqlite3_step(statement_.get());
  if (result == SQLITE_ROW) return true;
  if (result == SQLITE_DONE) return false;
  return connection_->Error();
}

Status SqliteStatement::Run() {
  ASSIGN_OR_RETURN(const bool has_row, Step());
  CHECK(!has_row);
  return absl::OkStatus();
}

int64_t SqliteStatement::Integer(int column) const {
  return sqlite3_column_int64(statement_.get(), column);
}

std::string_view SqliteStatement::Content(int column) const {
  // The order matters: the size is that of the form which sqlite3_column_blob has made.
  const auto* const bytes = static_cast<const char*>(sqlite3_column_blob(statement_.get(), column));
  const int size = sqlite3_column_bytes(statement_.get(), column);
  return bytes == nullptr ? std::string_view() : std::string_view(bytes, static_cast<size_t>(size));
}

SqliteConnection::SqliteConnection(disk::Disk& disk, std::string name) : name_(std::move(name)), vfs_(disk) {}

SqliteConnection::~SqliteConnection() {
  CHECK(sqlite3_close(database_) == SQLITE_OK);  // fails only if a statement is left
}

StatusOr<std::unique_ptr<SqliteConnection>> SqliteConnection::Open(disk::Disk& disk, const std::string& path,
                                                                   std::string name) {
  std::unique_ptr<SqliteConnection> connection(new SqliteConnection(disk, std::move(name)));
  // One caller at a time, so no mutex of its own.
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
  const int result = sqlite3_open_v2(path.c_str(), &connection->database_, flags, connection->vfs_.name().c_str());
  if (result != SQLITE_OK) return connection->Error();
  sqlite3_extended_result_codes(connection->database_, 1);
  return connection;
}

StatusOr<SqliteStatement> SqliteConnection::Prepare(std::string_view sql) {
  ForgetErrors();
  sqlite3_stmt* statement = nullptr;
  const int result = sqlite3_prepare_v2(database_, sql.data(), static_cast<int>(sql.size()), &statement, nullptr);
  if (result != SQLITE_OK) return Error();
  return SqliteStatement(*this, statement);
}

Status SqliteConnection::Execute(std::string_view sql) {
  ForgetErrors();
  const int result = sqlite3_exec(database_, std::string(sql).c_str(), nullptr, nullptr, nullptr);
  return result == SQLITE_OK ? absl::OkStatus() : Error();
}

StatusOr<int64_t> SqliteConnection::QueryInteger(std::string_view sql) {
  ASSIGN_OR_RETURN(SqliteStatement statement, Prepare(sql));
  ASSIGN_OR_RETURN(const bool has_row, statement.Step());
  if (!has_row) return Damaged(StrCat("no answer to ", sql));
  return statement.Integer(0);
}

Status SqliteConnection::Damaged(std::string_view what) const {
  return absl::DataLossError(StrCat("the catalogue ", name_, " is damaged: ", what,
                                    "; restore the data directory from a backup, or move it away to start empty"));
}

void SqliteConnection::ForgetErrors() {
  vfs_.TakeError().IgnoreError();
}

Status SqliteConnection::Error() {
  const int code = sqlite3_extended_errcode(database_);
  const std::string what = StrCat(sqlite3_errmsg(database_), " (", code, ")");
  if (Status of_disk = vfs_.TakeError(); !of_disk.ok()) {
    const std::string_view next = absl::IsResourceExhausted(of_disk) ? "; make room" : "; look at the disk";
    return {of_disk.code(), StrCat("the catalogue ", name_, ": ", StdView(of_disk.message()), next)};
  }
  if ((code & 0xFF) == SQLITE_NOMEM) return absl::ResourceExhaustedError(StrCat("the catalogue ", name_, ": ", what));
  return Damaged(what);
}

}  // namespace spanloom::store::columnar::catalogue
