#pragma once

// Noise on latents and the loss of a predicted velocity, with the checkpoint's own schedule (zero terminal
// signal-to-noise ratio included).

#include <ATen/ATen.h>

#include <cstdint>
#include <vector>

#include "engine/samplers/schedule.h"
#include "engine/training/random_stream.h"
#include "engine/training/training_task.h"

namespace mirror::engine::training {

struct NoisedLatents {
    at::Tensor latents;   // [B, F, Z, h, w], sqrt(a) x0 + sqrt(1 - a) noise
    at::Tensor velocity;  // sqrt(a) noise - sqrt(1 - a) x0
    at::Tensor alpha;     // [B, 1, 1, 1, 1]
};

class NoiseTable {
public:
    explicit NoiseTable(const ScheduleConfig& config);

    std::int64_t timesteps() const { return alphas_.size(0); }
    // One timestep in each of `count` equal parts of the schedule (explicit uniform sampling; Yang et al., CogVideoX,
    // 2024): a batch's loss depends less on chance.
    std::vector<std::int64_t> spread_timesteps(RandomStream& random, std::int64_t count) const;
    // timesteps [B], int64.
    NoisedLatents noised(const at::Tensor& x0, const at::Tensor& noise, const at::Tensor& timesteps) const;
    // x0 out of noised latents and a velocity.
    static at::Tensor denoised(const NoisedLatents& noised, const at::Tensor& velocity) {
        return noised.alpha.sqrt() * noised.latents - (1.0 - noised.alpha).sqrt() * velocity;
    }

private:
    at::Tensor alphas_;  // float32, cumulative
};

// For the rows of `part`, [B, ...], which are a part of the batch: drawn for the whole of it.
at::Tensor noise_for(const BatchPlace& place, const at::Tensor& part, RandomStream& random);

// Mean squared error of every sample; of those with `inside`, inside the face area alone, as long as that is at least
// four cells. velocity and wish [B, F, Z, h, w], face_area [B, F, 1, h, w], inside [B] -> [B].
at::Tensor velocity_loss(const at::Tensor& velocity, const at::Tensor& wish, const at::Tensor& face_area,
                         const std::vector<bool>& inside);

}  // namespace mirror::engine::training
