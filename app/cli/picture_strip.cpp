#include "app/cli/picture_strip.h"

#include <algorithm>
#include <cmath>

namespace mirror::cli {

namespace {

// Bilinear: previews are a few dozen pixels high and are only ever enlarged.
Frame resized(const Frame& from, int width, int height) {
    Frame to{width, height, std::vector<std::uint8_t>(static_cast<std::size_t>(width) * height * 3)};
    const auto position = [](int at, int of, int source) {
        return std::clamp((at + 0.5) * source / of - 0.5, 0.0, static_cast<double>(source - 1));
    };
    for (int y = 0; y < height; ++y) {
        const double fy = position(y, height, from.height);
        const int y0 = static_cast<int>(fy), y1 = std::min(y0 + 1, from.height - 1);
        for (int x = 0; x < width; ++x) {
            const double fx = position(x, width, from.width);
            const int x0 = static_cast<int>(fx), x1 = std::min(x0 + 1, from.width - 1);
            for (int c = 0; c < 3; ++c) {
                const double upper = std::lerp<double>(from.row(y0)[3 * x0 + c], from.row(y0)[3 * x1 + c], fx - x0);
                const double lower = std::lerp<double>(from.row(y1)[3 * x0 + c], from.row(y1)[3 * x1 + c], fx - x0);
                to.row(y)[3 * x + c] = static_cast<std::uint8_t>(std::lround(std::lerp(upper, lower, fy - y0)));
            }
        }
    }
    return to;
}

}  // namespace

Frame picture_strip(const std::vector<Frame>& pictures, int height, int gap) {
    std::vector<Frame> scaled;
    int width = 0;
    for (const Frame& picture : pictures) {
        const double ratio = static_cast<double>(picture.width) / picture.height;
        scaled.push_back(resized(picture, std::max(1, static_cast<int>(std::lround(ratio * height))), height));
        width += scaled.back().width + (scaled.size() > 1 ? gap : 0);
    }
    Frame strip{width, height, std::vector<std::uint8_t>(static_cast<std::size_t>(width) * height * 3, 255)};
    int left = 0;
    for (const Frame& picture : scaled) {
        for (int y = 0; y < height; ++y) std::copy_n(picture.row(y), 3 * picture.width, strip.row(y) + 3 * left);
        left += picture.width + gap;
    }
    return strip;
}

std::vector<std::size_t> spread_positions(std::size_t total, std::size_t wanted) {
    std::vector<std::size_t> positions;
    const std::size_t count = std::min(total, wanted);
    for (std::size_t i = 0; i < count; ++i)
        positions.push_back(count == 1 ? 0 : (i * (total - 1) + (count - 1) / 2) / (count - 1));
    return positions;
}

}  // namespace mirror::cli
