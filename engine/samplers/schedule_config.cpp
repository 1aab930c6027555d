#include <initializer_list>
#include <string>
#include <string_view>

#include "engine/samplers/schedule.h"
#include "engine/weights/config_reader.h"

namespace mirror::engine {

namespace {

std::string choice_or(const ConfigReader& config, std::string_view key, std::string_view fallback,
                      std::initializer_list<std::string_view> words) {
    return config.has(key) ? config.choice(key, words) : std::string(fallback);
}

PredictionType prediction_type(const ConfigReader& config) {
    const std::string name = choice_or(config, "prediction_type", "epsilon", {"epsilon", "sample", "v_prediction"});
    if (name == "v_prediction") return PredictionType::Velocity;
    return name == "sample" ? PredictionType::Sample : PredictionType::Epsilon;
}

TimestepSpacing timestep_spacing(const ConfigReader& config) {
    const std::string name = choice_or(config, "timestep_spacing", "leading", {"leading", "linspace", "trailing"});
    if (name == "trailing") return TimestepSpacing::Trailing;
    return name == "linspace" ? TimestepSpacing::Linspace : TimestepSpacing::Leading;
}

}  // namespace

ScheduleConfig read_schedule_config(const std::filesystem::path& file) {
    return read_schedule_config(ConfigReader::open(file));
}

ScheduleConfig read_schedule_config(const ConfigReader& config) {
    ScheduleConfig schedule;
    choice_or(config, "beta_schedule", "scaled_linear", {"scaled_linear"});
    if (config.has("trained_betas")) config.refuse("trained_betas", "must be null");
    schedule.beta_start = config.number_or("beta_start", schedule.beta_start, 1e-9, 0.999);
    schedule.beta_end = config.number_or("beta_end", schedule.beta_end, 1e-9, 0.999);
    schedule.num_train_timesteps = config.integer_or("num_train_timesteps", schedule.num_train_timesteps, 2, 100'000);
    schedule.prediction_type = prediction_type(config);
    schedule.rescale_betas_zero_snr = config.boolean_or("rescale_betas_zero_snr", schedule.rescale_betas_zero_snr);
    schedule.set_alpha_to_one = config.boolean_or("set_alpha_to_one", schedule.set_alpha_to_one);
    schedule.snr_shift_scale = config.number_or("snr_shift_scale", schedule.snr_shift_scale, 1e-3, 1e3);
    schedule.steps_offset = config.integer_or("steps_offset", schedule.steps_offset, 0, 1000);
    schedule.timestep_spacing = timestep_spacing(config);
    if (schedule.prediction_type == PredictionType::Epsilon && schedule.rescale_betas_zero_snr) {
        config.refuse("prediction_type",
                      "must not be epsilon together with rescale_betas_zero_snr, which ends in pure noise");
    }
    return schedule;
}

}  // namespace mirror::engine
