#include "engine/training/linear_codec.h"

#include <algorithm>
#include <cmath>

namespace mirror::engine::training {

PrincipalComponents principal_components(const at::Tensor& rows, std::int64_t count) {
    const at::Tensor mean = rows.mean(0);
    const at::Tensor centred = (rows - mean).to(at::kDouble);
    const at::Tensor covariance = at::matmul(centred.t(), centred) / static_cast<double>(rows.size(0));
    const auto [values, vectors] = at::linalg_eigh(covariance);  // Ascending.
    const std::int64_t width = rows.size(1), kept = std::min(count, width);
    const at::Tensor strongest = vectors.narrow(1, width - kept, kept).flip(1).t();
    const at::Tensor deviations = values.narrow(0, width - kept, kept).flip(0).clamp_min(0.0).sqrt();
    return {mean, strongest.to(at::kFloat).contiguous(), deviations.to(at::kFloat)};
}

at::Tensor space_to_depth(const at::Tensor& x, std::int64_t side) {
    const std::int64_t rows = x.size(2) / side, columns = x.size(3) / side;
    return x.view({x.size(0), x.size(1), rows, side, columns, side})
        .permute({0, 3, 5, 1, 2, 4})
        .reshape({x.size(0), side * side * x.size(1), rows, columns});
}

at::Tensor rows_of(const at::Tensor& x) { return x.permute({0, 2, 3, 1}).reshape({-1, x.size(1)}); }

LinearCodec::LinearCodec(const at::Tensor& pictures, std::int64_t side, std::int64_t numbers)
    : side_(side), components_(principal_components(rows_of(space_to_depth(pictures, side)), numbers)) {}

at::Tensor LinearCodec::through(const at::Tensor& pictures) const {
    const at::Tensor patches = space_to_depth(pictures, side_);
    const at::Tensor rows = rows_of(patches) - components_.mean;
    const at::Tensor& directions = components_.directions;
    const at::Tensor back = at::matmul(at::matmul(rows, directions.t()), directions) + components_.mean;
    const std::int64_t height = patches.size(2), width = patches.size(3);
    return back.view({pictures.size(0), height, width, side_, side_, pictures.size(1)})
        .permute({0, 5, 1, 3, 2, 4})
        .reshape(pictures.sizes());
}

double psnr(const at::Tensor& a, const at::Tensor& b) {
    const double error = (a - b).square().mean().item<double>();
    return 10.0 * std::log10(4.0 / std::max(error, 1e-12));  // The range is 2.
}

}  // namespace mirror::engine::training
