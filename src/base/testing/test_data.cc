// SPDX-License-Identifier: Apache-2.0

#include "base/testing/test_data.h"

namespace spanloom {

std::filesystem::path TestData() {
  return SPANLOOM_TEST_DATA;
}

}  // namespace spanloom
