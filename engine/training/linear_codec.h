#pragma once

// The best linear codec of square patches (principal components): what an autoencoder with as many numbers has to beat,
// and where one is best started.

#include <ATen/ATen.h>

#include <cstdint>

namespace mirror::engine::training {

struct PrincipalComponents {
    at::Tensor mean;        // [D]
    at::Tensor directions;  // [k, D], orthonormal rows, the strongest first.
    at::Tensor deviations;  // [k], the standard deviation along each.
};

// Of the rows of samples [N, D], float32.
PrincipalComponents principal_components(const at::Tensor& rows, std::int64_t count);

// [B, C, H, W] -> [B, C side side, H / side, W / side]; the channels of a patch are ordered row, column, channel.
at::Tensor space_to_depth(const at::Tensor& x, std::int64_t side);
// [B, C, H, W] -> [B H W, C].
at::Tensor rows_of(const at::Tensor& x);

class LinearCodec {
public:
    // pictures [B, 3, H, W] in -1..1; `numbers` kept of each patch.
    LinearCodec(const at::Tensor& pictures, std::int64_t side, std::int64_t numbers);
    at::Tensor through(const at::Tensor& pictures) const;  // Coded and decoded again.

private:
    std::int64_t side_;
    PrincipalComponents components_;
};

// Peak signal-to-noise ratio in decibels of signals in -1..1, the mean over all of the batch.
double psnr(const at::Tensor& a, const at::Tensor& b);

}  // namespace mirror::engine::training
