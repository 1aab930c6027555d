#include "engine/session/random_values.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

namespace mirror::engine {
namespace {

// The finalizer of SplitMix64 (Steele, Lea, Flood 2014), a bijection that mixes all bits.
std::uint64_t mixed(std::uint64_t x) {
    x ^= x >> 30;
    x *= 0xbf58476d1ce4e5b9;
    x ^= x >> 27;
    x *= 0x94d049bb133111eb;
    x ^= x >> 31;
    return x;
}

constexpr std::uint64_t kStep = 0x9e3779b97f4a7c15;  // 2^64 divided by the golden ratio.

// FNV-1a, 64 bit.
std::uint64_t hash_of(std::string_view text, std::uint64_t hash) {
    for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
    return hash;
}

enum class Spread { Relative, Absolute };  // Relative: times 1 / sqrt(fan-in).

struct Exception {
    std::string_view component;
    std::string_view part;  // Of the tensor's name.
    double offset;
    double scale;
    Spread spread;
};

// The first that fits counts. Weights of rank 1 have no fan-in: they are absolute.
constexpr std::array<Exception, 16> kExceptions = {{
    // T5 does not divide its attention by sqrt(d_kv); its queries are made small instead.
    {"text_encoder", "SelfAttention.q.weight", 0, 0.2, Spread::Relative},
    {"text_encoder", "relative_attention_bias", 0, 0.5, Spread::Absolute},
    {"text_encoder", "shared.weight", 0, 1.0, Spread::Absolute},
    {"text_encoder", "embed_tokens.weight", 0, 1.0, Spread::Absolute},
    // The decoder multiplies its norms by conv_y and adds conv_b: around 1 and 0, or products of many would pile up.
    {"vae", "conv_y.conv.bias", 1.0, 0.05, Spread::Absolute},
    {"vae", "conv_y.", 0, 0.3, Spread::Relative},
    {"vae", "conv_b.conv.weight", 0, 0.3, Spread::Relative},
    // Pictures in grey rather than in the eight corners of the colour cube.
    {"vae", "decoder.conv_out.conv.weight", 0, 0.4, Spread::Relative},
    {"image_encoder", "class_embedding", 0, 0.2, Spread::Absolute},
    {"recognizer", "prelu.weight", 0.25, 0.02, Spread::Absolute},
    {"recognizer", "conv2.weight", 0, 0.5, Spread::Relative},
    // Training starts these at zero. Here they are small, so that the adapter visibly acts without taking over.
    {"adapter", "mod_cond.fc2.weight", 0, 0.2, Spread::Relative},
    {"adapter", "mod_face.linear.weight", 0, 0.5, Spread::Relative},
    {"adapter", "attn_ca.to_v.weight", 0, 0.5, Spread::Relative},
    {"adapter", "fuse.mlp1.fc2.weight", 0, 0.5, Spread::Relative},
    {"adapter", "fuse.mlp2.fc2.weight", 0, 0.5, Spread::Relative},
}};

constexpr double kNoise = 0.05;  // Of norms around 1 and biases around 0: enough that a forgotten one shows.

}  // namespace

ValueRule value_rule(std::string_view component, std::string_view name, std::span<const std::int64_t> shape) {
    const bool is_vector = shape.size() < 2;
    const double elements = std::accumulate(shape.begin(), shape.end(), 1.0, [](double product, std::int64_t size) {
        return product * static_cast<double>(size);
    });
    const double per_input = is_vector ? 1.0 : 1.0 / std::sqrt(elements / static_cast<double>(shape[0]));
    for (const auto& each : kExceptions) {
        const bool fits = component == each.component && name.find(each.part) != std::string_view::npos;
        if (fits) return {each.offset, each.spread == Spread::Relative ? each.scale * per_input : each.scale};
    }
    if (!is_vector) return {0, per_input};
    return {name.ends_with(".weight") ? 1.0 : 0.0, kNoise};
}

std::uint64_t tensor_key(std::uint64_t seed, std::string_view component, std::string_view name) {
    constexpr std::uint64_t kBasis = 0xcbf29ce484222325;
    const std::uint64_t place = hash_of(name, hash_of("/", hash_of(component, kBasis)));
    return mixed(place + mixed(seed + kStep));
}

void fill_random(std::span<float> values, std::uint64_t key, std::uint64_t first, const ValueRule& rule) {
    // The sum of four uniform 16-bit numbers, moved to mean 0 and divided by its deviation: close to normal, at
    // most 3.5 deviations away, and, unlike logarithms and cosines, the same on every machine.
    constexpr std::int32_t kTwiceMean = 4 * 65535;
    constexpr double kTwiceDeviation = 2 * 37837.22;  // sqrt(4 * (65536^2 - 1) / 12), times 2
    const auto scale = static_cast<float>(rule.scale / kTwiceDeviation);
    const auto offset = static_cast<float>(rule.offset);
    for (std::size_t i = 0; i < values.size(); ++i) {
        const std::uint64_t bits = mixed(key + (first + i) * kStep);
        const auto sum = static_cast<std::int32_t>((bits & 0xffff) + ((bits >> 16) & 0xffff) + ((bits >> 32) & 0xffff) +
                                                   (bits >> 48));
        // Rounded once: the product is exact in double, whether or not the compiler fuses it with the sum.
        values[i] =
            static_cast<float>(static_cast<double>(offset) + static_cast<double>(scale) * (2 * sum - kTwiceMean));
    }
}

}  // namespace mirror::engine
