#pragma once

#include "engine/device/device_calls.h"

namespace mirror::engine {

// Done once, before the first model runs; later calls of the operators see the table without a lock.
void register_device_calls(const DeviceCalls& calls);

}  // namespace mirror::engine
