#pragma once

// The noise schedule of a checkpoint: scheduler/scheduler_config.json, its table and the timesteps of a run.
//
// Source: diffusers, schedulers/scheduling_ddim_cogvideox.py (set_timesteps, rescale_zero_terminal_snr).

#include <cstdint>
#include <filesystem>
#include <vector>

namespace mirror::engine {

class ConfigReader;

enum class PredictionType { Epsilon, Sample, Velocity };
enum class TimestepSpacing { Leading, Linspace, Trailing };

// The defaults are diffusers', which differ from what every published CogVideoX checkpoint says: read the file.
struct ScheduleConfig {
    double beta_start = 0.00085;
    double beta_end = 0.012;
    std::int64_t num_train_timesteps = 1000;
    PredictionType prediction_type = PredictionType::Epsilon;
    bool rescale_betas_zero_snr = false;
    bool set_alpha_to_one = true;
    double snr_shift_scale = 3.0;
    std::int64_t steps_offset = 0;
    TimestepSpacing timestep_spacing = TimestepSpacing::Leading;
};

// EngineError names the file and the key.
ScheduleConfig read_schedule_config(const std::filesystem::path& file);
ScheduleConfig read_schedule_config(const ConfigReader& config);

class Schedule {
public:
    // Throws EngineError (InvalidRequest) naming `--steps` and the nearest usable counts where the published timesteps
    // of `steps` do not exist: their list would have one entry too many, ending in -1.
    Schedule(const ScheduleConfig& config, int steps);

    const ScheduleConfig& config() const { return config_; }
    int steps() const { return static_cast<int>(timesteps_.size()); }
    const std::vector<std::int64_t>& timesteps() const { return timesteps_; }  // Descending.

    double alpha_at(int step) const;             // Cumulative alpha at the step's timestep.
    double alpha_after(int step) const;          // At the timestep that the step goes to.
    bool has_previous_timestep(int step) const;  // Whether that timestep is in the table (it is 0 or more).

private:
    std::int64_t previous_timestep(int step) const;

    ScheduleConfig config_;
    std::vector<std::int64_t> timesteps_;
    std::vector<double> alphas_;  // Cumulative, one a training timestep.
};

// num_train_timesteps values.
std::vector<double> cumulative_alphas(const ScheduleConfig& config);
// As the published schedulers compute them, usable or not.
std::vector<std::int64_t> published_timesteps(const ScheduleConfig& config, int steps);
bool is_usable_step_count(const ScheduleConfig& config, int steps);

}  // namespace mirror::engine
