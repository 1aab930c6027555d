#pragma once

// The parts that the encoder and the decoder of the CogVideoX autoencoder are made of (diffusers,
// autoencoder_kl_cogvideox.py, downsampling.py, upsampling.py). Tensors are [B, C, T, H, W].

#include <ATen/ATen.h>

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "engine/weights/weight_source.h"

namespace mirror::engine {

// What the causal convolutions of one clip carry from chunk to chunk: the last frames of their inputs, in the order in
// which the network runs them. begin_chunk() before each run.
class TimeCache {
public:
    enum class Chunk { Inner, Last };

    void begin_chunk(Chunk chunk) {
        next_ = 0;
        last_ = chunk == Chunk::Last;
    }
    // The frames that precede `x` in time: carried ones, else its first frame `count` times. Keeps the end of both for
    // the next chunk. Returns all of it, [B, C, count + T, H, W].
    at::Tensor lead_in(const at::Tensor& x, std::int64_t count);
    // Whether `x` is a picture: one frame with nothing before and nothing after it. If so, its place is passed over.
    bool passes_over_picture(const at::Tensor& x);

private:
    std::vector<at::Tensor> tails_;
    std::size_t next_ = 0;
    bool last_ = false;  // Nothing comes after: tails are dropped instead of kept.
};

// 3x3x3 that sees no later frame: time is led by what came before or by the first frame repeated, space is padded with
// zeros.
struct CausalConv3d {
    CausalConv3d() = default;
    CausalConv3d(const WeightScope& weights, std::int64_t inputs, std::int64_t outputs);

    at::Tensor operator()(const at::Tensor& x, TimeCache& cache) const;

    at::Tensor weight;  // [outputs, inputs, 3, 3, 3]
    at::Tensor bias;
};

// 1x1x1, no neighbours and so no cache.
struct PointwiseConv3d {
    PointwiseConv3d() = default;
    PointwiseConv3d(const WeightScope& weights, std::int64_t inputs, std::int64_t outputs);

    at::Tensor operator()(const at::Tensor& x) const;

    at::Tensor weight;  // [outputs, inputs, 1, 1, 1]
    at::Tensor bias;
};

struct GroupNorm {
    GroupNorm() = default;
    GroupNorm(const WeightScope& weights, std::int64_t channels, std::int64_t groups, double epsilon);

    // Statistics run over all frames of x, so that the chunks of a clip decide the numbers.
    at::Tensor operator()(const at::Tensor& x) const;

    at::Tensor weight, bias;
    std::int64_t groups = 1;
    double epsilon = 1e-6;
};

// The latent chunk that a decoder run is conditioned on, enlarged to the sizes that its norms ask for; each size is
// made once.
class LatentGuide {
public:
    explicit LatentGuide(at::Tensor latents) : latents_(std::move(latents)) {}

    // Nearest neighbour. Of an odd number of frames above one, the first is enlarged apart from the rest.
    const at::Tensor& at_size_of(const at::Tensor& f);

private:
    at::Tensor latents_;  // [B, Z, Tz, h, w]
    std::vector<at::Tensor> sizes_;
};

// Group norm, then scale and shift made from the latents at every pixel.
struct SpatialNorm3d {
    SpatialNorm3d() = default;
    SpatialNorm3d(const WeightScope& weights, std::int64_t channels, std::int64_t latent_channels, std::int64_t groups);

    at::Tensor operator()(const at::Tensor& f, LatentGuide& guide) const;

    GroupNorm norm;
    PointwiseConv3d scale, shift;
};

// Halves height and width, and the frame count too if told so: pairs are averaged, of an odd number the first frame
// stays.
struct Downsampler3d {
    enum class Time { Keep, Halve };
    Downsampler3d(const WeightScope& weights, std::int64_t channels, Time time);

    at::Tensor operator()(const at::Tensor& x) const;

    at::Tensor weight, bias;  // [channels, channels, 3, 3]
    Time time;
};

// Doubles height and width, and the frame count too if told so: of an odd number the first frame stays one.
struct Upsampler3d {
    enum class Time { Keep, Double };
    Upsampler3d(const WeightScope& weights, std::int64_t channels, Time time);

    at::Tensor operator()(const at::Tensor& x) const;

    at::Tensor weight, bias;  // [channels, channels, 3, 3]
    Time time;
};

}  // namespace mirror::engine
