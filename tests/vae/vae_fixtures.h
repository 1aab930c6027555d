#pragma once

// The two tiny autoencoders of the tests, with weights from their names, and comparison with what diffusers gives for
// them (float32, CPU).

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <initializer_list>

#include "engine/vae/cogvideox_vae.h"
#include "tests/support/deterministic.h"

namespace mirror::engine::testing {

struct Reference {
    std::initializer_list<std::int64_t> shape;
    double sum;
    double absolute_sum;
    std::array<double, 2> first;
};

// Elements of a whole network may differ by 1e-4: float32 against float64 of the same code differs by 1e-5 with
// activations up to 16, and convolutions choose their own order of summation. For single modules 1e-5 is enough.
inline constexpr double kNetworkTolerance = 1e-4;
inline constexpr double kModuleTolerance = 1e-5;

inline void expect_matches(const at::Tensor& values, const Reference& reference, double tolerance) {
    EXPECT_EQ(values.sizes(), at::IntArrayRef(reference.shape));
    const at::Tensor flat = values.detach().flatten().to(at::kDouble).contiguous();
    const double absolute_sum = flat.abs().sum().item<double>();
    // Errors are of either sign, so that they grow slower than the sums: 1e-5 of the absolute sum holds for both.
    EXPECT_NEAR(absolute_sum, reference.absolute_sum, 1e-5 * reference.absolute_sum);
    EXPECT_NEAR(flat.sum().item<double>(), reference.sum, 1e-5 * reference.absolute_sum);
    for (std::size_t i = 0; i < 2; ++i)
        EXPECT_NEAR(flat[static_cast<std::int64_t>(i)].item<double>(), reference.first[i], tolerance)
            << "element " << i;
}

// All levels equally wide.
inline VaeConfig even_config() {
    VaeConfig config;
    config.block_out_channels = {8, 8, 8, 8};
    config.latent_channels = 4;
    config.layers_per_block = 1;
    config.norm_num_groups = 2;
    return config;
}

// Levels that differ, so that shortcuts exist.
inline VaeConfig widening_config() {
    VaeConfig config = even_config();
    config.block_out_channels = {8, 16, 16, 32};
    config.norm_num_groups = 4;
    return config;
}

inline CogVideoXVae deterministic_vae(const VaeConfig& config, at::ScalarType dtype = at::kFloat) {
    return {deterministic_weights(dtype), config};
}

inline at::Tensor raw_moments(const Posterior& posterior) { return at::cat({posterior.mean, posterior.logvar}, 1); }

}  // namespace mirror::engine::testing
