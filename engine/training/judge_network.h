#pragma once

// A judge of drawn clips: who is it, what do they do, where, drawn in which style, and where the face is. It shares
// nothing with the networks that a model is made of, so that a model cannot please it by pleasing itself: plain strided
// convolutions with group norm, trained on people whom no model has seen.

#include <ATen/ATen.h>

#include <cstdint>
#include <string>
#include <vector>

#include "engine/tensor/layers.h"
#include "engine/weights/config_reader.h"
#include "engine/weights/weight_source.h"

namespace mirror::engine::training {

struct JudgeConfig {
    static JudgeConfig read(const ConfigReader& file);
    std::string json() const;

    static constexpr std::int64_t picture_size = 96;  // Every frame is brought to this square first.
    static constexpr std::int64_t small_size = 64;    // What the networks see: of the whole frame, or of the face.
    static constexpr double face_expand = 1.5;        // Side of the face's crop over the longer side of its box.

    std::int64_t id_dim = 128;
    std::int64_t width = 24;        // Channels of the first layer of the identity network; a multiple of 8.
    std::int64_t frame_width = 16;  // Likewise of the other two.
};

// relu(norm(convolution)), 3x3.
struct JudgeLayer {
    JudgeLayer(const WeightScope& weights, std::int64_t inputs, std::int64_t outputs, std::int64_t stride_);

    at::Tensor operator()(const at::Tensor& x) const;

    at::Tensor weight, bias, norm_weight, norm_bias;
    std::int64_t stride = 1;
};

struct SeenFrames {
    at::Tensor faces;   // [N, 14]: x0, y0, x1, y1 and five landmarks, in parts of the picture's side
    at::Tensor places;  // [N, kPlaces], logits
    at::Tensor styles;  // [N, kStyles], logits
};

class JudgeNetwork {
public:
    JudgeNetwork(const WeightScope& weights, const JudgeConfig& config);

    // Crops [N, 3, 64, 64] in -1..1, as face_crops() cuts them -> [N, id_dim].
    at::Tensor identities(const at::Tensor& crops) const;
    // Whole frames [N, 3, 64, 64].
    SeenFrames frames(const at::Tensor& pictures) const;
    // Whole frames of clips [B, T, 3, 64, 64], about 8 a second -> [B, kActions], logits.
    at::Tensor actions(const at::Tensor& clips) const;

    const JudgeConfig& config() const { return config_; }

private:
    JudgeConfig config_;
    std::vector<JudgeLayer> identity_, frame_, action_;
    Linear identity_out_, face_hidden_, face_out_, scene_out_, action_hidden_, action_out_;
    std::vector<at::Tensor> time_weights_, time_biases_;
};

// Pictures of any size in -1..1 [N, 3, H, W] to squares of `side`, antialiased.
at::Tensor resized_pictures(const at::Tensor& pictures, std::int64_t side);

// The square around each face out of pictures [N, 3, 96, 96]; boxes [N, 4 or more] as SeenFrames::faces has them. The
// edge is repeated outside of the picture.
at::Tensor face_crops(const at::Tensor& pictures, const at::Tensor& boxes);

}  // namespace mirror::engine::training
