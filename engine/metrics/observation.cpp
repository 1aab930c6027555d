#include "engine/metrics/observation.h"

#include <algorithm>
#include <cmath>

namespace mirror::metrics {

std::vector<std::int64_t> uniform_indices(std::int64_t total, std::int64_t wanted) {
    std::vector<std::int64_t> indices;
    if (wanted <= 0 || wanted >= total) {
        for (std::int64_t i = 0; i < total; ++i) indices.push_back(i);
        return indices;
    }
    if (wanted == 1) return {0};
    const double stride = static_cast<double>(total - 1) / static_cast<double>(wanted - 1);
    for (std::int64_t k = 0; k < wanted; ++k) indices.push_back(std::llround(static_cast<double>(k) * stride));
    return indices;
}

ObservedClip sampled(const ObservedClip& clip, std::int64_t wanted) {
    ObservedClip part{clip.width, clip.height, {}};
    for (const std::int64_t index : uniform_indices(static_cast<std::int64_t>(clip.frames.size()), wanted))
        part.frames.push_back(clip.frames[static_cast<std::size_t>(index)]);
    return part;
}

double missing_share(const ObservedClip& clip) {
    if (clip.frames.empty()) return 0;
    const auto missing =
        std::count_if(clip.frames.begin(), clip.frames.end(), [](const ObservedFrame& frame) { return !frame.face; });
    return static_cast<double>(missing) / static_cast<double>(clip.frames.size());
}

double cosine(std::span<const float> a, std::span<const float> b) {
    double dot = 0, square_a = 0, square_b = 0;
    for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
        dot += static_cast<double>(a[i]) * b[i];
        square_a += static_cast<double>(a[i]) * a[i];
        square_b += static_cast<double>(b[i]) * b[i];
    }
    const double lengths = std::sqrt(square_a * square_b);
    return lengths > 0 ? dot / lengths : 0;
}

std::vector<float> mean_direction(std::span<const FaceSeen> faces) {
    std::vector<double> sum;
    for (const FaceSeen& face : faces) {
        double square = 0;
        for (const float value : face.embedding) square += static_cast<double>(value) * value;
        const double length = std::sqrt(square);
        if (length <= 0) continue;
        sum.resize(std::max(sum.size(), face.embedding.size()));
        for (std::size_t i = 0; i < face.embedding.size(); ++i)
            sum[i] += static_cast<double>(face.embedding[i]) / length / static_cast<double>(faces.size());
    }
    return {sum.begin(), sum.end()};
}

}  // namespace mirror::metrics
