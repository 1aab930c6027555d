#include "engine/samplers/sampler.h"

#include <gtest/gtest.h>

#include <array>
#include <utility>
#include <vector>

#include "engine/core/result.h"
#include "tests/samplers/published_schedules.h"
#include "tests/support/deterministic.h"

namespace mirror::engine::testing {
namespace {

const std::vector<std::int64_t> kShape{1, 2, 4, 3, 3};

// noise.1, noise.2, ... in the order of the calls.
class CountedNoise {
public:
    NoiseSource source() {
        return [this](int step, int draw, at::IntArrayRef shape, at::ScalarType dtype) {
            asked.emplace_back(step, draw);
            return deterministic_input("noise." + std::to_string(asked.size()), shape).to(dtype);
        };
    }
    std::vector<std::pair<int, int>> asked;
};

struct StepValues {
    double sum;
    double first;
    double second;
};

void expect_run(SamplerKind kind, double snr_shift_scale, const std::array<StepValues, 4>& expected) {
    const auto sampler = make_sampler(kind, published_schedule(snr_shift_scale), 4);
    CountedNoise noise;
    at::Tensor latents = deterministic_input("input.latents", kShape);
    for (int step = 0; step < 4; ++step) {
        const at::Tensor v = deterministic_input("v." + std::to_string(step), kShape);
        latents = sampler->advance(step, v, latents, noise.source()).latents;
        const auto& want = expected[static_cast<std::size_t>(step)];
        const at::Tensor flat = latents.flatten();
        // Float32 products of 72 values, written down with six decimals.
        EXPECT_NEAR(flat.sum(at::kDouble).item<double>(), want.sum, 5e-5) << "step " << step;
        EXPECT_NEAR(flat[0].item<double>(), want.first, 2e-6) << "step " << step;
        EXPECT_NEAR(flat[1].item<double>(), want.second, 2e-6) << "step " << step;
    }
    EXPECT_EQ(noise.asked.size(), kind == SamplerKind::Dpm ? 6u : 0u);
}

TEST(DdimSampler, WalksAsThePublishedOne) {
    expect_run(SamplerKind::Ddim, 3.0,
               {{{3.667069, 0.338319, 0.709385},
                 {6.248505, 0.535748, 0.350055},
                 {11.449639, 0.295164, 0.401719},
                 {-1.183559, 1.396867, -0.942051}}});
    expect_run(SamplerKind::Ddim, 1.0,
               {{{4.491616, 0.243131, 0.600244},
                 {8.402864, 0.549718, 0.030918},
                 {14.231966, 0.257959, 0.115295},
                 {5.225559, 1.122105, -0.805807}}});
}

TEST(DpmSampler, WalksAsThePublishedOne) {
    expect_run(SamplerKind::Dpm, 3.0,
               {{{2.947202, 0.224983, -1.818557},
                 {12.678435, 1.505473, -0.241834},
                 {16.720249, 0.558068, 1.083538},
                 {2.111688, 1.561237, -0.515770}}});
    expect_run(SamplerKind::Dpm, 1.0,
               {{{3.779876, 0.131075, -1.899159},
                 {14.373636, 1.531824, -0.658434},
                 {21.071979, 0.638297, 0.731509},
                 {10.757896, 1.429730, -0.307401}}});
}

at::Tensor walk(Sampler& sampler, const NoiseSource& noise, at::Tensor* last_x0 = nullptr) {
    at::Tensor latents = deterministic_input("input.latents", kShape);
    for (int step = 0; step < sampler.schedule().steps(); ++step) {
        const SamplerStep result =
            sampler.advance(step, deterministic_input("v." + std::to_string(step), kShape), latents, noise);
        latents = result.latents;
        if (last_x0 != nullptr) *last_x0 = result.x0;
    }
    return latents;
}

TEST(DpmSampler, AsksForDrawsInThePublishedOrder) {
    CountedNoise clean;
    walk(*make_sampler(SamplerKind::Dpm, published_schedule(1.0), 4), clean.source());
    EXPECT_EQ(clean.asked, (std::vector<std::pair<int, int>>{{0, 0}, {1, 0}, {1, 1}, {2, 0}, {2, 1}, {3, 0}}));
    // With seven steps the last one has a previous timestep, and so draws twice.
    CountedNoise seven;
    walk(*make_sampler(SamplerKind::Dpm, published_schedule(1.0), 7), seven.source());
    EXPECT_EQ(seven.asked.back(), std::pair(6, 1));
}

TEST(DpmSampler, UsesTheFirstDrawAtBothEndsAndTheSecondBetween) {
    const auto only = [](int wanted_step, int wanted_draw) -> NoiseSource {
        return [=](int step, int draw, at::IntArrayRef shape, at::ScalarType dtype) {
            const bool wanted = step == wanted_step && draw == wanted_draw;
            return wanted ? at::ones(shape, dtype) : at::zeros(shape, dtype);
        };
    };
    const auto result = [&](int step, int draw) {
        return walk(*make_sampler(SamplerKind::Dpm, published_schedule(1.0), 7), only(step, draw));
    };
    const at::Tensor silent = result(-1, 0);
    EXPECT_FALSE(at::equal(result(0, 0), silent));
    for (int step = 1; step < 7; ++step) {
        EXPECT_TRUE(at::equal(result(step, 0), silent)) << step;
        EXPECT_FALSE(at::equal(result(step, 1), silent)) << step;
    }
}

TEST(DpmSampler, TheInfinitiesAtBothEndsLeaveNoTrace) {
    for (const int steps : {1, 2, 4, 50}) {
        CountedNoise noise;
        at::Tensor x0;
        const at::Tensor latents =
            walk(*make_sampler(SamplerKind::Dpm, published_schedule(1.0), steps), noise.source(), &x0);
        EXPECT_TRUE(at::isfinite(latents).all().item<bool>()) << steps;
        EXPECT_TRUE(at::equal(latents, x0)) << steps;  // The last step returns its x0.
    }
}

TEST(Samplers, SixteenBitLatentsMeetFloat32AfterOneRounding) {
    const at::Tensor latents = deterministic_input("input.latents", kShape).to(at::kBFloat16);
    const at::Tensor v = deterministic_input("v.0", kShape);
    const auto sampler = make_sampler(SamplerKind::Ddim, published_schedule(1.0), 4);
    CountedNoise noise;
    sampler->advance(0, v, latents, noise.source());
    const SamplerStep result = sampler->advance(1, v, latents, noise.source());
    EXPECT_EQ(result.latents.scalar_type(), at::kFloat);
    const double alpha = sampler->schedule().alpha_at(1);
    const at::Tensor rounded = (latents.to(at::kFloat) * std::sqrt(alpha)).to(at::kBFloat16).to(at::kFloat);
    EXPECT_TRUE(at::equal(result.x0, rounded - v * std::sqrt(1.0 - alpha)));

    std::vector<at::ScalarType> types;
    const NoiseSource typed = [&](int, int, at::IntArrayRef shape, at::ScalarType dtype) {
        types.push_back(dtype);
        return at::zeros(shape, dtype);
    };
    make_sampler(SamplerKind::Dpm, published_schedule(1.0), 4)->advance(0, v, latents, typed);
    EXPECT_EQ(types, std::vector<at::ScalarType>{at::kBFloat16});
}

TEST(DpmSampler, NoiseOfAnotherShapeIsRefused) {
    const at::Tensor latents = deterministic_input("input.latents", kShape);
    const auto sampler = make_sampler(SamplerKind::Dpm, published_schedule(1.0), 4);
    const NoiseSource wrong = [](int, int, at::IntArrayRef, at::ScalarType dtype) { return at::zeros({1}, dtype); };
    EXPECT_THROW(sampler->advance(0, latents, latents, wrong), EngineError);
    EXPECT_THROW(sampler->advance(0, latents, latents, NoiseSource()), EngineError);
}

}  // namespace
}  // namespace mirror::engine::testing
