#include "engine/training/adamw.h"

#include <c10/core/GradMode.h>

#include <ATen/Parallel.h>

#include <algorithm>
#include <cmath>

namespace mirror::engine::training {

namespace {

constexpr std::int64_t kNumbersOfATask = 1 << 15;

// One step as numbers: what every weight needs to know.
struct Step {
    float beta1, beta2, epsilon;
    float rate;           // Learning rate over the first moment's bias correction.
    float root_of_bias2;  // Square root of the second moment's.
    float gradient_scale;
    float average_gain;  // 1 - decay of the moving average.
};

template <typename Moment>
struct Rows {
    float* weight;
    float* gradient;
    Moment* first;
    Moment* second;
    float* average;
};

template <typename Moment>
void update(const Rows<Moment>& rows, const Step& step, float kept_weight, std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
        const float g = rows.gradient[i] * step.gradient_scale;
        rows.first[i] = static_cast<Moment>(step.beta1 * static_cast<float>(rows.first[i]) + (1.0F - step.beta1) * g);
        rows.second[i] =
            static_cast<Moment>(step.beta2 * static_cast<float>(rows.second[i]) + (1.0F - step.beta2) * g * g);
        // The step is taken with the moments as they are kept.
        const auto m = static_cast<float>(rows.first[i]), v = static_cast<float>(rows.second[i]);
        const float w =
            rows.weight[i] * kept_weight - step.rate * m / (std::sqrt(v) / step.root_of_bias2 + step.epsilon);
        rows.weight[i] = w;
        rows.average[i] += step.average_gain * (w - rows.average[i]);
        rows.gradient[i] = 0.0F;
    }
}

template <typename Moment>
void update_on_cpu(const TrainableStore& store, const at::Tensor& first, const at::Tensor& second,
                   const at::Tensor& average, const Step& step, float kept_matrix) {
    const Rows<Moment> rows{store.values().data_ptr<float>(), store.gradients().data_ptr<float>(),
                            first.data_ptr<Moment>(), second.data_ptr<Moment>(), average.data_ptr<float>()};
    for (const auto& parameter : store.parameters()) {
        const float kept = parameter.is_matrix() ? kept_matrix : 1.0F;
        at::parallel_for(0, parameter.count, kNumbersOfATask, [&](std::int64_t begin, std::int64_t end) {
            update(rows, step, kept, parameter.begin + begin, parameter.begin + end);
        });
    }
}

void update_on_device(const TrainableStore& store, at::Tensor first, at::Tensor second, at::Tensor average,
                      const Step& step, float kept_matrix) {
    at::Tensor weight = store.values();
    const at::Tensor g = store.gradients() * step.gradient_scale;
    first.copy_(first.to(at::kFloat) * step.beta1 + g * (1.0F - step.beta1));
    second.copy_(second.to(at::kFloat) * step.beta2 + g * g * (1.0F - step.beta2));
    for (const auto& parameter : store.parameters()) {
        if (parameter.is_matrix()) weight.narrow(0, parameter.begin, parameter.count).mul_(kept_matrix);
    }
    const at::Tensor scale = second.to(at::kFloat).sqrt().div_(step.root_of_bias2).add_(step.epsilon);
    weight.addcdiv_(first.to(at::kFloat), scale, -step.rate);
    average.lerp_(weight, step.average_gain);
    store.gradients().zero_();
}

}  // namespace

AdamW::AdamW(std::shared_ptr<TrainableStore> store, const AdamWSettings& settings)
    : store_(std::move(store)), settings_(settings) {
    const auto moment = store_->values().options().dtype(settings_.bf16_moments ? at::kBFloat16 : at::kFloat);
    first_ = at::zeros(store_->values().sizes(), moment);
    second_ = at::zeros(store_->values().sizes(), moment);
    average_ = store_->values().clone();
}

double AdamW::gradient_norm() const { return store_->gradients().norm().item<double>(); }

void AdamW::step(double learning_rate, double norm) {
    const c10::NoGradGuard no_gradients;
    ++steps_;
    const auto n = static_cast<double>(steps_);
    Step step{};
    step.beta1 = static_cast<float>(settings_.beta1);
    step.beta2 = static_cast<float>(settings_.beta2);
    step.epsilon = static_cast<float>(settings_.epsilon);
    step.rate = static_cast<float>(learning_rate / (1.0 - std::pow(settings_.beta1, n)));
    step.root_of_bias2 = static_cast<float>(std::sqrt(1.0 - std::pow(settings_.beta2, n)));
    const bool clips = settings_.clip > 0 && norm > settings_.clip;
    step.gradient_scale = clips ? static_cast<float>(settings_.clip / norm) : 1.0F;
    step.average_gain = static_cast<float>(1.0 - std::min(settings_.ema, (1.0 + n) / (10.0 + n)));
    const auto kept_matrix = static_cast<float>(1.0 - learning_rate * settings_.weight_decay);
    if (!store_->values().is_cpu()) {
        update_on_device(*store_, first_, second_, average_, step, kept_matrix);
    } else if (settings_.bf16_moments) {
        update_on_cpu<at::BFloat16>(*store_, first_, second_, average_, step, kept_matrix);
    } else {
        update_on_cpu<float>(*store_, first_, second_, average_, step, kept_matrix);
    }
}

std::vector<std::pair<std::string, at::Tensor>> AdamW::state() const {
    return {{"weights", store_->values()}, {"first", first_}, {"second", second_}, {"average", average_}};
}

AveragedWeights::AveragedWeights(TrainableStore& store, const AdamW& optimizer)
    : values_(store.values()), kept_(store.values().clone()) {
    const c10::NoGradGuard no_gradients;
    values_.copy_(optimizer.average());
}

AveragedWeights::~AveragedWeights() {
    const c10::NoGradGuard no_gradients;
    values_.copy_(kept_);
}

}  // namespace mirror::engine::training
