// SPDX-License-Identifier: MIT
// From the configuration's augmentation.* to what a training step does with its clips.
#pragma once
#include "kernels/params.h"
#include "tools/common/config.h"
#include "tools/pipeline/run_setup.h"

namespace chorale::tools {

/// Both directions alike: rates 1 / rate to rate, and so on.
AugmentationRanges augmentation_ranges(const Config& config);
/// None for models that see a clip as one vector.
MaskParams augmentation_masks(const Config& config);
/// True if training clips are changed in any way.
bool augments(const Config& config);

/// Makes the trainer change the training rows as configured; reads the songs again where their sound is
/// changed. UsageError where the features do not see what is asked for, InputError on songs, DeviceError when
/// their samples do not fit into memory.
void add_augmentation(const Program& program, const Config& config, TrainingSongs& songs);

}  // namespace chorale::tools
