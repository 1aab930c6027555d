#pragma once

// Pictures and videos as plain values: what every toolkit converts from and to.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace mirror {

struct FrameRate {
    int numerator = 8;
    int denominator = 1;
    friend bool operator==(const FrameRate&, const FrameRate&) = default;
};

struct VideoSpec {
    int width = 720;   // Pixels, a multiple of 16.
    int height = 480;  // Pixels, a multiple of 16.
    int frames = 49;   // 8N + 1; 16N + 1 for the 1.5 models.
    FrameRate rate;
    friend bool operator==(const VideoSpec&, const VideoSpec&) = default;
};

// Packed 8-bit RGB, row by row, no padding. Immutable once shared.
struct Frame {
    int width = 0;
    int height = 0;
    std::vector<std::uint8_t> rgb;  // width * height * 3

    const std::uint8_t* row(int y) const { return rgb.data() + static_cast<std::size_t>(y) * width * 3; }
    std::uint8_t* row(int y) { return rgb.data() + static_cast<std::size_t>(y) * width * 3; }
};

using SharedFrame = std::shared_ptr<const Frame>;

// All frames of one latent preview: frames[i] is latent frame i, in order.
struct PreviewClip {
    int step = 0;  // The sampler step after which it was made, counted from 1.
    int steps = 0;
    double frames_per_second = 2.0;  // So that the loop lasts as long as the clip will.
    std::vector<Frame> frames;
};

using SharedPreview = std::shared_ptr<const PreviewClip>;

}  // namespace mirror
