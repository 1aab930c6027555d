#include "engine/samplers/sampler.h"

#include <cmath>
#include <utility>

#include "engine/core/result.h"

namespace mirror::engine {

namespace {

// Deterministic; takes no noise.
class DdimSampler final : public Sampler {
public:
    explicit DdimSampler(Schedule schedule) : Sampler(std::move(schedule)) {}

    SamplerStep advance(int step, const at::Tensor& prediction, const at::Tensor& latents,
                        const NoiseSource&) override {
        const double alpha = schedule().alpha_at(step);
        const double next = schedule().alpha_after(step);
        const double keep = std::sqrt((1.0 - next) / (1.0 - alpha));
        const double pull = std::sqrt(next) - std::sqrt(alpha) * keep;
        const at::Tensor x0 = predict_x0(step, prediction, latents);
        return {latents * keep + x0 * pull, x0};
    }
};

// Half the logarithm of the signal-to-noise ratio; infinite at both ends of a schedule with zero terminal SNR.
double log_snr(double alpha) { return std::log(std::sqrt(alpha / (1.0 - alpha))); }

// Of a step, first order.
struct DpmFactors {
    double latents;
    double x0;
    double noise;
};

// Stochastic, second order: one prediction back. The infinities at both ends become zeros and ones by themselves.
class DpmSampler final : public Sampler {
public:
    explicit DpmSampler(Schedule schedule) : Sampler(std::move(schedule)) {}

    SamplerStep advance(int step, const at::Tensor& prediction, const at::Tensor& latents,
                        const NoiseSource& noise) override {
        const at::Tensor x0 = predict_x0(step, prediction, latents);
        const at::Tensor before = std::exchange(previous_x0_, x0);
        const double h = log_snr(schedule().alpha_after(step)) - log_snr(schedule().alpha_at(step));
        at::Tensor draw = checked_draw(noise, step, 0, latents);
        if (!before.defined() || !schedule().has_previous_timestep(step)) {
            return {advance_towards(x0, latents, draw, factors(step, h)), x0};
        }
        draw = checked_draw(noise, step, 1, latents);
        const double r = (log_snr(schedule().alpha_at(step)) - log_snr(schedule().alpha_at(step - 1))) / h;
        const double older = 1.0 / (2.0 * r);
        const at::Tensor target = x0 * (1.0 + older) - before * older;
        return {advance_towards(target, latents, draw, factors(step, h)), x0};
    }

private:
    DpmFactors factors(int step, double h) const {
        const double alpha = schedule().alpha_at(step);
        const double next = schedule().alpha_after(step);
        return {std::sqrt((1.0 - next) / (1.0 - alpha)) * std::exp(-h), std::expm1(-2.0 * h) * std::sqrt(next),
                std::sqrt(1.0 - next) * std::sqrt(1.0 - std::exp(-2.0 * h))};
    }

    static at::Tensor advance_towards(const at::Tensor& target, const at::Tensor& latents, const at::Tensor& noise,
                                      const DpmFactors& by) {
        return latents * by.latents - target * by.x0 + noise * by.noise;
    }

    static at::Tensor checked_draw(const NoiseSource& noise, int step, int draw, const at::Tensor& latents) {
        if (!noise) throw EngineError(ErrorCode::Internal, "The dpm sampler was given no source of noise.");
        const at::Tensor drawn = noise(step, draw, latents.sizes(), latents.scalar_type());
        if (!drawn.defined() || drawn.sizes() != latents.sizes() || drawn.scalar_type() != latents.scalar_type()) {
            throw EngineError(ErrorCode::ShapeMismatch, "The noise of step " + std::to_string(step + 1) +
                                                            " must have the shape and type of the latents.");
        }
        return drawn.to(latents.device());
    }

    at::Tensor previous_x0_;
};

}  // namespace

// Coefficients are double scalars on the right: a 16-bit product keeps them in float32 and is rounded once.
at::Tensor Sampler::predict_x0(int step, const at::Tensor& prediction, const at::Tensor& latents) const {
    const double alpha = schedule_.alpha_at(step);
    switch (schedule_.config().prediction_type) {
        case PredictionType::Sample:
            return prediction;
        case PredictionType::Epsilon:
            return (latents - prediction * std::sqrt(1.0 - alpha)) / std::sqrt(alpha);
        case PredictionType::Velocity:
            break;
    }
    return latents * std::sqrt(alpha) - prediction * std::sqrt(1.0 - alpha);
}

std::unique_ptr<Sampler> make_sampler(SamplerKind kind, const ScheduleConfig& config, int steps) {
    Schedule schedule(config, steps);
    if (kind == SamplerKind::Ddim) return std::make_unique<DdimSampler>(std::move(schedule));
    return std::make_unique<DpmSampler>(std::move(schedule));
}

}  // namespace mirror::engine
