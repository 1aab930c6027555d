#include "engine/session/bench_weights.h"

#include <ATen/CPUGeneratorImpl.h>

#include <cmath>

namespace mirror::engine {

namespace {

at::Tensor normal(at::IntArrayRef shape, std::uint64_t seed, at::Device device) {
    if (!device.is_cpu()) {
        at::manual_seed(seed);
        return at::randn(shape, at::TensorOptions(at::kFloat).device(device));
    }
    return at::randn(shape, at::detail::createCPUGenerator(seed), at::TensorOptions(at::kFloat));
}

}  // namespace

RandomWeights::RandomWeights(std::uint64_t seed, at::Device device) : next_seed_(seed), device_(device) {}

at::Tensor RandomWeights::read(const std::string& name, at::IntArrayRef shape) {
    if (shape.size() < 2) return name.ends_with("weight") ? at::ones(shape) : at::zeros(shape);
    const double fan_in = static_cast<double>(c10::multiply_integers(shape)) / static_cast<double>(shape[0]);
    return normal(shape, next_seed_++, device_).div_(std::sqrt(fan_in)).to(at::kBFloat16);
}

at::Tensor random_input(at::IntArrayRef shape, std::uint64_t seed, const Placement& placement) {
    return normal(shape, seed, placement.device).to(at::kBFloat16).to(placement.dtype);
}

}  // namespace mirror::engine
