#include "engine/training/vae_start.h"

#include <c10/core/GradMode.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <string>

#include "engine/core/result.h"
#include "engine/training/linear_codec.h"
#include "engine/training/random_stream.h"

namespace mirror::engine::training {

namespace {

// A value x goes through SiLU unchanged as a pair, since silu(x) - silu(-x) = x; and through a group norm nearly
// unchanged if a large constant in the same group decides the deviation.
constexpr double kConstantOverSignal = 6.0;
constexpr double kSpread = 0.02;                // Of weights that carry nothing yet.
constexpr double kRidge = 1e-3;                 // Weak components get no large weights.
constexpr std::int64_t kFittedPixels = 40'000;  // More rows do not make a better fit.
constexpr double kFirstLogVariance = -9.0;      // The first noise of the latents.

// Where the pairs and the constants of one normalised layer lie.
struct PairedChannels {
    PairedChannels(std::int64_t channels, std::int64_t groups, std::int64_t values)
        : group_size(channels / groups), values_of_a_group((values + groups - 1) / groups) {}

    static bool fits(std::int64_t channels, std::int64_t groups, std::int64_t values) {
        const PairedChannels pairs(channels, groups, values);
        return 2 * pairs.values_of_a_group + 2 <= pairs.group_size;
    }
    std::int64_t plus(std::int64_t value) const {
        return value / values_of_a_group * group_size + value % values_of_a_group * 2;
    }
    std::int64_t minus(std::int64_t value) const { return plus(value) + 1; }
    std::int64_t constant(std::int64_t group) const { return group * group_size + 2 * values_of_a_group; }

    std::int64_t group_size;
    std::int64_t values_of_a_group;
};

at::Tensor normal(const at::Tensor& like, RandomStream& random, double deviation) {
    return random.normal(like.sizes()).mul_(deviation);
}

// Patches of 3 x 3 around every pixel, with a constant 1: what a least-squares fit of a convolution sees.
at::Tensor neighbourhoods(const at::Tensor& x) {
    const at::Tensor columns = at::im2col(x, {3, 3}, {1, 1}, {1, 1}, {1, 1});  // [B, C 9, H W]
    const at::Tensor rows = columns.transpose(1, 2).reshape({-1, columns.size(1)});
    return at::cat({rows, at::ones({rows.size(0), 1}, rows.options())}, 1);
}

struct FittedConvolution {
    at::Tensor weight;  // [outputs, inputs, 3, 3]
    at::Tensor bias;    // [outputs]
};

FittedConvolution fit_convolution(const at::Tensor& inputs, const at::Tensor& outputs) {
    const std::int64_t enough = std::max<std::int64_t>(kFittedPixels / (inputs.size(2) * inputs.size(3)), 4);
    const std::int64_t pictures = std::min(enough, inputs.size(0));
    const at::Tensor a = neighbourhoods(inputs.narrow(0, 0, pictures)).to(at::kDouble);
    const at::Tensor b = rows_of(outputs.narrow(0, 0, pictures)).to(at::kDouble);
    at::Tensor normal_matrix = at::matmul(a.t(), a);
    normal_matrix.diagonal().add_(kRidge * normal_matrix.diagonal().mean());
    const at::Tensor solution = at::linalg_solve(normal_matrix, at::matmul(a.t(), b)).to(at::kFloat).t().contiguous();
    const std::int64_t taps = inputs.size(1) * 9;
    return {solution.narrow(1, 0, taps).reshape({-1, inputs.size(1), 3, 3}).clone(), solution.select(1, taps).clone()};
}

class LinearStart {
public:
    LinearStart(const VaeConfig& config, const at::Tensor& pictures, std::uint64_t seed)
        : config_(config), pictures_(pictures), seed_(seed) {
        encoder();
        decoder();
    }

    at::Tensor operator()(const std::string& name, at::IntArrayRef shape) const {
        const auto found = fixed_.find(name);
        if (found != fixed_.end()) return found->second.view(shape);
        return branch(name, shape);
    }

private:
    std::int64_t levels() const { return static_cast<std::int64_t>(config_.block_out_channels.size()); }
    std::int64_t width(std::int64_t level) const { return config_.block_out_channels[static_cast<std::size_t>(level)]; }

