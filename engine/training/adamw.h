#pragma once

// AdamW (Loshchilov and Hutter, 2019) over all parameters of a store at once, with an exponential moving average of the
// weights. On the CPU one pass reads and writes everything; elsewhere the same arithmetic runs on whole buffers.

#include <ATen/ATen.h>

#include "engine/training/trainable_store.h"

namespace mirror::engine::training {

struct AdamWSettings {
    double beta1 = 0.9;
    double beta2 = 0.95;
    double epsilon = 1e-8;
    double weight_decay = 1e-4;  // On matrices only.
    double clip = 1.0;           // The largest norm of all gradients together; 0: no limit.
    double ema = 0.999;          // The average's half-life grows up to this: min(ema, (1 + n) / (10 + n)).
    bool bf16_moments = false;   // Half the memory for the moments.
};

class AdamW {
public:
    AdamW(std::shared_ptr<TrainableStore> store, const AdamWSettings& settings);

    // The norm of all gradients, before clipping. Not finite: the gradients are useless, do not step.
    double gradient_norm() const;
    // Clips, updates weights, moments and average, and zeroes the gradients.
    void step(double learning_rate, double norm);

    const at::Tensor& average() const { return average_; }  // Laid out as the store's values.

    // What has to be kept to go on later; the tensors are the ones in use.
    std::vector<std::pair<std::string, at::Tensor>> state() const;
    std::int64_t steps() const { return steps_; }
    void set_steps(std::int64_t steps) { steps_ = steps; }

private:
    std::shared_ptr<TrainableStore> store_;
    AdamWSettings settings_;
    std::int64_t steps_ = 0;
    at::Tensor first_, second_, average_;
};

// While it lives the store holds the moving average: samples and saved models are made with it.
class AveragedWeights {
public:
    AveragedWeights(TrainableStore& store, const AdamW& optimizer);
    ~AveragedWeights();
    AveragedWeights(const AveragedWeights&) = delete;
    AveragedWeights& operator=(const AveragedWeights&) = delete;

private:
    at::Tensor values_, kept_;
};

}  // namespace mirror::engine::training
