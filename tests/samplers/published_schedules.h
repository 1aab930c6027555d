#pragma once

// The schedules of the published checkpoints, and the reference run's inputs.

#include <string>

#include "engine/samplers/schedule.h"

namespace mirror::engine::testing {

// 3.0 is 2B's, 1.0 that of every later model.
inline ScheduleConfig published_schedule(double snr_shift_scale) {
    ScheduleConfig config;
    config.prediction_type = PredictionType::Velocity;
    config.rescale_betas_zero_snr = true;
    config.timestep_spacing = TimestepSpacing::Trailing;
    config.snr_shift_scale = snr_shift_scale;
    return config;
}

}  // namespace mirror::engine::testing
