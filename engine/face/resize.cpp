#include "engine/face/resize.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

namespace mirror::face {
namespace {

// Weights are whole numbers of 2^-22, which leaves room for 8-bit values and overshoot in 32 bits.
constexpr int fraction_bits = 22;
constexpr double bicubic_reach = 2.0;

double bicubic(double x) {
    constexpr double a = -0.5;
    x = std::abs(x);
    if (x < 1.0) return ((a + 2.0) * x - (a + 3.0)) * x * x + 1.0;
    if (x < 2.0) return (((x - 5.0) * x + 8.0) * x - 4.0) * a;
    return 0.0;
}

// Which source pixels make one target pixel.
struct Tap {
    int first = 0;
    std::vector<std::int32_t> weights;
};

std::vector<Tap> make_taps(int source, int target) {
    const double scale = static_cast<double>(source) / target;
    const double stretch = std::max(scale, 1.0);  // Shrinking widens the filter: that is the antialiasing.
    const double reach = bicubic_reach * stretch;
    std::vector<Tap> taps(static_cast<std::size_t>(target));
    for (int i = 0; i < target; ++i) {
        const double centre = (i + 0.5) * scale;
        const int first = std::max(0, static_cast<int>(centre - reach + 0.5));
        const int last = std::min(source, static_cast<int>(centre + reach + 0.5));
        std::vector<double> weights;
        double sum = 0;
        for (int x = first; x < last; ++x) {
            weights.push_back(bicubic((x - centre + 0.5) * (1.0 / stretch)));
            sum += weights.back();
        }
        Tap& tap = taps[static_cast<std::size_t>(i)];
        tap.first = first;
        for (const double weight : weights)
            tap.weights.push_back(static_cast<std::int32_t>(std::lround(weight / sum * (1 << fraction_bits))));
    }
    return taps;
}

std::uint8_t rounded(std::int32_t sum) {
    return static_cast<std::uint8_t>(std::clamp((sum + (1 << (fraction_bits - 1))) >> fraction_bits, 0, 255));
}

Frame empty_frame(int width, int height) {
    Frame frame{width, height, {}};
    frame.rgb.resize(static_cast<std::size_t>(width) * static_cast<std::size_t>(height) * 3);
    return frame;
}

Frame resize_rows(const Frame& picture, int width) {
    const std::vector<Tap> taps = make_taps(picture.width, width);
    Frame result = empty_frame(width, picture.height);
    for (int y = 0; y < picture.height; ++y) {
        std::uint8_t* target = result.row(y);
        for (const Tap& tap : taps) {
            const std::uint8_t* source = picture.row(y) + static_cast<std::size_t>(tap.first) * 3;
            std::int32_t sums[3] = {};
            for (const std::int32_t weight : tap.weights)
                for (int c = 0; c < 3; ++c) sums[c] += weight * *source++;
            for (int c = 0; c < 3; ++c) *target++ = rounded(sums[c]);
        }
    }
    return result;
}

Frame resize_columns(const Frame& picture, int height) {
    const std::vector<Tap> taps = make_taps(picture.height, height);
    Frame result = empty_frame(picture.width, height);
    std::vector<std::int32_t> sums(static_cast<std::size_t>(picture.width) * 3);
    for (int y = 0; y < height; ++y) {
        const Tap& tap = taps[static_cast<std::size_t>(y)];
        std::fill(sums.begin(), sums.end(), 0);
        for (std::size_t k = 0; k < tap.weights.size(); ++k) {
            const std::uint8_t* source = picture.row(tap.first + static_cast<int>(k));
            for (std::size_t i = 0; i < sums.size(); ++i) sums[i] += tap.weights[k] * source[i];
        }
        std::transform(sums.begin(), sums.end(), result.row(y), rounded);
    }
    return result;
}

}  // namespace

Frame resize_bicubic(const Frame& picture, int width, int height) {
    if (picture.width == width && picture.height == height) return picture;
    if (picture.width == width) return resize_columns(picture, height);
    const Frame rows = resize_rows(picture, width);
    return picture.height == height ? rows : resize_columns(rows, height);
}

Frame resize_and_centre(const Frame& picture, int size) {
    const std::int64_t shorter = std::min(picture.width, picture.height);
    const std::int64_t longer = std::max(picture.width, picture.height);
    const int stretched = static_cast<int>(size * longer / shorter);
    const bool tall = picture.height > picture.width;
    const Frame resized = resize_bicubic(picture, tall ? size : stretched, tall ? stretched : size);
    Frame middle = empty_frame(size, size);
    const int left = (resized.width - size) / 2;
    const int top = (resized.height - size) / 2;
    for (int y = 0; y < size; ++y)
        std::memcpy(middle.row(y), resized.row(top + y) + 3 * left, static_cast<std::size_t>(size) * 3);
    return middle;
}

}  // namespace mirror::face
