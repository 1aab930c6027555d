#include "engine/training/jpeg_loss.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <numbers>

namespace mirror::engine::training {

namespace {

constexpr std::int64_t kBlock = 8;
// Steps of quantisation at quality 50, T.81 tables K.1 and K.2.
constexpr std::array<int, 64> kBrightness{16, 11, 10, 16, 24,  40,  51,  61,  12, 12, 14, 19, 26,  58,  60,  55,
                                          14, 13, 16, 24, 40,  57,  69,  56,  14, 17, 22, 29, 51,  87,  80,  62,
                                          18, 22, 37, 56, 68,  109, 103, 77,  24, 35, 55, 64, 81,  104, 113, 92,
                                          49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99};
constexpr std::array<int, 64> kColour{17, 18, 24, 47, 99, 99, 99, 99, 18, 21, 26, 66, 99, 99, 99, 99,
                                      24, 26, 56, 99, 99, 99, 99, 99, 47, 66, 99, 99, 99, 99, 99, 99,
                                      99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99,
                                      99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99};

at::Tensor steps(const std::array<int, 64>& table, int quality) {
    const int scale = quality < 50 ? 5000 / quality : 200 - 2 * quality;
    std::array<float, 64> scaled{};
    for (std::size_t i = 0; i < table.size(); ++i)
        scaled[i] = static_cast<float>(std::clamp((table[i] * scale + 50) / 100, 1, 255));
    return at::tensor(scaled).view({kBlock, kBlock});
}

// Rows are frequencies.
at::Tensor cosines() {
    std::array<float, 64> rows{};
    for (std::size_t k = 0; k < 8; ++k) {
        for (std::size_t x = 0; x < 8; ++x) {
            const double angle =
                (2.0 * static_cast<double>(x) + 1.0) * static_cast<double>(k) * std::numbers::pi / 16.0;
            rows[k * 8 + x] = static_cast<float>(std::cos(angle) * (k == 0 ? std::sqrt(1.0 / 8.0) : 0.5));
        }
    }
    return at::tensor(rows).view({kBlock, kBlock});
}

// plane [H, W], both multiples of 8, around zero.
at::Tensor rounded_blocks(const at::Tensor& plane, const at::Tensor& step) {
    const at::Tensor transform = cosines();
    const std::int64_t down = plane.size(0) / kBlock, across = plane.size(1) / kBlock;
    const at::Tensor blocks = plane.view({down, kBlock, across, kBlock}).permute({0, 2, 1, 3});
    const at::Tensor kept = (at::matmul(at::matmul(transform, blocks), transform.t()) / step).round() * step;
    const at::Tensor back = at::matmul(at::matmul(transform.t(), kept), transform);
    return back.permute({0, 2, 1, 3}).reshape({plane.size(0), plane.size(1)});
}

}  // namespace

at::Tensor jpeg_loss(const at::Tensor& picture, int quality) {
    constexpr std::int64_t kWhole = 2 * kBlock;  // Colour has half the size.
    const std::int64_t height = picture.size(1), width = picture.size(2);
    const auto missing = [](std::int64_t size) { return (kWhole - size % kWhole) % kWhole; };
    const at::Tensor padded = at::replication_pad2d(((picture + 1.0) * 127.5).clamp(0.0, 255.0).round().unsqueeze(0),
                                                    {0, missing(width), 0, missing(height)})[0];
    const at::Tensor red = padded[0], green = padded[1], blue = padded[2];
    const auto colour = [&](const at::Tensor& difference) {
        const at::Tensor half = at::avg_pool2d(difference.unsqueeze(0), {2, 2});
        const at::Tensor kept = rounded_blocks(half[0].round(), steps(kColour, quality));
        return at::upsample_bilinear2d(kept.round().unsqueeze(0).unsqueeze(0), {padded.size(1), padded.size(2)},
                                       /*align_corners=*/false)[0][0];
    };
    const at::Tensor y =
        rounded_blocks((0.299 * red + 0.587 * green + 0.114 * blue).round() - 128.0, steps(kBrightness, quality))
            .round() +
        128.0;
    const at::Tensor cb = colour(-0.168736 * red - 0.331264 * green + 0.5 * blue);
    const at::Tensor cr = colour(0.5 * red - 0.418688 * green - 0.081312 * blue);
    const at::Tensor rgb = at::stack({y + 1.402 * cr, y - 0.344136 * cb - 0.714136 * cr, y + 1.772 * cb});
    return rgb.narrow(1, 0, height).narrow(2, 0, width).round().clamp(0.0, 255.0) / 127.5 - 1.0;
}

}  // namespace mirror::engine::training
