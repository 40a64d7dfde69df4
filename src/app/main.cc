// SPDX-License-Identifier: Apache-2.0
//
// The `spanloom` command: one binary, a subcommand for each job.

#include <malloc.h>

#include "app/commands.h"
#include "base/open_files.h"

namespace {

// Free memory at the end of each of glibc's arenas, one a thread, that is kept for the next request; without it every
// request of some 100 KB gives its pages back and faults them in again, a third of the time OTLP/JSON takes
// (`./dev bench net`; 2 MiB did as well as 16). What is above goes back but for the pad: without one all but 128 KiB of
// it, which cost `./dev bench collector` a third of its time; 4, 8 and 16 MiB took 0.60, 0.53 and 0.53 µs a span
// with gzip.
constexpr int kKeptBytesMax = 4 << 20;
constexpr int kPadBytes = 8 << 20;
constexpr int kMappedBytesMin = 4 << 20;  // larger blocks are mapped, and unmapped when they are freed; guess

// What every server does before it starts.
void Prepare() {
  spanloom::RaiseOpenFilesLimit();
  mallopt(M_TRIM_THRESHOLD, kKeptBytesMax);
  mallopt(M_TOP_PAD, kPadBytes);
  mallopt(M_MMAP_THRESHOLD, kMappedBytesMin);
}

}  // namespace

int main(int argc, char** argv) {
  const spanloom::app::Command* const command = argc > 1 ? spanloom::app::FindCommand(argv[1]) : nullptr;
  if (command == nullptr) return spanloom::app::RunWithoutCommand(argc, argv);
  if (command->is_server) Prepare();
  return command->run(argc - 1, argv + 1);
}
