#pragma once

// The identity curve of a video as an SVG picture: how much each frame looks like the reference, and how much other
// people do.

#include <optional>
#include <string>
#include <vector>

namespace mirror::cli {

struct SimilarityChart {
    std::vector<std::optional<double>> frames;  // Cosine to the reference; nothing where no face was found.
    std::vector<int> cuts;                      // First frames of the shots after the first one.
    std::optional<double> others;               // The nearest other person's picture, for comparison.
};

// Follows the reader's light or dark scheme.
std::string svg_of(const SimilarityChart& chart);

}  // namespace mirror::cli
