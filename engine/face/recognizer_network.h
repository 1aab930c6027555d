#pragma once

// The face recogniser: an IResNet from an aligned face to its identity vector (Deng et al., ArcFace, 2019).
//
// Normalisations that follow a convolution are folded into it; those that come before one stay, as a scale and a shift
// per channel, because the convolution's zero padding would make folding inexact.

#include <ATen/ATen.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "engine/tensor/layers.h"
#include "engine/weights/weight_source.h"

namespace mirror::engine {

class ConfigReader;

// recognizer/config.json. The defaults are IResNet-50.
struct RecognizerConfig {
    std::int64_t id_dim = 512;
    std::int64_t stem_width = 64;
    std::vector<std::int64_t> widths{64, 128, 256, 512};  // One a stage; every stage halves the picture.
    std::vector<std::int64_t> depths{3, 4, 14, 3};        // Residual units of each stage.
    std::string id_pack = "buffalo_l/w600k_r50";          // Names the embedding space; perceivers fit only theirs.

    static constexpr std::int64_t image_size = 112;
};

// EngineError names the file and the key.
RecognizerConfig read_recognizer_config(const std::filesystem::path& file);
RecognizerConfig read_recognizer_config(const ConfigReader& reader);

struct RecognizerConv {
    RecognizerConv() = default;
    RecognizerConv(const WeightScope& weights, std::int64_t inputs, std::int64_t outputs, std::int64_t kernel,
                   std::int64_t stride_);

    at::Tensor operator()(const at::Tensor& x) const;

    at::Tensor weight;  // [outputs, inputs, kernel, kernel]
    at::Tensor bias;    // [outputs]
    std::int64_t stride = 1;
};

// Per channel: weight * x + bias.
struct ChannelAffine {
    ChannelAffine() = default;
    ChannelAffine(const WeightScope& weights, std::int64_t channels);

    at::Tensor operator()(const at::Tensor& x) const;

    at::Tensor weight;  // [channels]
    at::Tensor bias;    // [channels]
};

// x + conv2(prelu(conv1(norm(x)))), with a 1x1 shortcut where the size changes.
struct ResidualUnit {
    ResidualUnit(const WeightScope& weights, std::int64_t inputs, std::int64_t outputs, std::int64_t stride);

    at::Tensor operator()(const at::Tensor& x) const;

    ChannelAffine norm;
    RecognizerConv conv1;
    at::Tensor slope;  // [outputs], of the PReLU
    RecognizerConv conv2;
    RecognizerConv shortcut;  // Without weight where the input passes unchanged.
};

class RecognizerNetwork {
public:
    RecognizerNetwork(const WeightScope& weights, const RecognizerConfig& config);

    // [N, 3, 112, 112] as arcface_input() makes it -> [N, id_dim], raw: not normalised to length 1.
    at::Tensor forward(const at::Tensor& faces) const;

    const RecognizerConfig& config() const { return config_; }

private:
    RecognizerConfig config_;
    RecognizerConv stem_;
    at::Tensor stem_slope_;
    std::vector<ResidualUnit> units_;
    ChannelAffine norm_;
    Linear head_;
};

}  // namespace mirror::engine
