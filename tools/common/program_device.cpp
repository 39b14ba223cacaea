// SPDX-License-Identifier: MIT
#include "tensor/device.h"
#include "tools/common/log.h"
#include "tools/common/program.h"

namespace chorale::tools {

DeviceKind Program::device() {
  if (device_ < 0) {
    std::string notice;
    device_ = static_cast<int>(choose_device(common_.device, &notice));
    if (!notice.empty()) log_info(notice);
  }
  return static_cast<DeviceKind>(device_);
}

}  // namespace chorale::tools
