// SPDX-License-Identifier: Apache-2.0
//
// Where sending queues keep their requests on the disk: what a storage extension offers to exporters.

#pragma once

#include <memory>
#include <string>

#include "store/disk/disk.h"

namespace spanloom::pipeline {

struct QueueStorage {
  std::shared_ptr<store::disk::Disk> disk;  // shared with the extension and the queues
  std::string directory;                    // there once the extension has started; below it each queue has its own
  bool forces = false;                      // to the device, before a sender is answered
};

}  // namespace spanloom::pipeline