    // Weights on the residual branches: they do nothing yet, but can learn.
    at::Tensor branch(const std::string& name, at::IntArrayRef shape) const {
        std::uint64_t position = 1469598103934665603ULL;
        for (const char c : name) position = (position ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
        RandomStream random(seed_, Purpose::Initial, position);
        const at::Tensor zero = at::zeros(shape);
        const bool is_weight = name.ends_with("weight");
        if (name.find("conv2.conv") != std::string::npos) return zero;
        if (name.ends_with("conv_y.conv.bias")) return at::ones(shape);
        if (shape.size() == 1) return is_weight ? at::ones(shape) : zero;
        const bool is_guide = name.find("conv_y") != std::string::npos || name.find("conv_b") != std::string::npos;
        // In front of the colours the pairs must stay pairs.
        if (is_guide) return name.find("norm_out") != std::string::npos ? zero : normal(zero, random, kSpread);
        const double inputs = static_cast<double>(zero.numel()) / static_cast<double>(shape[0]);
        return normal(zero, random, std::sqrt(2.0 / inputs));
    }

    at::Tensor small(at::IntArrayRef shape, std::uint64_t position) const {
        RandomStream random(seed_, Purpose::Initial, position);
        return normal(at::zeros(shape), random, kSpread);
    }

    // conv_in: the three colours, in the newest frame.
    at::Tensor colours_in(std::int64_t outputs) const {
        at::Tensor weight = small({outputs, 3, 3, 3, 3}, 1);
        weight.narrow(0, 0, 3).zero_();
        for (std::int64_t c = 0; c < 3; ++c) weight[c][c][2][1][1] = 1.0;
        return weight;
    }

    void encoder() {
        fixed_["encoder.conv_in.conv.weight"] = colours_in(width(0));
        at::Tensor signal = pictures_;
        for (std::int64_t level = 0; level + 1 < levels(); ++level) {
            const std::string block = "encoder.down_blocks." + std::to_string(level);
            if (level > 0) pass_on(block + ".resnets.0", width(level - 1), width(level), signal.size(1));
            const at::Tensor patches = space_to_depth(signal, 2);
            const auto components = principal_components(rows_of(patches), std::min(width(level), patches.size(1)));
            downsampler(block + ".downsamplers.0.conv", level, signal.size(1), components);
            pyramid_.push_back(signal);
            signal = at::conv2d(patches, components.directions.unsqueeze(-1).unsqueeze(-1),
                                -at::mv(components.directions, components.mean));
        }
        latents_out(signal);
    }

    // The shortcut of a level that widens: channel to channel.
    void pass_on(const std::string& resnet, std::int64_t inputs, std::int64_t outputs, std::int64_t used) {
        if (inputs == outputs) return;
        at::Tensor weight = at::zeros({outputs, inputs});
        for (std::int64_t c = 0; c < std::min({used, inputs, outputs}); ++c) weight[c][c] = 1.0;
        fixed_[resnet + ".conv_shortcut.weight"] = weight;
        fixed_[resnet + ".conv_shortcut.bias"] = at::zeros({outputs});
    }

    void downsampler(const std::string& name, std::int64_t level, std::int64_t inputs,
                     const PrincipalComponents& components) {
        const std::int64_t outputs = components.directions.size(0);
        at::Tensor weight = small({width(level), width(level), 3, 3}, 10 + static_cast<std::uint64_t>(level));
        weight.narrow(0, 0, outputs).zero_();
        // A direction is ordered row, column, channel.
        const at::Tensor taps = components.directions.view({outputs, 2, 2, inputs}).permute({0, 3, 1, 2});
        weight.narrow(0, 0, outputs).narrow(1, 0, inputs).narrow(2, 0, 2).narrow(3, 0, 2).copy_(taps);
        at::Tensor bias = at::zeros({width(level)});
        bias.narrow(0, 0, outputs).copy_(-at::mv(components.directions, components.mean));
        fixed_[name + ".weight"] = weight;
        fixed_[name + ".bias"] = bias;
    }

    // The last shortcut lays the strongest components out as pairs with constants; conv_out joins them again.
    void latents_out(const at::Tensor& signal) {
        const std::int64_t numbers = config_.latent_channels, last = levels() - 1;
        const PairedChannels pairs(width(last), config_.norm_num_groups, numbers);
        const at::Tensor deviations = rows_of(signal).std(0, /*unbiased=*/false).clamp_min(1e-4);
        at::Tensor weight = at::zeros({width(last), width(last - 1)}), bias = at::zeros({width(last)});
        const double constant = kConstantOverSignal * deviations[0].item<double>();
        for (std::int64_t g = 0; g < config_.norm_num_groups; ++g) {
            bias[pairs.constant(g)] = constant;
            bias[pairs.constant(g) + 1] = -constant;
        }
        const double norm = constant * std::sqrt(2.0 / static_cast<double>(pairs.group_size));
        at::Tensor out = at::zeros({2 * numbers, width(last), 3, 3, 3});
        scales_ = deviations.narrow(0, 0, numbers).sqrt();
        scales_ = scales_ * (deviations.narrow(0, 0, numbers) / scales_).square().mean().sqrt();
        for (std::int64_t z = 0; z < numbers; ++z) {
            weight[pairs.plus(z)][z] = 1.0;
            weight[pairs.minus(z)][z] = -1.0;
            const double gain = norm / scales_[z].item<double>();
            out[z][pairs.plus(z)][2][1][1] = gain;
            out[z][pairs.minus(z)][2][1][1] = -gain;
        }
        at::Tensor out_bias = at::zeros({2 * numbers});
        out_bias.narrow(0, numbers, numbers).fill_(kFirstLogVariance);
        const std::string resnet = "encoder.down_blocks." + std::to_string(last) + ".resnets.0.conv_shortcut";
        fixed_[resnet + ".weight"] = weight;
        fixed_[resnet + ".bias"] = bias;
        fixed_["encoder.conv_out.conv.weight"] = out;
        fixed_["encoder.conv_out.conv.bias"] = out_bias;
        latents_ = signal.narrow(1, 0, numbers) / scales_.view({1, -1, 1, 1});
    }

    void decoder() {
        const std::int64_t numbers = config_.latent_channels, widest = width(levels() - 1);
        at::Tensor in = small({widest, numbers, 3, 3, 3}, 2);
        in.narrow(0, 0, numbers).zero_();
        for (std::int64_t z = 0; z < numbers; ++z) in[z][z][2][1][1] = 1.0;
        fixed_["decoder.conv_in.conv.weight"] = in;
        at::Tensor signal = latents_;
        for (std::int64_t i = 0; i + 1 < levels(); ++i) {
            const std::int64_t level = levels() - 1 - i;
            const std::string block = "decoder.up_blocks." + std::to_string(i);
            if (i > 0) pass_on(block + ".resnets.0", width(level + 1), width(level), signal.size(1));
            signal =
                upsampler(block + ".upsamplers.0.conv", level, signal, pyramid_[static_cast<std::size_t>(level - 1)]);
        }
        colours_out(signal);
    }

    // Fits what the finer level of the pyramid was; of two widths the smaller limits how many channels are carried.
    at::Tensor upsampler(const std::string& name, std::int64_t level, const at::Tensor& signal,
                         const at::Tensor& wish) {
        const at::Tensor enlarged = at::upsample_nearest2d(signal, {signal.size(2) * 2, signal.size(3) * 2});
        const std::int64_t carried = std::min({wish.size(1), width(level), width(level - 1)});
        const FittedConvolution fitted = fit_convolution(enlarged, wish.narrow(1, 0, carried));
        at::Tensor weight = small({width(level), width(level), 3, 3}, 20 + static_cast<std::uint64_t>(level));
        weight.narrow(0, 0, carried).zero_();
        weight.narrow(0, 0, carried).narrow(1, 0, signal.size(1)).copy_(fitted.weight);
        at::Tensor bias = at::zeros({width(level)});
        bias.narrow(0, 0, carried).copy_(fitted.bias);
        fixed_[name + ".weight"] = weight;
        fixed_[name + ".bias"] = bias;
        return at::conv2d(enlarged, fitted.weight, fitted.bias, 1, 1);
    }

    // As latents_out(), for the three colours.
    void colours_out(const at::Tensor& signal) {
        const PairedChannels pairs(width(0), config_.norm_num_groups, 3);
        at::Tensor weight = at::zeros({width(0), width(1)}), bias = at::zeros({width(0)});
        const double constant = kConstantOverSignal * signal.std().item<double>();
        for (std::int64_t g = 0; g < config_.norm_num_groups; ++g) {
            bias[pairs.constant(g)] = constant;
            bias[pairs.constant(g) + 1] = -constant;
        }
        const double norm = constant * std::sqrt(2.0 / static_cast<double>(pairs.group_size));
        at::Tensor out = at::zeros({3, width(0), 3, 3, 3});
        for (std::int64_t c = 0; c < 3; ++c) {
            weight[pairs.plus(c)][c] = 1.0;
            weight[pairs.minus(c)][c] = -1.0;
            out[c][pairs.plus(c)][2][1][1] = norm;
            out[c][pairs.minus(c)][2][1][1] = -norm;
        }
        const std::string resnet = "decoder.up_blocks." + std::to_string(levels() - 1) + ".resnets.0.conv_shortcut";
        fixed_[resnet + ".weight"] = weight;
        fixed_[resnet + ".bias"] = bias;
        fixed_["decoder.conv_out.conv.weight"] = out;
    }

    VaeConfig config_;
    at::Tensor pictures_;
    std::uint64_t seed_;
    std::map<std::string, at::Tensor> fixed_;
    std::vector<at::Tensor> pyramid_;  // The signal in front of each downsampler, finest first.
    at::Tensor scales_, latents_;
};

}  // namespace

void check_linear_start(const VaeConfig& config) {
    const auto& widths = config.block_out_channels;
    const std::size_t n = widths.size();
    const auto require = [](bool condition, const std::string& what) {
        if (!condition)
            throw EngineError(ErrorCode::InvalidRequest, "The autoencoder cannot start from a linear codec: " + what);
    };
    require(config.in_channels == 3 && config.out_channels == 3, "it has not three colours.");
    require(widths[n - 1] != widths[n - 2] && widths[0] != widths[1],
            "the first two and the last two of block_out_channels must differ.");
    require(widths[n - 2] >= config.latent_channels,
            "the last but one of block_out_channels is below latent_channels.");
    require(PairedChannels::fits(widths[n - 1], config.norm_num_groups, config.latent_channels) &&
                PairedChannels::fits(widths[0], config.norm_num_groups, 3),
            "norm_num_groups leaves no room for pairs of channels and a constant.");
}

Initializer linear_vae_start(const VaeConfig& config, const at::Tensor& pictures, std::uint64_t seed) {
    check_linear_start(config);
    const c10::NoGradGuard no_gradients;
    return LinearStart(config, pictures, seed);
}

}  // namespace mirror::engine::training
