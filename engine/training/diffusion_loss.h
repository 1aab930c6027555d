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
    // `noisy_share` of them lie in the noisiest 15 % of the schedule, where nothing but the text says what is to come.
    std::vector<std::int64_t> spread_timesteps(RandomStream& random, std::int64_t count,
                                               double noisy_share = kNoisyPart) const;
    static constexpr double kNoisyPart = 0.15;
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
// `alike` neighbours each get the same.
at::Tensor noise_for(const BatchPlace& place, const at::Tensor& part, RandomStream& random, std::int64_t alike = 1);

// Mean squared error of every sample; of those with `inside`, inside the face area alone, as long as that is at least
// four cells. velocity and wish [B, F, Z, h, w], face_area [B, F, 1, h, w], inside [B] -> [B].
at::Tensor velocity_loss(const at::Tensor& velocity, const at::Tensor& wish, const at::Tensor& face_area,
                         const std::vector<bool>& inside);

// The two samples of a pair, rows 2k and 2k + 1, were noised alike: the mean squared error of their difference. What a
// pair shares cancels out, so that this sees nothing but what the difference of the texts does. Only of pairs with
// hardly any signal, at most 0.5 % of the power; elsewhere the difference could be read off the noised latents
// themselves, by enlarging them, and so the model would unlearn to take noise away. A pair with more of it counts as
// zero.
at::Tensor pair_loss(const at::Tensor& velocity, const at::Tensor& wish, const at::Tensor& alpha);

}  // namespace mirror::engine::training
