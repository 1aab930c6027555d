#include "engine/training/first_weights.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "engine/core/result.h"
#include "engine/training/random_stream.h"

namespace mirror::engine::training {

namespace {

RandomStream stream_of(std::uint64_t seed, const std::string& name) {
    std::uint64_t hash = 1469598103934665603ULL;  // FNV-1a
    for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
    return {seed, Purpose::Initial, hash};
}

at::Tensor normal(std::uint64_t seed, const std::string& name, at::IntArrayRef shape, double deviation) {
    return stream_of(seed, name).normal(shape).mul_(deviation);
}

bool contains(const std::string& name, const std::string& part) { return name.find(part) != std::string::npos; }

// Numbers that one output is made of.
double inputs_of(at::IntArrayRef shape) {
    double count = 1;
    for (std::size_t i = 1; i < shape.size(); ++i) count *= static_cast<double>(shape[i]);
    return count;
}

// Norms and biases; nothing for a matrix.
at::Tensor vector_start(const std::string& name, at::IntArrayRef shape) {
    return name.ends_with("weight") ? at::ones(shape) : at::zeros(shape);
}

}  // namespace

Initializer transformer_start(std::uint64_t seed) {
    return [seed](const std::string& name, at::IntArrayRef shape) {
        const bool is_silent = contains(name, "norm1.linear") || contains(name, "norm2.linear") ||
                               contains(name, "norm_out.linear") || contains(name, "proj_out");
        if (is_silent) return at::zeros(shape);
        if (shape.size() == 1) return vector_start(name, shape);
        if (contains(name, "time_embedding")) return normal(seed, name, shape, 0.02);
        const double sum = inputs_of(shape) + static_cast<double>(shape[0]);
        return normal(seed, name, shape, std::sqrt(2.0 / sum));
    };
}

Initializer text_encoder_start(const T5Config& config, std::uint64_t seed) {
    return [config, seed](const std::string& name, at::IntArrayRef shape) {
        if (shape.size() == 1) return at::ones(shape);
        const auto width = static_cast<double>(config.d_model), head = static_cast<double>(config.d_kv);
        double deviation = 1.0 / std::sqrt(inputs_of(shape));
        if (contains(name, "shared") || contains(name, "embed_tokens")) deviation = 1.0;
        if (contains(name, "relative_attention_bias")) deviation = 1.0 / std::sqrt(width);
        if (contains(name, ".q.")) deviation = 1.0 / std::sqrt(width * head);
        return normal(seed, name, shape, deviation);
    };
}

Initializer general_start(std::uint64_t seed, std::vector<std::string> quiet) {
    return [seed, quiet = std::move(quiet)](const std::string& name, at::IntArrayRef shape) {
        const bool is_quiet = std::any_of(quiet.begin(), quiet.end(), [&](const auto& q) { return contains(name, q); });
        if (is_quiet) return at::zeros(shape);
        if (contains(name, "prelu")) return at::full(shape, 0.25);
        if (contains(name, "class_embedding") || contains(name, "position_embedding") || contains(name, "queries"))
            return normal(seed, name, shape, 0.05);
        if (shape.size() == 1) return vector_start(name, shape);
        return normal(seed, name, shape, std::sqrt(1.0 / inputs_of(shape)));
    };
}

Initializer joined_start(std::vector<std::pair<std::string, Initializer>> parts) {
    return [parts = std::move(parts)](const std::string& name, at::IntArrayRef shape) {
        for (const auto& [prefix, start] : parts) {
            if (name.starts_with(prefix + ".")) return start(name.substr(prefix.size() + 1), shape);
        }
        throw EngineError(ErrorCode::Internal, "Nothing says how the weight " + name + " begins.");
    };
}

}  // namespace mirror::engine::training
